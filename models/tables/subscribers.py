"""Systems that hear of changes of credentials: subscribers, events, deliveries."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id

WAITS = text("state = 'waiting'")


class Subscriber(SQLModel, table=True):
    """A system outside that gets events. It is never deleted; it ends."""

    __tablename__ = "subscriber"
    __table_args__ = (
        Index(
            "subscriber_name",
            text("lower(name)"),
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str
    url: str = Field(
        sa_column=Column(EncryptedText("subscriber.url"), nullable=False),
        description="Encrypted: an address may bear a password of its receiver.",
    )
    types: list[str] = Field(
        sa_column=Column(JSONB, nullable=False), description="`rules.subscribers.EventType`."
    )
    secret: str = Field(
        sa_column=Column(EncryptedText("subscriber.secret"), nullable=False),
        description="Signs what is sent: `whsec_…`.",
    )
    earlier_secret: str | None = Field(
        default=None,
        sa_column=Column(EncryptedText("subscriber.earlier_secret"), nullable=True),
        description="Signs as well until `earlier_until`.",
    )
    earlier_until: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    added_at: datetime = Field(sa_column=utc_column())
    paused_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    failures: int = Field(default=0, description="Looks in a row that brought failures alone.")
    failing_since: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    looks_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True, index=True),
        description="When its workflow looks next; None while nothing waits.",
    )
    woken_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class SubscriberEvent(SQLModel, table=True):
    """Something that happened, written with the change itself; its id is known to receivers."""

    __tablename__ = "subscriber_event"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    position: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, Identity(always=True), unique=True, nullable=False),
        description="Grows for one subject in the order of its changes, since it is locked.",
    )
    type: str
    subject: UUID = Field(description="The credential; of a test, the subscriber.")
    data: dict[str, Any] = Field(
        sa_column=Column(JSONB, nullable=False), description="Ids and numbers, nothing personal."
    )
    at: datetime = Field(sa_column=utc_column(index=True))


class SubscriberDelivery(SQLModel, table=True):
    """An event on its way to one subscriber."""

    __tablename__ = "subscriber_delivery"
    __table_args__ = (
        Index("subscriber_delivery_shown", "subscriber_id", "position"),
        Index("subscriber_delivery_waits", "subscriber_id", "position", postgresql_where=WAITS),
        Index(
            "subscriber_delivery_order",
            "subscriber_id",
            "subject",
            "position",
            postgresql_where=WAITS,
        ),
        Index(
            "subscriber_delivery_dead",
            "subscriber_id",
            "position",
            postgresql_where=text("state = 'dead'"),
        ),
    )

    subscriber_id: UUID = Field(foreign_key="subscriber.id", primary_key=True)
    event_id: UUID = Field(
        foreign_key="subscriber_event.id", primary_key=True, ondelete="CASCADE", index=True
    )
    position: int = Field(sa_column=Column(BigInteger, nullable=False), description="Of the event.")
    subject: UUID = Field(description="Of the event.")
    state: str = Field(description="`rules.subscribers.DeliveryState`.")
    tries: int = Field(default=0, description="Since it began to wait.")
    waits_since: datetime = Field(sa_column=utc_column())
    next_at: datetime = Field(sa_column=utc_column(), description="When it is tried next.")
    tried_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    status: int | None = Field(default=None, description="HTTP status of the last answer.")
    fault: str | None = Field(default=None, description="Why there was none, as a code.")
