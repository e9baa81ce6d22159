"""Subscribers and their deliveries, as administrators and ops see them. Secrets are never read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.subscribers import Subscriber, SubscriberDelivery, SubscriberEvent
from rules.access import Actor, Permission
from rules.clock import now
from rules.refusals import not_found
from rules.subscribers import MOST_SHOWN, DeliveryState


@dataclass(frozen=True)
class SubscriberSeen:
    """A subscriber, and how many of its deliveries stand where."""

    id: UUID
    name: str
    url: str
    types: Sequence[str]
    added_at: datetime
    paused_at: datetime | None
    ended_at: datetime | None
    failing_since: datetime | None
    next_try_at: datetime | None
    """When a subscriber that fails is tried again."""
    earlier_until: datetime | None
    """Until when the secret before counts as well."""
    waiting: int
    dead: int


@dataclass(frozen=True)
class DeliverySeen:
    """An event on its way to a subscriber."""

    event_id: UUID
    type: str
    subject: UUID
    at: datetime
    state: DeliveryState
    tries: int
    tried_at: datetime | None
    next_at: datetime
    status: int | None
    fault: str | None


async def every(session: AsyncSession, actor: Actor) -> list[SubscriberSeen]:
    """All subscribers, those that get something first. Raises Refusal 403."""
    actor.demand(Permission.CONNECT_SYSTEMS)
    return await rows(session)


async def rows(session: AsyncSession) -> list[SubscriberSeen]:
    """All subscribers, for who asks at the machine itself."""
    found = await session.exec(
        select(Subscriber)
        .order_by(col(Subscriber.ended_at).desc().nulls_first(), col(Subscriber.name))
        .limit(MOST_SHOWN)
    )
    every_row = found.all()
    counts = await _counts(session, [row.id for row in every_row])
    return [_seen(row, counts) for row in every_row]


async def number_connected(session: AsyncSession) -> int:
    """How many subscribers there are that have not ended."""
    found = await session.exec(select(func.count()).where(col(Subscriber.ended_at).is_(None)))
    return found.one()


async def number_failing(session: AsyncSession, actor: Actor) -> int:
    """How many subscribers get nothing although they should. Raises Refusal 403."""
    actor.demand(Permission.CONNECT_SYSTEMS)
    failing = select(func.count()).where(
        col(Subscriber.ended_at).is_(None),
        col(Subscriber.paused_at).is_(None),
        col(Subscriber.failing_since).is_not(None),
    )
    return (await session.exec(failing)).one()


async def one(session: AsyncSession, actor: Actor, subscriber_id: UUID) -> SubscriberSeen:
    """One subscriber. Raises Refusal 403, 404."""
    actor.demand(Permission.CONNECT_SYSTEMS)
    row = await session.get(Subscriber, subscriber_id)
    if row is None:
        raise not_found()
    return _seen(row, await _counts(session, [row.id]))


async def deliveries(
    session: AsyncSession, actor: Actor, subscriber_id: UUID, state: DeliveryState | None
) -> list[DeliverySeen]:
    """The newest deliveries of a subscriber, all or those of one state. Raises Refusal 403."""
    actor.demand(Permission.CONNECT_SYSTEMS)
    asked = (
        select(SubscriberDelivery, SubscriberEvent)
        .join(SubscriberEvent, col(SubscriberEvent.id) == col(SubscriberDelivery.event_id))
        .where(SubscriberDelivery.subscriber_id == subscriber_id)
    )
    if state is not None:
        asked = asked.where(SubscriberDelivery.state == state.value)
    found = await session.exec(
        asked.order_by(col(SubscriberDelivery.position).desc()).limit(MOST_SHOWN)
    )
    return [
        DeliverySeen(
            event_id=event.id,
            type=event.type,
            subject=event.subject,
            at=event.at,
            state=DeliveryState(row.state),
            tries=row.tries,
            tried_at=row.tried_at,
            next_at=row.next_at,
            status=row.status,
            fault=row.fault,
        )
        for row, event in found.all()
    ]


async def _counts(
    session: AsyncSession, subscribers: Sequence[UUID]
) -> Mapping[tuple[UUID, str], int]:
    """How many deliveries wait or were given up, by subscriber and state."""
    open_states = (DeliveryState.WAITING.value, DeliveryState.DEAD.value)
    found = await session.exec(
        select(SubscriberDelivery.subscriber_id, SubscriberDelivery.state, func.count())
        .where(
            col(SubscriberDelivery.subscriber_id).in_(subscribers),
            col(SubscriberDelivery.state).in_(open_states),
        )
        .group_by(col(SubscriberDelivery.subscriber_id), col(SubscriberDelivery.state))
    )
    return {(subscriber, state): count for subscriber, state, count in found.all()}


def _seen(row: Subscriber, counts: Mapping[tuple[UUID, str], int]) -> SubscriberSeen:
    until = row.earlier_until
    overlaps = until if until is not None and until > now() else None
    return SubscriberSeen(
        id=row.id,
        name=row.name,
        url=row.url,
        types=row.types,
        added_at=row.added_at,
        paused_at=row.paused_at,
        ended_at=row.ended_at,
        failing_since=row.failing_since,
        next_try_at=row.looks_at if row.failing_since else None,
        earlier_until=overlaps,
        waiting=counts.get((row.id, DeliveryState.WAITING.value), 0),
        dead=counts.get((row.id, DeliveryState.DEAD.value), 0),
    )
