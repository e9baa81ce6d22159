"""A power cut takes the last seconds of Temporal's file: no case is lost by it."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from operator import gt
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from clients.database import Database
from clients.temporal.client import CaseSignaller, connect
from crypto.key_ring import KeyRing
from models.messages import WAKE_UP, case_workflow_id
from ops.backup.stores.temporal import temporal_file
from ops.faults.installation import FaultsInstallation
from ops.local.servers import Launch
from rules.cases.process import Status, Transition
from rules.clock import now
from tests.ops.faults.test_faults import SHARED, folder
from tests.ops.test_system import within
from tests.shared.office import Office
from tests.shared.servers import Servers
from tests.shared.waiting import until

pytestmark = pytest.mark.installation


@pytest.fixture
def installation(servers: Servers) -> Iterator[FaultsInstallation]:
    """A worker with a Temporal of its own, which keeps its database in a file."""
    name = f"medcab_{uuid4().hex}"
    given = {key: servers.environment[key] for key in SHARED if key.startswith("S3_")}
    given |= servers.new_database(name) | {"S3_BUCKET": name.replace("_", "-")}
    with folder() as made:
        one = FaultsInstallation(made / "run", workers=1, apis=0, given=given)
        try:
            one.start()
            yield one
        finally:
            one.stop(keep=False)
            servers.drop_database(name)


async def test_a_server_thrown_back_loses_no_case(
    installation: FaultsInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An approval that was carried out, a question that was heard and a start are lost. The first
    brings no second certificate, the others go on with the next act or the next term."""
    settings = installation.settings
    client = await connect(settings, KeyRing.parse(settings.keys.get_secret_value()))
    database = Database.from_settings(settings)
    office = await Office.open(database, CaseSignaller(client, settings.task_queue))

    async def stands(case_id: UUID, status: Status, *, closed: bool = False) -> None:
        async def there() -> bool:
            case = await office.case(case_id)
            return case.status == status and (case.closed_at is not None) is closed

        await until(there)

    async def journaled(case_id: UUID, kind: str) -> int:
        return sum(one.kind == kind for one in await office.journal(case_id))

    approved, asked = await office.submitted(), await office.submitted()
    for case_id in (approved, asked):
        await stands(case_id, Status.IN_REVIEW)
    await asyncio.sleep(1)
    earlier = installation.folder / "earlier.db"
    await asyncio.to_thread(_copy, temporal_file(installation.system.home), earlier)

    await office.decide(approved, Transition.APPROVE)
    await stands(approved, Status.APPROVED, closed=True)
    await office.decide(asked, Transition.CLARIFY)

    async def heard() -> bool:
        case = await office.case(asked)
        return case.wakes_at is not None and case.wakes_at > now()

    await until(heard)
    begun = await office.submitted()
    await stands(begun, Status.IN_REVIEW)

    await asyncio.to_thread(_throw_back, installation, earlier, monkeypatch)
    runs = {one.id async for one in client.list_workflows("ExecutionStatus = 'Running'")}
    assert {case_workflow_id(approved), case_workflow_id(asked)} <= runs
    assert case_workflow_id(begun) not in runs

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


def _throw_back(
    installation: FaultsInstallation, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """End Temporal and the worker at once; Temporal comes back with an earlier file."""
    process = installation.system.processes["temporal"]
    launch, kept = process.server.launch, temporal_file(installation.system.home)

    def on_earlier_file(environment: dict[str, str]) -> Launch:
        for ending in ("-wal", "-shm"):
            kept.with_name(kept.name + ending).unlink(missing_ok=True)
        shutil.copy(earlier, kept)
        return launch(environment)

    monkeypatch.setattr(process.server, "launch", on_earlier_file)
    ended = [installation.system.processes[name] for name in ("temporal", "worker-1")]
    before = [one.restarts for one in ended]
    for one in ended:
        installation.kill(one.server.name)
    assert within(90, lambda: all(map(gt, [one.restarts for one in ended], before)))
    assert within(90, lambda: installation.ready(one.server.name for one in ended))
