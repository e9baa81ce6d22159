"""Backup, restore and reconciliation over real servers, destroyed one by one (O5, I10)."""

import asyncio
import json
import shutil
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from uuid import uuid4

import pytest
from rich.console import Console
from sqlmodel import col, select
from temporalio.client import WorkflowExecutionStatus
from typer.testing import CliRunner

from clients.database import Database
from clients.objects import ObjectMissingError
from clients.temporal.client import CaseSignaller
from models.messages import CaseRef, case_workflow_id
from models.tables.accounts import AccountSession
from models.tables.cases import Case
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.requests import RequestAnswer, RequestMessage
from models.visibility import OpsText
from ops.backup import BackupError, commands
from ops.backup.reconcile.reconcile import HELD, MARGIN, Reconciliation, in_words, reconcile
from ops.backup.reconcile.workflows import Runs
from ops.backup.repository.encrypted_files import read_encrypted
from ops.backup.repository.manifest import Repository
from ops.backup.restore.restore import Mark, Part, RestoreOptions, lay_out, restore
from ops.backup.restore.stopped_home import alone
from ops.backup.stores import objects
from ops.backup.stores.postgres_programs import connect
from ops.backup.stores.postgres_wal import PARTIAL, WalArchiver
from ops.cli import app
from ops.local.home import RESTORED
from ops.local.servers.postgres import Postgres
from rules.archive import ERASED
from rules.cases.applications import APPLICATION
from rules.cases.numbers import NumberKind, format_number, parse_number
from rules.cases.process import Status, Transition
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.notices.kinds import Channel
from services.journal.checkpoints import checkpoint_object_key
from services.journal.restore_gaps import Loss
from tests.ops.backup.installation import Elsewhere, Installation, destroy, quiet
from tests.shared.servers import hide_copy

pytestmark = pytest.mark.installation


def names_in(folder: Path) -> set[str]:
    """The files of a folder."""
    return {each.name for each in folder.iterdir()}


@pytest.mark.parametrize(
    "lost",
    [(Part.DATABASE,), (Part.KEYS, Part.OBJECTS, Part.TEMPORAL)],
    ids=["the database", "all else"],
)
async def test_what_is_lost_comes_back_and_every_case_goes_on(
    place: Installation, lost: tuple[Part, ...]
) -> None:
    """Each part is destroyed, with cases open that are younger than the backup, and comes back by
    an order of its own (O5)."""
    cases = await place.cases()
    await place.archive()
    await place.stop()
    for part in lost:
        destroy(place.home, part)
    for part in lost:
        await place.bring_back(part)
    await place.start()
    await place.reconcile()
    await place.work()
    await place.has_run(*cases)
    await place.goes_on(*cases)
    await place.all_told()
    await place.all_is_right()


async def test_papers_and_envelopes_of_requests_come_back(place: Installation) -> None:
    """Every object that a row names is archived, whatever its column is called; of what was erased
    only the row is left, and nothing is missed (O5)."""
    kept, erased = [await place.office.submitted() for _ in range(2)]
    await place.put_files()
    paper, envelope, answer = [f"requests/{uuid4().hex}" for _ in range(3)]
    for key in (paper, envelope, answer):
        content = key.encode() * 10
        stored = await place.objects.put(key, content, len(content), "application/pdf")
        place.sha256[key] = stored.sha256
    made: dict[str, Any] = {"version": 1, "formed_at": now(), "paper_size": len(paper) * 10}
    async with place.database.work() as session:
        session.add(
            RequestMessage(
                case_id=kept,
                message_id=uuid4(),
                paper_key=paper,
                paper_sha256=place.sha256[paper],
                envelope_key=envelope,
                envelope_sha256=place.sha256[envelope],
                envelope_size=len(envelope) * 10,
                **made,
            )
        )
        session.add(
            RequestMessage(
                case_id=erased,
                message_id=uuid4(),
                paper_key=f"{ERASED}{uuid4().hex}",
                paper_sha256="",
                **made,
            )
        )
        session.add(
            RequestAnswer(
                case_id=kept,
                version=1,
                outcome="answered",
                at=now(),
                envelope_key=answer,
                envelope_sha256=place.sha256[answer],
            )
        )
    await place.archive()
    await place.stop()
    destroy(place.home, Part.OBJECTS)
    await place.bring_back(Part.OBJECTS)
    await place.start()
    await place.reconcile()
    await place.work()
    await place.all_is_right()


