"""Whether every change of a credential was an event, and every event arrived in its order."""

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from sqlalchemy import func
from sqlmodel import col, select

from clients.database import Database
from models.tables.journal import JournalEntry
from models.tables.subscribers import SubscriberDelivery, SubscriberEvent
from ops.faults.checks.qualification import EVENTS
from ops.faults.qualification.people import RECEIVER
from rules.subscribers import EVENT_OF, DeliveryState

if TYPE_CHECKING:
    from ops.faults.checks import CheckReport


async def check(report: "CheckReport", database: Database, receiver: str) -> None:
    """One event for each entry, in its order; received as they were written, each under one id."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        reply = await http.get(f"{receiver}/events", params={"to": RECEIVER})
    kept: list[dict[str, Any]] = reply.raise_for_status().json()
    wanted: dict[UUID, list[str]] = defaultdict(list)
    written: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    arrived: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    async with database.reading() as session:
        entries = await session.exec(
            select(JournalEntry.chain, JournalEntry.kind)
            .where(col(JournalEntry.kind).in_(list(EVENT_OF)))
            .order_by(col(JournalEntry.chain), col(JournalEntry.position))
        )
        for chain, kind in entries.all():
            wanted[chain].append(EVENT_OF[kind].value)  # type: ignore[index]
        events = await session.exec(select(SubscriberEvent).order_by(col(SubscriberEvent.position)))
        for one in events.all():
            written[one.subject].append((str(one.id), one.type))
        left = await session.exec(
            select(SubscriberDelivery.state, func.count())
            .where(SubscriberDelivery.state != DeliveryState.DELIVERED.value)
            .group_by(col(SubscriberDelivery.state))
        )
        undelivered = dict(left.all())
    for each in kept:
        event = each["event"]
        arrived[UUID(event["subject"])].append((event["id"], event["type"]))
    report.compare(EVENTS, not undelivered, f"not delivered: {undelivered}")
    for subject in wanted.keys() | written.keys() | arrived.keys():
        types = [type_ for _, type_ in written[subject]]
        report.compare(EVENTS, types == wanted[subject], f"{subject} has the events {types}")
        same = arrived[subject] == written[subject]
        report.compare(EVENTS, same, f"{subject}: {arrived[subject]} arrived in this order")
