"""The development server of Temporal: copied beside work, and found out when it does no work."""

import asyncio
import base64
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

import ops.local.system
from crypto.backup_files import BackupKey
from ops.backup.stores.temporal import TemporalNotCopiedError, back_up_temporal, temporal_file
from ops.local.home import Home
from ops.local.servers import temporal
from ops.local.servers.pulse import pulse
from ops.local.servers.temporal import NAMESPACE, Temporal
from ops.local.system import System
from tests.ops.test_system import within

KEY = BackupKey.parse(base64.b64encode(bytes(32)).decode())
STARTERS, STARTS, COPIES = 8, 60, 12


@pytest.fixture(scope="module")
def said() -> list[tuple[str, str]]:
    """What the system said."""
    return []


@pytest.fixture(scope="module")
def system(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str]]
) -> Iterator[System]:
    """A system of Temporal alone, which keeps its database in a file."""
    home = Home(tmp_path_factory.mktemp("temporal") / "home")
    made = System(home, given={}, usual=False, say=lambda *told: said.append(told))
    made.outer = [each for each in made.outer if each.name == "temporal"]
    made.obtain()
    made.start_outer()
    yield made
    made.stop()


def temporal_of(system: System) -> Temporal:
    """The server."""
    server = system.processes["temporal"].server
    assert isinstance(server, Temporal)
    return server


async def test_copies_beside_work_do_not_break_the_server(system: System, tmp_path: Path) -> None:
    """A copy holds a reader's lock. Beside a rollback journal, a commit met it, failed
    and left a transaction open in its only connection: nothing could be begun any more."""
    client = await Client.connect(temporal_of(system).target)

    async def start() -> None:
        for _ in range(STARTS):
            handle = await client.start_workflow(
                "Nobody", id=uuid4().hex, task_queue="nobody", rpc_timeout=timedelta(seconds=30)
            )
            await handle.terminate(rpc_timeout=timedelta(seconds=30))

    working = asyncio.gather(*(start() for _ in range(STARTERS)))
    for number in range(COPIES):
        written = await asyncio.to_thread(
            back_up_temporal, tmp_path / str(number), KEY, f"x/{number}", system.home
        )
        assert written.size > 0
    await working
    log = system.processes["temporal"].log.read_text()
    assert "SQLITE_BUSY" not in log
    assert "within a transaction" not in log
    await pulse(temporal_of(system).target, NAMESPACE)


def test_a_file_whose_server_a_copy_would_hold_up_is_left_alone(tmp_path: Path) -> None:
    """A server that an older version started keeps a rollback journal until it is started again."""
    home = Home(tmp_path / "home")
    temporal_file(home).parent.mkdir(parents=True)
    with closing(sqlite3.connect(temporal_file(home))) as older:
        older.execute("create table executions (id)")
    with pytest.raises(TemporalNotCopiedError, match="older version"):
        back_up_temporal(tmp_path / "copy", KEY, "x/1", home)


def test_a_server_that_answers_and_can_write_nothing_is_replaced(
    system: System, said: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its port answers and it describes its namespace, but another holds its file: no task is given
    out. The supervisor replaces it, and it works again."""
    monkeypatch.setattr(ops.local.system, "NOES", 2)
    process = system.processes["temporal"]
    server, pid = temporal_of(system), process.pid
    assert pid is not None
    assert process.works(20)
    with (
        closing(sqlite3.connect(temporal_file(system.home), timeout=30)) as other,
        ThreadPoolExecutor() as aside,
        monkeypatch.context() as impatient,
    ):
        impatient.setattr(temporal, "PULSE_WITHIN", 3.0)
        other.execute("begin immediate")
        assert asyncio.run(_describes(server.target))
        assert not aside.submit(process.works, 20).result()
        system.look_every = 0.1
        process.disturbed.set()
        assert within(90, lambda: process.replaced == 1)
        system.look_every = 3600
        other.rollback()
    assert within(90, lambda: ("temporal", "ready again") in said)
    assert process.pid not in (None, pid)
    assert process.works(20)
    assert ("temporal", "runs and does no work: replacing it") in said
    assert process.restarts >= 1


async def _describes(target: str) -> bool:
    client = await Client.connect(target)
    told = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=NAMESPACE)
    )
    return bool(told.namespace_info.name)
