"""An installation on servers of its own, to be backed up, destroyed and brought back."""

import asyncio
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from sqlalchemy import update
from sqlmodel import col, select
from temporalio.client import WorkflowExecutionStatus

from clients.database import Database
from clients.objects import Objects
from clients.temporal.client import CaseSignaller, connect, ensure_standing
from crypto.backup_files import BackupKey
from crypto.key_ring import KeyRing, key_ring, use_key_ring
from models.messages import case_workflow_id
from models.tables.accounts import AccessToken, Account, AccountSession
from models.tables.cases import IssuedAct
from models.tables.documents import DocumentVersion
from models.tables.notices import Notice
from ops.backup import configuration
from ops.backup.reconcile.findings import Findings
from ops.backup.reconcile.reconcile import Reconciliation, in_words
from ops.backup.restore.postgres import replayed
from ops.backup.restore.restore import Part, RestoreOptions, restore
from ops.backup.stores.postgres_wal import WalArchiver
from ops.backup.take import Taken, take
from ops.local.home import RESTORED, Home
from ops.local.servers.postgres import Postgres, account, data_folder_aside
from ops.local.servers.process import ServerProcess
from ops.local.system import GIVEN_BY, System
from ops.upkeep.migrate import migrate
from rules.access import Actor
from rules.accounts import AccountState
from rules.cases.process import Status, Transition
from rules.clock import now
from rules.notices.kinds import Channel, NoticeState
from services import access
from services.cases.acts import Act
from services.journal import checkpoints
from services.journal.checkpoint_files import checkpoints_folder
from services.journal.checkpoints import trusted_certificates
from services.journal.verification import VerificationReport
from services.journal.verification import verify as verify_journal
from services.seal import open_seal
from settings import Settings
from tests.shared.office import Office
from tests.shared.waiting import until
from worker import build

SERVERS = ("postgres", "temporal", "minio")
WORLD = ("simulators",)


def quiet(name: str, text: str) -> None:
    """Nobody watches the progress."""


