"""The office that tests of service requests work in."""

from collections.abc import AsyncIterator

import pytest

from clients.database import Database
from models.encryption import KeyRing, use_key_ring
from settings import Settings
from tests.requests.counter import Counter


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The database of this process of the run."""
    use_key_ring(KeyRing.parse(settings.keys.get_secret_value()))
    made = Database.from_settings(settings)
    yield made
    await made.close()


@pytest.fixture
async def counter(database: Database) -> Counter:
    """People of this test's own; rings are remembered, not sent."""
    return await Counter.open(database)
