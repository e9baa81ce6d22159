"""The rows of entries: made, given a new version, marked as entered in error.

Each change is one conditional statement that names the version its author saw.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.encrypted_columns import bound
from models.tables.records import RecordEntry, RecordVersion
from rules.access import Actor
from rules.journal.entries import JournalKind
from rules.records.entries import changed_meanwhile, mistaken_already
from rules.refusals import not_found
from services.journal import entries as journal


@dataclass(frozen=True)
class NewEntryVersion:
    """What a version will say: checked values, and their codes as the dictionary has them."""

    id: UUID
    type_version: int
    data: Mapping[str, Any]
    codes: Mapping[str, Mapping[str, str]]
    reason: str | None = None


def stands(entry: RecordEntry) -> bool:
    """Whether an entry counts: neither entered in error nor erased."""
    return entry.mistaken_at is None and entry.erased_at is None


async def current(session: AsyncSession, entry: RecordEntry) -> RecordVersion:
    """The version that counts."""
    return await at(session, entry.id, entry.version)


async def at(session: AsyncSession, entry_id: UUID, number: int) -> RecordVersion:
    """One version. Raises Refusal 404."""
    found = await session.exec(
        select(RecordVersion).where(
            RecordVersion.entry_id == entry_id, RecordVersion.number == number
        )
    )
    if (version := found.first()) is None:
        raise not_found()
    return version


async def begin(
    session: AsyncSession, actor: Actor, entry: RecordEntry, new: NewEntryVersion, now: datetime
) -> None:
    """Make an entry with its first version."""
    session.add(entry)
    await session.flush()
    await _write(session, actor, entry, new, 1, now)
    await note(session, entry, JournalKind.RECORD_SIGNED, actor, now, 1)


async def correct(
    session: AsyncSession,
    actor: Actor,
    entry: RecordEntry,
    seen: int,
    new: NewEntryVersion,
    now: datetime,
) -> None:
    """Make the next version of an entry whose version `seen` is current. Raises Refusal 409."""
    changed = await session.exec(
        update(RecordEntry)
        .where(*_unchanged(entry.id, seen))
        .values(version=seen + 1)
        .returning(col(RecordEntry.version))
    )
    if changed.first() is None:
        raise await _why(session, entry)
    await _write(session, actor, entry, new, seen + 1, now)
    await note(session, entry, JournalKind.RECORD_CORRECTED, actor, now, seen + 1, new.reason)


async def mark_mistaken(
    session: AsyncSession, actor: Actor, entry: RecordEntry, seen: int, reason: str, now: datetime
) -> None:
    """Mark an entry whose version `seen` is current as entered in error. Raises Refusal 409."""
    changed = await session.exec(
        update(RecordEntry)
        .where(*_unchanged(entry.id, seen))
        .values(
            mistaken_at=now,
            mistaken_by=actor.person_id,
            mistaken_reason=bound(reason, entry.id),
        )
        .returning(col(RecordEntry.id))
    )
    if changed.first() is None:
        raise await _why(session, entry)
    await note(session, entry, JournalKind.RECORD_MISTAKEN, actor, now, seen, reason)


def _unchanged(entry_id: UUID, seen: int) -> tuple[Any, ...]:
    return (
        col(RecordEntry.id) == entry_id,
        col(RecordEntry.version) == seen,
        col(RecordEntry.mistaken_at).is_(None),
        col(RecordEntry.erased_at).is_(None),
    )


async def _why(session: AsyncSession, entry: RecordEntry) -> Exception:
    """Why an entry could not be changed, by what it is now."""
    await session.refresh(entry)
    return changed_meanwhile(entry.version) if stands(entry) else mistaken_already()


async def _write(
    session: AsyncSession,
    actor: Actor,
    entry: RecordEntry,
    new: NewEntryVersion,
    number: int,
    now: datetime,
) -> None:
    session.add(
        RecordVersion(
            id=new.id,
            entry_id=entry.id,
            number=number,
            type_version=new.type_version,
            data=dict(new.data),
            codes=dict(new.codes),
            reason=new.reason,
            made_at=now,
            made_by=actor.person_id,
        )
    )
    await session.flush()


async def note(
    session: AsyncSession,
    entry: RecordEntry,
    kind: JournalKind,
    actor: Actor | None,
    now: datetime,
    version: int,
    reason: str | None = None,
) -> None:
    """Journal what happened to an entry, in its own chain; its row is locked by the change."""
    await journal.append(
        session,
        chain=entry.id,
        kind=kind,
        at=now,
        by=actor.person_id if actor else None,
        system=None if actor else "retention",
        facts={"patient": str(entry.patient_id), "version": version},
        contents={"reason": reason} if reason else None,
    )
