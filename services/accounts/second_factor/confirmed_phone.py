"""The telephone number of a person, if its owner has confirmed it by a code."""

from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.notices import ContactChange
from models.tables.people import Person
from rules.notices.kinds import Channel


async def confirmed_phone(session: AsyncSession, person_id: UUID) -> str | None:
    """The person's number; None if there is none, or if it came from the staff list alone."""
    person = await session.get_one(Person, person_id)
    found = await session.exec(
        select(ContactChange)
        .where(
            ContactChange.person_id == person_id,
            ContactChange.channel == Channel.SMS.value,
            col(ContactChange.done_at).is_not(None),
        )
        .order_by(col(ContactChange.done_at).desc())
        .limit(1)
    )
    last = found.one_or_none()
    return person.phone if last is not None and last.value == person.phone else None
