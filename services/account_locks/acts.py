"""A lock by suspicion: by the person, from the profile or a notice, or by information security.

All sessions and tokens end at once.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import RiskEvent
from rules.access import Actor
from rules.accounts import Outcome, Step
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.risks import LINK_LIVES, SUSPICION, LockedBy, link_over
from services.accounts import login_log
from services.accounts.account_row import locked_account
from services.accounts.risks import queue
from services.accounts.sessions import Visitor, hash_token
from services.accounts.sign_in import lock as lock_account
from services.journal import entries as journal


async def lock_own(session: AsyncSession, person_id: UUID, visitor: Visitor, now: datetime) -> None:
    """The person locks the own account, signed in."""
    await _lock(session, person_id, LockedBy.PERSON, person_id, visitor, now)


async def lock_by_link(session: AsyncSession, secret: str, visitor: Visitor, now: datetime) -> None:
    """Lock the account whose notice has this link, once. Raises Refusal 409 for any other link."""
    found = await session.exec(
        select(RiskEvent)
        .where(RiskEvent.secret_hash == hash_token(secret), RiskEvent.at > now - LINK_LIVES)
        .with_for_update()
    )
    event = found.first()
    if event is None:
        raise link_over()
    event.secret_hash = None
    session.add(event)
    await _lock(session, event.person_id, LockedBy.LINK, None, visitor, now)


async def lock_by_security(
    session: AsyncSession, actor: Actor, event_id: UUID, visitor: Visitor, now: datetime
) -> None:
    """Information security locks the account of an event.

    Raises Refusal 404, 409 for the own account or if it is locked so already.
    """
    event = await queue.event_of(session, actor, event_id)
    await _lock(session, event.person_id, LockedBy.SECURITY, actor.person_id, visitor, now)


async def _lock(
    session: AsyncSession,
    person_id: UUID,
    how: LockedBy,
    by: UUID | None,
    visitor: Visitor,
    now: datetime,
) -> None:
    """Lock the account; one that is locked so already stays as it is."""
    account = await locked_account(session, person_id)
    await queue.close_all(session, person_id, by, now)
    if account.locked_reason == SUSPICION:
        return
    await lock_account(session, person_id, SUSPICION, now)
    await journal.append(
        session,
        chain=person_id,
        kind=JournalKind.ACCOUNT_LOCKED,
        at=now,
        by=by,
        system=None if by else "link",
        facts={"how": how.value},
        lock=True,
    )
    step = Step.LOCK
    await login_log.note(session, step, Outcome.PASSED, visitor, now, person_id=person_id)
    await login_log.tell(session, person_id, NoticeKind.LOCKED_BY_SUSPICION, now)
