"""The ops desk: what needs attention in operation, and why. Numbers, ids and states only (O7).

People see cases and notices of the units in which they watch; everybody who watches sees servers.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from models.tables.journal import JournalEntry
from models.tables.notices import Notice, NoticeAttempt
from models.tables.people import Person
from rules.access import Actor, Permission
from rules.cases.numbers import parse_number
from rules.cases.process import CaseKind
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeState
from rules.operation.states import CHANNEL_IS_LATE_AFTER, FAILED_ARE_SHOWN, USUAL, Trouble
from rules.refusals import forbidden
from services.operation.lines import AttentionSection, line_of
from services.operation.servers import (
    backups,
    checkpoints,
    lately,
    of_engine,
    replaced,
    standing_begun_anew,
)
from services.operation.temporal_health import Engine, Standings
from services.outages import SYSTEMS

MOST = 50
"""How many lines of one kind are shown; their total is always shown."""

ASKED_OF_TEMPORAL = 20


@dataclass(frozen=True)
class Desk:
    """The state of operation at one moment."""

    as_of: datetime
    sections: Sequence[AttentionSection]
    engine: Engine | None
    """Workers and standing workflows; None if Temporal does not answer."""
    sealed_at: datetime | None
    backed_up_at: datetime | None

    @property
    def attention(self) -> int:
        """How many things need attention."""
        return sum(section.total for section in self.sections)

    @property
    def silent(self) -> list[str]:
        """Parts that were not seen for longer than usual; this need not be trouble yet."""
        if self.engine is None:
            return []
        seen = [(one.name, one.asked_at, USUAL["worker"]) for one in self.engine.seen]
        seen += [
            (one.id, one.worked_at, USUAL["standing"])
            for one in self.engine.standing
            if one.worked_at
        ]
        return [name for name, at, usual in seen if self.as_of - at > usual]

    @property
    def tag(self) -> str:
        """An ETag that changes whenever anything on the desk does, except its time."""
        shown = repr((self.sections, self.engine and self.engine.to_the_minute(), self.silent))
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
    found = [*of_engine(engine, now), *await _split_failing(standings, sections)]
    found += await _ended(database, units, engine)
    order = list(Trouble)
    found.sort(key=lambda section: order.index(section.trouble))
    return Desk(now, found, engine, sealed_at, backed_up_at)


async def _split_failing(
    standings: Standings, sections: Sequence[AttentionSection]
) -> list[AttentionSection]:
    """Separate, among cases that no workflow has looked at, those whose workflow tasks fail.

    Only the first ones are asked of Temporal: if the code does not fit, they are enough to tell.
    """
    unheard = [section for section in sections if section.trouble is Trouble.ACT_UNHEARD]
    lines = [line for section in unheard for line in section.lines][:ASKED_OF_TEMPORAL]
    failing = await standings.failing([str(line.workflow_id) for line in lines])
    if not failing:
        return list(sections)
    shown = [
        line_of(
            Trouble.TASKS_FAILING,
            line.subject,
            line.name,
            since=line.since,
            facts=line.facts,
            workflow_id=line.workflow_id,
        )
        for line in lines
        if line.workflow_id in failing
    ]
    left = [
        replace(
            section,
            total=section.total - len(shown),
            lines=[line for line in section.lines if line.workflow_id not in failing],
        )
        if section in unheard
        else section
        for section in sections
    ]
    found = [AttentionSection(Trouble.TASKS_FAILING, len(shown), shown), *left]
    return [section for section in found if section.total]


async def _ended(
    database: Database, units: frozenset[UUID], engine: Engine | None
) -> list[AttentionSection]:
    """Open cases whose run has ended without another one in its place."""
    ids = [UUID(one.partition("-")[2]) for one in engine.ended] if engine else []
    if not ids:
        return []
    async with database.work() as session:
        wanted = (_OPEN, col(Case.id).in_(ids))
        section = await _cases(session, Trouble.RUN_ENDED, col(Case.since), units, *wanted)
    return [section] if section.total else []


def watched(units: frozenset[UUID]) -> ColumnElement[bool]:
    """The condition that a case belongs to one of these units."""
    return col(Case.unit_id).in_(units)


async def watched_number(session: AsyncSession, actor: Actor, number: str) -> str | None:
    """The number as printed, if the person watches that case; otherwise None.

    Raises IdentifierError if it is no number.
    """
    known = select(Case.number).where(
        watched(actor.units_with(Permission.WATCH_OPERATION)),
        Case.number == str(parse_number(number)),
    )
    return (await session.exec(known)).first()


async def _look(
    database: Database, units: frozenset[UUID], now: datetime, grace: timedelta
) -> tuple[list[AttentionSection], datetime | None, datetime | None]:
    async with database.work() as session:
        sealed_at, unsealed = await checkpoints(session, now)
        backed_up_at, backup_old = await backups(session, now)
        found = [
            *unsealed,
            *backup_old,
            *await replaced(session, now),
            *await _begun_anew(session, units, now),
            *await _outages(session, units),
            await _stuck(session, units),
            await _unheard(session, units, now - grace),
            *await _late_channels(session, units, now),
            await _failed_notices(session, units, now),
            await _overdue(session, units, now),
            await _failed_exports(session, units, now),
        ]
    return [section for section in found if section.total], sealed_at, backed_up_at


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
) -> AttentionSection:
    """The cases with one kind of trouble, the longest waiting first."""
    found = await session.exec(
        choose(*_ROW, since, func.count().over())  # type: ignore[call-overload]
        .where(watched(units), *wanted)
        .order_by(since, col(Case.id))
        .limit(MOST)
    )
    rows: Sequence[Any] = found.all()
    lines = [
        line_of(
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
    return AttentionSection(trouble, rows[0][-1] if rows else 0, lines)


_OPEN = col(Case.closed_at).is_(None)


async def _stuck(session: AsyncSession, units: frozenset[UUID]) -> AttentionSection:
    """Stuck cases, closed ones included: the gov service may have to learn of a withdrawal."""
    return await _cases(
        session, Trouble.CASE_STUCK, col(Case.since), units, col(Case.stuck).is_not(None)
    )


async def _unheard(
    session: AsyncSession, units: frozenset[UUID], before: datetime
) -> AttentionSection:
    late = (_OPEN, col(Case.wakes_at) < before, col(Case.stuck).is_(None))
    return await _cases(session, Trouble.ACT_UNHEARD, col(Case.wakes_at), units, *late)


async def _overdue(
    session: AsyncSession, units: frozenset[UUID], now: datetime
) -> AttentionSection:
    return await _cases(
        session, Trouble.TERM_OVERDUE, col(Case.due_at), units, _OPEN, col(Case.due_at) < now
    )


async def _outages(session: AsyncSession, units: frozenset[UUID]) -> list[AttentionSection]:
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
            line_of(
                Trouble.COUNTERPART_DOWN,
                system,
                system,
                since=since,
                facts={"waiting": waiting.one()},
            )
        )
    return [AttentionSection(Trouble.COUNTERPART_DOWN, len(lines), lines)] if lines else []


def waits_for_system(system: str) -> tuple[ColumnElement[bool], ...]:
    """The conditions that an open case waits for an outside system."""
    parties = [party.value for party, name in SYSTEMS.items() if name == system]
    return col(Case.waits_for).in_(parties), col(Case.closed_at).is_(None)


async def _late_channels(
    session: AsyncSession, units: frozenset[UUID], now: datetime
) -> list[AttentionSection]:
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
        line_of(
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
    return [AttentionSection(Trouble.CHANNEL_LATE, len(lines), lines)] if lines else []


def told_to(units: frozenset[UUID]) -> ColumnElement[bool]:
    """The condition that a notice is to somebody in these units."""
    return col(Notice.person_id).in_(select(Person.id).where(col(Person.unit_id).in_(units)))


async def _last_word(session: AsyncSession, channel: str) -> str:
    """The last reply of a channel's server about a waiting notice, with addresses removed."""
    found = await session.exec(
        select(NoticeAttempt.reason)
        .join(Notice, col(Notice.id) == col(NoticeAttempt.notice_id))
        .where(Notice.channel == channel, Notice.state == NoticeState.WAITING.value)
        .order_by(col(NoticeAttempt.id).desc())
        .limit(1)
    )
    return found.one_or_none() or ""


