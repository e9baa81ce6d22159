"""Activities of the archive's night. Each is safe to repeat."""

from zoneinfo import ZoneInfo

from temporalio import activity

from clients.database import Database
from clients.objects import Objects
from services.archive import erasure, retention
from services.records import retention as record_retention
from settings import Settings


class ArchiveActivities:
    """Activities that keep closed cases, and erase them when their time is over."""

    def __init__(self, settings: Settings, database: Database, objects: Objects) -> None:
        self._zone = ZoneInfo(settings.time_zone)
        self._database = database
        self._objects = objects

    @activity.defn
    async def assign_terms(self) -> int:
        """Give every closed case the end of its term of keeping. Returns how many got one."""
        return await retention.assign(self._database, self._zone)

    @activity.defn
    async def tell_terms(self) -> int:
        """Notify of cases whose term of keeping ends soon. Returns for how many."""
        return await retention.tell(self._database)

    @activity.defn
    async def erase_over(self) -> int:
        """Erase cases whose term is over, unless they are held or nobody was notified yet.

        Entries of patients' records whose term is over as well. Returns how many were erased.
        """
        cases = await erasure.erase_due(self._database, self._objects)
        return cases + await record_retention.erase_due(self._database, self._zone)
