"""The office that tests of the archive work in."""

from collections.abc import AsyncIterator

import pytest

from clients.database import Database
from crypto.key_ring import KeyRing, use_key_ring
from settings import Settings
from tests.office import Office


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The database of this process of the run."""
    use_key_ring(KeyRing.parse(settings.keys.get_secret_value()))
    made = Database.from_settings(settings)
    yield made
    await made.close()


@pytest.fixture
async def office(database: Database) -> Office:
    """People of this test's own; rings are remembered, not sent."""
    return await Office.open(database)
