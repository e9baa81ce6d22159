"""A power cut takes the last seconds of Temporal's file: no case is lost by it."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from clients.database import Database
from clients.temporal.client import STANDING, CaseSignaller, connect, ensure_standing
from crypto.key_ring import key_ring
from models.messages import WAKE_UP, WorkflowName, case_workflow_id
from ops.backup.stores.temporal import temporal_file
from ops.local.home import Home
from ops.local.servers import Launch
from ops.local.system import System
from rules.cases.process import Status, Transition
from rules.clock import now
from settings import Settings
from tests.ops.test_system import within
from tests.shared.office import Office
from tests.shared.servers import Servers, Simulators, worker_settings
from tests.shared.waiting import until
from worker import build

pytestmark = pytest.mark.installation


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A Temporal that keeps its database in a file."""
    made = System(Home(tmp_path / "home"), given={}, usual=False)
    made.outer = [each for each in made.outer if each.name == "temporal"]
    made.obtain()
    made.start_outer()
    yield made
    made.stop()


@pytest.fixture
def settings(system: System, servers: Servers, simulators: Simulators) -> Iterator[Settings]:
    """An installation beside it, with a database, a bucket and a home of its own."""
    name = f"lost-{uuid4().hex}"
    yield worker_settings(servers, simulators, name, system.home).model_copy(
        update={"temporal_address": system.environment["TEMPORAL_ADDRESS"], "sweep_grace": 5.0}
    )
    servers.drop_database(f"medcab_{name}")


async def test_a_server_thrown_back_loses_no_case(
    system: System, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An approval that was carried out, a question that was heard and a start are lost. The first
    brings no second certificate, the others go on with the next act or the next term."""
    client = await connect(settings, key_ring())
    database = Database.from_settings(settings)
    office = await Office.open(database, CaseSignaller(client, settings.task_queue))

    @asynccontextmanager
    async def working() -> AsyncIterator[None]:
        async with build(settings, client, database):
            sweeper = [one for one in STANDING if one.workflow is WorkflowName.SWEEPER]
            await ensure_standing(client, settings.task_queue, sweeper)
            yield

    async def stands(case_id: UUID, status: Status, *, closed: bool = False) -> None:
        async def there() -> bool:
            case = await office.case(case_id)
            return case.status == status and (case.closed_at is not None) is closed

        await until(there)

    async def journaled(case_id: UUID, kind: str) -> int:
        return sum(one.kind == kind for one in await office.journal(case_id))

    async with working():
        approved, asked = await office.submitted(), await office.submitted()
        for case_id in (approved, asked):
            await stands(case_id, Status.IN_REVIEW)
        await asyncio.sleep(1)
        earlier = system.home.folder / "earlier.db"
        await asyncio.to_thread(_copy, temporal_file(system.home), earlier)

        await office.decide(approved, Transition.APPROVE)
        await stands(approved, Status.APPROVED, closed=True)
        await office.decide(asked, Transition.CLARIFY)

        async def heard() -> bool:
            case = await office.case(asked)
            return case.wakes_at is not None and case.wakes_at > now()

        await until(heard)
        begun = await office.submitted()
        await stands(begun, Status.IN_REVIEW)

    await asyncio.to_thread(_throw_back, system, earlier, monkeypatch)
    runs = {one.id async for one in client.list_workflows("ExecutionStatus = 'Running'")}
    assert {case_workflow_id(approved), case_workflow_id(asked)} <= runs
    assert case_workflow_id(begun) not in runs

    async with working():
        run = client.get_workflow_handle(case_workflow_id(approved))
        await run.signal(WAKE_UP)
        assert (await run.result())["open"] is False
        assert await journaled(approved, "case.act_issued") == 1

        past = now()
        await office.set_times(asked, wakes_at=past)
        await until(lambda: _looked(office, asked, past))
        await office.decide(begun, Transition.APPROVE)
        await stands(begun, Status.APPROVED, closed=True)
        assert await journaled(begun, "case.act_issued") == 1
    await database.close()


async def _looked(office: Office, case_id: UUID, past: datetime) -> bool:
    case = await office.case(case_id)
    return case.status == Status.CLARIFICATION and case.wakes_at != past


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)


def _throw_back(system: System, earlier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """End Temporal at once; it comes back with an earlier file."""
    process = system.processes["temporal"]
    launch, kept = process.server.launch, temporal_file(system.home)

    def on_earlier_file(environment: dict[str, str]) -> Launch:
        for ending in ("-wal", "-shm"):
            kept.with_name(kept.name + ending).unlink(missing_ok=True)
        shutil.copy(earlier, kept)
        return launch(environment)

    monkeypatch.setattr(process.server, "launch", on_earlier_file)
    before = process.restarts
    process.kill()
    assert within(90, lambda: process.restarts > before and process.works(20))
