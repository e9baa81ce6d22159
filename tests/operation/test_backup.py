"""Backup, restore and reconciliation over real servers, destroyed one by one (O5, I10)."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from sqlmodel import col, select
from temporalio.client import WorkflowExecutionStatus

from clients.objects import ObjectMissingError
from models.messages import CaseRef, WorkflowName, case_workflow_id
from models.tables.cases import Case
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from ops.backup import BackupError, DamagedError, WrongKeyError, places
from ops.backup.check import verify
from ops.backup.manifest import Repository
from ops.backup.reconcile import HELD, Reconciliation, in_words, reconcile
from ops.backup.restore import Order, Part, restore
from ops.backup.retention import prune
from ops.backup.sealed import BackupKey
from ops.backup.take import take
from ops.home import Home
from ops.servers.postgres import data_folder_aside
from ops.system import GIVEN_BY
from rules.cases import Status, Transition
from rules.clock import now
from rules.journal import JournalKind
from rules.notices import Channel
from rules.numbers import parse_number
from tests.operation.installation import Installation, destroy, quiet

pytestmark = pytest.mark.installation


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the account of PostgreSQL may pass through; pytest closes its own to others."""
    made = Path(tempfile.mkdtemp(prefix="medcab-backup-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(data_folder_aside(Home(made / "home")), ignore_errors=True)
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
async def place(folder: Path) -> AsyncIterator[Installation]:
    """An installation with one backup, whose log is archived."""
    # Where the run was started from a home of its own, that one is not to be touched.
    monkeypatch = pytest.MonkeyPatch()
    for name in list(os.environ):
        if name in GIVEN_BY.values() or name.startswith(("MEDCAB_", "DATABASE_", "S3_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MEDCAB_HOME", str(folder / "elsewhere"))
    made = Installation(folder)
    await made.start()
    try:
        await made.work()
        await made.cases()
        await made.back_up()
        await made.archive()
        yield made
    finally:
        with suppress(Exception):
            await made.stop()
        assert not (folder / "elsewhere").exists()
        monkeypatch.undo()


@pytest.mark.parametrize("part", list(Part))
async def test_what_is_lost_comes_back_and_every_case_goes_on(
    place: Installation, part: Part
) -> None:
    """Each part destroyed in turn, with cases open that are younger than the backup (O5)."""
    cases = await place.cases()
    await place.archive()
    await place.stop()
    destroy(place.home, part)
    await place.bring_back(part)
    await place.start()
    await place.reconcile()
    await place.work()
    await place.has_run(*cases)
    await place.goes_on(*cases)
    await place.all_told()
    await place.all_is_right()


async def test_all_is_lost_and_one_goes_back_to_a_point_in_time(place: Installation) -> None:
    """What was before is there and goes on; what came after is gone, and that is told (O5)."""
    cases = await place.cases()
    told_later = await place.office.submitted()
    await place.put_files()
    await place.stands(told_later, Status.IN_REVIEW)
    await place.all_told()
    await place.pause()
    await place.office.decide(told_later, Transition.CLARIFY)
    point = now()
    await asyncio.sleep(0.1)
    await place.work()
    await place.all_told()
    gone = await place.office.submitted()
    await place.put_files()
    number = str((await place.office.case(gone)).number)
    await place.verified()
    before = place.mails()
    await place.archive()
    await place.stop()
    for part in Part:
        destroy(place.home, part)
    shutil.rmtree(place.home.folder / "wal")
    await place.bring_back(at=point)
    found = await asyncio.to_thread(reconcile, place.home, quiet)
    assert found.good, in_words(found)
    assert any("lost: seals" in str(line) for line in found.lines)
    assert any(line.subject == "sessions" for line in found.lines)
    await place.start()
    await place.work()
    async with place.database.work() as session:
        assert await session.get(Case, gone) is None
        held = await session.exec(
            select(Notice.channel).where(
                Notice.case_id == told_later, Notice.failure_reason == HELD
            )
        )
        assert Channel.MAIL in held.all()
    for key in list(place.sha256):
        with suppress(ObjectMissingError):
            await place.objects.read(key)
            continue
        # The files of the case that is gone: they were never asked for.
        del place.sha256[key]
    assert place.sha256
    await place.has_run(*cases, told_later)
    await place.goes_on(*cases)
    await place.all_told()
    later = await place.office.case(await place.office.submitted())
    assert parse_number(str(later.number)).sequence > parse_number(number).sequence
    await place.all_is_right()
    assert (await place.verified()).lost > 0
    after = place.mails()
    assert {name: after[name] for name in before} == dict(before)


async def test_what_does_not_belong_together_is_found(place: Installation) -> None:
    """A run without a case is ended; a row without its file, or with another, is a fault."""
    nobody, (review, _) = uuid4(), await place.cases()
    stray = await place.client.start_workflow(
        WorkflowName.QUALIFICATION_APPLICATION,
        CaseRef(case_id=nobody),
        id=case_workflow_id(nobody),
        task_queue="nobody-listens",
    )
    await place.client.get_workflow_handle(case_workflow_id(review)).terminate()
    one, other = sorted(place.sha256)[:2]
    kept = [await place.objects.read(key) for key in (one, other)]
    await place.objects.remove(one)
    await place.objects.put(other, bytes(len(kept[1])), len(kept[1]), "application/pdf")
    found = await Reconciliation(place.home, place.settings, quiet, deep=True).whole()
    assert not found.good
    faults = {line.what: line for line in found.lines if not line.good}
    assert faults["rows whose object is gone"].examples == (f"document_version: {one}",)
    assert faults["objects are not of the right bytes"].examples == (other,)
    counts = {line.what: line.count for line in found.lines}
    assert counts["ended: their cases do not exist"] == 1
    assert (await stray.describe()).status is WorkflowExecutionStatus.TERMINATED
    assert counts["started for open cases that had none"] == 1
    await place.has_run(review)
    for key, content in zip((one, other), kept, strict=True):
        await place.objects.put(key, content, len(content), "application/pdf")
    await place.reconcile()
    async with place.database.work() as session:
        journaled = await session.exec(
            select(JournalEntry.facts)
            .where(JournalEntry.kind == JournalKind.INSTALLATION_RECONCILED.value)
            .order_by(col(JournalEntry.position).desc())
            .limit(2)
        )
        assert [facts["good"] for facts in journaled] == [True, False]


@pytest.fixture
def copy(place: Installation, tmp_path: Path) -> Path:
    """A copy of the backups, to be damaged."""
    shutil.copytree(place.backups, tmp_path / "backups")
    return tmp_path / "backups"


def key_of(place: Installation) -> BackupKey:
    """The key of the backups."""
    return places.key_of(place.settings)


def damage(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_whole_backup_holds(place: Installation, copy: Path) -> None:
    """Everything is read as a restore would read it, and counted."""
    done = verify(copy, key_of(place), quiet)
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
    done = verify(copy, key_of(place), quiet)
    assert done.faults, what
    if what in ("object", "log"):
        return
    home = Home(tmp_path / "home")
    order = Order(copy, None, (), place.places.keys_folder)
    with pytest.raises(DamagedError):
        restore(home, order, lambda: place.phrase, quiet)
    assert not (home.folder / "secrets.json").exists()
    assert not (home.folder / "postgres" / "data").exists()


def test_files_cannot_change_places(place: Installation, copy: Path) -> None:
    """An object that stands under another one's name is refused, although it is genuine."""
    one, other = sorted(copy.glob("objects/*/*"))[:2]
    other.write_bytes(one.read_bytes())
    assert verify(copy, key_of(place), quiet).faults


def test_a_wrong_key_is_told(place: Installation, copy: Path, tmp_path: Path) -> None:
    """It says which key is wanted and which was given; the same for the phrase."""
    wrong = BackupKey(bytes(32))
    with pytest.raises(WrongKeyError, match=wrong.id.hex()):
        verify(copy, wrong, quiet)
    order = Order(copy, None, (), place.places.keys_folder)
    other = "-".join(["AAAA"] * 8)
    with pytest.raises(WrongKeyError, match="another recovery phrase"):
        restore(Home(tmp_path / "home"), order, lambda: other, quiet)
    with pytest.raises(BackupError, match="eight groups of four"):
        restore(Home(tmp_path / "home"), order, lambda: "hunter2", quiet)
    with pytest.raises(BackupError, match="openssl rand"):
        BackupKey.parse("hunter2")


def test_half_a_backup_is_refused(place: Installation, copy: Path) -> None:
    """One that was broken off has no manifest yet, or not its name."""
    [backup] = copy.glob("2*")
    half = backup.rename(copy / f".unfinished-{backup.name}")
    assert "half a backup" in verify(half, key_of(place), quiet).faults[0]
    half = half.rename(backup)
    (half / "manifest.json").unlink()
    with pytest.raises(BackupError, match="no whole backup"):
        restore(place.home, Order(copy, None, [Part.OBJECTS]), lambda: "", quiet)


async def test_a_failed_backup_leaves_the_one_before_whole(place: Installation, copy: Path) -> None:
    """The object store is down half-way: nothing unfinished stays, nothing whole is touched."""
    where = places.Places(copy, copy / "keys", place.places.recipient)
    await place.office.document(place.office.clinician, "diploma")
    await place.put_files()
    down = place.settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"})
    with pytest.raises(BackupError, match="ObjectsDownError"):
        await take(place.home, down, where, quiet, archive=False)
    assert not any(each.name.startswith(".unfinished") for each in copy.iterdir())  # noqa: ASYNC240
    assert verify(copy, key_of(place), quiet).backups == 1


async def test_old_backups_go_and_take_only_their_own_along(
    place: Installation, copy: Path
) -> None:
    """The newest of a day is kept, with the log since it and the objects that it names."""
    where = places.Places(copy, copy.with_name("keys"), place.places.recipient)
    await take(place.home, place.settings, where, quiet, archive=False)
    removed = prune(Repository(copy), key_of(place), 1)
    assert removed.backups == 1
    assert removed.segments > 0
    done = verify(copy, key_of(place), quiet)
    assert (done.backups, done.faults) == (1, [])


def test_nothing_is_overwritten_unasked(place: Installation) -> None:
    """A home that holds data, other keys, or a running system is left alone."""
    order = Order(place.backups, None, [Part.DATABASE])
    with pytest.raises(BackupError, match="holds data already"):
        restore(place.home, order, lambda: place.phrase, quiet)
    with place.home.taken(), pytest.raises(BackupError, match="medcab down"):
        restore(place.home, order, lambda: place.phrase, quiet)


def test_backups_can_be_read_by_nobody_else(place: Installation) -> None:
    """No secret, no name of a file inside, no byte of a document stands in the clear (I10)."""
    secrets = place.home.secrets()
    planted = [secrets.keys, secrets.postgres_app, "PG_VERSION", "SQLite format", "journal_entry"]
    files = [each for each in place.backups.parent.rglob("backups*/**/*") if each.is_file()]
    assert len(files) > 15
    for file in files:
        content = file.read_bytes()
        assert not any(text.encode() in content for text in planted), file
        assert b"MEDCAB" in content[:16] or file.suffix == ".json" or file.name == ".lock", file
