"""What one person does in several windows at once happens one after the other."""

from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.people import Person


async def of_person(session: AsyncSession, person_id: UUID) -> None:
    """Wait for a turn of the person, which lasts until the unit of work ends.

    For limits by number and for rows that must not come twice: who counts after this counts right.
    """
    await session.exec(
        select(Person.id).where(Person.id == person_id).with_for_update(key_share=True)
    )
