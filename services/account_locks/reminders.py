"""What the clock does to a lock: it reminds whoever is awaited, and ends with its owner's work."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col

from clients.database import Database
from models.messages import WorkflowName
from models.tables.accounts import AccountLock
from models.tables.people import Person
from rules.account_locks import SECURITY_TOLD, LockState, next_look
from rules.clock import now as present
from rules.meetings import Purpose
from rules.notices.kinds import NoticeKind
from services import access
from services.account_locks import meeting as _registers_its_purpose  # noqa: F401
from services.account_locks import rows
from services.meetings.acts import booked_of
from services.own_workflows import OwnWorkflow

OWN = OwnWorkflow(
    name=WorkflowName.ACCOUNT_LOCK,
    table=AccountLock,
    due="looks_at",
    lives=lambda: col(AccountLock.ended_at).is_(None),
)
"""What the sweeper has to know of locks."""


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
