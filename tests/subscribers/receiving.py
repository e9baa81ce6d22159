"""The simulated receiver, served in the loop of a test, and a subscriber that leads to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import uvicorn
from sqlalchemy import Interval, literal, update
from sqlmodel import col, select

from clients.database import Database
from clients.delivery.subscribers import SubscriberClient
from models.messages import WAKE_UP
from models.tables.subscribers import Subscriber, SubscriberDelivery, SubscriberEvent
from rules.clock import now
from rules.subscribers import EventType
from services.subscribers import keeping
from services.subscribers.delivering import Deliverer
from services.subscribers.keeping import NewSubscriber
from simulators.subscriber import Inbox, Receiver, create_app
from tests.shared.waiting import until

NEAR = "127.0.0.1/32"
SOURCE = "https://cabinet.example/credentials"
EVERY = tuple(one.value for one in EventType)


@asynccontextmanager
async def receiving() -> AsyncIterator[tuple[Inbox, str]]:
    """A receiver and its address."""
    inbox = Inbox()
    config = uvicorn.Config(create_app(inbox), host="127.0.0.1", port=0, log_config=None, ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await until(started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield inbox, f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@dataclass
class Line:
    """Subscribers of one database, and a receiver for all of them."""

    database: Database
    inbox: Inbox
    address: str

    @property
    def deliverer(self) -> Deliverer:
        """What delivers, with a short patience."""
        return Deliverer(self.database, SubscriberClient(NEAR, within=2.0), SOURCE)

    async def subscribe(self, *types: str, url: str = "") -> tuple[UUID, str]:
        """Add a subscriber. Returns its id, and its name at the receiver."""
        name = uuid4().hex
        new = NewSubscriber(name, url or f"{self.address}/events/{name}", types or EVERY)
        async with self.database.work() as session:
            id_, secret = await keeping.add(session, new, NEAR, None, now())
        self.inbox.know(Receiver(name=name, secrets=[secret]))
        return id_, name

    async def look(self, subscriber_id: UUID) -> datetime | None:
        """What the workflow does."""
        return await self.deliverer.look(subscriber_id)

    def got(self, name: str) -> list[dict[str, Any]]:
        """What a receiver got, in the order in which it came first."""
        return [one.event for one in self.inbox.found(name)[::-1]]

    async def row(self, subscriber_id: UUID) -> Subscriber:
        """A subscriber as it stands."""
        async with self.database.work() as session:
            return await session.get_one(Subscriber, subscriber_id)

    async def rows(self, subscriber_id: UUID) -> Sequence[tuple[str, UUID, str, int]]:
        """Type, subject, state and tries of its deliveries, in their order."""
        async with self.database.work() as session:
            found = await session.exec(
                select(
                    SubscriberEvent.type,
                    SubscriberDelivery.subject,
                    SubscriberDelivery.state,
                    SubscriberDelivery.tries,
                )
                .join(SubscriberEvent, col(SubscriberEvent.id) == col(SubscriberDelivery.event_id))
                .where(SubscriberDelivery.subscriber_id == subscriber_id)
                .order_by(col(SubscriberDelivery.position))
            )
            return found.all()

    async def later(self, subscriber_id: UUID, by: timedelta) -> None:
        """Let time pass for what waits."""
        gone = literal(by, Interval())
        async with self.database.work() as session:
            await session.exec(
                update(SubscriberDelivery)
                .where(col(SubscriberDelivery.subscriber_id) == subscriber_id)
                .values(
                    next_at=col(SubscriberDelivery.next_at) - gone,
                    waits_since=col(SubscriberDelivery.waits_since) - gone,
                )
            )
            await session.exec(
                update(Subscriber)
                .where(
                    col(Subscriber.id) == subscriber_id, col(Subscriber.failing_since).is_not(None)
                )
                .values(failing_since=col(Subscriber.failing_since) - gone)
            )


async def nobody_woken(row_id: UUID, *, signal: str = WAKE_UP, anew: bool = False) -> bool:
    """Wakes nobody."""
    del row_id, signal, anew
    return True
