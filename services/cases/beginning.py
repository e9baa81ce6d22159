"""The beginning of a draft: who begins it, how many there are already, and its rows.

Three statements: the person under a lock, the count, and the case with the first entry of its
journal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectRows
from models.tables.cases import Case
from models.tables.people import Person, Unit
from rules.access import Actor
from rules.cases.process import CaseKind, Status
from rules.journal.entries import JournalKind
from services.journal import entries as journal

_PERSON: BindParameter[UUID] = bindparam("person_id")
_BEGINNER = DirectRows(
    select(Person, Unit.time_zone)
    .join(Unit, col(Unit.id) == col(Person.unit_id))
    .where(col(Person.id) == _PERSON)
    .with_for_update(key_share=True, of=Person)
)
_NEVER_SENT = (
    col(Case.applicant_id) == _PERSON,
    col(Case.kind) == bindparam("kind"),
    col(Case.status) == Status.DRAFT.value,
    col(Case.closed_at).is_(None),
)
_KEPT = DirectRows(select(func.count()).select_from(Case).where(*_NEVER_SENT))
_UNSENT = select(Case).where(*_NEVER_SENT).order_by(col(Case.created_at))


@dataclass(frozen=True)
class Beginner:
    """Who begins a draft, the zone of their unit, and how many drafts they have of this kind."""

    person: Person
    zone: str
    kept: int


@dataclass(frozen=True)
class FromFile:
    """What a person's qualification file gives to a draft that renews a credential.

    Facts have the names that `prefill` of a form uses; documents stand with their kind.
    """

    credential_id: UUID
    facts: Mapping[str, Any]
    documents: Sequence[tuple[str, UUID]]


async def beginner(session: AsyncSession, actor: Actor, kind: CaseKind) -> Beginner:
    """Who begins a draft, locked: of two drafts begun at once, the second counts the first."""
    person_id = {"person_id": actor.person_id}
    person, zone = await _BEGINNER.one(session, person_id)
    kept: int = await _KEPT.one(session, {**person_id, "kind": kind.value})
    return Beginner(person, zone, kept)


async def insert_draft(session: AsyncSession, case: Case) -> None:
    """Insert a new case and the entry that begins its journal, in one statement."""
    copied_from = case.copied_from_id
    journal.head_is_known(session, case.id, None, None)
    await journal.append(
        session,
        chain=case.id,
        kind=JournalKind.CASE_COPIED if copied_from else JournalKind.CASE_DRAFTED,
        at=case.created_at,
        by=case.applicant_id,
        step=case.step,
        facts={"copied_from": str(copied_from)} if copied_from else {},
        along=journal.Along.of(case),
    )


async def unsent(session: AsyncSession, actor: Actor, kind: CaseKind) -> Sequence[Case]:
    """The person's drafts of this kind that were never submitted, the oldest first."""
    person_id = actor.person_id
    found = await session.exec(_UNSENT, params={"person_id": person_id, "kind": kind.value})
    return found.all()
