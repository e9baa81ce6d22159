"""Signing in by password, the first of two steps; changing the password; locking.

Tries are counted and journaled even if they are refused. So these functions take the database and
commit before they raise; hashing runs between two short units of work.
"""

from datetime import datetime
from functools import partial
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto import passwords
from crypto.key_ring import key_ring
from models.tables.accounts import Account
from models.tables.people import Person
from rules.accounts import (
    AccountState,
    Outcome,
    SignInLimits,
    Stage,
    Step,
    account_locked,
    check_password,
    same_password,
    session_ended,
    step_needed,
    too_often,
    wrong_credentials,
)
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import FieldError, Refusal, not_found
from rules.texts.mail_addresses import folded
from services import access, rate_limits
from services.accounts import device_tokens, devices, login_log
from services.accounts.account_row import locked_account
from services.accounts.common_passwords import common_passwords
from services.accounts.second_factor.register import has_factor, offers
from services.accounts.sessions import (
    Current,
    OpenedSession,
    Visitor,
    end_access,
    open_session,
    rotate,
)
from services.cases import assignment
from services.journal import entries as journal

LIMITS = SignInLimits()
NOBODY = UUID(int=0)
"""The person who is looked up if nobody has the address that was typed."""


def login_of(email: str) -> str:
    """The blind index under which an e-mail address is stored."""
    return key_ring().blind(folded(email))


async def create_account(
    session: AsyncSession,
    person: Person,
    password: str,
    now: datetime,
    *,
    given: bool = True,
    state: AccountState = AccountState.REGISTERED,
) -> Account:
    """Create an account for a person. A password `given` by somebody else must be changed at once.

    Raises Refusal 422 for a weak password.
    """
    check_password(password, common_passwords(), (person.name, person.email))
    account = Account(
        person_id=person.id,
        login=login_of(person.email),
        password_hash=await passwords.hashed(password),
        password_changed_at=now,
        must_change_password=given,
        state=state,
        created_at=now,
    )
    session.add(account)
    await session.flush()
    await journal.append(
        session,
        chain=person.id,
        kind=JournalKind.ACCOUNT_CREATED,
        at=now,
        system="accounts",
        facts={"given": given},
        lock=True,
    )
    return account


async def sign_in(
    database: Database,
    email: str,
    password: str,
    visitor: Visitor,
    now: datetime,
    limits: SignInLimits = LIMITS,
) -> OpenedSession:
    """The first step: the password opens half a session, which allows only the second step.

    Raises Refusal 401 for an unknown account and for a wrong password alike, 403 for a locked
    account whose password was right, 429 with `retry_after` after too many tries. Tries on a device
    that the person has used before are counted separately from those of the account and of the
    address, so that a stranger cannot lock anybody out. For an unknown account the same statements
    and the same hashing run.
    """
    login = login_of(email)
    note = partial(login_log.note, step=Step.PASSWORD, visitor=visitor, now=now, login=login)
    async with database.work() as session:
        account = (
            await session.exec(select(Account).where(col(Account.login) == login))
        ).one_or_none()
        person_id = account.person_id if account else None
        allowances = [(limits.password, login), (limits.address, visitor.address)]
        if await devices.knows_device(session, person_id or NOBODY, visitor):
            allowances = [(limits.password, f"{login}:{visitor.device_hash}")]
        wait = await rate_limits.take(session, allowances, now)
        if wait:
            await note(session, outcome=Outcome.TOO_OFTEN, person_id=person_id)
    if wait:
        raise too_often(wait)

    known = account.password_hash if account else None
    fits = await passwords.matches(known, password)
    renewed = None
    if fits and known is not None and passwords.is_outdated(known):
        renewed = await passwords.hashed(password)

    opened: OpenedSession | None = None
    outcome = Outcome.WRONG
    async with database.work() as session:
        if fits and person_id is not None:
            account = await locked_account(session, person_id)
            person = await session.get_one(Person, person_id)
            await rate_limits.give_back(session, allowances)
            if account.locked_at is not None or not access.works(person, now):
                outcome = Outcome.LOCKED
            elif account.password_hash == known:
                outcome = Outcome.PASSED
                account.password_hash = renewed or account.password_hash
                if account.login != login:
                    account.login = login  # Keys were rotated.
                set_up = has_factor(await offers(session, person_id))
                stage = Stage.CODE if set_up else Stage.SETUP
                opened = await open_session(session, person_id, stage, visitor, now)
        await note(session, outcome=outcome, person_id=person_id)
    if opened is None:
        raise account_locked() if outcome is Outcome.LOCKED else wrong_credentials()
    return opened


