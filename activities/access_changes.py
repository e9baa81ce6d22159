"""Activities of the workflow of a change of rights. Each is safe to repeat."""

from temporalio import activity

from clients.database import Database
from models.messages import CaseState
from services.access_changes import deciding


class AccessActivities:
    """Activities that need nothing but the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def wake_access_change(self, case: CaseState) -> CaseState:
        """A time is over: ask for another confirmation if it has lapsed, remind or escalate."""
        return await deciding.wake(self._database, case.case_id)
