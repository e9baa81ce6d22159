"""Entries of a record as people see them: with their state, versions and who wrote them.

Ask them after `services.patients.ways.look`, which demands the way and records the view.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.people import Person
from models.tables.records import RecordEntry, RecordVersion
from rules.access import Actor
from rules.forms.fields import FieldKind, display
from rules.records.entries import EntryState, may_change
from rules.records.types import EntryTypeDefinition
from rules.refusals import not_found
from services.records import types

MOST_WARNINGS = 100
"""How many warnings of one patient are read; those that were not are said to be there."""


@dataclass(frozen=True)
class EntryVersionSeen:
    """What an entry said in one version."""

    number: int
    kind: EntryTypeDefinition
    data: Mapping[str, Any]
    codes: Mapping[str, Mapping[str, str]]
    reason: str | None
    made_at: datetime
    made_by: UUID

    def shown(self, name: str) -> str | None:
        """A value as people read it; a code with the name it had when it was signed."""
        field = self.kind.fields[name]
        value = self.data.get(name)
        if field.kind is FieldKind.ICD10 and (kept := self.codes.get(name)):
            return f"{kept['code']} {kept['name']}"
        return display(field, value)

    @property
    def about(self) -> str:
        """What lines show beside the title."""
        return self.shown(self.kind.about) or ""


@dataclass(frozen=True)
class EntrySeen:
    """An entry with its current version."""

    id: UUID
    patient_id: UUID
    """Under which identity it was written."""
    visit_id: UUID | None
    state: EntryState
    version: int
    current: EntryVersionSeen
    author_id: UUID
    unit_id: UUID
    signed_at: datetime
    mistaken_at: datetime | None
    mistaken_by: UUID | None
    mistaken_reason: str | None

    @property
    def kind(self) -> EntryTypeDefinition:
        """The type by which its current version was written."""
        return self.current.kind

    @property
    def changed_at(self) -> datetime:
        """When it was last signed, corrected or marked as entered in error."""
        return self.mistaken_at or self.current.made_at

    @property
    def changed_by(self) -> UUID:
        """Who did that."""
        return self.mistaken_by or self.current.made_by

    @property
    def dangerous(self) -> bool:
        """Whether it warns of a danger."""
        warned = self.kind.warned
        return warned is not None and self.current.data.get(warned.by) in warned.dangerous

    def changeable(self, actor: Actor) -> bool:
        """Whether the actor may correct it."""
        standing = self.state is EntryState.SIGNED
        return standing and may_change(actor, self.author_id, self.unit_id, self.kind)


def _newest() -> Any:
    """Entries with the version that counts."""
    return select(RecordEntry, RecordVersion).join(
        RecordVersion,
        and_(
            col(RecordVersion.entry_id) == col(RecordEntry.id),
            col(RecordVersion.number) == col(RecordEntry.version),
        ),
    )


async def entries(
    session: AsyncSession,
    patients: Collection[UUID],
    *,
    kind: str = "",
    since: datetime | None = None,
    before: datetime | None = None,
    changed_since: datetime | None = None,
    limit: int = 50,
) -> Sequence[EntrySeen]:
    """Entries of these patients, who are one person, the newest first."""
    query = _newest().where(col(RecordEntry.patient_id).in_(patients))
    if kind:
        query = query.where(col(RecordEntry.type) == kind)
    if since is not None:
        query = query.where(col(RecordEntry.signed_at) >= since)
    if before is not None:
        query = query.where(col(RecordEntry.signed_at) < before)
    if changed_since is not None:
        query = query.where(
            or_(
                col(RecordVersion.made_at) > changed_since,
                col(RecordEntry.mistaken_at) > changed_since,
            )
        )
    ordered = query.order_by(col(RecordEntry.signed_at).desc(), col(RecordEntry.id).desc())
    found = await session.exec(ordered.limit(limit))
    return [await _seen(session, entry, version) for entry, version in found.all()]


async def warnings(session: AsyncSession, patients: Collection[UUID]) -> Sequence[EntrySeen]:
    """What warns whoever opens any page of the patient, the worst first: allergies."""
    kinds = [one.key for one in (await types.offered(session)).values() if one.warned]
    query = (
        _newest()
        .where(
            col(RecordEntry.patient_id).in_(patients),
            col(RecordEntry.type).in_(kinds),
            col(RecordEntry.mistaken_at).is_(None),
            col(RecordEntry.erased_at).is_(None),
        )
        .order_by(col(RecordEntry.signed_at).desc())
        .limit(MOST_WARNINGS)
    )
    found = await session.exec(query)
    known = [await _seen(session, entry, version) for entry, version in found.all()]
    return sorted(known, key=_badness)


def _badness(one: EntrySeen) -> int:
    warned = one.kind.warned
    return one.kind.rank(one.current.data.get(warned.by)) if warned else 0


async def one(
    session: AsyncSession, patients: Collection[UUID], entry_id: UUID
) -> tuple[EntrySeen, Sequence[EntryVersionSeen]]:
    """One entry of these patients with all its versions, the newest first. Raises Refusal 404."""
    entry = await session.get(RecordEntry, entry_id)
    if entry is None or entry.patient_id not in patients:
        raise not_found()
    found = await session.exec(_newest().where(col(RecordEntry.id) == entry_id))
    known = await _seen(session, *found.one())
    return known, (await versions(session, [known]))[entry_id]


async def versions(
    session: AsyncSession, entries: Sequence[EntrySeen]
) -> Mapping[UUID, Sequence[EntryVersionSeen]]:
    """All versions of entries by the ids of those, the newest first."""
    types_of = {one.id: one.kind.key for one in entries}
    found = await session.exec(
        select(RecordVersion)
        .where(col(RecordVersion.entry_id).in_(types_of))
        .order_by(col(RecordVersion.number).desc())
    )
    known: dict[UUID, list[EntryVersionSeen]] = {one: [] for one in types_of}
    for row in found.all():
        known[row.entry_id].append(await _version(session, types_of[row.entry_id], row))
    return known


async def names(session: AsyncSession, people: Collection[UUID | None]) -> Mapping[UUID, str]:
    """The names of those who wrote."""
    wanted = {one for one in people if one is not None}
    if not wanted:
        return {}
    found = await session.exec(select(Person).where(col(Person.id).in_(wanted)))
    return {person.id: person.name for person in found.all()}


async def _seen(session: AsyncSession, entry: RecordEntry, version: RecordVersion) -> EntrySeen:
    state = EntryState.SIGNED
    if entry.mistaken_at is not None:
        state = EntryState.MISTAKEN
    if entry.erased_at is not None:
        state = EntryState.ERASED
    return EntrySeen(
        id=entry.id,
        patient_id=entry.patient_id,
        visit_id=entry.visit_id,
        state=state,
        version=entry.version,
        current=await _version(session, entry.type, version),
        author_id=entry.author_id,
        unit_id=entry.unit_id,
        signed_at=entry.signed_at,
        mistaken_at=entry.mistaken_at,
        mistaken_by=entry.mistaken_by,
        mistaken_reason=entry.mistaken_reason,
    )


async def _version(session: AsyncSession, kind: str, row: RecordVersion) -> EntryVersionSeen:
    return EntryVersionSeen(
        number=row.number,
        kind=await types.at_version(session, kind, row.type_version),
        data=row.data,
        codes=row.codes,
        reason=row.reason,
        made_at=row.made_at,
        made_by=row.made_by,
    )
