"""What a run needs: its own servers, Medcab and the least programs on them, and people."""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from bench.least.programs import QUEUE, TABLES, URL
from bench.least.requests import CALLBACK
from bench.peers import TABLES as TABLES_OF_PEERS
from bench.peers import URL as URL_OF_PEER
from bench.wal import Log
from bench.wire import Wire
from clients.database import Database
from models.tables.documents import Document, DocumentVersion
from ops.faults.applications import FORM
from ops.faults.people import ApiUser, Cast, gather
from ops.local.home import Home
from ops.local.servers import Launch
from ops.local.servers.medcab import Api, Door, Worker
from ops.local.servers.postgres import (
    APP,
    DATABASE,
    OWNER,
    Postgres,
    data_folder_aside,
    make_database,
)
from ops.local.servers.process import ServerProcess
from ops.local.system import GIVEN_BY, System
from ops.upkeep.migrate import migrate
from rules.clock import now
from rules.forms.definitions import merged_attachments, merged_checklist
from services import access
from services.applications.acts import TYPE, Applications
from services.cases.signals import CaseSignals
from services.catalogue import lookup as catalogue
from settings import Settings

LEAST = "least"
LOOKS_EVERY = 0.002
PATIENCE = 60.0
APPLICANTS = 8


class BenchProgram(Api):
    """One of the programs of `bench.least` or `bench.peers` behind a socket."""

    def __init__(self, name: str, door: Door, program: str, module: str = "bench.least") -> None:
        super().__init__(name, door)
        self._command = [sys.executable, "-m", module, program]

    def launch(self, environment: Mapping[str, str]) -> Launch:
        usual = super().launch(environment)
        command = [*self._command, *self.options()]
        return Launch(
            command, usual.environment, directory=usual.directory, inherited=usual.inherited
        )


class _LeastWorker(Worker):
    """The worker of the least program, on a queue of its own."""

    def launch(self, environment: Mapping[str, str]) -> Launch:
        usual = super().launch({**environment, "MEDCAB_TASK_QUEUE": QUEUE})
        command = [sys.executable, "-m", "bench.least", "worker"]
        return Launch(command, usual.environment, directory=usual.directory)


