"""The activity of a hand-over: do what is due."""

from temporalio import activity

from activities.shifts import beating
from clients.database import Database
from clients.objects import Objects
from models.messages import HandoverLook, HandoverRef
from services.handovers import looking
from services.seal import Seal


class HandoverActivities:
    """Activities of hand-overs. Looking twice at the same moment does nothing twice."""

    def __init__(self, database: Database, objects: Objects, seal: Seal, institution: str) -> None:
        self._database = database
        self._objects = objects
        self._seal = seal
        self._institution = institution

    @activity.defn
    async def look_at_handover(self, ref: HandoverRef) -> HandoverLook:
        """Remind, pack, or remove. Returns when to look again."""
        async with beating():
            looks_at = await looking.look(
                self._database, self._objects, self._seal, self._institution, ref.handover_id
            )
        return HandoverLook(looks_at=looks_at)
