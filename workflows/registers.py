"""The comparison with state registers: of everybody at night, and of one person on demand."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.registers import RegisterActivities as Activities
    from models.messages import (
        CheckLook,
        CheckRef,
        SyncProgress,
        SyncRun,
        SyncStart,
        WorkflowName,
    )
    from models.visibility import OpsText
    from rules.registers.kinds import RegisterName
    from workflows.looking import LookingWorkflow

SHIFTS = 150
"""After so many shifts of all registers together a new run keeps the history short."""
RETRIES = RetryPolicy(maximum_interval=timedelta(seconds=10))


@workflow.defn(name=WorkflowName.REGISTER_SYNC)
class RegisterSync:
    """Everybody is compared with every register, side by side; a schedule starts it each night.

    How far each is stands in the database, so a run may start at any point, and a later night goes
    on with what an earlier one has left.
    """

    def __init__(self) -> None:
        self._shifts = 0
        self._told: dict[RegisterName, SyncProgress] = {}

    @workflow.run
    async def run(self, start: SyncStart | None = None) -> Mapping[str, int]:
        """Go on until each register has answered about everybody. Returns about how many."""
        names = start.left if start else tuple(RegisterName)
        await asyncio.gather(*map(self._compare, names))
        left = tuple(name for name in names if self._told[name].under_way)
        if left:
            workflow.continue_as_new(SyncStart(left=left))
        return {name.value: self._told[name].done for name in names}

    async def _compare(self, name: RegisterName) -> None:
        """Shift after shift, until everybody is done or the history is long enough."""
        self._tell(
            name,
            await workflow.execute_activity_method(
                Activities.begin_register_run,
                name,
                start_to_close_timeout=timedelta(seconds=30),
                retry_policy=RETRIES,
                summary=OpsText(f"{name.value}: begin, or find how far it is"),
            ),
        )
        while self._told[name].under_way and not self._full:
            progress: SyncProgress = await workflow.execute_activity_method(
                Activities.compare_with_register,
                SyncRun(run_id=self._told[name].run_id),
                start_to_close_timeout=timedelta(minutes=10),
                heartbeat_timeout=timedelta(seconds=10),
                retry_policy=RETRIES,
                summary=OpsText(f"{name.value}: compare for a shift"),
            )
            self._shifts += 1
            self._tell(name, progress)
            if progress.under_way and progress.again_at is not None:
                await self._wait(name, progress.again_at)

    async def _wait(self, name: RegisterName, again_at: datetime) -> None:
        """The register does not answer: wait for its next try, unless the run is to end."""
        try:
            await workflow.wait_condition(
                lambda: self._full,
                timeout=max(again_at - workflow.now(), timedelta(0)),
                timeout_summary=OpsText(f"{name.value} does not answer: until the next try"),
            )
        except TimeoutError:
            return

    @property
    def _full(self) -> bool:
        return self._shifts >= SHIFTS

    def _tell(self, name: RegisterName, progress: SyncProgress) -> None:
        """Show ops how far all are."""
        self._told[name] = progress
        workflow.set_current_details(OpsText("\n".join(map(_line, self._told.items()))))


def _line(told: tuple[RegisterName, SyncProgress]) -> str:
    name, at = told
    line = f"- **{name.value}**: {at.done} of {at.total}"
    if not at.under_way:
        return f"{line}, done"
    if at.again_at is not None:
        return f"{line}, does not answer, next try {at.again_at:%H:%M:%S} UTC"
    return f"{line}, done at {at.ends_at:%H:%M} UTC" if at.ends_at else line


@workflow.defn(name=WorkflowName.REGISTER_CHECK)
class OneRegisterCheck(LookingWorkflow):
    """One person asked to be compared now: until every register has answered, for a day at most."""

    @workflow.run
    async def run(self, ref: CheckRef) -> None:
        """Ask, and ask again what does not answer."""
        await self._look_until_over(lambda: self._look(ref), ref, "until the next try")

    async def _look(self, ref: CheckRef) -> datetime | None:
        looked: CheckLook = await workflow.execute_activity_method(
            Activities.look_at_check,
            ref,
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=RETRIES,
            summary=OpsText("ask the registers about one person"),
        )
        if looked.again_at is None:
            workflow.set_current_details(OpsText("**every register has answered**"))
        else:
            at = f"{looked.again_at:%Y-%m-%d %H:%M:%S} UTC"
            workflow.set_current_details(OpsText(f"**a register does not answer**, next try {at}"))
        return looked.again_at
