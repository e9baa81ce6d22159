"""What clinicians do with a record: sign an entry, correct it, mark it as entered in error (W2)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.records import RecordDraft, RecordEntry, RecordVersion
from rules.access import Actor
from rules.clock import now as present
from rules.forms.definitions import Value, check_form, differs
from rules.records.entries import (
    OpenedFor,
    incomplete,
    may_change,
    mistaken_already,
    nothing_changed,
)
from rules.records.icd10 import unknown_code
from rules.records.types import EntryTypeDefinition
from rules.refusals import FieldError, Refusal, forbidden, not_found
from rules.staff.people import demand_reason
from services import access
from services.records import icd10, rows, types
from services.records.drafts import demand_way, of_patient, own
from services.records.rows import NewEntryVersion


class Records:
    """The acts. Methods raise Refusal: 403 for a closed record, 404, 409, 422 with its fields."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sign(self, actor: Actor, draft_id: UUID, opened: OpenedFor, seen: int) -> UUID:
        """Sign a draft: the entry, or its next version, is there. Returns the id of the entry.

        `seen` is the version that the form showed; 0 for a new entry. Sent again, it has the same
        answer. Raises Refusal 409 `changed_meanwhile`, with the present version, where somebody
        else has corrected the entry since: what the author typed stays in the draft, and what they
        left alone becomes what it is now.
        """
        try:
            return await self._sign(actor, draft_id, opened, seen)
        except Refusal as refusal:
            if refusal.code == "changed_meanwhile":
                await self._rebase(actor, draft_id, opened, int(refusal.facts["version"]))
            raise

    async def _sign(self, actor: Actor, draft_id: UUID, opened: OpenedFor, seen: int) -> UUID:
        now = present()
        async with self._database.work() as session:
            await demand_way(session, actor, opened.patient_id)
            # Locked first: who waited for another window of the same draft finds what it made.
            if await session.get(RecordDraft, draft_id, with_for_update=True) is None:
                return await _made(session, actor, draft_id)
            draft = await own(session, actor, draft_id, opened)
            kind = await types.newest(session, draft.type)
            today = await access.day_in(session, actor.unit_id, now)
            known = {name: draft.data[name] for name in draft.data if name in kind.fields}
            data, errors = check_form(kind, known, complete=True, today=today)
            codes, unknown = await _coded(session, kind, data, today)
            reason, unsaid = _reason(draft)
            if errors or unknown or unsaid:
                raise incomplete([*errors, *unknown, *unsaid])
            new = NewEntryVersion(draft_id, kind.version, data, codes, reason)
            entry_id = await _write(session, actor, draft, new, seen, now)
            await session.delete(draft)
        return entry_id

    async def _rebase(self, actor: Actor, draft_id: UUID, opened: OpenedFor, version: int) -> None:
        async with self._database.work() as session:
            draft = await own(session, actor, draft_id, opened, lock=True)
            if draft.entry_id is None or draft.base_version >= version:
                return
            base = (await rows.at(session, draft.entry_id, draft.base_version)).data
            newer = (await rows.at(session, draft.entry_id, version)).data
            alone = [name for name in newer if not differs(draft.data.get(name), base.get(name))]
            draft.data = {**draft.data, **{name: newer[name] for name in alone}}
            draft.base_version = version
            session.add(draft)

    async def mark_mistaken(
        self, actor: Actor, opened: OpenedFor, entry_id: UUID, seen: int, reason: str
    ) -> None:
        """Say that an entry was entered in error; it stays readable. Again changes nothing.

        `seen` is the version that the page showed: another one in between is a Refusal 409.
        """
        now = present()
        async with self._database.work() as session:
            await demand_way(session, actor, opened.patient_id)
            entry = await of_patient(session, opened.patient_id, entry_id)
            current = await rows.current(session, entry)
            kind = await types.at_version(session, entry.type, current.type_version)
            if not may_change(actor, entry.author_id, entry.unit_id, kind):
                raise forbidden()
            said = demand_reason(reason)
            if entry.mistaken_at is not None:
                if (entry.mistaken_by, entry.mistaken_reason) != (actor.person_id, said):
                    raise mistaken_already()
                return
            await rows.mark_mistaken(session, actor, entry, seen, said, now)


async def _write(
    session: AsyncSession,
    actor: Actor,
    draft: RecordDraft,
    new: NewEntryVersion,
    seen: int,
    now: datetime,
) -> UUID:
    if draft.entry_id is None:
        entry = RecordEntry(
            id=draft.id,
            patient_id=draft.patient_id,
            visit_id=draft.visit_id,
            type=draft.type,
            author_id=actor.person_id,
            unit_id=actor.unit_id,
            signed_at=now,
        )
        await rows.begin(session, actor, entry, new, now)
        return entry.id
    entry = await of_patient(session, draft.patient_id, draft.entry_id)
    before = await rows.at(session, entry.id, seen)
    kind = await types.at_version(session, entry.type, before.type_version)
    if not may_change(actor, entry.author_id, entry.unit_id, kind):
        raise forbidden()
    if rows.stands(entry) and entry.version == seen and not _differs(before.data, new.data):
        raise nothing_changed()
    await rows.correct(session, actor, entry, seen, new, now)
    return entry.id


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    names = {*before, *after}
    return any(differs(before.get(name), after.get(name)) for name in names)


def _reason(draft: RecordDraft) -> tuple[str | None, list[FieldError]]:
    """Why an entry is corrected, and what is wrong with that; a new entry needs no reason."""
    if draft.entry_id is None:
        return None, []
    try:
        return demand_reason(draft.reason), []
    except Refusal as refusal:
        return None, list(refusal.fields)


async def _made(session: AsyncSession, actor: Actor, draft_id: UUID) -> UUID:
    """The entry that the actor has made of a draft before. Raises Refusal 404."""
    version = await session.get(RecordVersion, draft_id)
    if version is None or version.made_by != actor.person_id:
        raise not_found()
    return version.entry_id


async def _coded(
    session: AsyncSession, kind: EntryTypeDefinition, data: Mapping[str, Value], today: Any
) -> tuple[dict[str, dict[str, str]], list[FieldError]]:
    """The codes of a form as the dictionary has them today, and those that it does not have."""
    wanted = {name: str(data[name]) for name in kind.codes if data.get(name)}
    known = await icd10.resolve(session, set(wanted.values()), today)
    codes = {
        name: {"code": one.code, "name": one.name, "edition": one.edition}
        for name, code in wanted.items()
        if (one := known.get(code)) is not None
    }
    errors = [
        FieldError(name, unknown_code(code, today))
        for name, code in wanted.items()
        if code not in known
    ]
    return codes, errors
