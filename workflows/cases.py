"""What the workflows of all kinds of case share: signals, being stuck, and telling ops.

The database holds the state of a case; a workflow holds what happens next. So a run may start at
any step, and a lost run loses nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.cases import CaseActivities
    from models.messages import (
        PRESENT_STATE,
        WAKE_UP,
        ActRef,
        CaseRef,
        CaseSignal,
        CaseState,
        Look,
        PresentState,
        Stuck,
    )
    from models.visibility import OpsText, changes_of
    from rules.cases.process import Status, Transition
    from rules.cases.terms import day_and_hour

ACTIVITY_TIMEOUT = timedelta(seconds=15)
RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(seconds=10),
    non_retryable_error_types=["PermanentError"],
)
"""Our own servers come back: retry for ever, at least every 10 s."""

AT_ONCE = timedelta(seconds=1)
"""How long a step may take in the worker: meanwhile the workflow answers no question."""
LOCALLY = "steps-are-local-activities"
"""The patch of runs that take their short steps in the worker, as `_do` says."""

STUCK_LOOKS_AGAIN = timedelta(hours=1)
SIGNALS_KEPT = 50


def _words(status: Status) -> str:
    """A status in English, like everything in the Temporal UI."""
    return status.value.replace("_", " ")


class CaseWorkflow:
    """A case of any kind. Each workflow says in `_step` what a status asks for."""

    def __init__(self) -> None:
        self._case: CaseState | None = None
        self._signals: list[CaseSignal] = []
        self._shown: CaseState | None = None
        self._stuck: str | None = None

    async def _step(self, case: CaseState) -> CaseState:
        """Do what the status asks for. Returns the case after it."""
        raise NotImplementedError

    def _then(self, case: CaseState) -> str | None:
        """What happens when the time of the case is over, for ops and pages."""
        raise NotImplementedError

    async def _live(self, ref: CaseRef) -> CaseState:
        """While the case is open, do what its status asks for. Ends without effect if it is closed.

        A run never fails, and ignores a cancel from outside: an error that it cannot handle makes
        it stuck, ops are told, and it waits for a signal.
        """
        self._case = case = ref.state or await self._look(ref)
        while self._goes_on(case):
            self._show(case)
            try:
                before, case = case, await self._step(case)
            except (ActivityError, asyncio.CancelledError) as error:
                before, case = case, await self._recover(case, error)
            self._case = case
            self._stop_early(before, case)
        self._show(case)
        return case

    def _goes_on(self, case: CaseState) -> bool:
        """Whether there is anything left to do."""
        return case.open

    async def _signalled_or_at(
        self, case: CaseState, when_over: Callable[[CaseState], Awaitable[CaseState]]
    ) -> CaseState:
        """Wait for a signal, or until `wakes_at` of the case; then call `when_over`."""
        wait = max(case.wakes_at - workflow.now(), timedelta(0)) if case.wakes_at else None
        try:
            await workflow.wait_condition(
                lambda: bool(self._signals),
                timeout=wait,
                timeout_summary=OpsText(f"{_words(case.status)}: waits for {case.waits_for.value}"),
            )
        except TimeoutError:
            return await when_over(case)
        return await self._signalled(case)

    async def _signalled(self, case: CaseState) -> CaseState:
        """Do what follows a signal."""
        return await self._look(CaseRef(case_id=case.case_id))

    async def _look(self, ref: CaseRef) -> CaseState:
        return await self._do(CaseActivities.look, self._heard(ref.case_id, ref), "read the case")

    def _heard(self, case_id: UUID, ref: CaseRef | None = None) -> Look:
        """Take the signals since the last look, for an activity that reads the case itself."""
        return Look(case=ref or CaseRef(case_id=case_id), rings=self._take_signals())

    async def _do(self, activity: Any, argument: Any, summary: str) -> CaseState:
        """Let the worker do a step at once; what fails or takes long there, Temporal gives out.

        The first needs no word with Temporal between the signal and the step, nor after it. What
        is tried again stands in the Temporal UI with the reason, and waits in no worker.
        """
        if workflow.patched(LOCALLY):
            try:
                result: CaseState = await workflow.execute_local_activity_method(
                    activity,
                    argument,
                    start_to_close_timeout=AT_ONCE,
                    retry_policy=RetryPolicy(maximum_attempts=1),
                    summary=OpsText(summary),
                )
            except FailureError as error:
                if is_cancelled_exception(error):
                    raise asyncio.CancelledError from error
            else:
                self._stuck = None
                return result
        return await self._given_out(activity, argument, summary)

    async def _given_out(
        self,
        activity: Any,
        argument: Any,
        summary: str,
        *,
        within: timedelta = ACTIVITY_TIMEOUT,
        beating_within: timedelta | None = None,
    ) -> CaseState:
        """Let Temporal give a step to a worker, again and again until it succeeds."""
        result: CaseState = await workflow.execute_activity_method(
            activity,
            argument,
            start_to_close_timeout=within,
            heartbeat_timeout=beating_within,
            retry_policy=RETRIES,
            summary=OpsText(summary),
        )
        self._stuck = None
        return result

    async def _recover(self, case: CaseState, error: BaseException) -> CaseState:
        """Ignore a cancel. For any other error tell ops, and wait for a signal."""
        if is_cancelled_exception(error):
            return case
        cause = error.__cause__
        kind = (cause.type if isinstance(cause, ApplicationError) else None) or type(cause).__name__
        name = error.activity_type if isinstance(error, ActivityError) else "workflow"
        self._stuck = kind
        self._show(case)
        try:
            await workflow.execute_activity_method(
                CaseActivities.report_stuck,
                Stuck(case=CaseRef(case_id=case.case_id), activity=name, error_type=kind),
                start_to_close_timeout=ACTIVITY_TIMEOUT,
                retry_policy=RETRIES,
                summary=OpsText("tell ops that the case is stuck"),
            )
            await workflow.wait_condition(
                lambda: bool(self._signals),
                timeout=STUCK_LOOKS_AGAIN,
                timeout_summary=OpsText(f"stuck: {kind}"),
            )
            return await self._look(CaseRef(case_id=case.case_id))
        except (ActivityError, asyncio.CancelledError, TimeoutError):
            return case

    def _take_signals(self) -> tuple[CaseSignal, ...]:
        signals, self._signals = tuple(self._signals), []
        return signals

    def _stop_early(self, before: CaseState, case: CaseState) -> None:
        """Keep histories short: begin a new run if Temporal suggests it, or if `_turns` says so."""
        if case.open and (
            self._turns(before, case) or workflow.info().is_continue_as_new_suggested()
        ):
            workflow.continue_as_new(CaseRef(case_id=case.case_id, state=case))

    def _turns(self, before: CaseState, case: CaseState) -> bool:
        """Whether this step of the case is a good place to begin a new run."""
        return False

    def _show(self, case: CaseState) -> None:
        """Show ops where the case stands: search attributes when they change, details always."""
        if self._shown is None or self._shown.status is not case.status:
            if self._shown is not None:
                workflow.upsert_search_attributes(changes_of(case))
            self._shown = case
        workflow.set_current_details(OpsText(self._details(case)))

    def _details(self, case: CaseState) -> str:
        """The case in Markdown for the Temporal UI: states and times, nobody's name."""

        def at(moment: datetime | None) -> str:
            return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else "none"

        def due(case: CaseState) -> str:
            if case.due_at is None:
                return "none"
            last, hour = day_and_hour(case.due_at)
            return f"{last} {hour} {case.term_zone}"

        lines = [
            f"**{case.number}: {_words(case.status)}**, step {case.step}",
            f"- waits for: **{case.waits_for.value}**",
            f"- due: {due(case)}, then: {self._then(case) or 'none'}",
            f"- looks again: {at(case.wakes_at)}",
        ]
        if self._stuck:
            lines.insert(0, f"### STUCK: {self._stuck}")
        return "\n".join(lines)

    @workflow.query(name=PRESENT_STATE)
    def present_state(self) -> PresentState | None:
        """Whom the case waits for, until when, and what happens then, as this run knows it."""
        case = self._case
        if case is None:
            return None
        return PresentState(
            status=case.status,
            step=case.step,
            waits_for=case.waits_for,
            until=case.due_at,
            term_zone=case.term_zone,
            then=self._then(case),
            as_of=workflow.now(),
            stuck=self._stuck is not None,
        )

    @workflow.signal(name=WAKE_UP)
    def wake_up(self) -> None:
        """Somebody thinks that the case should be looked at again."""
        self._hear(WAKE_UP, None)

    # The act may be missing: a bare signal that somebody typed by hand must not fail the task.
    @workflow.signal
    def correct(self, act: ActRef | None = None) -> None:
        """The applicant submitted a correction."""
        self._hear(Transition.CORRECT, act)

    @workflow.signal
    def withdraw(self, act: ActRef | None = None) -> None:
        """The applicant withdrew the case."""
        self._hear(Transition.WITHDRAW, act)

    def _hear(self, signal: str, act: ActRef | None) -> None:
        heard = CaseSignal(signal=signal, act_id=act.act_id if act else None)
        if len(self._signals) < SIGNALS_KEPT and heard not in self._signals:
            self._signals.append(heard)


class ReviewedWorkflow(CaseWorkflow):
    """A case that is checked, reviewed, and may be sent back with a question."""

    def _turns(self, before: CaseState, case: CaseState) -> bool:
        """Whether the case was resubmitted after a clarification: this begins a new run."""
        return before.status is Status.CLARIFICATION and case.status is Status.CHECKING

    # The act may be missing: a bare signal that somebody typed by hand must not fail the task.
    @workflow.signal
    def approve(self, act: ActRef | None = None) -> None:
        """A reviewer approved; the decision is committed."""
        self._hear(Transition.APPROVE, act)

    @workflow.signal
    def clarify(self, act: ActRef | None = None) -> None:
        """A reviewer asked for a clarification; the decision is committed."""
        self._hear(Transition.CLARIFY, act)

    @workflow.signal
    def reject(self, act: ActRef | None = None) -> None:
        """A reviewer rejected; the decision is committed."""
        self._hear(Transition.REJECT, act)

    @workflow.signal
    def resubmit(self, act: ActRef | None = None) -> None:
        """The applicant answered a clarification with a new version."""
        self._hear(Transition.RESUBMIT, act)
