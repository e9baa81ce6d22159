"""Events of credentials, written with the change itself, with a delivery for each subscriber.

Whoever does not subscribe costs nothing: without a subscriber of its type no event is written.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Insert, Integer, String, Uuid, bindparam, insert, literal, true
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel, col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.credentials import Credential
from models.tables.subscribers import Subscriber, SubscriberDelivery, SubscriberEvent
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.subscribers import EVENT_OF, TEST, DeliveryState
from services.journal.entries import Along


def of_change(
    row: Credential, kind: JournalKind, now: datetime, facts: Mapping[str, Any]
) -> Along | None:
    """The statement of the event that an entry about a credential brings; None if it brings none.

    The caller holds the lock of the credential, so that positions grow in the order of its changes.
    """
    type_ = EVENT_OF.get(kind)
    if type_ is None:
        return None
    data = {"credential": str(row.id), "practitioner": str(row.owner_id), "version": row.version}
    if kind is JournalKind.CREDENTIAL_REPLACED:
        data["replaced_by"] = facts["by"]
    return Along(
        _written(),
        {
            "event_id": new_id(),
            "event_type": type_.value,
            "event_subject": row.id,
            "event_data": data,
            "event_at": now,
        },
    )


@lru_cache
def _written() -> Insert:
    """An event, if anybody subscribes to its type, and its deliveries; built once."""
    tables = SQLModel.metadata.tables
    event_table = tables[str(SubscriberEvent.__tablename__)]
    deliveries = tables[str(SubscriberDelivery.__tablename__)]
    id_, subject = bindparam("event_id", type_=Uuid()), bindparam("event_subject", type_=Uuid())
    at = bindparam("event_at", type_=DateTime(timezone=True))
    type_ = bindparam("event_type", type_=String())
    wanting = (
        choose(col(Subscriber.id))
        .where(
            col(Subscriber.ended_at).is_(None),
            col(Subscriber.types).op("?")(type_),
        )
        .cte("wanting")
    )
    event = (
        insert(event_table)
        .from_select(
            ["id", "type", "subject", "data", "at"],
            choose(id_, type_, subject, bindparam("event_data", type_=JSONB()), at).where(
                choose(wanting.c.id).exists()
            ),
        )
        .returning(event_table.c.id, event_table.c.position)
        .cte("event")
    )
    waits = literal(DeliveryState.WAITING.value)
    return insert(deliveries).from_select(
        [
            "subscriber_id",
            "event_id",
            "position",
            "subject",
            "state",
            "tries",
            "waits_since",
            "next_at",
        ],
        choose(
            wanting.c.id,
            event.c.id,
            event.c.position,
            subject,
            waits,
            literal(0, Integer()),
            at,
            at,
        ).select_from(wanting.join(event, true())),
    )


async def test(session: AsyncSession, subscriber_id: UUID, now: datetime) -> UUID:
    """Write an event that tries one subscriber. Returns its id."""
    event = SubscriberEvent(type=TEST, subject=subscriber_id, data={}, at=now)
    session.add(event)
    await session.flush()
    if event.position is None:
        raise RuntimeError("the database gave no position")
    session.add(
        SubscriberDelivery(
            subscriber_id=subscriber_id,
            event_id=event.id,
            position=event.position,
            subject=subscriber_id,
            state=DeliveryState.WAITING.value,
            waits_since=now,
            next_at=now,
        )
    )
    return event.id
