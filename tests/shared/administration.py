"""An office with an administrator; databases of one's own, because the catalogue is shared."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from clients.database import Database
from rules.access import Actor, Role
from rules.catalogue.entries import Subject
from services.catalogue_admin.changes import Administration, Wish
from services.catalogue_admin.entries import newest
from services.catalogue_admin.kinds import Entry
from services.catalogue_admin.types import with_terms
from services.files.inspection.client import Inspection
from settings import Settings
from tests.shared.office import Office
from tests.words.collected import data_of

SHIPPED: int = data_of("types")[0]["version"]
"""The version of the application's type that an installation begins with."""


@dataclass
class Admins:
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

    async def change_type(self, key: str, text: str, wish: Wish) -> Entry:
        """Give a type another definition, as the administrator."""
        values = {"key": key, "text": text}
        return await self.administration.change(self.admin, Subject.TYPE, values, wish)

    async def change_terms(
        self, key: str, terms: dict[str, Any], wish: Wish, by: Actor | None = None
    ) -> Entry:
        """Give a type other terms, as the administrator or as somebody else."""
        async with self.database.work() as session:
            stands = await newest(session, Subject.TYPE, key)
        assert stands is not None
        values = {"key": key, "text": with_terms(stands, terms, wish.valid_from)}
        return await self.administration.change(by or self.admin, Subject.TYPE, values, wish)


@pytest.fixture
async def admins(
    settings: Settings, new_database: Callable[[], dict[str, str]], inspection: Inspection
) -> AsyncIterator[Admins]:
    """A database of this test's own with the catalogue that ships."""
    url = new_database()["DATABASE_URL"]
    database = Database(url, 6)
    office = await Office.open(database)
    admin = await office.person("Админов Пётр", Role.ADMINISTRATOR, office.institution)
    yield Admins(office, admin, Administration(database, "Europe/Moscow"), url, inspection)
    await database.close()
