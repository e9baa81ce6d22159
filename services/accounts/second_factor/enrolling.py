"""Setting up a factor, and removing one: only after another was entered for it (I14)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from rules.accounts import (
    Outcome,
    SignInLimits,
    Stage,
    Step,
    not_signed_in,
    step_needed,
)
from rules.notices.kinds import NoticeKind
from rules.second_factor import Method, demand_enrolment
from services.accounts import login_log
from services.accounts.account_row import locked_account
from services.accounts.second_factor import recovery_codes
from services.accounts.second_factor.continuing import go_on
from services.accounts.second_factor.methods import Attempt, NewFactor
from services.accounts.second_factor.proving import prove
from services.accounts.sessions import Current, OpenedSession, Visitor, end_access, rotate
from services.cases.wakeups import applicant_did_more


@dataclass(frozen=True)
class Enrolled:
    """The session after a factor was set up, and recovery codes if new ones were made with it.

    They are shown only now.
    """

    opened: OpenedSession
    recovery_codes: tuple[str, ...] = ()


def demand_right(current: Current, now: datetime) -> UUID:
    """The session, if it may set up a factor: at the first sign-in, or after entering another one.

    Raises Refusal 401, 403 `second_factor_needed`.
    """
    if current.session_id is None:
        raise not_signed_in()
    if current.stage == Stage.CODE:
        raise step_needed(Stage.CODE)
    if current.stage != Stage.SETUP:
        demand_enrolment(current.checked_at, now)
    return current.session_id


async def enrol(
    database: Database,
    current: Current,
    new: NewFactor,
    answer: str,
    visitor: Visitor,
    now: datetime,
    limits: SignInLimits,
) -> Enrolled:
    """Enter the first answer of a new factor: it is the person's then, and the session goes on.

    A factor that takes the place of another (`new.replaces`) ends all other sessions and the access
    tokens, and brings new recovery codes; so does the first one. Raises Refusal 401, 403, 422, 429.
    """
    session_id = demand_right(current, now)
    attempt = Attempt(current.person_id, session_id, visitor, now)
    proof = await prove(database, attempt, Step.SETUP, new, answer, limits.code)
    afresh = new.replaces or current.stage == Stage.SETUP
    drawn = await recovery_codes.draw() if afresh else ()
    opened = None
    async with database.work() as session:
        account = await locked_account(session, current.person_id)
        accepted = account.locked_at is None and await proof.accept(session)
        if accepted:
            if afresh:
                await end_access(session, current.person_id, "second_factor_set", now, session_id)
                await recovery_codes.replace(session, current.person_id, drawn, now)
            opened = await go_on(session, current, account, visitor, now, Step.SETUP)
            await login_log.tell(session, current.person_id, NoticeKind.SECOND_FACTOR_ADDED, now)
            await applicant_did_more(session, current.person_id, now)
        await proof.note(session, accepted=accepted)
    if opened is None:
        raise proof.refusal
    return Enrolled(opened, tuple(str(one.code) for one in drawn))


async def close(
    session: AsyncSession, current: Current, method: Method, visitor: Visitor, now: datetime
) -> OpenedSession:
    """Finish removing a factor: whoever sits elsewhere, perhaps with what was lost, is signed out.

    The session goes on under a new token, so one factor entered removes one.
    """
    await end_access(session, current.person_id, "second_factor_removed", now, current.session_id)
    opened = await rotate(
        session, current, Stage.OPEN, visitor, now, second_factor_at=current.second_factor_at
    )
    await login_log.note(
        session,
        Step.FACTOR_REMOVED,
        Outcome.PASSED,
        visitor,
        now,
        person_id=current.person_id,
        method=method,
    )
    await login_log.tell(session, current.person_id, NoticeKind.SECOND_FACTOR_REMOVED, now)
    return opened
