"""Delivering events to one subscriber, in the order of each credential.

The next event of a credential waits until the one before it was delivered or given up; others go
on. A subscriber that does not answer costs one call for each pause, however much waits for it.
What was sent and not noted is sent again under the same id, before anything later.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from standardwebhooks.webhooks import Webhook

from clients.database import Database
from clients.delivery.subscribers import AddressError, CallFailed, SubscriberClient, SubscriberLine
from models.messages import WorkflowName
from models.tables.subscribers import Subscriber, SubscriberDelivery, SubscriberEvent
from rules.access import Permission
from rules.clock import now as present
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.notices.kinds import NoticeKind
from rules.subscribers import (
    AT_A_TIME,
    IN_A_ROW,
    KEPT,
    TERM,
    TOLD_AFTER,
    DeliveryState,
    is_over,
    pause,
)
from services import access, crash_points
from services.crash_points import CrashPoint
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.own_workflows import OwnWorkflow, Wake
from settings import Settings

OWN = OwnWorkflow(
    name=WorkflowName.SUBSCRIBER,
    table=Subscriber,
    due="looks_at",
    lives=lambda: col(Subscriber.looks_at).is_not(None),
    held=timedelta(minutes=10),
)
"""What the sweeper has to know of subscribers."""

ROUND = timedelta(seconds=60)
"""So long one look goes on; then the next one begins."""
MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"
_MOST_GIVEN_UP = 1000
_MOST_FORGOTTEN = 10_000


@dataclass
class LookOutcome:
    """What one look has brought so far."""

    delivered: int = 0
    failed_in_a_row: int = 0
    silent: bool = False
    """Whether the last call had no answer, or one that says «not now»."""
    dead: int = 0

    @property
    def stops(self) -> bool:
        """Whether nothing else is tried now."""
        return self.silent or self.failed_in_a_row >= IN_A_ROW


@dataclass(frozen=True)
class _Waiting:
    delivery: SubscriberDelivery
    event: SubscriberEvent


@dataclass(frozen=True)
class Deliverer:
    """Delivers; `source` says in each event where it comes from."""

    database: Database
    client: SubscriberClient
    source: str
    round: timedelta = ROUND

    @classmethod
    def of(cls, settings: Settings, database: Database) -> Self:
        """The deliverer of this installation."""
        client = SubscriberClient(settings.subscriber_networks)
        return cls(database, client, f"{settings.public_url.rstrip('/')}/credentials")

    async def look(self, subscriber_id: UUID) -> datetime | None:
        """Deliver what is due. Returns when to look again; None if nothing waits."""
        until, done = present() + self.round, LookOutcome()
        row = await self._receiver(subscriber_id)
        if row is not None:
            try:
                async with self.client.line(row.url) as line:
                    while present() < until and await self._some(row, line, done):
                        again = await self._receiver(subscriber_id)
                        if again is None or again.url != row.url:
                            break
                        row = again
            except AddressError:
                # The settings allow it no more: it fails until somebody changes one or the other.
                done.silent = True
        return await self._settle(subscriber_id, done)

    async def _receiver(self, subscriber_id: UUID) -> Subscriber | None:
        """The subscriber, if it gets anything now."""
        async with self.database.reading() as session:
            row = await session.get(Subscriber, subscriber_id)
        return None if row is None or row.ended_at or row.paused_at else row

    async def _some(self, row: Subscriber, line: SubscriberLine, done: LookOutcome) -> bool:
        """Send what is due, AT_A_TIME at most. False if nothing else is to be done now."""
        async with self.database.reading() as session:
            batch = await _due(session, row.id, present())
        for one in batch:
            await self._send(row, line, one, done)
            if done.stops:
                return False
        return bool(batch)

    async def _send(
        self, row: Subscriber, line: SubscriberLine, one: _Waiting, done: LookOutcome
    ) -> None:
        at, status, fault = present(), None, None
        body = in_words(one.event, self.source)
        try:
            status = await line.post(body, signed(row, one.event.id, body, at))
        except CallFailed as error:
            fault = str(error)
        crash_points.reach(CrashPoint.EVENT_SENT)
        good = status is not None and 200 <= status < 300
        state = DeliveryState.DELIVERED if good else DeliveryState.WAITING
        if not good and is_over(one.delivery.waits_since, at):
            state = DeliveryState.DEAD
            done.dead += 1
        tries = one.delivery.tries + 1
        async with self.database.work() as session:
            await session.exec(
                update(SubscriberDelivery)
                .where(
                    _is(one.delivery),
                    col(SubscriberDelivery.state) == DeliveryState.WAITING.value,
                    col(SubscriberDelivery.tries) == one.delivery.tries,
                )
                .values(
                    state=state.value,
                    tries=tries,
                    tried_at=at,
                    next_at=at + pause(tries),
                    status=status,
                    fault=fault,
                )
            )
        done.delivered += good
        done.failed_in_a_row = 0 if good else done.failed_in_a_row + 1
        done.silent = not good and (status is None or status >= 500 or status in (408, 425, 429))

    async def _settle(self, subscriber_id: UUID, done: LookOutcome) -> datetime | None:
        """Note how the look went, tell whom it concerns, and say when to look again."""
        now = present()
        async with self.database.work() as session:
            row = await locked(session, subscriber_id)
            if row is None:
                return None
            row.looks_at = None
            if row.ended_at is None and row.paused_at is None:
                if done.stops:
                    row.failures += 1
                    row.failing_since = row.failing_since or now
                    done.dead += await _give_up(session, row.id, now)
                    row.looks_at = now + pause(row.failures)
                else:
                    if done.delivered:
                        row.failures, row.failing_since = 0, None
                    row.looks_at = await _next(session, row.id)
            session.add(row)
            await _tell(session, row, done.dead, now)
            return row.looks_at


def in_words(event: SubscriberEvent, source: str) -> bytes:
    """The event as CloudEvents 1.0 in structured mode. The same event has the same bytes."""
    told: Mapping[str, Any] = {
        "specversion": "1.0",
        "id": str(event.id),
        "source": source,
        "type": event.type,
        "time": event.at.isoformat(timespec="milliseconds"),
        "subject": str(event.subject),
        "datacontenttype": "application/json",
        "data": {**event.data, "position": event.position},
    }
    return json.dumps(told, separators=(",", ":")).encode()


def signed(row: Subscriber, event_id: UUID, body: bytes, at: datetime) -> Mapping[str, str]:
    """The headers of Standard Webhooks, with a signature by each secret that counts."""
    secrets = [row.secret]
    if row.earlier_secret is not None and row.earlier_until and row.earlier_until > at:
        secrets.append(row.earlier_secret)
    text, id_ = body.decode(), str(event_id)
    return {
        "Content-Type": MEDIA_TYPE,
        "User-Agent": "Medcab",
        "webhook-id": id_,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(one).sign(id_, at, text) for one in secrets),
    }


async def locked(session: AsyncSession, subscriber_id: UUID) -> Subscriber | None:
    """A subscriber, locked until the unit of work ends; new deliveries do not wait for it."""
    return await session.get(
        Subscriber, subscriber_id, with_for_update={"key_share": True}, populate_existing=True
    )


def is_asleep() -> ColumnElement[bool]:
    """The condition that something waits for a subscriber whose workflow has ended."""
    waits = select(SubscriberDelivery.event_id).where(
        col(SubscriberDelivery.subscriber_id) == col(Subscriber.id),
        col(SubscriberDelivery.state) == DeliveryState.WAITING.value,
    )
    return and_(
        col(Subscriber.looks_at).is_(None),
        col(Subscriber.ended_at).is_(None),
        col(Subscriber.paused_at).is_(None),
        waits.exists(),
    )


async def wake_asleep(database: Database, wake: Wake, now: datetime) -> None:
    """Let workflows look for which something waits."""
    async with database.work() as session:
        found = await session.exec(
            update(Subscriber)
            .where(is_asleep())
            .values(looks_at=now)
            .returning(col(Subscriber.id))
            .execution_options(synchronize_session=False)
        )
        ids = [one for (one,) in found.all()]
    for one in ids:
        await wake(one)


async def forget(database: Database, now: datetime) -> None:
    """Remove events that are old by then, with their deliveries, some at a time."""
    old = (
        select(SubscriberEvent.id)
        .where(col(SubscriberEvent.at) < now - KEPT)
        .order_by(col(SubscriberEvent.at))
        .limit(_MOST_FORGOTTEN)
    )
    async with database.work() as session:
        await session.exec(
            delete(SubscriberEvent)
            .where(col(SubscriberEvent.id).in_(old))
            .execution_options(synchronize_session=False)
        )


def _is(delivery: SubscriberDelivery) -> ColumnElement[bool]:
    return and_(
        col(SubscriberDelivery.subscriber_id) == delivery.subscriber_id,
        col(SubscriberDelivery.event_id) == delivery.event_id,
    )


def _is_first(subscriber_id: UUID) -> ColumnElement[bool]:
    """The condition that a delivery waits for no other of its credential."""
    before = aliased(SubscriberDelivery)
    earlier = select(before.event_id).where(
        before.subscriber_id == subscriber_id,
        before.subject == SubscriberDelivery.subject,
        before.state == DeliveryState.WAITING.value,
        before.position < SubscriberDelivery.position,
    )
    return and_(
        col(SubscriberDelivery.subscriber_id) == subscriber_id,
        col(SubscriberDelivery.state) == DeliveryState.WAITING.value,
        ~earlier.exists(),
    )


async def _due(session: AsyncSession, subscriber_id: UUID, now: datetime) -> Sequence[_Waiting]:
    found = await session.exec(
        select(SubscriberDelivery, SubscriberEvent)
        .join(SubscriberEvent, col(SubscriberEvent.id) == col(SubscriberDelivery.event_id))
        .where(_is_first(subscriber_id), col(SubscriberDelivery.next_at) <= now)
        .order_by(col(SubscriberDelivery.position))
        .limit(AT_A_TIME)
    )
    return [_Waiting(*one) for one in found.all()]


async def _next(session: AsyncSession, subscriber_id: UUID) -> datetime | None:
    """When the first of those comes due that wait for no other; None if nothing waits."""
    found = await session.exec(
        select(func.min(SubscriberDelivery.next_at)).where(_is_first(subscriber_id))
    )
    return found.one()


async def _give_up(session: AsyncSession, subscriber_id: UUID, now: datetime) -> int:
    """Give up what has waited too long for one that fails. Returns how many."""
    old = (
        select(SubscriberDelivery.event_id)
        .where(
            SubscriberDelivery.subscriber_id == subscriber_id,
            SubscriberDelivery.state == DeliveryState.WAITING.value,
            col(SubscriberDelivery.waits_since) <= now - TERM,
        )
        .order_by(col(SubscriberDelivery.position))
        .limit(_MOST_GIVEN_UP)
    )
    given_up = await session.exec(
        update(SubscriberDelivery)
        .where(
            col(SubscriberDelivery.subscriber_id) == subscriber_id,
            col(SubscriberDelivery.event_id).in_(old),
        )
        .values(state=DeliveryState.DEAD.value)
        .execution_options(synchronize_session=False)
    )
    return given_up.rowcount


async def _tell(session: AsyncSession, row: Subscriber, dead: int, now: datetime) -> None:
    """Tell those who see to it, once a day, that one fails or that events were given up."""
    kinds: list[NoticeKind] = []
    if row.failing_since is not None and row.failing_since + TOLD_AFTER <= now:
        kinds.append(NoticeKind.SUBSCRIBER_FAILS)
    if dead:
        kinds.append(NoticeKind.SUBSCRIBER_GIVEN_UP)
        facts = {"subscriber": str(row.id), "events": dead}
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.SUBSCRIBER_GAVE_UP,
            at=now,
            system="subscribers",
            facts=facts,
        )
    if not kinds:
        return
    held = access.holding(Permission.CONNECT_SYSTEMS, of_unit=False)
    people = await session.exec(select(held.c.person_id).distinct(), params={"now": now})
    events = [
        NoticeEvent(one, kind, f"{row.id}:{kind}:{now:%Y-%m-%d}", facts={"subscriber": str(row.id)})
        for one in people.all()
        for kind in kinds
    ]
    await outbox.enqueue_all(session, events, now)
