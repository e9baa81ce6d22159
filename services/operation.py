"""The ops desk: what needs attention in operation, and why. Numbers, ids and states only (O7).

Cases and notices are those of the units in which the person watches; servers are everybody's.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as choose
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import case_workflow_id
from models.tables.archive import Export
from models.tables.cases import Case, Outage
from models.tables.journal import JournalEntry, JournalSeal, journal_pending
from models.tables.notices import Notice, NoticeAttempt
from models.tables.people import Person
from rules.cases import CaseKind
from rules.clock import now as present
from rules.journal import CHAIN_LEAF, SYSTEM_CHAIN, JournalKind
from rules.notices import NoticeState
from rules.operation import (
    BACKUP_IS_OLD_AFTER,
    CHANNEL_IS_LATE_AFTER,
    ENTRIES_LOOKED_THROUGH,
    FAILED_ARE_SHOWN,
    FAILING_AFTER,
    REPLACING_IS_SHOWN,
    SEAL_IS_LATE_AFTER,
    TROUBLES,
    Remedy,
    Trouble,
)
from rules.permissions import Actor, Permission
from rules.refusals import forbidden
from services import integrity
from services.outages import SYSTEMS
from services.standing import Engine, Standings

MOST = 50
"""Lines of one kind that are shown; how many there are is always said."""


@dataclass(frozen=True)
class Line:
    """One thing that needs attention. `subject` is what the remedy is done to."""

    trouble: Trouble
    subject: str
    name: str
    since: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    workflow_id: str | None = None
    remedy: Remedy | None = None


@dataclass(frozen=True)
class Section:
    """All trouble of one kind: `total` counts also what is beyond the lines shown."""

    trouble: Trouble
    total: int
    lines: Sequence[Line]


@dataclass(frozen=True)
class Desk:
    """How the operation stands at one moment."""

    as_of: datetime
    sections: Sequence[Section]
    engine: Engine | None
    """Workers and standing workflows, or None where Temporal does not answer."""
    sealed_at: datetime | None
    backed_up_at: datetime | None

    @property
    def attention(self) -> int:
        """How many things need attention."""
        return sum(section.total for section in self.sections)

    @property
    def tag(self) -> str:
        """Changes when anything on the desk does, the moment apart."""
        shown = repr((self.sections, self.engine and self.engine.to_the_minute()))
        return f'"{hashlib.sha256(shown.encode()).hexdigest()[:32]}"'


async def desk(database: Database, standings: Standings, actor: Actor, grace: float) -> Desk:
    """What needs attention now. Raises `forbidden` unless the person watches the operation.

    `grace` is how many seconds a case may be late before it counts as unheard.
    """
    units = actor.units_with(Permission.WATCH_OPERATION)
    if not units:
        raise forbidden()
    now = present()
    engine, (sections, sealed_at, backed_up_at) = await asyncio.gather(
        standings.known(), _look(database, units, now, timedelta(seconds=grace))
    )
    found = [*of_engine(engine, now), *sections]
    order = list(Trouble)
    found.sort(key=lambda section: order.index(section.trouble))
    return Desk(now, found, engine, sealed_at, backed_up_at)


def watched(units: frozenset[UUID]) -> ColumnElement[bool]:
    """The cases of these units."""
    return col(Case.unit_id).in_(units)


async def _look(
    database: Database, units: frozenset[UUID], now: datetime, grace: timedelta
) -> tuple[list[Section], datetime | None, datetime | None]:
    async with database.work() as session:
        sealed_at, unsealed = await seals(session, now)
        backed_up_at, backup_old = await backups(session, now)
        found = [
            *unsealed,
            *backup_old,
            *await replaced(session, now),
            *await _outages(session, units),
            await _stuck(session, units),
            await _unheard(session, units, now - grace),
            *await _late_channels(session, units, now),
            await _failed_notices(session, units, now),
            await _overdue(session, units, now),
            await _failed_exports(session, units, now),
        ]
    return [section for section in found if section.total], sealed_at, backed_up_at


def of_engine(engine: Engine | None, now: datetime) -> list[Section]:
    """What Temporal, the workers and the standing workflows show of themselves."""
    if engine is None:
        line = Line(Trouble.TEMPORAL_DOWN, "temporal", "Temporal")
        return [Section(Trouble.TEMPORAL_DOWN, 1, [line])]
    troubles: dict[Trouble, list[Line]] = {
        Trouble.NO_WORKER: (
            []
            if engine.workers
            else [_line(Trouble.NO_WORKER, engine.task_queue, engine.task_queue)]
        ),
        Trouble.STANDING_ENDED: [
            _line(Trouble.STANDING_ENDED, one.id, one.id, workflow_id=one.id)
            for one in engine.standing
            if not one.runs
        ],
        Trouble.STANDING_FAILING: [
            _line(
                Trouble.STANDING_FAILING,
                one.id,
                one.id,
                workflow_id=one.id,
                facts={"attempt": one.attempt, "activity": one.activity},
            )
            for one in engine.standing
            if one.runs and one.attempt >= FAILING_AFTER
        ],
        # Without a worker that alone is the reason, and is said.
        Trouble.STANDING_IDLE: [
            _line(Trouble.STANDING_IDLE, one.id, one.id, since=one.worked_at, workflow_id=one.id)
            for one in engine.standing
            if engine.workers and one.runs and one.attempt < FAILING_AFTER and not one.works(now)
        ],
    }
    return [Section(trouble, len(lines), lines) for trouble, lines in troubles.items() if lines]


def _line(trouble: Trouble, subject: str, name: str, **more: Any) -> Line:
    return Line(trouble, subject, name, remedy=TROUBLES[trouble].remedy, **more)


_ROW = (
    Case.id,
    Case.kind,
    Case.number,
    Case.status,
    Case.step,
    Case.since,
    Case.wakes_at,
    Case.due_at,
    Case.rings,
    Case.stuck,
    Case.escalated_at,
)


async def _cases(
    session: AsyncSession,
    trouble: Trouble,
    since: Any,
    units: frozenset[UUID],
    *wanted: ColumnElement[bool],
) -> Section:
    """The cases of one kind of trouble, the longest waiting first."""
    found = await session.exec(
        choose(*_ROW, since, func.count().over())  # type: ignore[call-overload]
        .where(watched(units), *wanted)
        .order_by(since, col(Case.id))
        .limit(MOST)
    )
    rows: Sequence[Any] = found.all()
    lines = [
        _line(
            trouble,
            str(row.id),
            row.number or str(row.id),
            since=row[-2],
            facts={
                "kind": row.kind,
                "status": row.status,
                "step": row.step,
                "rings": row.rings,
                "stuck": row.stuck,
                "escalated": row.escalated_at is not None,
            },
            workflow_id=case_workflow_id(row.id, CaseKind(row.kind)),
        )
        for row in rows
    ]
    return Section(trouble, rows[0][-1] if rows else 0, lines)


_OPEN = col(Case.closed_at).is_(None)


async def _stuck(session: AsyncSession, units: frozenset[UUID]) -> Section:
    """Closed ones too: a withdrawal of which the module has to be told."""
    return await _cases(
        session, Trouble.CASE_STUCK, col(Case.since), units, col(Case.stuck).is_not(None)
    )


async def _unheard(session: AsyncSession, units: frozenset[UUID], before: datetime) -> Section:
    late = (_OPEN, col(Case.wakes_at) < before, col(Case.stuck).is_(None))
    return await _cases(session, Trouble.ACT_UNHEARD, col(Case.wakes_at), units, *late)


async def _overdue(session: AsyncSession, units: frozenset[UUID], now: datetime) -> Section:
    return await _cases(
        session, Trouble.TERM_OVERDUE, col(Case.due_at), units, _OPEN, col(Case.due_at) < now
    )


async def _outages(session: AsyncSession, units: frozenset[UUID]) -> list[Section]:
    down = (
        await session.exec(
            select(Outage.system, Outage.since)
            .where(col(Outage.until).is_(None))
            .order_by(col(Outage.since))
        )
    ).all()
    lines = []
    for system, since in down:
        waiting = await session.exec(
            select(func.count()).select_from(Case).where(watched(units), *waits_for_system(system))
        )
        lines.append(
            _line(
                Trouble.COUNTERPART_DOWN,
                system,
                system,
                since=since,
                facts={"waiting": waiting.one()},
            )
        )
    return [Section(Trouble.COUNTERPART_DOWN, len(lines), lines)] if lines else []


def waits_for_system(system: str) -> tuple[ColumnElement[bool], ...]:
    """The open cases that wait for an outside system."""
    parties = [party.value for party, name in SYSTEMS.items() if name == system]
    return col(Case.waits_for).in_(parties), col(Case.closed_at).is_(None)


async def _late_channels(
    session: AsyncSession, units: frozenset[UUID], now: datetime
) -> list[Section]:
    found = await session.exec(
        choose(  # type: ignore[call-overload]
            Notice.channel, func.count(), func.min(Notice.due_at), func.max(Notice.tries)
        )
        .where(
            col(Notice.state) == NoticeState.WAITING.value,
            col(Notice.due_at) < now - CHANNEL_IS_LATE_AFTER,
            told_to(units),
        )
        .group_by(col(Notice.channel))
        .order_by(col(Notice.channel))
    )
    lines = [
        _line(
            Trouble.CHANNEL_LATE,
            channel,
            channel,
            since=since,
            facts={
                "waiting": waiting,
                "tries": tries,
                "reason": await _last_word(session, channel),
            },
        )
        for channel, waiting, since, tries in found.all()
    ]
    return [Section(Trouble.CHANNEL_LATE, len(lines), lines)] if lines else []


def told_to(units: frozenset[UUID]) -> ColumnElement[bool]:
    """The notices to people of these units."""
    return col(Notice.person_id).in_(select(Person.id).where(col(Person.unit_id).in_(units)))


async def _last_word(session: AsyncSession, channel: str) -> str:
    """What the server of a channel said last of what still waits; addresses were cut out."""
    found = await session.exec(
        select(NoticeAttempt.reason)
        .join(Notice, col(Notice.id) == col(NoticeAttempt.notice_id))
        .where(Notice.channel == channel, Notice.state == NoticeState.WAITING.value)
        .order_by(col(NoticeAttempt.id).desc())
        .limit(1)
    )
    return found.one_or_none() or ""


async def _failed_notices(session: AsyncSession, units: frozenset[UUID], now: datetime) -> Section:
    found = await session.exec(
        choose(  # type: ignore[call-overload]
            Notice.id,
            Notice.channel,
            Notice.kind,
            Notice.tries,
            Notice.failed_at,
            Notice.failure_reason,
            func.count().over(),
        )
        .where(
            col(Notice.state) == NoticeState.FAILED.value,
            col(Notice.failed_at) > now - FAILED_ARE_SHOWN,
            told_to(units),
        )
        .order_by(col(Notice.failed_at).desc(), col(Notice.id))
        .limit(MOST)
    )
    rows: Sequence[Any] = found.all()
    lines = [
        _line(
            Trouble.NOTICE_FAILED,
            str(row.id),
            row.kind,
            since=row.failed_at,
            facts={
                "channel": row.channel,
                "tries": row.tries,
                "reason": row.failure_reason or "",
            },
        )
        for row in rows
    ]
    return Section(Trouble.NOTICE_FAILED, rows[0][-1] if rows else 0, lines)


async def _failed_exports(session: AsyncSession, units: frozenset[UUID], now: datetime) -> Section:
    found = await session.exec(
        choose(  # type: ignore[call-overload]
            Export.id, Export.kind, Export.reason, Export.asked_at, func.count().over()
        )
        .where(
            col(Export.state) == "failed",
            col(Export.asked_at) > now - FAILED_ARE_SHOWN,
            col(Export.person_id).in_(select(Person.id).where(col(Person.unit_id).in_(units))),
        )
        .order_by(col(Export.asked_at).desc())
        .limit(MOST)
    )
    rows: Sequence[Any] = found.all()
    lines = [
        _line(
            Trouble.EXPORT_FAILED,
            str(row.id),
            str(row.id),
            since=row.asked_at,
            facts={"kind": row.kind, "reason": row.reason or ""},
        )
        for row in rows
    ]
    return Section(Trouble.EXPORT_FAILED, rows[0][-1] if rows else 0, lines)


async def seals(session: AsyncSession, now: datetime) -> tuple[datetime | None, list[Section]]:
    """When the journal was sealed last; late where an entry waits longer than two seals take."""
    sealed = (await session.exec(select(func.max(JournalSeal.at)))).one()
    foreign = (await session.exec(integrity.refused())).one()
    if foreign:
        # They stand unsealed for that reason: the sealing itself works.
        line = _line(Trouble.JOURNAL_REFUSED, "journal", "journal", facts={"waiting": foreign})
        return sealed, [Section(Trouble.JOURNAL_REFUSED, foreign, [line])]
    oldest = (await session.exec(oldest_unsealed())).one()
    if oldest is None or oldest > now - SEAL_IS_LATE_AFTER:
        return sealed, []
    line = _line(
        Trouble.JOURNAL_UNSEALED,
        "journal-sealer",
        "journal-sealer",
        since=oldest,
        workflow_id="journal-sealer",
    )
    return sealed, [Section(Trouble.JOURNAL_UNSEALED, 1, [line])]


async def replaced(session: AsyncSession, now: datetime) -> list[Section]:
    """The servers that ran without working and were replaced lately, and how often."""
    last = select(func.max(JournalEntry.position)).where(JournalEntry.chain == SYSTEM_CHAIN)
    server = col(JournalEntry.facts)["server"].astext
    found = await session.exec(  # type: ignore[call-overload]
        choose(server, func.max(JournalEntry.at), func.count())
        .where(
            col(JournalEntry.chain) == SYSTEM_CHAIN,
            # The chain has no index by time; its end is long enough.
            col(JournalEntry.position) > last.scalar_subquery() - ENTRIES_LOOKED_THROUGH,
            col(JournalEntry.kind) == JournalKind.INSTALLATION_SERVER_REPLACED.value,
            col(JournalEntry.at) > now - REPLACING_IS_SHOWN,
        )
        .group_by(server)
        .order_by(server)
    )
    lines = [
        _line(Trouble.SERVER_REPLACED, name, name, since=at, facts={"times": times})
        for name, at, times in found.all()
    ]
    return [Section(Trouble.SERVER_REPLACED, len(lines), lines)] if lines else []


async def backups(session: AsyncSession, now: datetime) -> tuple[datetime | None, list[Section]]:
    """When the last backup was taken; old where that, or the first day, is too long ago."""
    taken = await session.exec(
        select(JournalEntry.at)
        .where(
            JournalEntry.chain == SYSTEM_CHAIN,
            JournalEntry.kind == JournalKind.INSTALLATION_BACKED_UP.value,
        )
        .order_by(col(JournalEntry.position).desc())
        .limit(1)
    )
    last = taken.one_or_none()
    first = await session.exec(select(JournalSeal.at).order_by(col(JournalSeal.number)).limit(1))
    since = last or first.one_or_none()
    if since is None or since > now - BACKUP_IS_OLD_AFTER:
        return last, []
    line = _line(Trouble.BACKUP_OLD, "backup", "backup", since=last)
    return last, [Section(Trouble.BACKUP_OLD, 1, [line])]


def oldest_unsealed() -> Any:
    """When the oldest entry was written that no seal holds yet."""
    pending = journal_pending.c
    return select(func.min(JournalEntry.at)).join_from(
        JournalEntry,
        journal_pending,
        (col(JournalEntry.chain) == pending.ref)
        & (col(JournalEntry.position) == pending.position)
        & (pending.kind == CHAIN_LEAF),
    )
