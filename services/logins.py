"""The login journal (I4), and telling people what happens with their account.

Every try is a row of its own, whoever it was; what concerns a known account is chained in that
person's journal as well, so that it cannot be changed unseen.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import LoginAttempt
from rules.accounts import Outcome, Step
from rules.journal import JournalKind
from rules.notices import NoticeKind
from services import journal, notices
from services.sessions import Visitor

_JOURNALED = {
    Step.SIGN_OUT: JournalKind.ACCOUNT_SIGNED_OUT,
    Step.SESSION_ENDED: JournalKind.ACCOUNT_SIGNED_OUT,
    Step.SETUP: JournalKind.ACCOUNT_SECOND_FACTOR_SET,
    Step.PASSWORD_CHANGE: JournalKind.ACCOUNT_PASSWORD_CHANGED,
    Step.TOKEN_MADE: JournalKind.ACCOUNT_TOKEN_MADE,
    Step.TOKEN_ENDED: JournalKind.ACCOUNT_TOKEN_REVOKED,
    Step.CODE: JournalKind.ACCOUNT_SIGNED_IN,
}
_FAILURES = (Outcome.WRONG, Outcome.REUSED, Outcome.TOO_OFTEN, Outcome.LOCKED)


async def note(
    session: AsyncSession,
    step: Step,
    outcome: Outcome,
    visitor: Visitor,
    now: datetime,
    *,
    person_id: UUID | None = None,
    login: str | None = None,
) -> None:
    """Write one entry; the caller's unit of work commits. `login` is a blind index, never text."""
    session.add(
        LoginAttempt(
            at=now,
            person_id=person_id,
            login=login,
            step=step,
            outcome=outcome,
            address=visitor.address,
            device=visitor.device.name,
            device_kind=visitor.device.kind,
        )
    )
    if person_id is None:
        return
    kind = _JOURNALED.get(step) if outcome is Outcome.PASSED else JournalKind.ACCOUNT_SIGN_IN_FAILED
    if kind is not None:
        await journal.append(
            session,
            chain=person_id,
            kind=kind,
            at=now,
            by=person_id if outcome is Outcome.PASSED else None,
            system=None if outcome is Outcome.PASSED else "sign-in",
            facts={"step": step.value, "outcome": outcome.value},
            contents={"address": visitor.address, "device": visitor.device.name},
            lock=True,
        )


async def failures_since_last_success(session: AsyncSession, person_id: UUID) -> int:
    """How often somebody failed to sign in as this person since the person last did."""
    last = (
        select(func.max(LoginAttempt.at))
        .where(
            col(LoginAttempt.person_id) == person_id,
            col(LoginAttempt.step).in_([Step.CODE, Step.SETUP]),
            col(LoginAttempt.outcome) == Outcome.PASSED,
        )
        .scalar_subquery()
    )
    counted = await session.exec(
        select(func.count())
        .select_from(LoginAttempt)
        .where(
            col(LoginAttempt.person_id) == person_id,
            col(LoginAttempt.outcome).in_(_FAILURES),
            (last.is_(None)) | (col(LoginAttempt.at) > last),
        )
    )
    return counted.one()


async def attempts_of(
    session: AsyncSession, person_id: UUID, most: int = 50
) -> Sequence[LoginAttempt]:
    """The person's entries, newest first."""
    found = await session.exec(
        select(LoginAttempt)
        .where(col(LoginAttempt.person_id) == person_id)
        .order_by(col(LoginAttempt.at).desc(), col(LoginAttempt.id).desc())
        .limit(most)
    )
    return found.all()


async def tell(session: AsyncSession, person_id: UUID, kind: NoticeKind, now: datetime) -> None:
    """Send the person a security notice; these cannot be turned off (N2)."""
    await notices.enqueue(
        session,
        person_id=person_id,
        kind=kind,
        event_key=f"{person_id}:{kind.value}:{now.isoformat()}",
        now=now,
    )
