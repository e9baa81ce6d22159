"""Activities that the workflows of all kinds of case share. Each is safe to repeat."""

from temporalio import activity

from clients.database import Database
from models.messages import CaseState, Look, Stuck
from services.cases import wakeups


class CaseActivities:
    """Activities that need nothing but the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def look(self, look: Look) -> CaseState:
        """Read the case, and note that its workflow has received the signals in `look`."""
        return await wakeups.look(self._database, look.case.case_id, look.rings)

    @activity.defn
    async def report_stuck(self, stuck: Stuck) -> None:
        """Tell ops that a case cannot go on by itself."""
        await wakeups.report_stuck(
            self._database, stuck.case.case_id, stuck.activity, stuck.error_type
        )
