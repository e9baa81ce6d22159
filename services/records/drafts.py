"""What a clinician is writing: kept as it is typed, seen by nobody else, and signed as one act.

Nothing is created by looking. A form carries the patient and the visit it was opened for, and is
refused where they are not those of the draft.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.encrypted_columns import bound_row
from models.tables.records import RecordDraft, RecordEntry, RecordVersion
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.forms.draft_edits import edit
from rules.ids import new_id
from rules.records.entries import (
    MOST_DRAFTS,
    OpenedFor,
    demand_same,
    may_change,
    mistaken_already,
    too_many_drafts,
)
from rules.records.types import EntryTypeDefinition
from rules.refusals import forbidden, not_found
from services import access
from services.patients import links, ways
from services.records import icd10, rows, types, visits


@dataclass(frozen=True)
class EntryDraftSeen:
    """A draft with its type, as its author sees it."""

    id: UUID
    patient_id: UUID
    visit_id: UUID | None
    kind: EntryTypeDefinition
    entry_id: UUID | None
    """What it corrects; None: it is a new entry."""
    base_version: int
    data: Mapping[str, Any]
    reason: str
    created_at: datetime
    saved_at: datetime | None
    today: date
    """The day in the zone of the author's unit, by which dates and codes are checked."""


class RecordDrafts:
    """Drafts of one's own. Methods raise Refusal: 403 for a closed record, 404, 409, 422."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, actor: Actor, opened: OpenedFor, draft_id: UUID, kind: str) -> UUID:
        """Begin an entry; the same id again begins no other. Returns the id.

        That of an entry which was signed begins another: a page that was opened before offers it.
        """
        async with self._database.work() as session:
            await demand_way(session, actor, opened.patient_id)
            await visits.demand(session, opened)
            await _demand_room(session, actor)
            await types.newest(session, kind)
            if await session.get(RecordVersion, draft_id) is not None:
                draft_id = new_id()
            draft = RecordDraft(
                id=draft_id,
                author_id=actor.person_id,
                patient_id=opened.patient_id,
                visit_id=opened.visit_id,
                type=kind,
                data={},
                created_at=present(),
            )
            await session.exec(
                insert(RecordDraft).values(bound_row(draft)).on_conflict_do_nothing()
            )
            await own(session, actor, draft_id, opened)
        return draft_id

    async def begin_correction(
        self, actor: Actor, patient_id: UUID, entry_id: UUID
    ) -> EntryDraftSeen:
        """Begin a correction from what the entry says now, or go on with one begun."""
        async with self._database.work() as session:
            await demand_way(session, actor, patient_id)
            await _demand_room(session, actor, 1)
            entry = await of_patient(session, patient_id, entry_id)
            current = await rows.current(session, entry)
            kind = await types.at_version(session, entry.type, current.type_version)
            if not may_change(actor, entry.author_id, entry.unit_id, kind):
                raise forbidden()
            if not rows.stands(entry):
                raise mistaken_already()
            draft = RecordDraft(
                author_id=actor.person_id,
                patient_id=entry.patient_id,
                visit_id=entry.visit_id,
                type=entry.type,
                entry_id=entry_id,
                base_version=entry.version,
                data=current.data,
                created_at=present(),
            )
            await session.exec(
                insert(RecordDraft).values(bound_row(draft)).on_conflict_do_nothing()
            )
            found = await session.exec(
                select(RecordDraft).where(
                    RecordDraft.author_id == actor.person_id, RecordDraft.entry_id == entry_id
                )
            )
            return await seen(session, actor, found.one())

    async def save(
        self,
        actor: Actor,
        draft_id: UUID,
        opened: OpenedFor,
        given: Mapping[str, Any],
        shown: Mapping[str, str],
        reason: str | None = None,
    ) -> tuple[EntryDraftSeen, Mapping[str, Any]]:
        """Store what was changed in a form that showed `shown` (`rules.forms.draft_edits`).

        Words that mean one code of МКБ-10 become it. Fields that were changed in another window
        meanwhile are not written; their stored values are returned.
        """
        async with self._editing(actor, draft_id, opened) as (session, draft):
            kind = await types.newest(session, draft.type)
            today = await access.day_in(session, actor.unit_id, present())
            known = {name: value for name, value in given.items() if name in kind.fields}
            for name in kind.codes:
                if isinstance(typed := known.get(name), str) and typed.strip():
                    known[name] = await icd10.in_words(session, typed, today)
            made = edit(kind.fields, known, shown, draft.data)
            draft.data = {**draft.data, **made.changes}
            if reason is not None:
                draft.reason = reason
            draft.saved_at = present()
            answer = await seen(session, actor, draft)
        return answer, made.clashes

    async def discard(self, actor: Actor, draft_id: UUID, opened: OpenedFor) -> None:
        """Throw it away. Again changes nothing."""
        actor.demand(Permission.TREAT)
        async with self._database.work() as session:
            draft = await session.get(RecordDraft, draft_id, with_for_update=True)
            if draft is not None and draft.author_id == actor.person_id:
                demand_same(opened, OpenedFor(draft.patient_id, draft.visit_id))
                await session.delete(draft)

    @asynccontextmanager
    async def _editing(
        self, actor: Actor, draft_id: UUID, opened: OpenedFor
    ) -> AsyncIterator[tuple[AsyncSession, RecordDraft]]:
        async with self._database.work() as session:
            await demand_way(session, actor, opened.patient_id)
            draft = await own(session, actor, draft_id, opened, lock=True)
            yield session, draft
            session.add(draft)


async def demand_way(session: AsyncSession, actor: Actor, patient_id: UUID) -> None:
    """Demand a way into the record for an act that shows nothing of it. Raises Refusal 403, 404."""
    actor.demand(Permission.TREAT)
    await ways.exists(session, patient_id)
    if await ways.way_in(session, actor, patient_id, present()) is None:
        raise ways.closed(patient_id)


async def of_patient(session: AsyncSession, patient_id: UUID, entry_id: UUID) -> RecordEntry:
    """An entry of a patient, or of one who is the same person. Raises Refusal 404."""
    entry = await session.get(RecordEntry, entry_id)
    them = await links.joined(session, patient_id)
    if entry is None or entry.patient_id not in them.ids:
        raise not_found()
    return entry


async def own(
    session: AsyncSession,
    actor: Actor,
    draft_id: UUID,
    opened: OpenedFor,
    *,
    lock: bool = False,
) -> RecordDraft:
    """One's own draft. Raises Refusal 404; 409 for a form that was opened for another patient."""
    actor.demand(Permission.TREAT)
    draft = await session.get(
        RecordDraft, draft_id, with_for_update=lock or None, populate_existing=lock
    )
    if draft is None or draft.author_id != actor.person_id:
        raise not_found()
    demand_same(opened, OpenedFor(draft.patient_id, draft.visit_id))
    return draft


