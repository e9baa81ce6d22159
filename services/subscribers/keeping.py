"""Subscribers: added, paused, disconnected, given a new secret; and what is sent again."""

import base64
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.delivery.subscribers import AddressError, parsed
from models.tables.subscribers import Subscriber, SubscriberDelivery
from rules.ids import new_id
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.refusals import FieldError, Refusal, not_found
from rules.subscribers import (
    MOST,
    OVERLAP,
    DeliveryState,
    EventType,
    ended,
    name_taken,
    too_many,
    unusable_address,
)
from rules.texts.cleaning import one_line
from services.journal import entries as journal
from services.subscribers import events
from services.subscribers.delivering import locked
from services.subscribers.seen import number_connected

_WHY = {
    "form": "Укажите адрес целиком: https://имя/путь, без имени и пароля в нём.",
    "private": "Этот адрес внутри сети организации, и настройка не разрешает его вызывать.",
    "unencrypted": "Адрес должен начинаться с https://.",
}
_NAME = (3, 100)


@dataclass(frozen=True)
class NewSubscriber:
    """What somebody typed."""

    name: str
    url: str
    types: Collection[str]


async def add(
    session: AsyncSession, new: NewSubscriber, near: str, by: UUID | None, now: datetime
) -> tuple[UUID, str]:
    """Add a subscriber. Returns its id, and its secret, which is shown this once.

    Raises Refusal 409 for a name that is taken and for one too many, 422 with its fields.
    """
    name, types = one_line(new.name), _types(new.types)
    if not _NAME[0] <= len(name) <= _NAME[1]:
        words = "Назовите систему: от 3 до 100 знаков."
        raise Refusal("incomplete", words, 422, [FieldError("name", words)])
    url = _address(new.url, near)
    if await number_connected(session) >= MOST:
        raise too_many()
    secret = new_secret()
    row = Subscriber(id=new_id(), name=name, url=url, types=types, secret=secret, added_at=now)
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as error:
        if "subscriber_name" not in str(error.orig):
            raise
        raise name_taken() from None
    await note(session, row, JournalKind.SUBSCRIBER_ADDED, by, now, {"types": types})
    return row.id, secret


async def rotate(
    session: AsyncSession, subscriber_id: UUID, by: UUID | None, now: datetime, *, leaked: bool
) -> str:
    """Give a new secret, which is shown this once. The one before signs as well for OVERLAP,
    unless it has leaked. Raises Refusal 404, 409.
    """
    row = await _open(session, subscriber_id)
    row.earlier_secret = None if leaked else row.secret
    row.earlier_until = None if leaked else now + OVERLAP
    row.secret = new_secret()
    await _keep(session, row)
    await note(session, row, JournalKind.SUBSCRIBER_ROTATED, by, now, {"leaked": leaked})
    return row.secret


async def change(
    session: AsyncSession,
    subscriber_id: UUID,
    url: str,
    types: Collection[str],
    near: str,
    by: UUID | None,
    now: datetime,
) -> None:
    """Give another address or other types; what waits goes to the new address at once.

    Raises Refusal 404, 409, 422 with its fields.
    """
    row = await _open(session, subscriber_id)
    row.url, row.types = _address(url, near), _types(types)
    row.failures, row.failing_since, row.looks_at = 0, None, now
    await _keep(session, row)
    await note(session, row, JournalKind.SUBSCRIBER_CHANGED, by, now, {"types": row.types})


async def set_paused(
    session: AsyncSession, subscriber_id: UUID, by: UUID | None, now: datetime, *, paused: bool
) -> None:
    """Pause a subscriber, or go on: meanwhile events wait. Again changes nothing."""
    row = await _open(session, subscriber_id)
    if (row.paused_at is not None) == paused:
        return
    row.paused_at = now if paused else None
    row.looks_at = None if paused else now
    row.failures, row.failing_since = 0, None
    await _keep(session, row)
    kind = JournalKind.SUBSCRIBER_PAUSED if paused else JournalKind.SUBSCRIBER_RESUMED
    await note(session, row, kind, by, now)


async def end(session: AsyncSession, subscriber_id: UUID, by: UUID | None, now: datetime) -> None:
    """Disconnect a subscriber for good: it gets nothing any more, and its secrets are forgotten."""
    row = await _open(session, subscriber_id)
    row.ended_at, row.looks_at = now, None
    row.secret, row.earlier_secret, row.earlier_until = "", None, None
    await _keep(session, row)
    await note(session, row, JournalKind.SUBSCRIBER_ENDED, by, now)


async def test(session: AsyncSession, subscriber_id: UUID, by: UUID | None, now: datetime) -> UUID:
    """Send an event that says nothing, at once. Returns its id. Raises Refusal 404, 409."""
    row = await _open(session, subscriber_id)
    event_id = await events.test(session, row.id, now)
    row.looks_at = None if row.paused_at else now
    await _keep(session, row)
    facts = {"event": str(event_id)}
    await note(session, row, JournalKind.SUBSCRIBER_TESTED, by, now, facts)
    return event_id


async def resend(
    session: AsyncSession,
    subscriber_id: UUID,
    event_id: UUID | None,
    by: UUID | None,
    now: datetime,
) -> int:
    """Send again what was given up: one event, or without its id all, in their order.

    Returns how many there were. Raises Refusal 404, 409.
    """
    row = await _open(session, subscriber_id)
    again = update(SubscriberDelivery).where(
        col(SubscriberDelivery.subscriber_id) == row.id,
        col(SubscriberDelivery.state) == DeliveryState.DEAD.value,
    )
    if event_id is not None:
        again = again.where(col(SubscriberDelivery.event_id) == event_id)
    done = await session.exec(
        again.values(
            state=DeliveryState.WAITING.value, tries=0, waits_since=now, next_at=now
        ).execution_options(synchronize_session=False)
    )
    count = done.rowcount
    if count:
        row.looks_at = None if row.paused_at else now
        await _keep(session, row)
        facts = {"events": count, **({"event": str(event_id)} if event_id else {})}
        await note(session, row, JournalKind.SUBSCRIBER_RESENT, by, now, facts)
    return count


async def note(
    session: AsyncSession,
    row: Subscriber,
    kind: JournalKind,
    by: UUID | None,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Journal what happened to a subscriber, in the chain of the system."""
    await journal.append(
        session,
        chain=SYSTEM_CHAIN,
        kind=kind,
        at=now,
        by=by,
        system=None if by else "subscribers",
        facts={"subscriber": str(row.id), **(facts or {})},
    )


async def _open(session: AsyncSession, subscriber_id: UUID) -> Subscriber:
    """A subscriber that has not ended, locked. Raises Refusal 404, 409."""
    row = await locked(session, subscriber_id)
    if row is None:
        raise not_found()
    if row.ended_at is not None:
        raise ended()
    return row


async def _keep(session: AsyncSession, row: Subscriber) -> None:
    session.add(row)
    await session.flush()


def new_secret() -> str:
    """A secret as Standard Webhooks writes it."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _types(given: Collection[str]) -> list[str]:
    known = [one.value for one in EventType if one in given]
    if not known or len(known) != len(set(given)):
        words = "Выберите хотя бы одно событие из списка."
        raise Refusal("incomplete", words, 422, [FieldError("types", words)])
    return known


def _address(url: str, near: str) -> str:
    asked = url.strip()
    try:
        parsed(asked, near)
    except AddressError as error:
        raise unusable_address(_WHY[str(error)]) from None
    return asked
