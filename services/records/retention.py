"""Erasing records whose term of keeping is over: the only way in which anything leaves them.

A card is kept as a whole, so many years after its last entry, counted from the first of January
after that. Rows, days and the journal stay; what was written is erased.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import delete, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.archive import RetentionTerm
from models.tables.records import RecordDraft, RecordEntry, RecordVersion
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.records.entries import RECORD, USUAL_YEARS
from services.journal import entries as journal
from services.patients import links
from services.records import rows

log = structlog.get_logger(__name__)

SYSTEM, GROUND = "retention", "retention_term"
_TOGETHER = 100


async def erase_due(database: Database, zone: ZoneInfo) -> int:
    """Erase the contents of all records whose term is over. Returns how many entries."""
    erased = 0
    while True:
        now = present()
        async with database.work() as session:
            before = await _kept_since(session, now, zone)
            found = await session.exec(
                select(RecordEntry.patient_id)
                .join(RecordVersion, col(RecordVersion.entry_id) == col(RecordEntry.id))
                .where(col(RecordEntry.erased_at).is_(None))
                .group_by(col(RecordEntry.patient_id))
                .having(func.max(col(RecordVersion.made_at)) < before)
                .limit(_TOGETHER)
            )
            due = list(found.all())
        done = 0
        for patient_id in due:
            done += await _erase(database, patient_id, before, now)
        erased += done
        if not done:
            return erased


async def _kept_since(session: AsyncSession, now: datetime, zone: ZoneInfo) -> datetime:
    """What was last written before this moment is kept no longer."""
    term = await session.get(RetentionTerm, (RECORD, ""))
    years = term.years if term else USUAL_YEARS
    return datetime(now.astimezone(zone).year - years, 1, 1, tzinfo=zone)


async def _erase(database: Database, patient_id: UUID, before: datetime, now: datetime) -> int:
    """Erase the entries of one patient, unless the same person has newer ones elsewhere."""
    async with database.work() as session:
        patients = (await links.joined(session, patient_id)).ids
        found = await session.exec(
            select(RecordEntry)
            .where(col(RecordEntry.patient_id).in_(patients), col(RecordEntry.erased_at).is_(None))
            .order_by(col(RecordEntry.id))
            .with_for_update()
        )
        entries = found.all()
        if await _newer(session, [one.id for one in entries], before):
            return 0
        for entry in entries:
            await _erase_entry(session, entry, now)
        await session.exec(
            delete(RecordDraft).where(
                col(RecordDraft.patient_id).in_(patients), col(RecordDraft.created_at) < before
            )
        )
    log.info("record_erased", entries=len(entries))
    return len(entries)


async def _newer(session: AsyncSession, entries: Collection[UUID], before: datetime) -> bool:
    newest = await session.exec(
        select(RecordVersion.id)
        .where(col(RecordVersion.entry_id).in_(entries), col(RecordVersion.made_at) >= before)
        .limit(1)
    )
    return newest.first() is not None


async def _erase_entry(session: AsyncSession, entry: RecordEntry, now: datetime) -> None:
    found = await session.exec(select(RecordVersion).where(RecordVersion.entry_id == entry.id))
    for version in found.all():
        version.data, version.codes, version.reason = {}, {}, None
        session.add(version)
    entry.erased_at, entry.mistaken_reason = now, None
    session.add(entry)
    await session.flush()
    for line in await journal.read(session, entry.id):
        if line.contents is not None:
            await journal.erase_contents(session, line, system=SYSTEM, ground=GROUND)
    await rows.note(session, entry, JournalKind.RECORD_ERASED, None, now, entry.version)
