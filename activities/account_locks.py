"""The activity of a lock: read it, and remind whoever is awaited."""

from temporalio import activity

from clients.database import Database
from models.messages import LockLook, LockRef
from services.account_locks import reminders


class LockActivities:
    """Activities of locks. Looking twice at the same moment reminds once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def look_at_lock(self, ref: LockRef) -> LockLook:
        """Remind whoever is awaited, if it is time. Returns when to look again."""
        return LockLook(looks_at=await reminders.look(self._database, ref.lock_id))
