"""What the ops desk shows of the installation itself: servers, checkpoints, backups."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as choose
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.journal import JournalCheckpoint, JournalEntry, journal_pending
from rules.journal.checkpoints import CHAIN_LEAF
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.operation.states import (
    BACKUP_IS_OLD_AFTER,
    ENTRIES_LOOKED_THROUGH,
    FAILING_AFTER,
    REPLACING_IS_SHOWN,
    SEAL_IS_LATE_AFTER,
    Trouble,
)
from services.journal import integrity
from services.operation.lines import AttentionLine, AttentionSection, line_of
from services.operation.temporal_health import Engine


def of_engine(engine: Engine | None, now: datetime) -> list[AttentionSection]:
    """The troubles of Temporal, the workers and the standing workflows."""
    if engine is None:
        line = AttentionLine(Trouble.TEMPORAL_DOWN, "temporal", "Temporal")
        return [AttentionSection(Trouble.TEMPORAL_DOWN, 1, [line])]
    troubles: dict[Trouble, list[AttentionLine]] = {
        Trouble.NO_WORKER: (
            []
            if engine.workers
            else [line_of(Trouble.NO_WORKER, engine.task_queue, engine.task_queue)]
        ),
        Trouble.STANDING_ENDED: [
            line_of(Trouble.STANDING_ENDED, one.id, one.id, workflow_id=one.id)
            for one in engine.standing
            if not one.runs
        ],
        Trouble.STANDING_FAILING: [
            line_of(
                Trouble.STANDING_FAILING,
                one.id,
                one.id,
                workflow_id=one.id,
                facts={"attempt": one.attempt, "activity": one.activity},
            )
            for one in engine.standing
            if one.runs and one.attempt >= FAILING_AFTER
        ],
        # Without a worker nothing else can work: only that is reported.
        Trouble.STANDING_IDLE: [
            line_of(Trouble.STANDING_IDLE, one.id, one.id, since=one.worked_at, workflow_id=one.id)
            for one in engine.standing
            if engine.workers and one.runs and one.attempt < FAILING_AFTER and not one.works(now)
        ],
    }
    return [
        AttentionSection(trouble, len(lines), lines) for trouble, lines in troubles.items() if lines
    ]


def lately(kind: JournalKind, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions for the entries of one kind within a day.

    The chain has no index by time, so only its end is searched.
    """
    last = select(func.max(JournalEntry.position)).where(JournalEntry.chain == SYSTEM_CHAIN)
    return (
        col(JournalEntry.chain) == SYSTEM_CHAIN,
        col(JournalEntry.position) > last.scalar_subquery() - ENTRIES_LOOKED_THROUGH,
        col(JournalEntry.kind) == kind.value,
        col(JournalEntry.at) > now - REPLACING_IS_SHOWN,
    )


async def replaced(session: AsyncSession, now: datetime) -> list[AttentionSection]:
    """The servers that ran without working and were replaced lately, and how often."""
    server = col(JournalEntry.facts)["server"].astext
    found = await session.exec(  # type: ignore[call-overload]
        choose(server, func.max(JournalEntry.at), func.count())
        .where(*lately(JournalKind.INSTALLATION_SERVER_REPLACED, now))
        .group_by(server)
        .order_by(server)
    )
    lines = [
        line_of(Trouble.SERVER_REPLACED, name, name, since=at, facts={"times": times})
        for name, at, times in found.all()
    ]
    return [AttentionSection(Trouble.SERVER_REPLACED, len(lines), lines)] if lines else []


async def standing_begun_anew(session: AsyncSession, now: datetime) -> list[AttentionLine]:
    """The standing workflows whose runs did nothing and were begun anew lately."""
    workflow = col(JournalEntry.facts)["workflow"].astext
    found = await session.exec(  # type: ignore[call-overload]
        choose(workflow, func.max(JournalEntry.at))
        .where(*lately(JournalKind.INSTALLATION_WORKFLOW_BEGUN_ANEW, now))
        .group_by(workflow)
        .order_by(workflow)
    )
    return [
        line_of(Trouble.BEGUN_ANEW, one, one, since=at, workflow_id=one) for one, at in found.all()
    ]


async def checkpoints(
    session: AsyncSession, now: datetime
) -> tuple[datetime | None, list[AttentionSection]]:
    """When the last checkpoint was made, and trouble if an entry waits too long for one."""
    sealed = (await session.exec(select(func.max(JournalCheckpoint.at)))).one()
    foreign = (await session.exec(integrity.refused())).one()
    if foreign:
        # That is why they are in no checkpoint: making checkpoints itself works.
        line = line_of(Trouble.JOURNAL_REFUSED, "journal", "journal", facts={"waiting": foreign})
        return sealed, [AttentionSection(Trouble.JOURNAL_REFUSED, foreign, [line])]
    oldest = (await session.exec(oldest_unsealed())).one()
    if oldest is None or oldest > now - SEAL_IS_LATE_AFTER:
        return sealed, []
    line = line_of(
        Trouble.JOURNAL_UNSEALED,
        "journal-sealer",
        "journal-sealer",
        since=oldest,
        workflow_id="journal-sealer",
    )
    return sealed, [AttentionSection(Trouble.JOURNAL_UNSEALED, 1, [line])]


async def backups(
    session: AsyncSession, now: datetime
) -> tuple[datetime | None, list[AttentionSection]]:
    """When the last backup was taken, and trouble if that (or the first day) is too long ago."""
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
    first = await session.exec(
        select(JournalCheckpoint.at).order_by(col(JournalCheckpoint.number)).limit(1)
    )
    since = last or first.one_or_none()
    if since is None or since > now - BACKUP_IS_OLD_AFTER:
        return last, []
    line = line_of(Trouble.BACKUP_OLD, "backup", "backup", since=last)
    return last, [AttentionSection(Trouble.BACKUP_OLD, 1, [line])]


def oldest_unsealed() -> Any:
    """The time of the oldest entry that is in no checkpoint yet."""
    pending = journal_pending.c
    return select(func.min(JournalEntry.at)).join_from(
        JournalEntry,
        journal_pending,
        (col(JournalEntry.chain) == pending.ref)
        & (col(JournalEntry.position) == pending.position)
        & (pending.kind == CHAIN_LEAF),
    )