async def test_all_is_lost_and_one_goes_back_to_a_point_in_time(place: Installation) -> None:
    """What was before is there and goes on; what came after is gone, and that is told (O5)."""
    cases = await place.cases()
    session_id = await place.signed_in()
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
    assert any("lost: checkpoints" in str(line) for line in found.lines)
    counts = {line.subject: line.count for line in found.lines}
    assert (counts["sessions"], counts["tokens"]) == (1, 1)
    await place.start()
    await place.work()
    async with place.database.work() as session:
        assert await session.get(Case, gone) is None
        ended = await session.get_one(AccountSession, session_id)
        assert ended.ended_why == "restored"
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
    [declared] = (await place.verified()).declared
    assert declared.loss is not None
    assert declared.loss.leaves > 0
    after = place.mails()
    assert {name: after[name] for name in before} == dict(before)


async def test_what_does_not_belong_together_is_found(place: Installation) -> None:
    """A run without a case is ended; a row without its file, or with another, is a fault."""
    nobody, (review, clarify) = uuid4(), await place.cases()
    beyond = await objects.last_number(place.database) + 500
    await place.verified()
    await place.pause()
    stray = await place.client.start_workflow(
        APPLICATION.workflow,
        CaseRef(case_id=nobody),
        id=case_workflow_id(nobody),
        task_queue="nobody-listens",
        static_summary=OpsText(
            f"{format_number(NumberKind.APPLICATION, 2026, beyond)} · programme"
        ),
    )
    await place.client.get_workflow_handle(case_workflow_id(review)).terminate()
    place.tamper('update "case" set closed_at = now() where id = %s', clarify)
    one, other = sorted(place.sha256)[:2]
    kept = [await place.objects.read(key) for key in (one, other)]
    await place.objects.remove(one)
    await place.objects.put(other, bytes(len(kept[1])), len(kept[1]), "application/pdf")
    hide_copy(place.settings, checkpoint_object_key(1))
    await place.objects.put("documents/nobody-named-it", b"1", 1, "application/pdf")
    place.tamper("update journal_entry set step = step + 1 where chain = %s", review)
    found = await Reconciliation(place.home, place.settings, quiet, deep=True).whole()
    assert not found.good
    faults = {line.what: line for line in found.lines if not line.good}
    assert len(faults) == 3
    assert faults["rows whose object is gone"].examples == (f"document_version: {one}",)
    assert faults["objects do not have the bytes that their rows say"].examples == (other,)
    assert faults["faults: `medcab verify` lists all of them"].count > 0
    counts = {line.what.partition(":")[0]: line.count for line in found.lines}
    assert counts["ended"] == 1
    assert (await stray.describe()).status is WorkflowExecutionStatus.TERMINATED
    assert counts["started for open cases that had none"] == 1
    assert counts["signalled, to read their cases again"] == 1, "the run whose case is closed"
    assert await place.objects.read(checkpoint_object_key(1)), "copied again from the database"
    assert await objects.last_number(place.database) == beyond, "a run remembers its number"
    await place.has_run(review)
    for key, content in zip((one, other), kept, strict=True):
        await place.objects.put(key, content, len(content), "application/pdf")
    await place.objects.remove("documents/nobody-named-it")
    place.tamper("update journal_entry set step = step - 1 where chain = %s", review)
    place.tamper('update "case" set closed_at = null where id = %s', clarify)
    mended = await place.reconcile()
    strays = counts["have no row"] - 1
    assert strays in [line.count for line in mended.lines if line.subject == "objects"]
    await place.work()
    async with place.database.work() as session:
        journaled = await session.exec(
            select(JournalEntry.facts)
            .where(JournalEntry.kind == JournalKind.INSTALLATION_RECONCILED.value)
            .order_by(col(JournalEntry.position).desc())
            .limit(2)
        )
        assert [facts["good"] for facts in journaled] == [True, False]


