"""The comparison with the personnel register's list, for pushes that were lost."""

from temporalio import activity

from activities.shifts import beating
from clients.database import Database
from clients.personnel import PersonnelClient
from services.staff import personnel
from settings import Settings


class PersonnelActivities:
    """Activities of the personnel register; without its address there is nothing to do."""

    def __init__(self, settings: Settings, database: Database) -> None:
        token = settings.personnel_token.get_secret_value()
        url = settings.personnel_url
        self._register = PersonnelClient(url, token) if url else None
        self._database = database

    @activity.defn
    async def compare_staff(self) -> int:
        """Go through the list once. Returns how many records were carried out; safe to repeat."""
        if self._register is None:
            return 0
        async with beating():
            return (await personnel.compare(self._database, self._register)).done
