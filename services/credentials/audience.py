"""Whose credentials somebody looks at, and what they may do there (Q9)."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto.key_ring import key_ring
from models.tables.people import Person
from rules.access import Actor, Permission
from rules.credentials.audience import may_see_credentials
from rules.journal.tags import ViewCode
from rules.refusals import not_found
from services import access
from services.journal import entries as journal


@dataclass(frozen=True)
class Owner:
    """Whose credentials they are, as the reader may see them."""

    id: UUID
    name: str
    position: str
    unit_id: UUID
    own: bool
    """Whether the reader is the owner."""
    today: date
    """The day in the zone of the owner's unit."""
    confirms: bool
    """Whether the reader may confirm originals."""
    left: bool
    """Whether they work here no more."""


async def owner_for(session: AsyncSession, actor: Actor, owner_id: UUID, now: datetime) -> Owner:
    """The owner, if the actor may see their credentials. Raises Refusal 404 otherwise."""
    person = await session.get(Person, owner_id)
    if person is None or not may_see_credentials(actor, person.id, person.unit_id):
        raise not_found()
    own = actor.person_id == person.id
    return Owner(
        id=person.id,
        name=person.name,
        position=person.position,
        unit_id=person.unit_id,
        own=own,
        today=await access.day_in(session, person.unit_id, now),
        confirms=not own and actor.may(Permission.CONFIRM_CREDENTIALS, person.unit_id),
        left=person.left_at is not None and person.left_at <= now,
    )


async def with_snils(session: AsyncSession, actor: Actor, snils: str) -> UUID | None:
    """The person who has this SNILS, if the actor may see their credentials.

    An attempt to find anybody else is recorded (I9). Write it as `rules.texts.identifiers.snils`.
    """
    blind = key_ring().blind(snils)
    found = (await session.exec(select(Person).where(Person.snils_blind == blind))).first()
    if found is None:
        return None
    if not may_see_credentials(actor, found.id, found.unit_id):
        await journal.record_view(session, actor, found.id, ViewCode.REFUSED_PERSON)
        return None
    return found.id
