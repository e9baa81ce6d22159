"""Signing in, in two steps; setting up the second factor; changing the password; locking.

Tries are counted and journaled even if they are refused. So these functions take the database and
commit before they raise; hashing runs between two short units of work.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

import pyotp
import segno
from pyotp.exceptions import OTPVerificationError
from sqlalchemy import or_, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto import passwords
from crypto.key_ring import key_ring
from models.encrypted_columns import bound
from models.tables.accounts import Account, AccountSession
from models.tables.people import Person
from rules.accounts import (
    Limit,
    Outcome,
    SignInLimits,
    Stage,
    Step,
    account_locked,
    check_password,
    code_digits,
    password_expires_at,
    session_ended,
    step_needed,
    too_often,
    wrong_code,
    wrong_credentials,
)
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import FieldError, Refusal, not_found
from rules.texts.mail_addresses import folded
from services import rate_limits
from services.accounts import devices, login_log
from services.accounts.common_passwords import common_passwords
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


@dataclass(frozen=True)
class SecondFactorSetup:
    """What an authenticator app needs. It is shown until a code of the app is entered."""

    secret: str
    uri: str
    qr_svg: str


def login_of(email: str) -> str:
    """The blind index under which an e-mail address is stored."""
    return key_ring().blind(folded(email))


def provisioning_uri(secret: str, email: str, institution: str) -> str:
    """The `otpauth://` URI of a seed; apps list it under the institution's name.

    A colon separates the two names in the URI, so it is removed from them.
    """
    issuer = " ".join(institution.replace(":", " ").split())
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


async def create_account(
    session: AsyncSession, person: Person, password: str, now: datetime, *, given: bool = True
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
            account = await _locked_row(session, person_id)
            person = await session.get_one(Person, person_id)
            await rate_limits.give_back(session, allowances)
            if account.locked_at is not None or (person.left_at and person.left_at <= now):
                outcome = Outcome.LOCKED
            elif account.password_hash == known:
                outcome = Outcome.PASSED
                account.password_hash = renewed or account.password_hash
                stage = Stage.CODE if account.totp_confirmed_at else Stage.SETUP
                opened = await open_session(session, person_id, stage, visitor, now)
        await note(session, outcome=outcome, person_id=person_id)
    if opened is None:
        raise account_locked() if outcome is Outcome.LOCKED else wrong_credentials()
    return opened


async def enter_code(
    database: Database,
    current: Current,
    code: str,
    visitor: Visitor,
    now: datetime,
    limits: SignInLimits = LIMITS,
) -> OpenedSession:
    """The second step, or the same check again before something dangerous.

    A code is valid only in its own half minute, and once. Raises Refusal 401 if the session has
    ended, 409 if the second factor has to be set up first, 422 for a wrong code, 429 after too many
    tries.
    """
    if current.stage == Stage.SETUP:
        raise step_needed(Stage.SETUP)
    step = Step.CODE if current.stage == Stage.CODE else Step.CHECK
    async with database.work() as session:
        account = await session.get(Account, current.person_id)
        secret = account.totp_secret if account else None
        allowance = await _codes_of(session, current, visitor, limits.code)
        used, refusal = await _use_code(
            session, current, step, secret, code, visitor, now, allowance
        )
        opened = None
        if used is not None and account is not None:
            renewed = await session.exec(
                update(Account)
                .where(
                    col(Account.person_id) == current.person_id,
                    col(Account.totp_last_step) < used,
                    col(Account.totp_secret).is_not(None),
                    col(Account.locked_at).is_(None),
                )
                .values(totp_last_step=used)
                .returning(col(Account.person_id))
                .execution_options(synchronize_session=False)
            )
            if renewed.first() is None:
                outcome = Outcome.REUSED
            else:
                outcome = Outcome.PASSED
                await rate_limits.give_back(session, [allowance])
                opened = await _go_on(session, current, account, visitor, now, step)
            await login_log.note(session, step, outcome, visitor, now, person_id=current.person_id)
    if opened is None:
        raise refusal
    return opened


async def show_setup(
    session: AsyncSession, current: Current, now: datetime, institution: str
) -> SecondFactorSetup:
    """The seed for an authenticator app: at the first sign-in, or to change the app.

    It stays the same in this session until it is confirmed. Raises Refusal 403
    `second_factor_needed` if an app is to be replaced and no code of it was entered within five
    minutes.
    """
    row = await session.get(AccountSession, current.session_id, with_for_update=True)
    person = await session.get(Person, current.person_id)
    if row is None or person is None or row.ended_at is not None:
        raise session_ended()
    if current.stage == Stage.CODE:
        raise step_needed(Stage.CODE)
    if current.stage != Stage.SETUP:
        current.demand_fresh(now)
    secret = row.pending_secret or pyotp.random_base32()
    row.pending_secret = secret
    uri = provisioning_uri(secret, person.email, institution)
    svg = segno.make(uri, error="m").svg_inline(scale=5, border=2, dark="#10203A", light="#FFFFFF")
    return SecondFactorSetup(secret, uri, svg)


async def confirm_setup(
    database: Database,
    current: Current,
    code: str,
    visitor: Visitor,
    now: datetime,
    limits: SignInLimits = LIMITS,
) -> OpenedSession:
    """Enter the first code of the new seed: it becomes the second factor, and the session opens.

    All other sessions and the access tokens of the person end. Raises Refusal 401, 409 if no seed
    was shown, 422, 429.
    """
    if current.stage == Stage.CODE:
        raise step_needed(Stage.CODE)
    if current.stage != Stage.SETUP:
        current.demand_fresh(now)
    async with database.work() as session:
        row = await session.get(AccountSession, current.session_id)
        secret = row.pending_secret if row is not None else None
        if secret is None:
            raise Refusal("no_setup", "Сначала откройте настройку приложения с кодами.", 409)
        allowance = await _codes_of(session, current, visitor, limits.code)
        used, refusal = await _use_code(
            session, current, Step.SETUP, secret, code, visitor, now, allowance
        )
        opened = None
        if used is not None:
            unset = col(Account.totp_confirmed_at).is_(None)
            later = col(Account.totp_last_step) < used
            renewed = await session.exec(
                update(Account)
                .where(
                    col(Account.person_id) == current.person_id,
                    unset if current.stage == Stage.SETUP else or_(unset, later),
                    col(Account.locked_at).is_(None),
                )
                .values(
                    totp_secret=bound(secret, current.person_id),
                    totp_confirmed_at=now,
                    totp_last_step=used,
                )
                .returning(col(Account.person_id))
                .execution_options(synchronize_session=False)
            )
            outcome = Outcome.REUSED
            if renewed.first() is not None:
                outcome = Outcome.PASSED
                account = await _locked_row(session, current.person_id)
                await rate_limits.give_back(session, [allowance])
                await end_access(
                    session, current.person_id, "second_factor_set", now, current.session_id
                )
                opened = await _go_on(session, current, account, visitor, now, Step.SETUP)
                await login_log.tell(session, current.person_id, NoticeKind.SECURITY, now)
            await login_log.note(
                session, Step.SETUP, outcome, visitor, now, person_id=current.person_id
            )
    if opened is None:
        raise refusal
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
        message = "Новый пароль совпадает с текущим. Придумайте другой."
        raise Refusal("same_password", message, 422, [FieldError("new_password", message)])
    new_hash = await passwords.hashed(new)
    async with database.work() as session:
        fresh = await _locked_row(session, current.person_id)
        if fresh.password_hash != known or fresh.locked_at is not None:
            raise session_ended()
        fresh.password_hash = new_hash
        fresh.password_changed_at = now
        fresh.must_change_password = False
        await rate_limits.give_back(session, allowances)
        await end_access(session, fresh.person_id, "password_changed", now, current.session_id)
        opened = await rotate(
            session, current, Stage.OPEN, visitor, now, second_factor_at=current.second_factor_at
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
    account = await _locked_row(session, person_id)
    account.locked_at = account.locked_at or now
    account.locked_reason = reason
    await end_access(session, person_id, "locked", now)
    await assignment.reconcile(session, now)


async def unlock(session: AsyncSession, person_id: UUID) -> None:
    """Let a person sign in again; cases without a reviewer are assigned."""
    account = await _locked_row(session, person_id)
    account.locked_at = account.locked_reason = None
    await assignment.reconcile(session, present())


async def _locked_row(session: AsyncSession, person_id: UUID) -> Account:
    """The account as it is now, locked until the unit of work ends. Raises Refusal 404."""
    account = await session.get(Account, person_id, with_for_update=True, populate_existing=True)
    if account is None:
        raise not_found()
    return account


async def _codes_of(
    session: AsyncSession, current: Current, visitor: Visitor, limit: Limit
) -> rate_limits.Allowance:
    """The allowance of codes; a device that the person has used before has one of its own."""
    known = await devices.knows_device(session, current.person_id, visitor)
    return limit, f"{current.person_id}:{visitor.device_hash}" if known else str(current.person_id)


async def _use_code(
    session: AsyncSession,
    current: Current,
    step: Step,
    secret: str | None,
    code: str,
    visitor: Visitor,
    now: datetime,
    allowance: rate_limits.Allowance,
) -> tuple[int | None, Refusal]:
    """The half minute whose code was entered, None if it is none; and the refusal for that case."""
    wait = await rate_limits.take(session, [allowance], now)
    if wait:
        outcome, refusal = Outcome.TOO_OFTEN, too_often(wait)
    else:
        digits = code_digits(code)
        if digits is not None and secret is not None:
            with suppress(OTPVerificationError):
                step_used = pyotp.TOTP(secret).verify_and_get_timecode(digits, for_time=now)
                return step_used, wrong_code()
        outcome, refusal = Outcome.WRONG, wrong_code()
    await login_log.note(session, step, outcome, visitor, now, person_id=current.person_id)
    return None, refusal


async def _go_on(
    session: AsyncSession,
    current: Current,
    account: Account,
    visitor: Visitor,
    now: datetime,
    step: Step,
) -> OpenedSession:
    """After a right second factor, continue the session under a new token."""
    expired = (
        account.must_change_password or password_expires_at(account.password_changed_at) <= now
    )
    stage = Stage.PASSWORD if expired else Stage.OPEN
    opened = await rotate(session, current, stage, visitor, now, second_factor_at=now)
    if current.stage == Stage.OPEN:
        return opened
    failures = await login_log.failures_since_last_success(session, current.person_id)
    if await devices.remember_device(session, current.person_id, visitor, now):
        await login_log.tell(session, current.person_id, NoticeKind.NEW_DEVICE, now)
    return replace(opened, failures_before=failures)
