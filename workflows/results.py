"""A result as a durable workflow: reminders, escalation, offers that come back, its return."""

from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeUpdate

with workflow.unsafe.imports_passed_through():
    from activities.results import ResultActivities as Activities
    from models.messages import ResultLook, ResultRef, WorkflowName
    from models.visibility import DUE, STATUS, OpsText
    from workflows.looking import LookingWorkflow


@workflow.defn(name=WorkflowName.RESULT)
class LaboratoryResult(LookingWorkflow):
    """One result, from the moment it is heard until it is confirmed or returned."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: ResultLook | None = None

    @workflow.run
    async def run(self, ref: ResultRef) -> None:
        """Look at the result at each alarm, and whenever somebody acted."""
        waits = "until the next alarm, the end of an offer, or midnight"
        await self._look_until_over(lambda: self._look(ref), ref, waits)

    async def _look(self, ref: ResultRef) -> datetime | None:
        looked: ResultLook = await workflow.execute_activity_method(
            Activities.look_at_result,
            ref,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            summary=OpsText("see who answers for the result; remind, escalate, give back"),
        )
        self._show(looked)
        return looked.looks_at

    def _show(self, looked: ResultLook) -> None:
        """Show ops where it stands: no patient, no value."""
        due = f", due {looked.due_at:%Y-%m-%d %H:%M} UTC" if looked.due_at else ""
        then = f", looks again: {looked.looks_at:%Y-%m-%d %H:%M} UTC" if looked.looks_at else ""
        workflow.set_current_details(OpsText(f"**{looked.state}**{due}{then}"))
        shown = looked.model_copy(update={"looks_at": None})
        if shown == self._shown:
            return
        self._shown = shown
        changes: list[SearchAttributeUpdate[Any]] = [
            STATUS.value_set(looked.state),
            DUE.value_set(looked.due_at) if looked.due_at else DUE.value_unset(),
        ]
        workflow.upsert_search_attributes(changes)
