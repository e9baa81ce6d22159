"""Backup, restore and reconciliation over real servers, destroyed one by one (O5, I10)."""

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from clients.database import Database
from clients.objects import ObjectMissingError, Objects
from clients.temporal import CaseRinger, connect, ensure_standing
from models.encryption import KeyRing, key_ring, use_key_ring
from models.tables.cases import Case, IssuedAct
from models.tables.documents import DocumentVersion
from models.tables.notices import Notice
from ops.backup import BackupError, DamagedError, WrongKeyError, places
from ops.backup.check import verify
from ops.backup.findings import Findings
from ops.backup.manifest import Repository
from ops.backup.reconcile import HELD, Reconciliation, reconcile
from ops.backup.restore import Order, Part, restore
from ops.backup.retention import prune
from ops.backup.sealed import BackupKey
from ops.backup.take import Taken, take
from ops.backup.wal import Archiver
from ops.home import RESTORED, Home
from ops.migrate import migrate
from ops.servers.postgres import data_folder_aside
from ops.system import GIVEN_BY, System
from ops.verify import trusted_certificates
from rules.cases import Status, Transition
from rules.clock import now
from rules.notices import Channel, NoticeState
from rules.numbers import parse_number
from rules.permissions import Actor
from services import access, journal
from services.cases import Act
from services.seals import open_seal
from services.verification import Report
from services.verification import verify as verify_journal
from settings import Settings
from tests.clients.waiting import until
from tests.office import Office
from worker import build

SERVERS = ("postgres", "temporal", "minio", "register", "mail")


def quiet(name: str, text: str) -> None:
    """Nobody watches the progress."""


