"""What the night does for the archive. Each is safe to repeat."""

from zoneinfo import ZoneInfo

from temporalio import activity

from clients.database import Database
from clients.objects import Objects
from services.archive import erasure, retention
from settings import Settings


class ArchiveActivities:
    """Activities of keeping closed cases."""

    def __init__(self, settings: Settings, database: Database, objects: Objects) -> None:
        self._zone = ZoneInfo(settings.time_zone)
        self._database = database
        self._objects = objects

    @activity.defn
    async def assign_terms(self) -> int:
        """Give every closed case the end of its keeping."""
        return await retention.assign(self._database, self._zone)

    @activity.defn
    async def tell_terms(self) -> int:
        """Tell of what ends soon."""
        return await retention.tell(self._database)

    @activity.defn
    async def erase_over(self) -> int:
        """Erase what is over, is not held and was told of."""
        return await erasure.erase_due(self._database, self._objects)
