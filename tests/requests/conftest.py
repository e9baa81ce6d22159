"""The office that tests of service requests work in, and what lives through them."""

from collections.abc import AsyncIterator

import httpx
import pytest
from temporalio.client import Client

from clients.database import Database
from clients.temporal import CaseRinger, connect
from models.encryption import KeyRing, use_key_ring
from settings import Settings
from tests.requests.counter import Counter
from tests.requests.living import behave, working


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


@pytest.fixture(scope="session")
async def client(settings: Settings) -> Client:
    """A client of the test run's Temporal."""
    return await connect(settings, KeyRing.parse(settings.keys.get_secret_value()))


@pytest.fixture
async def bureau(settings: Settings, database: Database, client: Client) -> Counter:
    """A counter whose acts ring real workflows."""
    return await Counter.open(database, CaseRinger(client, settings.task_queue))


@pytest.fixture
async def module(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The simulator's switches; it answers at once, and is ordinary again afterwards."""
    async with httpx.AsyncClient(base_url=settings.gov_service_url) as switches:
        await behave(switches)
        yield switches
        await behave(switches)
        await switches.put("/faults", json={"mode": "ok"})


@pytest.fixture
async def worker(settings: Settings, client: Client, database: Database) -> AsyncIterator[None]:
    """A worker for the whole test."""
    async with working(settings, client, database):
        yield
