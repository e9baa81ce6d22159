"""A backup holds whole: what is changed, half, old or under another key is told (O5, I10)."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from crypto.backup_files import BackupKey
from ops.backup import BackupError, DamagedError, WrongKeyError, commands, configuration
from ops.backup.freshness import keeps_up
from ops.backup.repository.manifest import Repository
from ops.backup.restore.restore import Part, RestoreOptions, restore
from ops.backup.restore.stopped_home import alone, archives
from ops.backup.schedule import back_up_once, due
from ops.backup.stores.postgres_wal import segments
from ops.backup.take import take
from ops.backup.verify import verify
from ops.local.home import Home
from rules.clock import now
from tests.ops.backup.installation import Installation, damage, quiet

pytestmark = pytest.mark.installation


def test_a_whole_backup_holds(place: Installation, copy: Path) -> None:
    """Everything is read as a restore would read it, and counted."""
    done = verify(copy, place.key, quiet)
    assert done.faults == []
    assert done.backups == 1
    assert done.files == 4
    assert done.objects > 5
    assert done.segments > 0


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("manifest", "2*/manifest.json"),
        ("base", "2*/database.tar"),
        ("workflows", "2*/temporal.db"),
        ("list", "2*/objects.jsonl"),
        ("object", "objects/*/*"),
        ("log", "wal/0*"),
    ],
)
def test_a_changed_file_is_found(
    place: Installation, copy: Path, tmp_path: Path, what: str, where: str
) -> None:
    """One bit anywhere: seen by `backup --verify`; a restore refuses before it changes anything."""
    listed = sorted(copy.glob(where))
    assert listed, what
    damage(listed[0] if what != "log" else listed[-1])
    done = verify(copy, place.key, quiet)
    assert done.faults, what
    if what in ("object", "log"):
        return
    home = Home(tmp_path / "home")
    order = RestoreOptions(copy, None, (), place.places.keys_folder)
    with pytest.raises(DamagedError):
        restore(home, order, lambda: place.phrase, quiet)
    assert not (home.folder / "secrets.json").exists()
    assert not (home.folder / "postgres" / "data").exists()


def test_files_cannot_change_places(place: Installation, copy: Path) -> None:
    """An object that stands under another one's name is refused, although it is genuine."""
    one, other = sorted(copy.glob("objects/*/*"))[:2]
    other.write_bytes(one.read_bytes())
    assert verify(copy, place.key, quiet).faults


def test_a_wrong_key_is_told(place: Installation, copy: Path, tmp_path: Path) -> None:
    """It says which key is wanted and which was given; the same for the phrase."""
    wrong = BackupKey(bytes(32))
    with pytest.raises(WrongKeyError, match=wrong.id.hex()):
        verify(copy, wrong, quiet)
    order = RestoreOptions(copy, None, (), place.places.keys_folder)
    other = "-".join(["AAAA"] * 8)
    with pytest.raises(WrongKeyError, match="another recovery phrase"):
        restore(Home(tmp_path / "home"), order, lambda: other, quiet)
    with pytest.raises(BackupError, match="eight groups of four"):
        restore(Home(tmp_path / "home"), order, lambda: "hunter2", quiet)
    with pytest.raises(BackupError, match="openssl rand"):
        configuration.read_key("hunter2")


def test_half_a_backup_is_refused(place: Installation, copy: Path) -> None:
    """One that was broken off has no manifest yet, or not its name."""
    [backup] = copy.glob("2*")
    half = backup.rename(copy / f".unfinished-{backup.name}")
    assert "half a backup" in verify(half, place.key, quiet).faults[0]
    half = half.rename(backup)
    (half / "manifest.json").unlink()
    with pytest.raises(BackupError, match="no whole backup"):
        restore(place.home, RestoreOptions(copy, None, [Part.OBJECTS]), lambda: "", quiet)


async def test_a_failed_backup_leaves_the_one_before_whole(place: Installation, copy: Path) -> None:
    """The object store is down half-way: nothing unfinished stays, nothing whole is touched."""
    where = configuration.Places(copy, copy / "keys", place.places.recipient)
    await place.office.document(place.office.clinician, "diploma")
    await place.put_files()
    down = place.settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"})
    with pytest.raises(BackupError, match="ObjectsDownError"):
        await take(place.home, down, where, quiet, archive=False)
    assert not any(each.name.startswith(".unfinished") for each in copy.iterdir())  # noqa: ASYNC240
    assert verify(copy, place.key, quiet).backups == 1


async def test_old_backups_go_and_take_only_their_own_along(
    place: Installation, copy: Path, tmp_path: Path
) -> None:
    """The archiver takes what is due; the newest of a day is kept, with the log since it, the
    objects that it names, and its keys."""
    keys = copy.with_name(f"{copy.name}-keys")
    shutil.copytree(place.places.keys_folder, keys)
    home = Home(tmp_path / "home")
    told = {"backup_folder": copy, "backup_recipient": place.places.recipient}
    settings = place.settings.model_copy(update={**told, "backup_every": 24, "backup_keep": 1})
    [first] = Repository(copy).backups(place.key)
    began = first.manifest.begun_at
    assert not due(home, settings, began + timedelta(hours=23))
    assert due(home, settings, began + timedelta(hours=24))
    assert not due(home, place.settings, began + timedelta(days=9)), "nobody asked for it"
    assert keeps_up(home, settings)
    assert not keeps_up(home, settings, now() + timedelta(minutes=6))
    # An archiver is at work here: nobody else may be, and the log is kept for it.
    with alone(home):
        assert archives(home)
        assert commands.archive(home, settings, Console(quiet=True)) == 1
    assert not archives(home)
    before = set(segments(Repository(copy)))
    await back_up_once(home, settings)
    [newest] = Repository(copy).backups(place.key)
    assert newest.manifest.begun_at > began
    assert [each.stem for each in keys.iterdir()] == [newest.manifest.id]
    assert set(segments(Repository(copy))) < before
    done = verify(copy, place.key, quiet)
    assert (done.backups, done.faults) == (1, [])
