"""The activity of an absence: what is due of the appointments that it displaces."""

from temporalio import activity

from clients.database import Database
from models.messages import AbsenceLook, AbsenceRef
from services.absences import looking


class AbsenceActivities:
    """Activities of absences. Looking twice at the same moment changes nothing twice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def look_at_absence(self, ref: AbsenceRef) -> AbsenceLook:
        """Follow the days, propose, remind. Returns where it stands, and when to look again."""
        return await looking.look(self._database, ref.absence_id)
