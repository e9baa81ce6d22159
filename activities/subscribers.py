"""The activity of a subscriber: deliver what is due."""

from temporalio import activity

from activities.shifts import beating
from models.messages import SubscriberLook, SubscriberRef
from services.subscribers.delivering import Deliverer


class SubscriberActivities:
    """Activities of subscribers. What was sent and not noted is sent again under the same id."""

    def __init__(self, deliverer: Deliverer) -> None:
        self._deliverer = deliverer

    @activity.defn
    async def deliver_events(self, ref: SubscriberRef) -> SubscriberLook:
        """Deliver. Returns when to look again."""
        async with beating():
            return SubscriberLook(looks_at=await self._deliverer.look(ref.subscriber_id))
