"""Invitations: a link by mail with which a person sets the first password, and then signs in.

The link is valid for 72 hours and once; only the mail has its secret, of which the row keeps the
hash. Inviting again ends the earlier link, and a mail with it that still waits is not sent.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto import passwords
from models.tables.accounts import Account, Invitation
from models.tables.notices import Notice
from models.tables.people import Person
from rules.access import Permission
from rules.accounts import Outcome, Stage, Step, account_locked, check_password
from rules.journal.entries import JournalKind
from rules.notices.kinds import Channel, NoticeKind, NoticeState
from rules.refusals import Refusal
from rules.staff.people import INVITATION_LIFE, LeftAlone, invitation_over
from rules.texts.names import Name
from services import access
from services.accounts import login_log
from services.accounts.account_row import locked_account
from services.accounts.common_passwords import common_passwords
from services.accounts.proven_contacts import proven
from services.accounts.second_factor.register import has_factor, offers
from services.accounts.sessions import (
    OpenedSession,
    Visitor,
    end_access,
    hash_token,
    new_link,
    open_session,
)
from services.accounts.sign_in import create_account, login_of
from services.journal import entries as journal
from services.notices import bounces, outbox
from services.notices.outbox import NoticeEvent


@dataclass(frozen=True)
class Invited:
    """Whom a link invites, as its page shows them: the form of address, and the mail address."""

    name: str
    email: str
    ends_at: datetime


@dataclass(frozen=True)
class InvitationSeen:
    """The last invitation of a person, and what became of its mail."""

    created_at: datetime
    ends_at: datetime
    by: str | None
    over: bool
    mail: NoticeState | None
    mail_reason: str | None


def _event_key(invitation_id: UUID) -> str:
    return f"{invitation_id}:invitation"


async def why_not(session: AsyncSession, person: Person, now: datetime) -> LeftAlone | None:
    """Why the person cannot be invited; None if nothing speaks against it."""
    if not access.works(person, now):
        return LeftAlone.HAS_LEFT
    login = login_of(person.email)
    found = await session.exec(
        select(Account.person_id).where(
            (col(Account.person_id) == person.id) | (col(Account.login) == login)
        )
    )
    known = set(found.all())
    if known - {person.id}:
        return LeftAlone.ADDRESS_TAKEN
    return LeftAlone.HAS_ACCOUNT if await is_set_up(session, person.id) else None


async def is_set_up(session: AsyncSession, person_id: UUID) -> bool:
    """Whether the person has set up a second factor: then a link must not change the password."""
    return has_factor(await offers(session, person_id))


async def invite(session: AsyncSession, person: Person, by: UUID | None, now: datetime) -> str:
    """Send an invitation to a person whose row is locked. Returns the secret of its link."""
    await end(session, person.id, "renewed", now)
    secret, secret_hash = new_link()
    invitation = Invitation(
        person_id=person.id,
        secret_hash=secret_hash,
        by=by,
        created_at=now,
        ends_at=now + INVITATION_LIFE,
    )
    session.add(invitation)
    await session.flush()
    mail = NoticeEvent(
        person.id,
        NoticeKind.INVITATION,
        _event_key(invitation.id),
        contents={"to": person.email, "path": f"/invitation/{secret}"},
        channels=(Channel.CABINET, Channel.MAIL),
    )
    await outbox.enqueue_all(session, [mail], now)
    return secret


async def end(session: AsyncSession, person_id: UUID, why: str, now: datetime) -> bool:
    """End the open invitation of a person, if there is one; a mail that waits is not sent."""
    ended = await session.exec(
        update(Invitation)
        .where(col(Invitation.person_id) == person_id, col(Invitation.ended_at).is_(None))
        .values(ended_at=now, ended_why=why)
        .returning(col(Invitation.id), col(Invitation.ends_at))
        .execution_options(synchronize_session=False)
    )
    row = ended.first()
    if row is None:
        return False
    await outbox.call_off(session, _event_key(row.id))
    return bool(row.ends_at > now)


async def last_of(session: AsyncSession, person_id: UUID, now: datetime) -> InvitationSeen | None:
    """The last invitation of a person; None if there was none."""
    found = await session.exec(
        select(Invitation, Person.name)
        .outerjoin(Person, col(Person.id) == col(Invitation.by))
        .where(Invitation.person_id == person_id)
        .order_by(col(Invitation.created_at).desc(), col(Invitation.id).desc())
        .limit(1)
    )
    row = found.first()
    if row is None:
        return None
    invitation, by = row
    sent = await session.exec(
        select(Notice.state, Notice.failure_reason).where(
            Notice.event_key == _event_key(invitation.id),
            Notice.person_id == person_id,
            Notice.channel == Channel.MAIL.value,
        )
    )
    state, reason = sent.first() or (None, None)
    return InvitationSeen(
        invitation.created_at,
        invitation.ends_at,
        by,
        invitation.ended_at is not None or invitation.ends_at <= now,
        NoticeState(state) if state else None,
        reason,
    )


async def look(session: AsyncSession, secret: str, now: datetime) -> Invited:
    """Whom this link invites; looking does not use it up. Raises Refusal 409 for a dead link."""
    person, invitation = await _open(session, secret, now)
    name = Name.of(person.name)
    return Invited(name.polite or person.name, person.email, invitation.ends_at)


async def _open(
    session: AsyncSession, secret: str, now: datetime, *, lock: bool = False
) -> tuple[Person, Invitation]:
    found = await session.exec(
        select(Invitation).where(Invitation.secret_hash == hash_token(secret))
    )
    invitation = found.one_or_none()
    if invitation is None:
        raise invitation_over()
    person = await session.get_one(
        Person, invitation.person_id, with_for_update={"key_share": True} if lock else None
    )
    if lock:
        await session.refresh(invitation)
    gone = not access.works(person, now) or await is_set_up(session, person.id)
    if invitation.ended_at is not None or invitation.ends_at <= now or gone:
        raise invitation_over()
    return person, invitation


async def accept(
    database: Database,
    secret: str,
    password: str,
    visitor: Visitor,
    now: datetime,
    institution: str = "",
) -> OpenedSession:
    """Make the account with this password; the session that opens goes on to the second factor.

    An account that was begun and never got a second factor gets the password in place of its own.

    Raises Refusal 409 for a link that is over, or whose address another account has; 422 for a
    password that is too weak.
    """
    async with database.work() as session:
        person, _ = await _open(session, secret, now)
    check_password(password, common_passwords(), (person.name, person.email, institution))
    try:
        async with database.work() as session:
            person, invitation = await _open(session, secret, now, lock=True)
            if await session.get(Account, person.id) is None:
                await create_account(session, person, password, now, given=False)
            else:
                await _begin_again(session, person.id, password, now)
            invitation.ended_at, invitation.ended_why = now, "used"
            session.add(invitation)
            kind, facts = JournalKind.PERSON_INVITATION_USED, {"invitation": str(invitation.id)}
            return await come_in(session, person, kind, facts, visitor, now)
    except IntegrityError:
        words = "С этим адресом уже входит другой сотрудник. Сообщите об этом администратору."
        raise Refusal("contact_taken", words, 409) from None


async def come_in(
    session: AsyncSession,
    person: Person,
    kind: JournalKind,
    facts: dict[str, str],
    visitor: Visitor,
    now: datetime,
) -> OpenedSession:
    """Open the set-up of the second factor to somebody who has chosen a password by a mailed link.

    Whoever opened the link reads the mail of this address.
    """
    session.add(proven(person, Channel.MAIL, person.email, now))
    await journal.append(
        session,
        chain=person.id,
        kind=kind,
        at=now,
        by=person.id,
        facts=facts,
        contents={"address": visitor.address, "device": visitor.device.name},
        lock=True,
    )
    opened = await open_session(session, person.id, Stage.SETUP, visitor, now)
    await login_log.note(session, Step.PASSWORD, Outcome.PASSED, visitor, now, person_id=person.id)
    return opened


async def _begin_again(
    session: AsyncSession, person_id: UUID, password: str, now: datetime
) -> None:
    """Set another password for an account that was begun and has no second factor yet."""
    account = await locked_account(session, person_id)
    if account.locked_at is not None:
        raise account_locked()
    if await is_set_up(session, person_id):
        raise invitation_over()
    account.password_hash = await passwords.hashed(password)
    account.password_changed_at = now
    account.must_change_password = False
    session.add(account)
    await end_access(session, person_id, "password_changed", now)
    await journal.append(
        session,
        chain=person_id,
        kind=JournalKind.ACCOUNT_PASSWORD_CHANGED,
        at=now,
        by=person_id,
        facts={"invited": True},
        lock=True,
    )


async def _not_delivered(session: AsyncSession, notice: Notice, now: datetime) -> None:
    """Tell whoever invited, or else all who manage the people of that unit."""
    invitation = await session.get(Invitation, UUID(notice.event_key.partition(":")[0]))
    if invitation is None or notice.channel != Channel.MAIL:
        return
    person = await session.get_one(Person, invitation.person_id)
    manage = await access.people_with(session, Permission.MANAGE_PEOPLE, person.unit_id, now)
    told = [invitation.by] if invitation.by in manage else manage
    kind = NoticeKind.INVITATION_FAILED
    events = [
        NoticeEvent(one, kind, f"{notice.id}:{kind}", facts={"person": str(person.id)})
        for one in told
        if one is not None
    ]
    await outbox.enqueue_all(session, events, now)


bounces.register(NoticeKind.INVITATION, _not_delivered)
