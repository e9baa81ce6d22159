"""The rows of locks: locked for an act, told of, ended."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import AccountLock
from models.tables.people import Person
from rules.access import Permission
from rules.account_locks import LockState, next_look
from rules.notices.kinds import NoticeKind
from services import access
from services.accounts.sessions import hash_token, new_link
from services.journal.rows import RowJournal
from services.notices import outbox
from services.notices.outbox import NoticeEvent

PATH = "/unlock"


async def open_of(session: AsyncSession, person_id: UUID) -> AccountLock | None:
    """The lock of a person that is not ended, locked until the unit of work ends."""
    return await _found(session, AccountLock.person_id == person_id)


async def by_secret(session: AsyncSession, secret: str) -> AccountLock | None:
    """The lock that is not ended and whose newest link has this secret, locked likewise."""
    return await _found(session, AccountLock.secret_hash == hash_token(secret))


async def _found(session: AsyncSession, which: Any) -> AccountLock | None:
    found = await session.exec(
        select(AccountLock)
        .where(which, col(AccountLock.ended_at).is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found.first()


async def by_id(session: AsyncSession, lock_id: UUID) -> AccountLock | None:
    """A lock, ended or not, locked until the unit of work ends."""
    return await session.get(AccountLock, lock_id, with_for_update=True, populate_existing=True)


async def moved(session: AsyncSession, row: AccountLock, to: LockState, now: datetime) -> None:
    """Let the lock wait for something else from now on."""
    row.state, row.since, row.reminded = to.value, now, 0
    row.looks_at = next_look(to, now, 0)
    if to is LockState.MEETING:
        row.meeting_id = row.operator_id = row.code_hash = None
    session.add(row)
    await session.flush()


async def unit_of(session: AsyncSession, row: AccountLock) -> UUID:
    """The unit of the owner."""
    return (await session.get_one(Person, row.person_id)).unit_id


async def able(
    session: AsyncSession, row: AccountLock, permission: Permission, now: datetime
) -> Sequence[UUID]:
    """Who holds a permission for the owner's unit now, except the owner."""
    unit_id = await unit_of(session, row)
    people = await access.people_with(session, permission, unit_id, now)
    return [one for one in people if one != row.person_id]


async def send_link(
    session: AsyncSession, row: AccountLock, kind: NoticeKind, now: datetime
) -> None:
    """Tell the owner, by a mail with a new link to choose a meeting; an earlier link is over."""
    secret, row.secret_hash = new_link()
    session.add(row)
    await session.flush()
    key = f"{row.id}:{kind}:{now.isoformat()}"
    told = NoticeEvent(row.person_id, kind, key, contents={"path": f"{PATH}/{secret}"})
    await outbox.enqueue_all(session, [told], now)


async def tell_approvers(
    session: AsyncSession, row: AccountLock, kind: NoticeKind, now: datetime
) -> None:
    """Tell those who may agree, except the owner and the operator."""
    people = await able(session, row, Permission.APPROVE_UNLOCK, now)
    key = f"{row.id}:{kind}:{now.isoformat()}"
    told = [NoticeEvent(one, kind, key) for one in people if one != row.operator_id]
    await outbox.enqueue_all(session, told, now)


note = RowJournal[AccountLock](
    system="account_lock",
    chain=lambda row: row.person_id,
    facts=lambda row: {"lock": str(row.id)},
).note
"""Journals what happened, in the chain of the owner."""
