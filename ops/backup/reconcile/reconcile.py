"""`medcab reconcile`: make database, object store, Temporal and journal agree again.

It is safe to repeat, before anybody works and while all do. Where a restore went back in time:

- The checkpoints kept outside prove what is lost. They are taken back, the restore is journaled.
- Numbers go on beyond every number that is known to have been given, and a margin.
- Messages that waited at that point were most likely sent in the time that is lost. They are not
  sent by themselves: they stand as not delivered, and people may send them again.
- All sessions end, since some were ended, and rights were changed, in the time that is lost.
"""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, text, update
from sqlmodel import col, select

from clients.database import Database
from clients.objects import Objects
from crypto.key_ring import key_ring
from models.tables.accounts import AccessToken, AccountSession
from models.tables.cases import Case
from models.tables.journal import JournalCheckpoint, JournalCheckpointCopy
from models.tables.notices import Notice
from ops.backup import BackupError, Say
from ops.backup.reconcile.findings import Findings
from ops.backup.reconcile.workflows import Runs
from ops.backup.restore.restore import Mark
from ops.backup.restore.stopped_home import (
    held,
    is_given,
    named,
    reached,
    started,
    system_at_rest,
)
from ops.backup.stores import objects
from ops.local.home import RESTORED, Home
from ops.local.lost import DATABASE, lost_parts, refusal
from ops.local.running import adopt_running
from ops.local.servers.postgres import occupied
from ops.upkeep.migrate import migrate
from rules.cases.numbers import parse_number
from rules.clock import now
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.notices.kinds import Channel, NoticeState
from rules.texts.identifiers import IdentifierError
from services.journal import checkpoints, restore_gaps
from services.journal import entries as journal
from services.journal.checkpoint_files import checkpoints_folder
from services.journal.checkpoints import trusted_certificates
from services.journal.restore_gaps import CheckpointsUnclearError, Loss
from services.journal.verification import verify
from services.seal import open_seal
from settings import Settings, get_settings

MARGIN = 1000
"""Numbers left out after a loss: they may have been given in the time that is lost."""

HELD = "Возможно, отправлено до восстановления данных"
"""Why a message stands as not delivered; people read it in the journal of their notices."""


def reconcile(home: Home, say: Say, *, deep: bool = False, accept: bool = False) -> Findings:
    """Reconcile a running installation, or a stopped one, whose servers are started meanwhile.

    With `deep` every object is read and compared with its row. With `accept` a restored home may be
    used although faults are left. Raises BackupError.
    """
    if adopt_running(home):
        return asyncio.run(Reconciliation(home, get_settings(), say, deep=deep).whole())
    with held(home):
        if (reason := refusal(home)) and DATABASE in lost_parts(home):
            raise BackupError(reason)
        if not occupied(home) and not is_given("postgres"):
            raise BackupError(
                f"{home.folder} holds no database: restore it, or name another home by MEDCAB_HOME"
            )
        system = system_at_rest(home, say)
        with started(system, named(system, "postgres", "temporal", "minio")):
            settings = system.settings
            with reached():
                migrate(settings)
            found = asyncio.run(Reconciliation(home, settings, say, deep=deep).whole())
        if found.good or accept:
            (home.folder / RESTORED).unlink(missing_ok=True)
        return found


