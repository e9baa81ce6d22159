"""The telephone number of a person, if its owner has confirmed it by a code."""

from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.people import Person
from rules.notices.kinds import Channel
from services.accounts.proven_contacts import is_confirmed


async def confirmed_phone(session: AsyncSession, person_id: UUID) -> str | None:
    """The person's number; None if there is none, or if it came from the staff list alone."""
    person = await session.get_one(Person, person_id)
    return person.phone if await is_confirmed(session, person, Channel.SMS) else None