async def mine(
    session: AsyncSession, actor: Actor, patients: frozenset[UUID]
) -> list[EntryDraftSeen]:
    """One's own drafts of a patient, the newest first."""
    found = await session.exec(
        select(RecordDraft)
        .where(
            RecordDraft.author_id == actor.person_id,
            col(RecordDraft.patient_id).in_(patients),
        )
        .order_by(col(RecordDraft.id).desc())
    )
    return [await seen(session, actor, draft) for draft in found.all()]


async def seen(session: AsyncSession, actor: Actor, draft: RecordDraft) -> EntryDraftSeen:
    """A draft as its author sees it."""
    return EntryDraftSeen(
        id=draft.id,
        patient_id=draft.patient_id,
        visit_id=draft.visit_id,
        kind=await types.newest(session, draft.type),
        entry_id=draft.entry_id,
        base_version=draft.base_version,
        data=draft.data,
        reason=draft.reason,
        created_at=draft.created_at,
        saved_at=draft.saved_at,
        today=await access.day_in(session, actor.unit_id, present()),
    )


async def _demand_room(session: AsyncSession, actor: Actor, more: int = 0) -> None:
    found = await session.exec(
        select(func.count()).where(col(RecordDraft.author_id) == actor.person_id)
    )
    if found.one() >= MOST_DRAFTS + more:
        raise too_many_drafts()