class Reconciliation:
    """One reconciliation of one installation."""

    def __init__(self, home: Home, settings: Settings, say: Say, *, deep: bool) -> None:
        self.home, self.settings, self.say, self.deep = home, settings, say, deep
        self.mark = Mark.read(home)
        self.found = Findings()
        self.database = Database.from_settings(settings)
        self.objects = Objects(settings)
        self.loss: Loss | None = None

    async def whole(self) -> Findings:
        """Reconcile everything, in an order in which each step may rely on those before."""
        try:
            with reached():
                await self._journal()
                runs = await Runs.look(self.settings, key_ring())
                await self._numbers(runs)
                await self._people()
                await self._files()
                await runs.settle(self.database, self.found, signal_all=self.mark is not None)
                await self._write_down()
                await self._verify()
        finally:
            await self.objects.close()
            await self.database.close()
        return self.found

    @property
    def lost_until(self) -> datetime | None:
        """The last moment of the time that is lost; None where nothing is lost."""
        known = [self.loss.until] if self.loss else []
        mark = self.mark
        if mark is not None and mark.lost_until is not None:
            known.append(mark.lost_until)
        return max(known, default=None)

    @property
    def _folder(self) -> Path:
        return checkpoints_folder(self.settings.home)

    async def _journal(self) -> None:
        """Compare with the checkpoints outside; what newer ones prove to be lost is declared."""
        self.say("journal", "comparing the checkpoints")
        trusted = trusted_certificates(self.settings)
        try:
            newer = await restore_gaps.newer_checkpoints(
                self.database, self._folder, self.objects, trusted
            )
        except CheckpointsUnclearError as error:
            self.found.add("journal", 1, str(error), good=False)
            return
        mark = self.mark
        if not newer and mark is None:
            self.found.say("journal", "the database holds every checkpoint that is kept outside")
            return
        facts: dict[str, Any] = {}
        if mark is not None:
            times = {"point": mark.point, "lost_until": mark.lost_until}
            facts = {name: at.isoformat() for name, at in times.items() if at is not None}
            facts["backup"] = mark.backup
        async with self.database.work() as session:
            seal = open_seal(self.settings)
            self.loss = await restore_gaps.declare(session, newer, facts, seal)
        if mark is not None and self.loss is not None:
            # Stored now, so that a run after an interruption knows it too.
            self.mark = mark.model_copy(update={"lost_until": self.lost_until})
            self.mark.write(self.home)
        if self.loss is None:
            self.found.say("journal", "no checkpoint is newer than the database: nothing is lost")
            return
        since = f"{self.loss.since:%Y-%m-%d %H:%M:%S}" if self.loss.since else "the beginning"
        self.found.add(
            "journal",
            len(self.loss.chains),
            f"chains had grown by entries that are lost: checkpoints {self.loss.first} to "
            f"{self.loss.last}, between {since} and {self.loss.until:%Y-%m-%d %H:%M:%S} UTC",
            examples=self.loss.chains,
        )
        self.found.add(
            "journal", self.loss.unknown_cases, "of these chains begin in the time that is lost"
        )

    async def _numbers(self, runs: Runs) -> None:
        """Leave numbers out, so that none is given twice."""
        self.say("numbers", "comparing")
        async with self.database.work() as session:
            given = (
                await session.exec(select(Case.number).where(col(Case.number).is_not(None)))
            ).all()
        known = [_sequence(number) for number in (*given, *await runs.numbers(self.database))]
        highest = max([0, *known, self.mark.last_number if self.mark else 0])
        if self.lost_until is not None:
            highest += MARGIN + (self.loss.unknown_cases if self.loss else 0)
        drawn = await objects.last_number(self.database)
        if drawn < highest:
            async with self.database.engine.begin() as connection:
                await connection.execute(
                    text("select max(nextval('case_number')) from generate_series(1, :count)"),
                    {"count": highest - drawn},
                )
        went = f"numbers left out; the next one is after {max(drawn, highest)}"
        self.found.add("numbers", max(0, highest - drawn), went)

    async def _people(self) -> None:
        """Hold back messages that were probably sent already, and end all sessions."""
        until = self.lost_until
        if until is None:
            self.found.say("notices", "no time is lost: messages that wait are sent as usual")
            return
        moment = now()
        async with self.database.work() as session:
            held_back = await session.exec(
                update(Notice)
                .where(
                    col(Notice.channel) != Channel.CABINET.value,
                    col(Notice.state) == NoticeState.WAITING.value,
                    col(Notice.next_try_at) <= until,
                    col(Notice.created_at) <= until,
                )
                .values(state=NoticeState.FAILED.value, failed_at=moment, failure_reason=HELD)
                .returning(col(Notice.id))
            )
            notices = held_back.all()
            ended = await session.exec(
                update(AccountSession)
                .where(col(AccountSession.ended_at).is_(None))
                .values(ended_at=moment, ended_why="restored")
                .returning(col(AccountSession.id))
            )
            sessions = ended.all()
            tokens = (
                await session.exec(
                    select(func.count())
                    .select_from(AccessToken)
                    .where(col(AccessToken.ended_at).is_(None), AccessToken.ends_at > moment)
                )
            ).one()
        self.found.add(
            "notices",
            len(notices),
            "messages held back: most likely sent in the time that is lost; people may resend them",
            examples=[row[0] for row in notices],
        )
        self.found.add("sessions", len(sessions), "ended: people sign in again")
        self.found.add(
            "tokens",
            tokens,
            "access tokens stay valid: check whether one was revoked in the time that is lost",
        )

    async def _files(self) -> None:
        """Find rows without objects, objects without rows, and checkpoints that the store lacks."""
        self.say("objects", "comparing")
        rows = await objects.wanted(self.database)
        there = {item.key: item.size async for item in self.objects.list()}
        missing = [each for each in rows.values() if each.key not in there]
        checkpointed = [each for each in missing if each.table == JournalCheckpoint.__tablename__]
        if checkpointed:
            # Copies of checkpoints are made again from the database.
            async with self.database.work() as session:
                await session.exec(update(JournalCheckpointCopy).values(number=0))
        lost = [f"{each.table}: {each.key}" for each in missing if each not in checkpointed]
        self.found.fault("objects", lost, "rows whose object is gone", "every row has its object")
        changed = [
            each.key
            for each in rows.values()
            if each.key in there and each.size not in (None, there[each.key])
        ]
        if self.deep:
            changed = await objects.changed(
                self.objects,
                [each for each in rows.values() if each.key in there],
                lambda done, whole: self.say("objects", f"reading: {done} of {whole}"),
            )
        what = "the bytes" if self.deep else "the size"
        self.found.fault(
            "objects",
            changed,
            f"objects do not have {what} that their rows say",
            f"every object has {what} that its row says",
        )
        orphans = len(set(there) - set(rows))
        self.found.add("objects", orphans, "have no row: removed when they are 30 days old")

    async def _write_down(self) -> None:
        """Journal what was done, with a checkpoint over it at once."""
        async with self.database.work() as session:
            await journal.append(
                session,
                chain=SYSTEM_CHAIN,
                kind=JournalKind.INSTALLATION_RECONCILED,
                system="reconcile",
                facts={"good": self.found.good, "counts": self.found.counts()},
            )
        await checkpoints.take(self.database, open_seal(self.settings), self._folder, self.objects)

    async def _verify(self) -> None:
        self.say("journal", "verifying")
        report = await verify(
            self.database,
            self._folder,
            trusted_certificates(self.settings),
            key_ring(),
            self.objects,
        )
        self.found.fault(
            "journal",
            report.faults,
            "faults: `medcab verify` lists all of them",
            f"holds: {report.entries} entries in {report.chains} chains, "
            f"{report.checkpoints} checkpoints",
        )
        for name in ("journal", "numbers", "objects"):
            self.say(name, "ready")


def _sequence(number: str | None) -> int:
    try:
        return parse_number(number or "").sequence
    except IdentifierError:
        return 0


def in_words(findings: Findings) -> list[str]:
    """A line for each finding, and the verdict."""
    lines = []
    for each in findings.lines:
        lines.append(str(each))
        if not each.good:
            lines += [f"         {example}" for example in each.examples]
    lines.append("All is right." if findings.good else "People have to act: see above.")
    return lines
