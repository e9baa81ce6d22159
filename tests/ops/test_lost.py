"""A home that lost a part of its data does not begin anew beside what is left (O5)."""

import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console

from ops.backup import BackupError, configuration
from ops.backup.reconcile.reconcile import reconcile
from ops.backup.restore.restore import Part, RestoreOptions, _refuse
from ops.local.home import CHECKOUT, Home, default_home
from ops.local.lost import lost_parts
from ops.local.running import adopt_running
from ops.local.servers.postgres import data_folder_aside
from ops.local.system import GIVEN_BY, System
from ops.up import up
from settings import Settings

SEAL = '{"body": {"number": 1}}\n'


@pytest.fixture
def worked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home in which people worked, as its folders show it."""
    for name in (*GIVEN_BY.values(), "MEDCAB_KEYS"):
        monkeypatch.delenv(name, raising=False)
    home = Home(tmp_path / "home")
    home.make()
    home.secrets()
    for file, content in {
        "postgres/data/PG_VERSION": "18",
        "seals/seals.jsonl": SEAL,
        "minio/medcab/seals/000000001.json/xl.meta": SEAL,
        "temporal/temporal.db": "",
        "backup.json": json.dumps({"folder": "/mnt/backups", "recipient": "x"}),
    }.items():
        (home.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (home.folder / file).write_text(content)
    return home


def lose(home: Home, name: str) -> None:
    """The folder or file is gone, as with its disk."""
    (home.folder / name).rename(home.folder.with_name("gone"))


def files(home: Home) -> dict[str, bytes]:
    """All that stands in a home."""
    return {
        str(each.relative_to(home.folder)): each.read_bytes()
        for each in home.folder.rglob("*")
        if each.is_file()
    }


@pytest.mark.parametrize(
    ("gone", "part"),
    [("postgres", "database"), ("secrets.json", "keys"), ("minio", "objects")],
)
def test_a_start_on_a_lost_part_is_refused_and_names_the_remedy(
    worked: Home, gone: str, part: str
) -> None:
    """An empty one would be made in its place, and the first seal of the old be written over."""
    lose(worked, gone)
    before = files(worked)
    said = io.StringIO()
    assert up(worked, Console(file=said, width=200), workers=1, apis=1) == 1
    assert f"medcab restore /mnt/backups --part {part}" in said.getvalue()
    after = files(worked)
    after.pop("lock", None)
    assert after.pop("logs/fork-server.log", b"") == b""
    assert after == before, "nothing was made, nothing written over"
    assert not data_folder_aside(worked).exists()


@pytest.mark.parametrize(("disk", "part"), [("postgres", "database"), ("minio", "objects")])
def test_a_folder_that_is_left_empty_is_lost_too(worked: Home, disk: str, part: str) -> None:
    """A disk of its own that is gone leaves the folder on which it was mounted."""
    lose(worked, disk)
    (worked.folder / disk).mkdir()
    assert lost_parts(worked) == [part]


def test_a_home_that_was_backed_up_has_lost_its_database(worked: Home) -> None:
    """Of all that people did, only where the backups go is left."""
    for name in ("postgres", "minio", "seals", "temporal"):
        lose(worked, name)
        worked.folder.with_name("gone").rename(worked.folder.with_name(f"gone-{name}"))
    assert lost_parts(worked) == ["database"]


def test_what_was_never_there_is_not_lost(worked: Home, tmp_path: Path) -> None:
    """A first start, one that was interrupted, and a whole home go on."""
    assert lost_parts(worked) == []
    first = Home(tmp_path / "first")
    first.make()
    assert lost_parts(first) == []
    first.secrets()
    for folder in ("minio/medcab", "temporal", "seals"):
        (first.folder / folder).mkdir(parents=True)
    assert lost_parts(first) == []


def test_what_is_anothers_is_not_missed(worked: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database given by its address does not stand in the home."""
    lose(worked, "postgres")
    monkeypatch.setenv("DATABASE_URL", "postgresql://medcab@db/medcab")
    assert lost_parts(worked) == []


def test_no_repair_makes_an_empty_database(worked: Home) -> None:
    """Reconciling, or putting objects back, would start one."""
    lose(worked, "postgres")
    with pytest.raises(BackupError, match="--part database"):
        reconcile(worked, lambda name, text: None)
    order = RestoreOptions(Path("/mnt/backups"), parts=[Part.OBJECTS])
    with pytest.raises(BackupError, match="--part database first"):
        _refuse(worked, None, order, [Part.OBJECTS])  # type: ignore[arg-type]


def test_the_first_backup_has_to_say_its_folder(worked: Home) -> None:
    """After a total loss, the next backup would take a new phrase, onto the disk of the data."""
    (worked.folder / "backup.json").unlink()
    before = files(worked)
    with pytest.raises(BackupError, match=r"backup --to FOLDER"):
        configuration.arrange(worked, Settings(), None)
    for inside in (worked.folder / "backups", worked.folder):
        with pytest.raises(BackupError, match="would be lost with it"):
            configuration.arrange(worked, Settings(), inside)
    aside = Settings(backup_keys_folder=worked.folder / "keys")
    with pytest.raises(BackupError, match="would be lost with it"):
        configuration.arrange(worked, aside, worked.folder.with_name("backups"))
    assert files(worked) == before


def test_other_commands_find_the_home_from_any_folder(
    worked: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The supervisor in the background is given its home by the environment; whoever verifies from
    another folder would look for the seals there, and call every one untrusted."""
    monkeypatch.setenv("MEDCAB_HOME", str(worked.folder))
    system = System(worked, usual=False)
    system.record("ready")
    system.door.close()
    monkeypatch.delenv("MEDCAB_HOME")
    monkeypatch.chdir(tmp_path)
    # What it puts into the environment goes with the test.
    monkeypatch.setattr("os.environ", dict(os.environ))
    assert adopt_running(worked)
    assert os.environ["MEDCAB_HOME"] == str(worked.folder)


def test_processes_get_the_home_by_its_whole_path(
    worked: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names it from the folder above: they work in the checkout, and would make checkpoints
    and the seal that signs them there."""
    monkeypatch.chdir(worked.folder.parent)
    others = {"HOME": "/root", "KEYS": "1", "DEMO": "2", "TIME_ZONE": "3"}
    system = System(worked, given=others | {"MEDCAB_HOME": worked.folder.name}, usual=False)
    system.door.close()
    assert system.settings.home == worked.folder
    assert system.settings.demo
    assert Settings(home=Path(worked.folder.name)).home == worked.folder


@pytest.mark.parametrize("named", [None, ""])
def test_an_installation_that_names_no_home_has_one(
    named: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From whichever folder it is asked, a worker and a command find the same."""
    monkeypatch.delenv("MEDCAB_HOME", raising=False)
    if named is not None:
        monkeypatch.setenv("MEDCAB_HOME", named)
    monkeypatch.chdir(tmp_path)
    assert Settings().home == default_home() == CHECKOUT / ".medcab"
