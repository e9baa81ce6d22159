"""Signing in through an external provider, in place of the password (I11).

An attempt is a row that is deleted when the browser comes back, so each state works once, and only
on the device that began it. The provider's subject is kept as a blind index. It opens half a
session: the second factor is asked for as after a password (I5).
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.identity_provider import Asked, IdentityProvider, ProviderDownError
from crypto.id_tokens.checking import IdTokenError
from crypto.key_ring import key_ring
from models.encrypted_columns import bound_row
from models.tables.accounts import ProviderAttempt, ProviderLink
from models.tables.people import Person
from rules.accounts import Outcome, Stage, Step, account_locked, too_often
from rules.notices.kinds import NoticeKind
from rules.sign_in.identity_provider import (
    ATTEMPT_LIVES,
    BEGUN,
    attempt_over,
    cancelled,
    challenge_of,
    linked_already,
    not_believed,
    not_linked,
    nothing_linked,
    of_device,
    provider_down,
    subject_of,
)
from services import access, rate_limits
from services.accounts import login_log
from services.accounts.account_row import locked_account
from services.accounts.sessions import (
    Current,
    OpenedSession,
    Visitor,
    hash_token,
    open_session,
    spend_check,
)

PATH = "/sign-in/provider/return"


@dataclass(frozen=True)
class ProviderAnswer:
    """What the browser brings back from the provider; `issuer` says who claims to answer."""

    state: str
    code: str
    issuer: str


@dataclass(frozen=True)
class Returned:
    """What came of it: half a session, or a link; and where the person wanted to go."""

    next: str
    opened: OpenedSession | None = None


async def begin(
    database: Database,
    provider: IdentityProvider,
    public_url: str,
    visitor: Visitor,
    now: datetime,
    *,
    wish: str = "/",
    link_for: Current | None = None,
) -> str:
    """Begin an attempt to sign in, or to link the subject with the account of `link_for`.

    Returns the provider's address for the browser. Linking uses up a factor that was entered for
    it. Raises Refusal 403 `second_factor_needed`, 429, 503.
    """
    state = secrets.token_urlsafe(32)
    verifier = of_device(visitor.device_token, state, "pkce")
    nonce = of_device(visitor.device_token, state, "nonce")
    redirect_uri = public_url.rstrip("/") + PATH
    try:
        address = await provider.address(Asked(redirect_uri, state, nonce, challenge_of(verifier)))
    except ProviderDownError:
        raise provider_down() from None
    async with database.work() as session:
        if link_for is not None:
            await spend_check(session, link_for, now)
        wait = await rate_limits.take(session, [(BEGUN, visitor.address)], now)
        if not wait:
            session.add(
                ProviderAttempt(
                    state_hash=hash_token(state),
                    device_hash=visitor.device_hash,
                    person_id=link_for.person_id if link_for else None,
                    next=wish,
                    ends_at=now + ATTEMPT_LIVES,
                )
            )
    if wait:
        raise too_often(wait)
    return address


async def complete(
    database: Database,
    provider: IdentityProvider,
    public_url: str,
    answer: ProviderAnswer,
    visitor: Visitor,
    current: Current | None,
    now: datetime,
) -> Returned:
    """Finish an attempt that this device began, once.

    Raises Refusal 403 for a locked account, 409 for an attempt that is over, a statement that is
    not believed, a subject that nobody has linked or that is linked otherwise, 503.
    """
    async with database.work() as session:
        taken = await session.exec(
            delete(ProviderAttempt)
            .where(
                col(ProviderAttempt.state_hash) == hash_token(answer.state),
                col(ProviderAttempt.device_hash) == visitor.device_hash,
                col(ProviderAttempt.ends_at) > now,
            )
            .returning(col(ProviderAttempt.person_id), col(ProviderAttempt.next))
        )
        row = taken.first()
    if row is None:
        raise attempt_over()
    person_id, wish = row
    if person_id is not None and (current is None or current.person_id != person_id):
        raise attempt_over()
    if answer.issuer and answer.issuer != provider.issuer:
        raise not_believed()
    if not answer.code:
        raise cancelled()
    subject = await _subject(provider, public_url, answer, visitor, now)
    known = f"{provider.issuer} {subject}"
    async with database.work() as session:
        if person_id is not None:
            await _link(session, person_id, known, visitor, now)
            return Returned(wish)
    return Returned(wish, await _sign_in(database, known, visitor, now))


async def _subject(
    provider: IdentityProvider,
    public_url: str,
    answer: ProviderAnswer,
    visitor: Visitor,
    now: datetime,
) -> str:
    verifier = of_device(visitor.device_token, answer.state, "pkce")
    nonce = of_device(visitor.device_token, answer.state, "nonce")
    try:
        said = await provider.claims(answer.code, verifier, public_url.rstrip("/") + PATH)
    except ProviderDownError:
        raise provider_down() from None
    except IdTokenError:
        raise not_believed() from None
    return subject_of(said, provider.issuer, provider.client_id, nonce, now)


async def _sign_in(
    database: Database, subject: str, visitor: Visitor, now: datetime
) -> OpenedSession:
    """Half a session for whoever has linked the subject."""
    note = partial(login_log.note, step=Step.PROVIDER, visitor=visitor, now=now)
    opened, outcome = None, Outcome.WRONG
    blind = key_ring().blind(subject)
    async with database.work() as session:
        found = await session.exec(
            select(ProviderLink.person_id).where(ProviderLink.subject_blind == blind)
        )
        person_id = found.one_or_none()
        if person_id is not None:
            account = await locked_account(session, person_id)
            person = await session.get_one(Person, person_id)
            if account.locked_at is not None or not access.works(person, now):
                outcome = Outcome.LOCKED
            else:
                outcome = Outcome.PASSED
                await rate_limits.give_back(session, [(BEGUN, visitor.address)])
                opened = await open_session(session, person_id, Stage.CODE, visitor, now)
        await note(session, outcome=outcome, person_id=person_id)
    if opened is None:
        raise account_locked() if outcome is Outcome.LOCKED else not_linked()
    return opened


async def _link(
    session: AsyncSession, person_id: UUID, subject: str, visitor: Visitor, now: datetime
) -> None:
    link = ProviderLink(
        person_id=person_id,
        subject=subject,
        subject_blind=key_ring().blind(subject),
        linked_at=now,
    )
    made = await session.exec(
        insert(ProviderLink)
        .values(**bound_row(link))
        .on_conflict_do_nothing()
        .returning(col(ProviderLink.id))
    )
    if made.scalar_one_or_none() is None:
        raise linked_already()
    await _noted(session, Step.PROVIDER_LINKED, person_id, visitor, now)


async def link_of(session: AsyncSession, person_id: UUID) -> ProviderLink | None:
    """The link of a person, if there is one."""
    found = await session.exec(select(ProviderLink).where(ProviderLink.person_id == person_id))
    return found.one_or_none()


async def unlink(session: AsyncSession, current: Current, visitor: Visitor, now: datetime) -> None:
    """Remove the link. It uses up a factor that was entered for it. Raises Refusal 403, 409."""
    await spend_check(session, current, now)
    gone = await session.exec(
        delete(ProviderLink)
        .where(col(ProviderLink.person_id) == current.person_id)
        .returning(col(ProviderLink.id))
    )
    if gone.first() is None:
        raise nothing_linked()
    await _noted(session, Step.PROVIDER_UNLINKED, current.person_id, visitor, now)


async def _noted(
    session: AsyncSession, step: Step, person_id: UUID, visitor: Visitor, now: datetime
) -> None:
    passed = Outcome.PASSED
    await login_log.note(session, step, passed, visitor, now, person_id=person_id)
    await login_log.tell(session, person_id, NoticeKind.SECURITY, now)
