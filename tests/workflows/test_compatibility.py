"""A worker whose workflows would hold open cases up does not start (O4)."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from shutil import copyfile
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHistory

import compatibility
import worker
from clients.database import Database
from clients.temporal.client import CaseSignaller, connect
from clients.temporal.replays import KEYS_FILE, kept_in
from compatibility import RECORD, IncompatibleError, demand_compatible
from crypto.key_ring import KeyRing, key_ring
from rules.cases.process import Status
from settings import Settings
from tests.shared.office import Office
from tests.shared.waiting import until
from tests.workflows.changed import CHANGED
from worker import WORKFLOWS, build


@pytest.fixture
async def alone(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Settings, Client]:
    """Settings with a home on a machine, in which no worker was started yet, and a client."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    keys = KeyRing.parse(settings.keys.get_secret_value())
    chosen = settings.model_copy(update={"home": tmp_path, "task_queue": f"fits-{uuid4().hex}"})
    return chosen, await connect(chosen, keys)


@pytest.fixture
def nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """No open runs: those of other tests are many, and recorded histories are asked about here."""

    async def none(*_: object) -> AsyncIterator[tuple[str, WorkflowHistory]]:
        found: tuple[tuple[str, WorkflowHistory], ...] = ()
        for each in found:
            yield each

    monkeypatch.setattr(compatibility, "open_in", none)


@pytest.mark.usefixtures("nothing_open")
async def test_recorded_histories_are_demanded(
    alone: tuple[Settings, Client], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workflows as they are start; changed ones do not, and the remedies are named."""
    # Two stand for all, which test_replay reads: what is asked here is what follows.
    histories = tmp_path / "histories"
    histories.mkdir()
    for name in (KEYS_FILE, "approved.json", "request-answered.json"):
        copyfile(compatibility.HISTORIES / name, histories / name)
    monkeypatch.setattr(compatibility, "HISTORIES", histories)
    settings, client = alone
    with pytest.raises(IncompatibleError, match=r"former release[\s\S]*MEDCAB_BEGIN_ANEW"):
        await demand_compatible(settings, client, key_ring(), CHANGED)
    assert not (settings.home / RECORD).exists()
    await demand_compatible(settings, client, key_ring(), WORKFLOWS)
    assert (settings.home / RECORD).read_text() == compatibility.fingerprint()
    # Ops may want it all the same: the sweeper begins such runs anew.
    (settings.home / RECORD).unlink()
    told = settings.model_copy(update={"begin_anew": True})
    await demand_compatible(told, client, key_ring(), CHANGED)
    assert not (settings.home / RECORD).exists(), "the next start looks again"


@pytest.mark.usefixtures("nothing_open")
async def test_a_machine_replays_what_it_knows_once(
    alone: tuple[Settings, Client], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another home starts without it; another history, other workflows or another build do not."""
    settings, client = alone
    histories = tmp_path / "histories"
    histories.mkdir()
    for name in (KEYS_FILE, "sweeper.json"):
        copyfile(compatibility.HISTORIES / name, histories / name)
    former = (histories / "sweeper.json").read_text().replace('"sweep"', '"former"')
    monkeypatch.setattr(compatibility, "HISTORIES", histories)
    replayed: list[str] = []

    def noted(files: Sequence[Path]) -> Any:
        replayed.extend(each.stem for each in files)
        return kept_in(files)

    monkeypatch.setattr(compatibility, "kept_in", noted)

    async def replays(workflows: Sequence[type] = WORKFLOWS) -> int:
        """How many recorded histories a worker replays in a new home."""
        home = settings.model_copy(update={"home": tmp_path / uuid4().hex})
        replayed.clear()
        await demand_compatible(home, client, key_ring(), workflows)
        return len(replayed)

    assert [await replays(), await replays()] == [1, 0]
    with pytest.raises(IncompatibleError):
        await replays(CHANGED)
    assert await replays() == 0
    with monkeypatch.context() as another:
        another.setattr(compatibility, "fingerprint", lambda: "another build")
        assert [await replays(), await replays()] == [1, 0]
    (histories / "sweeper.json").write_text(former)
    with pytest.raises(IncompatibleError):
        await replays()
    with pytest.raises(IncompatibleError):
        await replays()
    copyfile(histories / "sweeper.json", histories / "again.json")
    monkeypatch.setenv("XDG_CACHE_HOME", str(histories / "again.json"))
    with pytest.raises(IncompatibleError):
        await replays()


def test_the_process_says_why_it_does_not_start_and_exits_with_1(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever started it, a supervisor or a person, sees that and why; nothing was taken."""
    histories = tmp_path / "histories"
    histories.mkdir()
    copyfile(compatibility.HISTORIES / KEYS_FILE, histories / KEYS_FILE)
    recorded = (compatibility.HISTORIES / "approved-given-out.json").read_text()
    (histories / "approved.json").write_text(recorded.replace('"check"', '"former"'))
    monkeypatch.setattr(compatibility, "HISTORIES", histories)
    chosen = settings.model_copy(update={"home": tmp_path, "task_queue": f"fits-{uuid4().hex}"})
    monkeypatch.setattr(worker, "get_settings", lambda: chosen)
    monkeypatch.setattr(worker, "log_in_json", lambda: None)
    with pytest.raises(SystemExit) as ended:
        worker.main()
    assert ended.value.code == 1
    assert "approved (QualificationApplication)" in capsys.readouterr().err


async def test_open_cases_are_demanded_too(
    alone: tuple[Settings, Client], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no histories come along, open cases tell; a run started by hand does not count."""
    monkeypatch.setattr(compatibility, "HISTORIES", Path("/nowhere"))
    chosen, client = alone
    database = Database.from_settings(settings)
    office = await Office.open(database, CaseSignaller(client, chosen.task_queue))
    async with build(chosen, client, database):
        case_id = await office.submitted()

        async def reviewed() -> bool:
            return (await office.case(case_id)).status == Status.IN_REVIEW

        await until(reviewed)
    by_hand = await client.start_workflow(
        "QualificationApplication", "no case", id=f"odd-{uuid4().hex}", task_queue="nobody"
    )
    with pytest.raises(IncompatibleError, match=f"application-{case_id}"):
        await demand_compatible(chosen, client, key_ring(), CHANGED)
    await demand_compatible(chosen, client, key_ring(), WORKFLOWS)
    await by_hand.terminate()
    await database.close()
