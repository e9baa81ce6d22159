"""An absence as a durable workflow: until each displaced appointment has its outcome."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.absences import AbsenceActivities as Activities
    from models.messages import AbsenceLook, AbsenceRef, WorkflowName
    from models.visibility import STATUS, OpsText
    from workflows.looking import LookingWorkflow


@workflow.defn(name=WorkflowName.ABSENCE)
class AbsentClinician(LookingWorkflow):
    """One absence, from the day it is known until nobody waits."""

    def __init__(self) -> None:
        super().__init__()
        self._state = ""

    @workflow.run
    async def run(self, ref: AbsenceRef) -> None:
        """Look again and again, and whenever somebody decided, until nobody waits."""
        waits = "until the next look at proposals, or the next reminder"
        await self._look_until_over(lambda: self._look(ref), ref, waits)

    async def _look(self, ref: AbsenceRef) -> datetime | None:
        looked: AbsenceLook = await workflow.execute_activity_method(
            Activities.look_at_absence,
            ref,
            start_to_close_timeout=timedelta(minutes=2),
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            summary=OpsText("follow the days, propose other times, remind"),
        )
        then = f", looks again: {looked.looks_at:%Y-%m-%d %H:%M} UTC" if looked.looks_at else ""
        details = f"**{looked.state}**, {looked.waits} appointments wait{then}"
        workflow.set_current_details(OpsText(details))
        if looked.state != self._state:
            self._state = looked.state
            workflow.upsert_search_attributes([STATUS.value_set(looked.state)])
        return looked.looks_at