async def test_what_one_part_finds_alone(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of another size without reading it, seals that do not follow, a run that cannot be
    started, and every number that was ever known to be given."""
    looking = Reconciliation(place.home, place.settings, quiet, deep=False)
    key = min(place.sha256)
    content = await place.objects.read(key)
    await place.objects.put(key, content[:-1], len(content) - 1, "application/pdf")
    foreign = json.dumps({"body": {"number": 900_000_000}}).encode()
    await place.objects.put(
        checkpoint_object_key(900_000_000), foreign, len(foreign), "application/json"
    )
    await looking._files()
    await looking._journal()
    await place.objects.put(key, content, len(content), "application/pdf")
    hide_copy(place.settings, checkpoint_object_key(900_000_000))
    runs = Runs(place.client, place.settings.task_queue, {})
    with monkeypatch.context() as deaf:
        deaf.setattr(CaseSignaller, "__call__", AsyncMock(return_value=False))
        await runs.settle(place.database, looking.found, signal_all=False)
    faults = {line.what: line for line in looking.found.lines if not line.good}
    assert faults.pop("objects do not have the size that their rows say").examples == (key,)
    assert len(faults.pop("open cases have no run").examples) > 1
    [unclear] = faults
    assert "checkpoint 900000000 is there" in unclear
    async with place.database.work() as session:
        numbers = (await session.exec(select(Case.number))).all()
    highest = max(parse_number(each).sequence for each in numbers if each)
    mark = Mark(at=now(), backup="", last_number=highest + 500)
    loss = Loss(1, 2, None, now(), (), 3)
    for marked, lost, drawn in (
        (None, None, highest),
        (mark, None, highest + 500),
        (mark.model_copy(update={"lost_until": now()}), None, highest + 500 + MARGIN),
        (None, loss, highest + MARGIN + 3),
    ):
        place.tamper("select setval('case_number', 1)")
        looking.mark, looking.loss = marked, lost
        await looking._numbers(runs)
        assert await objects.last_number(place.database) == drawn
    place.tamper("select setval('case_number', %s)", highest + 2 * MARGIN)
    await looking.objects.close()
    await looking.database.close()


def test_nothing_is_overwritten_unasked(place: Installation) -> None:
    """A home that holds data, other keys, or a running system is left alone."""
    order = RestoreOptions(place.backups, None, [Part.DATABASE])
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


async def test_a_point_that_the_log_does_not_reach_leaves_the_data_in_place(
    place: Installation,
) -> None:
    """The replay finds out only when the old data is put aside: it comes back, as if nothing had
    been asked (O5)."""
    case_id = await place.office.submitted()
    await place.put_files()
    await place.archive()
    await place.stop()
    there = names_in(Postgres(place.home, None).data.parent)
    late = RestoreOptions(place.backups, now() + timedelta(days=1), [Part.DATABASE], replace=True)
    with pytest.raises(BackupError, match="does not go that far"):
        await asyncio.to_thread(restore, place.home, late, lambda: place.phrase, quiet)
    assert names_in(Postgres(place.home, None).data.parent) == there
    assert Mark.read(place.home) is None
    await place.start()
    await place.work()
    await place.stands(case_id, Status.IN_REVIEW)


async def test_a_base_without_a_log_is_laid_out_too(
    place: Installation, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no archiver has run yet. A look into the past leaves this home alone (O5)."""
    shutil.rmtree(copy / "wal")
    into, order = tmp_path / "there", RestoreOptions(copy)
    assert not lay_out(place.home, order, into)
    assert (into / "data" / "recovery.signal").exists()
    assert Mark.read(place.home) is None
    with pytest.raises(BackupError, match="holds a database already"):
        lay_out(place.home, order, into)
    place.environs(monkeypatch)
    await place.archive()
    await asyncio.to_thread(place.archiver.close)
    waits = names_in(place.home.folder / "wal")
    assert lay_out(place.home, order, tmp_path / "again")
    [aside] = place.home.folder.glob("wal.replaced-*")
    assert names_in(aside) == waits != set(), "they belong to other backups than these copies"
    mark = Mark.read(place.home)
    assert mark is not None
    assert mark.lost_until is None
    (place.home.folder / RESTORED).unlink()
    with pytest.raises(BackupError, match="does not go that far"):
        lay_out(place.home, RestoreOptions(copy, now()), tmp_path / "late")


async def test_what_is_received_nowhere_is_received_anew(place: Installation) -> None:
    """The files are taken from beneath the receiver; another archiver was killed, and its receiver
    lives: no second is said to be archived that is not (O5)."""
    await place.archive()
    spool, state = place.home.folder / "wal", place.backups / "wal" / "state.json"
    said = state.read_bytes()
    shutil.rmtree(spool)
    await place.office.submitted()
    with pytest.raises(BackupError, match="begun anew"):
        await place.archiver.round()
    assert state.read_bytes() == said
    left, place.archiver = place.archiver, WalArchiver(place.home, place.settings)
    left._receive()
    await place.office.submitted()
    with connect(place.settings) as connection:
        row = connection.execute(
            "select file_name, file_offset from pg_walfile_name_offset(pg_current_wal_lsn())"
        ).fetchone()
    assert row is not None
    segment, reached = str(row[0]), int(str(row[1]))
    await place.archive()
    assert left._program is not None
    assert left._program.wait(10) != 0
    name = f"{segment}{PARTIAL}"
    archived = b"".join(read_encrypted(place.backups / "wal" / name, place.key, f"wal/{name}"))
    written = (Postgres(place.home, None).data / "pg_wal" / segment).read_bytes()
    assert archived[:reached] == written[:reached]


async def test_a_database_elsewhere_goes_back_to_a_point(
    place: Installation,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Laid out, replayed by its own server, accepted with a fault; the last test of all (O5)."""
    case_id = await place.office.submitted()
    await place.put_files()
    await place.stands(case_id, Status.IN_REVIEW)
    await place.pause()
    point = now()
    gone = await place.office.submitted()
    await place.verified()
    await place.archive()
    await asyncio.to_thread(place.archiver.close)
    place.environs(monkeypatch)
    home, console = place.home, Console(quiet=True)
    elsewhere = Elsewhere(folder / "room", home)
    order = RestoreOptions(place.backups, point)
    with alone(home):
        assert commands.lay_out(home, console, order, elsewhere.folder) == 1
    assert commands.lay_out(home, console, order, elsewhere.folder) == 0
    assert not (home.folder / "wal").exists(), "the last seconds are in the archive"
    assert (Mark.read(home) or Mark(at=point, backup="")).lost_until, "and a time is lost"
    lost = min(place.sha256)
    await place.objects.remove(lost)
    objects.place_of(Repository(place.backups), lost).unlink()

    async def right(*, accept: bool) -> dict[str, Any]:
        """Not all is; what is told for machines."""
        how = {"deep": False, "accept": accept, "for_machines": True}
        assert await asyncio.to_thread(commands.make_right, home, console, **how) == 1
        told: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert [each["examples"] for each in told["findings"] if not each["good"]] == [
            [f"document_version: {lost}"]
        ]
        return told

    with elsewhere.replayed() as urls:
        for name, url in urls.items():
            monkeypatch.setenv(name, url)
        parts = RestoreOptions(place.backups, parts=[Part.OBJECTS])
        assert await asyncio.to_thread(commands.bring_back, home, console, parts, str) == 1
        told = await right(accept=False)
        said = {each["what"].partition(" ")[0]: each["count"] for each in told["findings"]}
        assert min(said["chains"], said["signalled,"]) > 0, "what is lost, and every run is told"
        for command in ("worker", "api"):
            refused = CliRunner().invoke(app, [command], env={"MEDCAB_HOME": str(home.folder)})
            assert (refused.exit_code, "medcab reconcile" in refused.output) == (1, True)
        await right(accept=True)
        assert Mark.read(home) is None
        database = Database(urls["DATABASE_URL"])
        async with database.work() as session:
            assert await session.get(Case, case_id) is not None
            assert await session.get(Case, gone) is None
        await database.close()
