"""Lines out, people and workers over the servers of the run, for tests of every subject."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from temporalio.client import Client
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import _Definition as Definition

from clients.database import Database
from clients.objects import Objects
from clients.temporal.client import CaseSignaller, connect
from crypto.key_ring import KeyRing
from settings import Settings
from tests.requests.living import behave
from tests.shared.counter import Counter
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE
from worker import build


@pytest.fixture(scope="session", autouse=True)
def prepared_once() -> Iterator[None]:
    """Before a worker begins it tries every workflow in the sandbox: here the first worker does."""
    prepare = SandboxedWorkflowRunner.prepare_workflow
    prepared: set[type] = set()

    def once(runner: SandboxedWorkflowRunner, definition: Definition) -> None:
        if definition.cls not in prepared:
            prepare(runner, definition)
            prepared.add(definition.cls)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SandboxedWorkflowRunner, "prepare_workflow", once)
        yield


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The database of this process of the run."""
    made = Database.from_settings(settings)
    yield made
    await made.close()


@pytest.fixture(scope="session")
async def objects(settings: Settings) -> AsyncIterator[Objects]:
    """The bucket of this process of the run."""
    made = Objects(settings)
    yield made
    await made.close()


@pytest.fixture(scope="session")
async def temporal(settings: Settings) -> Client:
    """A client of the run's Temporal."""
    return await connect(settings, KeyRing.parse(settings.keys.get_secret_value()))


@pytest.fixture
async def office(database: Database) -> Office:
    """People of this test's own; signals are remembered, not sent."""
    return await Office.open(database)


@pytest.fixture
async def counter(database: Database) -> Counter:
    """People of this test's own who answer requests; signals are remembered, not sent."""
    return await Counter.open(database)


@pytest.fixture
async def bureau(settings: Settings, database: Database, temporal: Client) -> Counter:
    """The same people, whose acts wake real workflows."""
    return await Counter.open(database, CaseSignaller(temporal, settings.task_queue))


@pytest.fixture
async def worker(settings: Settings, temporal: Client, database: Database) -> AsyncIterator[None]:
    """A worker for the whole test."""
    async with build(settings, temporal, database):
        yield


@pytest.fixture
async def module(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The switches of the simulated gov service, which answers at once again after the test."""
    async with httpx.AsyncClient(
        base_url=settings.gov_service_url, trust_env=False, timeout=PATIENCE
    ) as switches:
        await behave(switches)
        yield switches
        await behave(switches)
        await switches.put("/faults", json={"mode": "ok"})