async def change_password(
    database: Database,
    current: Current,
    old: str,
    new: str,
    visitor: Visitor,
    now: datetime,
    *,
    institution: str = "",
    limits: SignInLimits = LIMITS,
) -> OpenedSession:
    """Change the password. Other sessions and access tokens end; this session gets a new token.

    Raises Refusal 422 for a wrong old or an unfit new password, 429 after too many tries.
    """
    if current.stage not in (Stage.OPEN, Stage.PASSWORD):
        raise step_needed(current.stage)
    allowances = [(limits.password, str(current.person_id))]
    async with database.work() as session:
        account = await session.get(Account, current.person_id)
        person = await session.get(Person, current.person_id)
        wait = await rate_limits.take(session, allowances, now)
    if account is None or person is None:
        raise not_found()
    if wait:
        raise too_often(wait)
    known = account.password_hash
    step = Step.PASSWORD_CHANGE
    note = partial(login_log.note, step=step, visitor=visitor, now=now, person_id=current.person_id)
    if not await passwords.matches(known, old):
        async with database.work() as session:
            await note(session, outcome=Outcome.WRONG)
        message = "Текущий пароль указан неверно."
        raise Refusal("wrong_password", message, 422, [FieldError("old_password", message)])
    check_password(new, common_passwords(), (person.name, person.email, institution))
    if new == old:
        raise same_password()
    new_hash = await passwords.hashed(new)
    async with database.work() as session:
        fresh = await locked_account(session, current.person_id)
        if fresh.password_hash != known or fresh.locked_at is not None:
            raise session_ended()
        fresh.password_hash = new_hash
        fresh.password_changed_at = now
        fresh.must_change_password = False
        await rate_limits.give_back(session, allowances)
        await end_access(session, fresh.person_id, "password_changed", now, current.session_id)
        opened = await rotate(
            session,
            current,
            Stage.OPEN,
            visitor,
            now,
            second_factor_at=current.second_factor_at,
            checked_at=current.checked_at,
        )
        await note(session, outcome=Outcome.PASSED)
        await login_log.tell(session, current.person_id, NoticeKind.SECURITY, now)
    return opened


async def set_preferences(
    session: AsyncSession, person_id: UUID, *, language: str | None, theme: str | None
) -> None:
    """Store the language of pages and mails, and the theme; None keeps the present one."""
    if language is not None:
        person = await session.get(Person, person_id)
        if person is not None:
            person.language = language
    if theme is not None:
        account = await session.get(Account, person_id)
        if account is not None:
            account.theme = theme


async def lock(session: AsyncSession, person_id: UUID, reason: str, now: datetime) -> None:
    """Lock an account: sessions and access tokens end at once, and none can be opened.

    The person's cases are reassigned.
    """
    account = await locked_account(session, person_id)
    account.locked_at = account.locked_at or now
    account.locked_reason = reason
    await end_access(session, person_id, "locked", now)
    await device_tokens.end_all(session, person_id, "locked", now)
    await assignment.reconcile(session, now)


async def unlock(session: AsyncSession, person_id: UUID) -> None:
    """Let a person sign in again; cases without a reviewer are assigned."""
    account = await locked_account(session, person_id)
    account.locked_at = account.locked_reason = None
    await assignment.reconcile(session, present())
