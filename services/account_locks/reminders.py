"""What the clock does to a lock: it reminds whoever is awaited, and ends with its owner's work."""

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, select

from clients.database import Database
from models.tables.accounts import AccountLock
from models.tables.base import Moment
from models.tables.people import Person
from rules.account_locks import SECURITY_TOLD, LockState, next_look
from rules.clock import now as present
from rules.meetings import Purpose
from rules.notices.kinds import NoticeKind
from services import access
from services.account_locks import meeting as _registers_its_purpose  # noqa: F401
from services.account_locks import rows
from services.meetings.acts import booked_of

HELD = timedelta(minutes=10)
"""After so long a run that does not go on is ended, and another begun."""


class Wake(Protocol):
    """Wakes the workflow of a lock, and may begin a run anew."""

    async def __call__(self, lock_id: UUID, *, anew: bool = False) -> bool:
        """False if Temporal did not accept it."""


async def look(database: Database, lock_id: UUID) -> datetime | None:
    """Remind whoever is awaited, if it is time. Returns when to look again; None when it is over.

    Looking again at the same moment reminds nobody twice.
    """
    now = present()
    async with database.work() as session:
        row = await rows.by_id(session, lock_id)
        if row is None or row.ended_at is not None:
            return None
        if not access.works(await session.get_one(Person, row.person_id), now):
            row.state, row.ended_at = LockState.LEFT.value, now
            session.add(row)
            return None
        if row.looks_at > now:
            return row.looks_at
        row.reminded += 1
        state = LockState(row.state)
        row.looks_at = max(next_look(state, row.since, row.reminded), now + timedelta(hours=1))
        session.add(row)
        await session.flush()
        if state is LockState.APPROVAL:
            await rows.tell_approvers(session, row, NoticeKind.UNLOCK_TO_APPROVE, now)
        elif await booked_of(session, row.person_id, Purpose.UNLOCK) is None:
            await rows.send_link(session, row, NoticeKind.UNLOCK_REMINDER, now)
            if row.reminded >= SECURITY_TOLD:
                await rows.tell_approvers(session, row, NoticeKind.UNLOCK_LATE, now)
        return row.looks_at


def is_late(before: Moment) -> ColumnElement[bool]:
    """The condition that the time of a lock came before this moment."""
    return and_(col(AccountLock.ended_at).is_(None), col(AccountLock.looks_at) < before)


async def wake_late(database: Database, wake: Wake, grace: float) -> int:
    """Wake the workflows of locks whose time is past: Temporal was down, or lost them."""
    now = present()
    async with database.reading() as session:
        found = await session.exec(
            select(AccountLock.id, AccountLock.looks_at)
            .where(is_late(now - timedelta(seconds=grace)))
            .order_by(col(AccountLock.looks_at))
            .limit(20)
        )
        late = list(found.all())
    for lock_id, looks_at in late:
        await wake(lock_id, anew=looks_at < now - HELD)
    return len(late)
