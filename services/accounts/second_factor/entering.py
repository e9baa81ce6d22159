"""Entering a second factor: the second step of signing in, or a check before a dangerous act."""

from datetime import datetime

from clients.database import Database
from rules.accounts import SignInLimits, Stage, Step, not_signed_in, step_needed
from rules.second_factor import Method
from services.accounts.account_row import locked_account
from services.accounts.second_factor.continuing import go_on
from services.accounts.second_factor.methods import Attempt, Site
from services.accounts.second_factor.proving import prove
from services.accounts.second_factor.register import METHODS
from services.accounts.sessions import Current, OpenedSession, Visitor

LIMITS = SignInLimits()


async def enter_code(
    database: Database,
    current: Current,
    code: str,
    visitor: Visitor,
    now: datetime,
    limits: SignInLimits = LIMITS,
    *,
    method: Method = Method.APP,
) -> OpenedSession:
    """The second step, or the same check again before something dangerous.

    An answer works once. Raises Refusal 401 if the session has ended, 409 if the second factor has
    to be set up first, 422 for a wrong answer, 429 after too many tries.
    """
    if current.stage == Stage.SETUP:
        raise step_needed(Stage.SETUP)
    if current.session_id is None:
        raise not_signed_in()
    step = Step.CODE if current.stage == Stage.CODE else Step.CHECK
    attempt = Attempt(current.person_id, current.session_id, visitor, now)
    proof = await prove(database, attempt, step, METHODS[method], code, limits.code)
    opened = None
    async with database.work() as session:
        account = await locked_account(session, current.person_id)
        accepted = account.locked_at is None and await proof.accept(session)
        if accepted:
            # Whoever had to take a recovery code has lost the rest, and sets it up anew at once.
            may_enrol = step is Step.CHECK or method is Method.RECOVERY
            opened = await go_on(session, current, account, visitor, now, step, may_enrol=may_enrol)
        await proof.note(session, accepted=accepted)
    if opened is None:
        raise proof.refusal
    return opened


async def begin(
    database: Database,
    current: Current,
    method: Method,
    visitor: Visitor,
    now: datetime,
    site: Site,
) -> str:
    """Begin a method that needs it, as a code by SMS has to be sent. See `SecondFactor.begin`."""
    if current.stage == Stage.SETUP:
        raise step_needed(Stage.SETUP)
    if current.session_id is None:
        raise not_signed_in()
    attempt = Attempt(current.person_id, current.session_id, visitor, now)
    return await METHODS[method].begin(database, attempt, site)