class Installation:
    """An installation that can be stopped, destroyed in part, and brought back."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.backups = folder / "backups"
        self.places, phrase = configuration.arrange(self.home, Settings(), self.backups)
        assert phrase is not None
        self.phrase = phrase
        self.sha256: dict[str, str] = {}
        self.working: asyncio.Task[None] | None = None
        self.given = {
            key: value
            for key, value in os.environ.items()
            if key not in GIVEN_BY.values() and not key.startswith(("MEDCAB_", "DATABASE_", "S3_"))
        }
        self.given |= {"MEDCAB_DEMO": "true", "MEDCAB_SWEEP_GRACE": "2"}
        # The outside world is not ours: it goes on while we are destroyed.
        self.world = System(Home(folder / "world"), given=self.given, usual=False)
        self.world.outer = [each for each in self.world.outer if each.name in WORLD]
        # One process alone is started sooner than another to fork it from.
        self.world.forks = None

    @property
    def key(self) -> BackupKey:
        """The key of its backups."""
        return configuration.key_of(self.settings)

    async def start(self) -> None:
        """Servers; the outside world too, the first time."""
        if not self.world.processes:
            await asyncio.to_thread(self.world.start_outer)
            for server in self.world.outer:
                self.given |= server.variables()
        self.system = System(self.home, given=self.given, usual=False)
        self.system.outer = [each for each in self.system.outer if each.name in SERVERS]
        await asyncio.to_thread(self.system.obtain)
        await asyncio.to_thread(self.system.start_outer)
        self.settings = self.system.settings
        await asyncio.to_thread(migrate, self.settings)
        use_key_ring(KeyRing.parse(self.settings.keys.get_secret_value()))
        self.database = Database.from_settings(self.settings)
        self.objects = Objects(self.settings)
        self.archiver = WalArchiver(self.home, self.settings)

    async def work(self) -> None:
        """Let people and workflows work."""
        self.client = await connect(self.settings, key_ring())
        self.worker = build(self.settings, self.client, self.database)
        self.working = asyncio.create_task(self.worker.run())
        await ensure_standing(self.client, self.settings.task_queue)
        signaller = CaseSignaller(self.client, self.settings.task_queue)
        self.office = await Office.open(self.database, signaller)

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

    async def end(self) -> None:
        """The world ends, too."""
        try:
            await self.stop()
        finally:
            await asyncio.to_thread(self.world.stop)

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

        await until(none_waits, 60, every=0.1)

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
        order = RestoreOptions(self.backups, at, parts, self.places.keys_folder)
        await asyncio.to_thread(restore, self.home, order, lambda: self.phrase, quiet)

    async def reconcile(self) -> Findings:
        """Reconcile while the servers run and nobody works."""
        found = await Reconciliation(self.home, self.settings, quiet, deep=True).whole()
        assert found.good, in_words(found)
        (self.home.folder / RESTORED).unlink(missing_ok=True)
        return found

    async def has_run(self, *cases: UUID) -> None:
        """Each has an open run, before anybody rang."""
        for case_id in cases:
            handle = self.client.get_workflow_handle(case_workflow_id(case_id))
            assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING

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

    def tamper(self, statement: str, *values: object) -> None:
        """Change the tables as their owner, whom no grant stops."""
        assert self.settings.database_owner_url is not None
        with psycopg.connect(self.settings.database_owner_url.get_secret_value()) as connection:
            connection.execute(statement, values)

    async def signed_in(self) -> UUID:
        """Somebody has a session and an access token; the session."""
        moment, person_id = now(), self.office.clinician.person_id
        later = moment + timedelta(days=1)
        async with self.database.work() as session:
            account = Account(
                person_id=person_id,
                login=uuid4().hex,
                password_hash="",
                password_changed_at=moment,
                created_at=moment,
                state=AccountState.ACTIVE,
            )
            made = AccountSession(
                person_id=person_id,
                token_hash=uuid4().hex,
                device_hash="",
                device="",
                device_kind="",
                address="",
                stage="open",
                created_at=moment,
                last_active=moment,
                ends_at=later,
            )
            token = AccessToken(
                person_id=person_id,
                name="",
                token_hash=uuid4().hex,
                hint="",
                scope=[],
                created_at=moment,
                ends_at=later,
            )
            for row in (account, made, token):
                session.add(row)
                await session.flush()
        return made.id

    def environs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on its servers are somebody else's, as in a server room."""
        for name, value in self.system.environment.items():
            if name not in os.environ:
                monkeypatch.setenv(name, value)

    async def actor(self, person: UUID) -> Actor:
        """What a person may do now."""
        async with self.database.work() as session:
            return await access.actor_for(session, person, now())

    async def all_is_right(self) -> None:
        """Files as they were given, a journal that holds, no mail twice."""
        for key, digest in self.sha256.items():
            assert sha256(await self.objects.read(key)).hexdigest() == digest
        faults = list(map(str, (await self.verified()).faults))
        assert not faults, faults
        assert max(self.mails().values()) == 1

    async def verified(self) -> VerificationReport:
        """The journal, sealed up to now."""
        folder, seal = checkpoints_folder(self.settings.home), open_seal(self.settings)
        await checkpoints.take(self.database, seal, folder, self.objects)
        return await verify_journal(
            self.database, folder, trusted_certificates(self.settings), key_ring(), self.objects
        )

    def mails(self) -> Counter[str]:
        """How often the sink was given each Message-ID."""
        answer = httpx.get(f"{self.given['MEDCAB_MAIL_PAGE_URL']}/messages", trust_env=False)
        return Counter(one["message_id"] for one in answer.json())


class Elsewhere:
    """A database server that is not ours, and where a restore lays out for it."""

    def __init__(self, room: Path, like: Home) -> None:
        self.home = Home(room)
        self.home.make()
        shutil.copy(like.folder / "secrets.json", room)
        self.folder = room / "postgres"

    @contextmanager
    def replayed(self) -> Iterator[dict[str, str]]:
        """It runs on what was laid out, and has replayed it; its addresses."""
        runner = account(self.home)
        if runner is not None:
            for each in (self.folder, *self.folder.rglob("*")):
                os.chown(each, runner.uid, runner.gid)
        server = Postgres(self.home, None)
        process = ServerProcess(server, self.home.logs)
        server.obtain(lambda text: None)
        server.prepare()
        process.start({})
        try:
            end = time.monotonic() + 60
            while replayed(server) is not None:
                assert process.exit_code is None, process.log.read_text()
                assert time.monotonic() < end
                time.sleep(0.05)
            yield server.variables()
        finally:
            process.stop()


def damage(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


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