class BenchInstallation:
    """All servers of one run, durable, in a folder that is removed at the end."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="medcab-bench-"))
        self._log = (self.folder / "system.log").open("w")
        ours = {
            key: value
            for key, value in os.environ.items()
            if key not in GIVEN_BY.values() and not key.startswith(("MEDCAB_", "DATABASE_", "S3_"))
        }
        ours["MEDCAB_WATCH_USE"] = "0"
        self.system = System(Home(self.folder), given=ours, usual=False, say=self._note)
        self.postgres = next(one for one in self.system.outer if isinstance(one, Postgres))
        self.least_door, self.unchecked_door = Door(None), Door(None)

    @property
    def settings(self) -> Settings:
        """The settings of all processes of the run."""
        return self.system.settings

    @property
    def log(self) -> Log:
        """PostgreSQL's write-ahead log, for Medcab's database."""
        return Log(self.postgres.url("postgres", DATABASE), self.postgres.programs)

    def start(self) -> None:
        """Start everything and migrate. Takes about twenty seconds."""
        self.system.obtain()
        self.system.start_outer()
        migrate(self.settings)
        with psycopg.connect(
            self.postgres.url("postgres", "postgres"), autocommit=True
        ) as connection:
            make_database(connection, LEAST)
        with psycopg.connect(self.postgres.url(OWNER, LEAST)) as connection:
            for statement in TABLES.split(";"):
                connection.execute(statement)
        self.system.environment[URL] = self.postgres.url(APP, LEAST)
        self.system.environment[CALLBACK] = f"{self.least_door.address}/callback"
        self.system.start(
            [
                Worker("worker"),
                _LeastWorker("least-worker"),
                Api("api", self.system.door),
                BenchProgram("least-api", self.least_door, "api"),
            ]
        )

    def start_unchecked(self) -> None:
        """Start Medcab's API once more, without the inspection of files."""
        self.system.start([BenchProgram("unchecked-api", self.unchecked_door, "unchecked")])

    @contextmanager
    def peer(self, name: str) -> Iterator[tuple[str, str]]:
        """Run the program of a peer, with a database of its own.

        Gives the address of the program and that of the database, both as their owner uses them.
        """
        with psycopg.connect(self.postgres.url("postgres", "postgres"), autocommit=True) as line:
            make_database(line, name)
        url = self.postgres.url(OWNER, name)
        with psycopg.connect(url) as line:
            line.execute(TABLES_OF_PEERS)
        door = Door(None)
        program = ServerProcess(
            BenchProgram(name, door, name, "bench.peers"), self.system.home.logs
        )
        try:
            program.start({**self.system.environment, URL_OF_PEER: url})
            program.await_ready()
            yield door.address, url
        finally:
            program.stop()
            door.close()

    @asynccontextmanager
    async def second_worker(self) -> AsyncIterator[None]:
        """Run one more worker of Medcab."""
        worker = ServerProcess(Worker("second-worker"), self.system.home.logs, self.system.forks)
        try:
            worker.start(self.system.environment)
            await asyncio.to_thread(worker.await_ready)
            yield
        finally:
            worker.stop()

    def stop(self, *, keep: bool) -> None:
        """Stop everything. With `keep`, the folder with logs and data stays."""
        self.system.stop()
        for door in (self.least_door, self.unchecked_door):
            door.close()
        self._log.close()
        if not keep:
            shutil.rmtree(data_folder_aside(self.system.home), ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    def _note(self, name: str, text: str) -> None:
        self._log.write(f"{time.strftime('%H:%M:%S')} {name}: {text}\n")
        self._log.flush()


async def _no_signal(*_: object) -> bool:
    return True


@dataclass
class Office:
    """The people of a run, and what they do on both sides."""

    ground: BenchInstallation
    database: Database
    cast: Cast
    medcab: dict[UUID, Wire]
    least: Wire
    reviewer: Wire
    checklist: dict[str, bool]
    watches: dict[str, "RowWatch"]
    documents: dict[UUID, list[dict[str, str]]] = field(default_factory=dict)
    _turn: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, ground: BenchInstallation) -> AsyncIterator["Office"]:
        """Make people with tokens, connections, and a watch over each database."""
        database = Database.from_settings(ground.settings)
        cast = await gather(database, APPLICANTS)
        async with database.work() as session:
            definition = await catalogue.case_type(session, TYPE)
            programme = await catalogue.programme(session, cast.programmes[0])
            checklist = {item.name: True for item in merged_checklist(definition, programme)}
        url = ground.settings.public_url
        watches = {
            "medcab": RowWatch(
                ground.settings.database_url.get_secret_value(),
                "select id, case when closed_at is null then status else 'closed' end"
                ' from "case" where id = any(%s)',
            ),
            "least": RowWatch(
                ground.system.environment[URL],
                "select id, status from least_case where id = any(%s)",
            ),
        }
        tasks = [asyncio.create_task(watch.run()) for watch in watches.values()]
        office = cls(
            ground,
            database,
            cast,
            {one.person_id: Wire(url, one.token) for one in cast.applicants},
            Wire(ground.least_door.address, cast.applicants[0].token),
            Wire(url, cast.reviewers[0].token),
            checklist,
            watches,
        )
        try:
            yield office
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for wire in (*office.medcab.values(), office.least, office.reviewer):
                wire.close()
            await database.close()

    @property
    def programme_id(self) -> UUID:
        """The programme of all cases."""
        return self.cast.programmes[0]

    async def drafts(self, count: int, of: ApiUser | None = None) -> list[tuple[UUID, Wire]]:
        """Complete drafts, each with the connection of its applicant; never measured."""
        applications = Applications(
            self.database, CaseSignals(_no_signal), self.ground.settings.time_zone
        )
        applications.most_drafts = sys.maxsize
        made: list[tuple[UUID, Wire]] = []
        starts = (now() + timedelta(days=30)).date().isoformat()
        for _ in range(count):
            self._turn += 1
            player = of or self.cast.applicants[self._turn % len(self.cast.applicants)]
            async with self.database.work() as session:
                actor = await access.actor_for(session, player.person_id, now())
            case = await applications.create_draft(actor, self.programme_id)
            cited = await self._documents(player)
            await applications.save_draft(actor, case.id, {**FORM, "starts_on": starts}, cited)
            made.append((case.id, self.medcab[player.person_id]))
        return made

    async def _documents(self, player: ApiUser) -> list[dict[str, str]]:
        if player.person_id not in self.documents:
            async with self.database.work() as session:
                definition = await catalogue.case_type(session, TYPE)
                programme = await catalogue.programme(session, self.programme_id)
                cited = []
                for rule in merged_attachments(definition, programme):
                    if not rule.required or rule.waived_reason:
                        continue
                    document = Document(
                        owner_id=player.person_id,
                        category=rule.kind,
                        title=rule.title,
                        created_at=now(),
                    )
                    session.add(document)
                    await session.flush()
                    version = DocumentVersion(
                        document_id=document.id,
                        number=1,
                        object_key=f"documents/{uuid4().hex}/original",
                        file_name="document.pdf",
                        media_type="application/pdf",
                        size=1000,
                        sha256=uuid4().hex * 2,
                        verdict="ok",
                        uploaded_at=now(),
                        uploaded_by=player.person_id,
                    )
                    session.add(version)
                    await session.flush()
                    cited.append({"kind": rule.kind, "document_version_id": str(version.id)})
            self.documents[player.person_id] = cited
        return self.documents[player.person_id]

    async def submit(self, case_id: UUID, wire: Wire, room: str = "applications") -> None:
        """Submit a draft to Medcab."""
        path = f"/api/v1/{room}/{case_id}/submit"
        told = await wire.tell("POST", path, {"step": 0}, Idempotency_Key=str(uuid4()))
        if not told["number"]:
            raise RuntimeError("a submission was answered without a number")

    async def approve(self, case_id: UUID) -> None:
        """Approve a case that was checked once."""
        body = {
            "step": 2,
            "outcome": "approve",
            "reason": "Документы в порядке.",
            "checklist": self.checklist,
        }
        path = f"/api/v1/applications/{case_id}/decision"
        await self.reviewer.tell("POST", path, body, Idempotency_Key=str(uuid4()))

    async def whole(self, case_id: UUID, wire: Wire) -> None:
        """One case of Medcab from submission to the enrolment certificate."""
        await self.submit(case_id, wire)
        await self.watches["medcab"].until(case_id, "in_review")
        await self.approve(case_id)
        await self.watches["medcab"].until(case_id, "closed")

    async def whole_least(self, case_id: UUID) -> None:
        """One case of the least program from submission to the enrolment certificate."""
        await self.least.ask("POST", f"/cases/{case_id}")
        await self.watches["least"].until(case_id, "checked")
        await self.least.ask("POST", f"/cases/{case_id}/approval")
        await self.watches["least"].until(case_id, "issued")

    async def settle(self) -> None:
        """Wait until no mail is due, so that mails of one block do not burden the next."""
        due = (
            "select count(*) from notice where channel = 'mail' and state = 'waiting'"
            " and next_try_at <= now()"
        )
        async with asyncio.timeout(PATIENCE):
            while await self.watches["medcab"].one(due):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


