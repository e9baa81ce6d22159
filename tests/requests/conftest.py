"""The office that tests of service requests work in, and what lives through them."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pyotp
import pytest
from temporalio.client import Client

from api.container import Medcab
from clients.database import Database
from clients.temporal.client import CaseSignaller, connect
from crypto.key_ring import KeyRing, use_key_ring
from models.tables.accounts import Account
from rules.accounts import Stage
from rules.clock import now
from services.accounts.sessions import open_session
from settings import Settings
from tests.accounts.conftest import carry, visitor_at
from tests.api.served import in_process
from tests.clients.waiting import PATIENCE
from tests.requests.counter import Counter
from tests.requests.living import behave, working
from tests.servers import Servers

Visit = tuple[Counter, httpx.AsyncClient]


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
    return await Counter.open(database, CaseSignaller(client, settings.task_queue))


@pytest.fixture
async def module(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The simulator's switches; it answers at once, and is ordinary again afterwards."""
    async with httpx.AsyncClient(base_url=settings.gov_service_url, timeout=PATIENCE) as switches:
        await behave(switches)
        yield switches
        await behave(switches)
        await switches.put("/faults", json={"mode": "ok"})


@pytest.fixture
async def worker(settings: Settings, client: Client, database: Database) -> AsyncIterator[None]:
    """A worker for the whole test."""
    async with working(settings, client, database):
        yield


@pytest.fixture
async def visit(
    settings: Settings, servers: Servers
) -> AsyncIterator[tuple[Counter, httpx.AsyncClient]]:
    """The application without Temporal, and who works there."""
    without = settings.model_copy(
        update={"temporal_address": "127.0.0.1:1", "cookie_secure": False}
    )
    async with in_process(without, servers) as app:
        medcab: Medcab = app.state.medcab
        counter = await Counter.open(medcab.database)
        base_url = medcab.settings.public_url
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as browser:
            person_id, moment = counter.clinician.person_id, now()
            async with medcab.database.work() as session:
                account = Account(
                    person_id=person_id,
                    login=uuid4().hex,
                    password_hash="none",
                    password_changed_at=moment,
                    totp_secret=pyotp.random_base32(),
                    totp_confirmed_at=moment,
                    created_at=moment,
                )
                session.add(account)
                await session.flush()
                opened = await open_session(
                    session, person_id, Stage.OPEN, visitor_at(), moment, second_factor_at=moment
                )
            carry(browser, opened)
            yield counter, browser
