"""Which addresses of a person have answered: to a code, or to a link that was mailed."""

from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.notices import ContactChange
from models.tables.people import Person
from rules.notices.kinds import Channel


async def is_confirmed(session: AsyncSession, person: Person, channel: Channel) -> bool:
    """Whether the person's present address answered to a code, or to a link that was mailed."""
    present = person.email if channel is Channel.MAIL else person.phone
    found = await session.exec(
        select(ContactChange)
        .where(
            ContactChange.person_id == person.id,
            ContactChange.channel == channel.value,
            col(ContactChange.done_at).is_not(None),
        )
        .order_by(col(ContactChange.done_at).desc())
        .limit(1)
    )
    last = found.one_or_none()
    return last is not None and last.value == present


def proven(person: Person, channel: Channel, value: str, now: datetime) -> ContactChange:
    """The row that says that an address answered, without a code having been entered here."""
    return ContactChange(
        person_id=person.id,
        channel=channel.value,
        value=value,
        code_hash="",
        created_at=now,
        ends_at=now,
        done_at=now,
    )