class RowWatch:
    """Polls the rows of one database that somebody waits for, every two milliseconds."""

    def __init__(self, url: str, query: str) -> None:
        self._url = url
        self._query = query
        self._awaited: dict[UUID, tuple[str, asyncio.Future[None]]] = {}
        self._work = asyncio.Event()
        self.line: psycopg.AsyncConnection[Any]

    async def run(self) -> None:
        """Poll whenever somebody waits, until cancelled."""
        self.line = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        async with self.line:
            while True:
                await self._work.wait()
                found = await self.line.execute(self._query, (list(self._awaited),))
                for case_id, status in await found.fetchall():
                    wanted = self._awaited.get(case_id)
                    if wanted is not None and wanted[0] == status:
                        del self._awaited[case_id]
                        wanted[1].set_result(None)
                if not self._awaited:
                    self._work.clear()
                await asyncio.sleep(LOOKS_EVERY)

    async def until(self, case_id: UUID, status: str) -> None:
        """Wait until the case has this status. Raises TimeoutError after a minute."""
        self._awaited[case_id] = (status, asyncio.get_running_loop().create_future())
        self._work.set()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._awaited[case_id][1]
        finally:
            self._awaited.pop(case_id, None)

    async def one(self, query: str, values: Sequence[Any] = ()) -> Any:
        """The first value of the first row of a query, or None.

        Call it only while no `until` waits.
        """
        row = await (await self.line.execute(query, values)).fetchone()
        return row[0] if row else None