class Installation:
    """An installation that can be stopped, destroyed in part, and brought back."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.backups = folder / "backups"
        self.places, phrase = places.arrange(self.home, Settings(), self.backups)
        assert phrase is not None
        self.phrase = phrase
        self.sha256: dict[str, str] = {}
        self.working: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Servers, a worker in this process, and an office."""
        ours = {
            key: value
            for key, value in os.environ.items()
            if key not in GIVEN_BY.values() and not key.startswith(("MEDCAB_", "DATABASE_", "S3_"))
        }
        given = {**ours, "MEDCAB_DEMO": "true", "MEDCAB_SWEEP_GRACE": "2"}
        self.system = System(self.home, given=given, usual=False)
        self.system.outer = [each for each in self.system.outer if each.name in SERVERS]
        await asyncio.to_thread(self.system.start_outer)
        self.settings = self.system.settings
        await asyncio.to_thread(migrate, self.settings)
        use_key_ring(KeyRing.parse(self.settings.keys.get_secret_value()))
        self.database = Database.from_settings(self.settings)
        self.objects = Objects(self.settings)
        self.archiver = Archiver(self.home, self.settings)

    async def work(self) -> None:
        """Let people and workflows work."""
        self.client = await connect(self.settings, key_ring())
        self.worker = build(self.settings, self.client, self.database)
        self.working = asyncio.create_task(self.worker.run())
        await ensure_standing(self.client, self.settings.task_queue)
        ringer = CaseRinger(self.client, self.settings.task_queue)
        self.office = await Office.open(self.database, ringer)

    async def pause(self) -> None:
        """Workflows stand still."""
        if self.working is not None:
            await self.worker.shutdown()
            await self.working
            self.working = None

    async def stop(self) -> None:
        """Stop everything."""
        await self.pause()
        await asyncio.to_thread(self.archiver.close)
        await self.objects.close()
        await self.database.close()
        await asyncio.to_thread(self.system.stop)

    async def cases(self) -> tuple[UUID, UUID]:
        """Two open ones: in review, and sent back for a clarification; all mails are told."""
        review, clarify = [await self.office.submitted() for _ in range(2)]
        await self.put_files()
        for case_id in (review, clarify):
            await self.stands(case_id, Status.IN_REVIEW)
        await self.office.decide(clarify, Transition.CLARIFY)
        await self.all_told()
        return review, clarify

    async def put_files(self) -> None:
        """The office makes rows of documents: put their files into the store."""
        async with self.database.work() as session:
            found = await session.exec(
                select(DocumentVersion).where(col(DocumentVersion.object_key).is_not(None))
            )
            for row in found.all():
                key = str(row.object_key)
                if key in self.sha256:
                    continue
                content = os.urandom(row.size)
                stored = await self.objects.put(key, content, len(content), row.media_type)
                self.sha256[key] = row.sha256 = stored.sha256
                session.add(row)

    async def stands(self, case_id: UUID, status: Status) -> None:
        """Wait until the workflow has brought the case there."""

        async def there() -> bool:
            return (await self.office.case(case_id)).status == status

        await until(there, 60)

    async def all_told(self) -> None:
        """Wait until no mail waits: hurry those that are due later."""

        async def none_waits() -> bool:
            waiting = (col(Notice.channel) == Channel.MAIL.value) & (
                col(Notice.state) == NoticeState.WAITING.value
            )
            async with self.database.work() as session:
                await session.exec(update(Notice).where(waiting).values(next_try_at=now()))
                return not (await session.exec(select(Notice.id).where(waiting))).all()

        await until(none_waits, 60, every=0.5)

    async def archive(self) -> None:
        """What the archiver does every few seconds, files too."""
        self.archiver._objects_at = 0.0

        async def complete() -> bool:
            began = now()
            await self.archiver.round()
            state = self.places.folder / "wal" / "state.json"
            return state.exists() and state.stat().st_mtime >= began.timestamp()

        await until(complete, 60)

    async def back_up(self) -> Taken:
        """Take a backup."""
        return await take(self.home, self.settings, self.places, quiet, archive=True)

    async def bring_back(self, *parts: Part, at: datetime | None = None) -> None:
        """Restore parts, all of them when none is named."""
        order = Order(self.backups, at, parts, self.places.keys_folder)
        await asyncio.to_thread(restore, self.home, order, lambda: self.phrase, quiet)

    async def reconcile(self) -> Findings:
        """Reconcile while the servers run and nobody works."""
        found = await Reconciliation(self.home, self.settings, quiet, deep=True).whole()
        assert found.good, list(map(str, found.lines))
        (self.home.folder / RESTORED).unlink(missing_ok=True)
        return found

    async def goes_on(self, review: UUID, clarify: UUID) -> None:
        """One is approved and gets its act, the other is answered and reviewed again."""
        await self.office.decide(review, Transition.APPROVE)
        case = await self.office.case(clarify)
        actor = await self.actor(case.applicant_id)
        await self.office.applications.save_draft(actor, clarify, {"purpose": "Подробнее."})
        await self.office.applications.resubmit(actor, clarify, Act(uuid4(), case.step))
        await self.stands(clarify, Status.IN_REVIEW)

        async def act() -> IssuedAct | None:
            async with self.database.work() as session:
                query = select(IssuedAct).where(IssuedAct.case_id == review)
                return (await session.exec(query)).one_or_none()

        made = await until(act, 60)
        assert made is not None
        assert sha256(await self.objects.read(made.object_key)).hexdigest() == made.sha256

    async def actor(self, person: UUID) -> Actor:
        """What a person may do now."""
        async with self.database.work() as session:
            return await access.actor_for(session, person, now())

    async def all_is_right(self) -> None:
        """Files as they were given, a journal that holds, no mail twice."""
        for key, digest in self.sha256.items():
            assert sha256(await self.objects.read(key)).hexdigest() == digest
        assert (await self.verified()).faults == []
        assert max(self.mails().values()) == 1

    async def verified(self) -> Report:
        """The journal, sealed up to now."""
        folder, seal = journal.seals_folder(self.settings.home), open_seal(self.settings)
        await journal.seal(self.database, seal, folder, self.objects)
        return await verify_journal(
            self.database, folder, trusted_certificates(self.settings), key_ring(), self.objects
        )

    def mails(self) -> Counter[str]:
        """How often the sink was given each Message-ID."""
        answer = httpx.get(
            f"{self.system.environment['MEDCAB_MAIL_PAGE_URL']}/messages", trust_env=False
        )
        return Counter(one["message_id"] for one in answer.json())


def destroy(home: Home, part: Part) -> None:
    """As if the disk of that part were gone; nothing runs."""
    folders = {
        Part.DATABASE: ["postgres"],
        Part.OBJECTS: ["minio"],
        Part.TEMPORAL: ["temporal"],
        Part.KEYS: ["secrets.json", "seal", "seals", "module-keys"],
    }
    for name in folders[part]:
        path = home.folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    if part is Part.DATABASE:
        shutil.rmtree(data_folder_aside(home), ignore_errors=True)


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
    assert found.good, list(map(str, found.lines))
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
    await place.goes_on(*cases)
    await place.all_told()
    later = await place.office.case(await place.office.submitted())
    assert parse_number(str(later.number)).sequence > parse_number(number).sequence
    await place.all_is_right()
    assert (await place.verified()).lost > 0
    after = place.mails()
    assert {name: after[name] for name in before} == dict(before)


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
