"""Changing a mail address or telephone number: a code confirms it, the old one is told (N3).

The code is in the message to the new address only, is valid for 15 minutes and allows five tries.
Until it is entered nothing changes. Tries count even if they are refused, so `confirm` takes the
database and commits before it raises.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto.key_ring import key_ring
from models.messages import CaseState
from models.tables.accounts import Account
from models.tables.notices import ContactChange
from models.tables.people import Person
from rules.access import Actor
from rules.accounts import Limit, code_digits
from rules.journal.entries import JournalKind
from rules.notices.kinds import Channel, NoticeKind
from rules.refusals import FieldError, Refusal, not_found
from rules.texts import identifiers, mail_addresses
from services import rate_limits
from services.accounts import password_reset
from services.accounts.proven_contacts import is_confirmed
from services.accounts.sign_in import login_of
from services.cases.wakeups import applicant_did_more
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent

LIVES = timedelta(minutes=15)
TRIES = 5
ASKED = Limit("contact", 5, timedelta(hours=1))
"""How many codes one person may request."""
KINDS = (Channel.MAIL, Channel.SMS)


@dataclass(frozen=True)
class Contacts:
    """The present addresses of a person, and those that wait to be confirmed."""

    email: str
    phone: str | None
    pending: tuple["Pending", ...]


@dataclass(frozen=True)
class Pending:
    """A new address to which a code was sent."""

    id: UUID
    channel: Channel
    value: str
    ends_at: datetime
    tries_left: int


async def contacts_of(session: AsyncSession, actor: Actor, now: datetime) -> Contacts:
    """The person's present addresses, and those that wait to be confirmed."""
    person = await session.get_one(Person, actor.person_id)
    found = await session.exec(
        select(ContactChange)
        .where(
            ContactChange.person_id == actor.person_id,
            col(ContactChange.done_at).is_(None),
            ContactChange.ends_at > now,
            ContactChange.tries < TRIES,
        )
        .order_by(col(ContactChange.id))
    )
    pending = tuple(
        Pending(one.id, Channel(one.channel), one.value, one.ends_at, TRIES - one.tries)
        for one in found
    )
    return Contacts(person.email, person.phone, pending)


async def ask(
    database: Database, actor: Actor, channel: Channel, value: str, now: datetime
) -> UUID:
    """Send a code to a new address. An earlier code for this channel becomes invalid.

    Raises Refusal 422 for an invalid address or the present one, 429 if codes are requested too
    often.
    """
    value = _read(channel, value)
    allowance = (ASKED, str(actor.person_id))
    async with database.work() as session:
        person = await session.get_one(Person, actor.person_id)
        present = person.email if channel is Channel.MAIL else person.phone
        same = present is not None and mail_addresses.folded(present) == mail_addresses.folded(
            value
        )
        if same and await is_confirmed(session, person, channel):
            raise _wrong("same_contact", "Этот контакт у вас уже указан.")
    async with database.work() as session:
        wait = await rate_limits.take(session, [allowance], now)
        if not wait:
            return await _send(session, actor, channel, value, now)
    raise Refusal(
        "too_often",
        "Вы запросили слишком много кодов. Подождите и повторите.",
        429,
        retry_after=wait,
    )


async def _send(
    session: AsyncSession, actor: Actor, channel: Channel, value: str, now: datetime
) -> UUID:
    await session.exec(
        delete(ContactChange).where(
            col(ContactChange.person_id) == actor.person_id,
            col(ContactChange.channel) == channel.value,
            col(ContactChange.done_at).is_(None),
        )
    )
    code = f"{secrets.randbelow(10**6):06}"
    change = ContactChange(
        person_id=actor.person_id,
        channel=channel.value,
        value=value,
        code_hash="",
        created_at=now,
        ends_at=now + LIVES,
    )
    change.code_hash = key_ring().blind(_text(change.id, code))
    session.add(change)
    asked = NoticeEvent(
        actor.person_id,
        NoticeKind.CONTACT_CODE,
        f"{change.id}:code",
        contents={"to": value, "code": code},
        channels=(Channel.CABINET, channel),
    )
    await outbox.enqueue_all(session, [asked], now)
    return change.id


