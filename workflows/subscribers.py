"""A subscriber as a durable workflow: it delivers while something waits, then it ends."""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.subscribers import SubscriberActivities as Activities
    from models.messages import SubscriberLook, SubscriberRef, WorkflowName
    from models.visibility import OpsText
    from workflows.looking import LookingWorkflow


@workflow.defn(name=WorkflowName.SUBSCRIBER)
class EventDelivery(LookingWorkflow):
    """The events that wait for one subscriber: one that is down keeps no other waiting."""

    @workflow.run
    async def run(self, ref: SubscriberRef) -> None:
        """Deliver until nothing waits."""
        await self._look_until_over(lambda: self._look(ref), ref, "until the next try")

    async def _look(self, ref: SubscriberRef) -> datetime | None:
        looked: SubscriberLook = await workflow.execute_activity_method(
            Activities.deliver_events,
            ref,
            start_to_close_timeout=timedelta(minutes=3),
            heartbeat_timeout=timedelta(seconds=15),
            retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),
            summary=OpsText("send what waits for the subscriber, in the order of each credential"),
        )
        if looked.looks_at is None:
            workflow.set_current_details(OpsText("**nothing waits**"))
        else:
            at = f"{looked.looks_at:%Y-%m-%d %H:%M} UTC"
            workflow.set_current_details(OpsText(f"**something waits**, tries again: {at}"))
        return looked.looks_at