async def _failed_notices(
    session: AsyncSession, units: frozenset[UUID], now: datetime
) -> AttentionSection:
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
        line_of(
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
    return AttentionSection(Trouble.NOTICE_FAILED, rows[0][-1] if rows else 0, lines)


async def _failed_exports(
    session: AsyncSession, units: frozenset[UUID], now: datetime
) -> AttentionSection:
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
        line_of(
            Trouble.EXPORT_FAILED,
            str(row.id),
            str(row.id),
            since=row.asked_at,
            facts={"kind": row.kind, "reason": row.reason or ""},
        )
        for row in rows
    ]
    return AttentionSection(Trouble.EXPORT_FAILED, rows[0][-1] if rows else 0, lines)


async def _begun_anew(
    session: AsyncSession, units: frozenset[UUID], now: datetime
) -> list[AttentionSection]:
    """The standing workflows and cases whose runs did not go on and were begun anew lately."""
    case_id = col(JournalEntry.facts)["case"].astext
    begun = (
        choose(case_id, func.max(JournalEntry.at))
        .where(*lately(JournalKind.CASE_BEGUN_ANEW, now))
        .group_by(case_id)
    )
    at = {UUID(case): moment for case, moment in (await session.exec(begun)).all()}  # type: ignore[call-overload]
    standing = await standing_begun_anew(session, now)
    section = AttentionSection(Trouble.BEGUN_ANEW, 0, [])
    if at:
        section = await _cases(
            session, Trouble.BEGUN_ANEW, col(Case.since), units, col(Case.id).in_(list(at)[:MOST])
        )
    lines = [replace(line, since=at[UUID(line.subject)]) for line in section.lines]
    return [replace(section, total=section.total + len(standing), lines=[*standing, *lines])]