async def confirm(
    database: Database, actor: Actor, change_id: UUID, code: str, now: datetime
) -> Sequence[CaseState]:
    """Enter the code: the new address replaces the old one, which is notified.

    Returns the cases that waited for it, to be woken. Raises `not_found`, Refusal 422 for a wrong
    code, 409 if the code is no longer valid or somebody else signs in with the address.
    """
    async with database.work() as session:
        found = await session.exec(
            select(ContactChange).where(ContactChange.id == change_id).with_for_update()
        )
        change = found.one_or_none()
        if change is None or change.person_id != actor.person_id or change.done_at is not None:
            raise not_found()
        if change.ends_at <= now or change.tries >= TRIES:
            raise Refusal("code_over", "Код больше не действует. Запросите новый.", 409)
        change.tries += 1
        session.add(change)
        right = key_ring().is_blind(change.code_hash, _text(change.id, code_digits(code) or ""))
    if not right:
        raise _wrong(
            "wrong_code", "Неверный код. Проверьте сообщение и введите код ещё раз.", "code"
        )
    try:
        async with database.work() as session:
            return await _change(session, actor, change_id, now)
    except IntegrityError:
        raise Refusal("contact_taken", "Этот адрес уже занят другим сотрудником.", 409) from None


async def _change(
    session: AsyncSession, actor: Actor, change_id: UUID, now: datetime
) -> Sequence[CaseState]:
    found = await session.exec(
        select(ContactChange)
        .where(ContactChange.id == change_id, col(ContactChange.done_at).is_(None))
        .with_for_update()
    )
    change = found.one_or_none()
    if change is None:
        raise not_found()
    channel = Channel(change.channel)
    person = await session.get_one(Person, actor.person_id)
    old = person.email if channel is Channel.MAIL else person.phone
    if channel is Channel.MAIL:
        person.email = change.value
        account = await session.get(Account, actor.person_id)
        if account is not None:
            account.login = login_of(change.value)
            session.add(account)
        # Whoever reads the old address shall not set a new password by it.
        await password_reset.forget_links(session, actor.person_id)
    else:
        person.phone = change.value
    change.done_at = now
    session.add_all([person, change])
    await session.flush()
    await journal.append(
        session,
        chain=actor.person_id,
        kind=JournalKind.ACCOUNT_CONTACT_CHANGED,
        at=now,
        by=actor.person_id,
        facts={"channel": channel.value},
        contents={"old": old, "new": change.value},
        lock=True,
    )
    kind = NoticeKind.CONTACT_CHANGED
    told = [NoticeEvent(actor.person_id, kind, f"{change.id}:changed")]
    if old:
        told.append(
            NoticeEvent(
                actor.person_id,
                kind,
                f"{change.id}:old",
                contents={"to": old},
                channels=(channel,),
            )
        )
    await outbox.enqueue_all(session, told, now)
    return await applicant_did_more(session, actor.person_id, now)


def _read(channel: Channel, value: str) -> str:
    """The address as it is stored. Raises Refusal 422."""
    if channel is Channel.MAIL:
        read, code = mail_addresses.read, "no_mail"
    elif channel is Channel.SMS:
        read, code = identifiers.phone, "no_phone"
    else:
        raise _wrong("no_such_contact", "Изменить можно адрес почты и номер телефона.")
    try:
        return read(value)
    except identifiers.IdentifierError as error:
        raise _wrong(code, error.message) from None


def _wrong(code: str, words: str, field: str = "value") -> Refusal:
    return Refusal(code, words, 422, fields=(FieldError(field, words),))


def _text(change_id: UUID, code: str) -> str:
    return f"contact:{change_id}:{code}"
