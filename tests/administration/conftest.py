"""An office with an administrator; databases of one's own, because the catalogue is shared."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from clients.database import Database
from crypto.key_ring import KeyRing, use_key_ring
from rules.access import Actor, Role
from services.catalogue_admin.changes import Administration
from services.files.inspection.client import Inspection
from settings import Settings
from tests.office import Office
from tests.pages.words import data_of

SHIPPED: int = data_of("types")[0]["version"]
"""The version of the application's type that an installation begins with."""


@dataclass
class House:
    """An office, its administrator and what they do."""

    office: Office
    admin: Actor
    administration: Administration
    url: str
    inspection: Inspection

    @property
    def database(self) -> Database:
        """The database of this test."""
        return self.office.database


@pytest.fixture
async def house(
    settings: Settings, new_database: Callable[[], dict[str, str]], inspection: Inspection
) -> AsyncIterator[House]:
    """A database of this test's own with the catalogue that ships."""
    use_key_ring(KeyRing.parse(settings.keys.get_secret_value()))
    url = new_database()["DATABASE_URL"]
    database = Database(url, 6)
    office = await Office.open(database)
    admin = await office.person("Админов Пётр", Role.ADMINISTRATOR, office.institution)
    yield House(office, admin, Administration(database, "Europe/Moscow"), url, inspection)
    await database.close()
