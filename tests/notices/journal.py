"""What is kept of notices: a person's rows of a channel, and the tries of each."""

from sqlmodel import col, select

from clients.database import Database
from models.tables.notices import Notice, NoticeAttempt
from models.tables.people import Person
from rules.notices.kinds import Channel


async def rows(database: Database, person: Person, channel: Channel) -> list[Notice]:
    """The person's notices by a channel, oldest first."""
    async with database.work() as session:
        found = await session.exec(
            select(Notice)
            .where(Notice.person_id == person.id, Notice.channel == channel.value)
            .order_by(col(Notice.id))
        )
        return list(found)


async def lines(database: Database, notice: Notice) -> list[tuple[str, str]]:
    """The journal of a message: outcome and reason, oldest first."""
    async with database.work() as session:
        found = await session.exec(
            select(NoticeAttempt)
            .where(NoticeAttempt.notice_id == notice.id)
            .order_by(col(NoticeAttempt.id))
        )
        return [(one.outcome, one.reason) for one in found]
