"""A forgotten password: set anew by a link sent by mail and a second factor together (I14).

Neither is enough alone: the link opens a page that asks for the factor, and nothing is changed
until both are right. Asking is answered alike for every address. What only a known address brings
about (a row and a mail) hides behind `FLOOR`, the time that every answer takes at least.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto import passwords
from models.tables.accounts import Account, PasswordReset
from models.tables.people import Person
from rules.accounts import (
    Outcome,
    SignInLimits,
    Step,
    check_password,
    link_over,
    same_password,
    too_often,
)
from rules.notices.kinds import Channel, NoticeKind
from rules.second_factor import Method
from services import access, rate_limits
from services.accounts import devices, login_log
from services.accounts.account_row import locked_account
from services.accounts.common_passwords import common_passwords
from services.accounts.second_factor.methods import Attempt, Site
from services.accounts.second_factor.proving import prove
from services.accounts.second_factor.register import METHODS
from services.accounts.sessions import Visitor, end_access, hash_token, new_link
from services.accounts.sign_in import LIMITS, NOBODY, login_of
from services.notices import outbox
from services.notices.outbox import NoticeEvent

LIVES = timedelta(minutes=30)
FLOOR = 0.5
"""Seconds that asking takes at least, whoever has the address or nobody."""
PATH = "/sign-in/reset"


async def ask(
    database: Database,
    email: str,
    visitor: Visitor,
    now: datetime,
    limits: SignInLimits = LIMITS,
) -> None:
    """Send a link to the address, if somebody who works here signs in with it.

    The answer is the same if nobody does. Raises Refusal 429 after too many requests, which are
    counted like passwords: apart on devices that the person has used before.
    """
    shown_at = asyncio.get_running_loop().time() + FLOOR
    login = login_of(email)
    note = partial(login_log.note, step=Step.RESET_ASKED, visitor=visitor, now=now, login=login)
    async with database.work() as session:
        found = await session.exec(select(Account.person_id).where(Account.login == login))
        person_id = found.one_or_none()
        allowances = [(limits.reset, login), (limits.reset_address, visitor.address)]
        if await devices.knows_device(session, person_id or NOBODY, visitor):
            allowances = [(limits.reset, f"{login}:{visitor.device_hash}")]
        wait = await rate_limits.take(session, allowances, now)
        if not wait:
            await _send(session, login, now)
        outcome = Outcome.TOO_OFTEN if wait else Outcome.PASSED
        await note(session, outcome=outcome, person_id=person_id)
    await asyncio.sleep(shown_at - asyncio.get_running_loop().time())
    if wait:
        raise too_often(wait)


async def _send(session: AsyncSession, login: str, now: datetime) -> None:
    found = await session.exec(
        select(Person)
        .join(Account, col(Account.person_id) == col(Person.id))
        .where(
            Account.login == login,
            col(Account.locked_at).is_(None),
            access.works_here(),
        ),
        params={"now": now},
    )
    person = found.one_or_none()
    if person is None:
        return
    secret, secret_hash = new_link()
    reset = PasswordReset(
        person_id=person.id, secret_hash=secret_hash, created_at=now, ends_at=now + LIVES
    )
    session.add(reset)
    asked = NoticeEvent(
        person.id,
        NoticeKind.PASSWORD_RESET,
        f"{reset.id}:link",
        contents={"to": person.email, "path": f"{PATH}/{secret}"},
        channels=(Channel.CABINET, Channel.MAIL),
    )
    await outbox.enqueue_all(session, [asked], now)


@dataclass(frozen=True)
class ValidLink:
    """A link that can be used, and whose it is."""

    id: UUID
    person_id: UUID


async def valid_link(session: AsyncSession, secret: str, now: datetime) -> ValidLink:
    """Whose link it is. Raises Refusal 409 if it is unknown, used or over.

    Somebody whose account was locked, or who has left, has no link any more.
    """
    found = await session.exec(
        select(PasswordReset.id, PasswordReset.person_id)
        .join(Account, col(Account.person_id) == col(PasswordReset.person_id))
        .join(Person, col(Person.id) == col(PasswordReset.person_id))
        .where(
            PasswordReset.secret_hash == hash_token(secret),
            PasswordReset.ends_at > now,
            col(Account.locked_at).is_(None),
            access.works_here(),
        ),
        params={"now": now},
    )
    row = found.one_or_none()
    if row is None:
        raise link_over()
    return ValidLink(*row)


async def begin(
    database: Database, secret: str, method: Method, visitor: Visitor, now: datetime, site: Site
) -> str:
    """Begin a method that needs it, as a code by SMS has to be sent. See `SecondFactor.begin`."""
    async with database.work() as session:
        link = await valid_link(session, secret, now)
    attempt = Attempt(link.person_id, link.id, visitor, now)
    return await METHODS[method].begin(database, attempt, site)


async def complete(
    database: Database,
    secret: str,
    method: Method,
    answer: str,
    new: str,
    visitor: Visitor,
    now: datetime,
    *,
    institution: str = "",
    limits: SignInLimits = LIMITS,
) -> None:
    """Set the new password, if link, second factor and password are all right.

    All sessions and access tokens end; nobody is signed in by it. Raises Refusal 409 for a link
    that is over, 422 for an unfit password or a wrong answer, 429 after too many wrong answers.
    """
    async with database.work() as session:
        link = await valid_link(session, secret, now)
        person = await session.get_one(Person, link.person_id)
        account = await session.get_one(Account, link.person_id)
    # Looked at before the answer is: an unfit password shall not use up a code.
    check_password(new, common_passwords(), (person.name, person.email, institution))
    attempt = Attempt(link.person_id, link.id, visitor, now)
    step = Step.PASSWORD_RESET
    proof = await prove(database, attempt, step, METHODS[method], answer, limits.code)
    # Compared after it: the mail alone must not let anybody try out passwords.
    if await passwords.matches(account.password_hash, new):
        raise same_password()
    new_hash = await passwords.hashed(new)
    async with database.work() as session:
        fresh = await locked_account(session, link.person_id)
        stands = await session.get(PasswordReset, link.id, with_for_update=True)
        accepted = fresh.locked_at is None and stands is not None and await proof.accept(session)
        if accepted:
            await forget_links(session, link.person_id)
            fresh.password_hash = new_hash
            fresh.password_changed_at = now
            fresh.must_change_password = False
            await end_access(session, link.person_id, "password_reset", now)
            await login_log.tell(session, link.person_id, NoticeKind.SECURITY, now)
        await proof.note(session, accepted=accepted)
    if not accepted:
        raise proof.refusal


async def forget_links(session: AsyncSession, person_id: UUID) -> None:
    """Make all links worthless that were sent to the person."""
    await session.exec(delete(PasswordReset).where(col(PasswordReset.person_id) == person_id))
