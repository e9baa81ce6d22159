"""A hand-over as a durable workflow: reminders, the package, its end."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.handovers import HandoverActivities as Activities
    from models.messages import HandoverLook, HandoverRef, WorkflowName
    from models.visibility import OpsText
    from workflows.looking import LookingWorkflow


@workflow.defn(name=WorkflowName.HANDOVER)
class DocumentHandover(LookingWorkflow):
    """One request of an authority."""

    @workflow.run
    async def run(self, ref: HandoverRef) -> None:
        """Look at the hand-over until it is over."""
        await self._look_until_over(lambda: self._look(ref), ref, "until the next look")

    async def _look(self, ref: HandoverRef) -> datetime | None:
        looked: HandoverLook = await workflow.execute_activity_method(
            Activities.look_at_handover,
            ref,
            start_to_close_timeout=timedelta(minutes=2),
            heartbeat_timeout=timedelta(seconds=15),
            retry_policy=RetryPolicy(maximum_interval=timedelta(minutes=1)),
            summary=OpsText("remind officers, make the package, or remove it"),
        )
        if looked.looks_at is None:
            workflow.set_current_details(OpsText("**over**"))
        else:
            at = f"{looked.looks_at:%Y-%m-%d %H:%M} UTC"
            workflow.set_current_details(OpsText(f"**open**, looks again: {at}"))
        return looked.looks_at
