"""Notices: what a person is notified of, by which channel, and how sending went.

A row is written in the transaction of its event, so no event goes unreported, and nothing is
reported that did not happen. Facts are not encrypted: only numbers and ids.
"""

import re
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.blind_indexes import blind_index, unique_places
from models.encrypted_columns import EncryptedJSON, EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id

_NAME = re.compile(r"notice-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-(\d{1,4}))?")


class Notice(SQLModel, table=True):
    """One event that one person is notified of by one channel."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("event_key", "person_id", "channel"),
        Index(
            "notice_due",
            "channel",
            "next_try_at",
            "id",
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("notice_of_person", "person_id", "channel", "id"),
        Index(
            "notice_unread",
            "person_id",
            postgresql_where=text("channel = 'cabinet' and read_at is null"),
        ),
        Index("notice_to_nobody", "created_at", postgresql_where=text("person_id is null")),
        Index("notice_to_ask", "channel", "ask_at", postgresql_where=text("ask_at is not null")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    event_key: str
    person_id: UUID | None = Field(
        foreign_key="person.id",
        description="None: a mail to whoever reads the address in `contents`.",
    )
    case_id: UUID | None = Field(default=None, foreign_key="case.id", index=True)
    kind: str
    channel: str
    language: str
    facts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    contents: Any = Field(
        default=None, sa_column=Column(EncryptedJSON("notice.contents"), nullable=True)
    )
    created_at: datetime = Field(sa_column=utc_column())
    due_at: datetime = Field(sa_column=utc_column())

    state: str = Field(description="One of `rules.notices.kinds.NoticeState`.")
    tries: int = Field(default=0, description="Refusals of this message; outages do not count.")
    next_try_at: datetime = Field(sa_column=utc_column())
    told_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    failed_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    failure_reason: str | None = None
    read_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))

    held_until: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="The end of the quiet hours, or the hour of the digest, that it waits for.",
    )
    sendings: int = Field(
        default=1,
        sa_column_kwargs={"server_default": "1"},
        description="How often sending was begun: to providers each resending is a new message.",
    )
    receipt: str | None = Field(
        default=None,
        description="The provider's last report: a `rules.notices.delivery.DeliveryReport`.",
    )
    receipt_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    asks: int = Field(
        default=0,
        sa_column_kwargs={"server_default": "0"},
        description="How often the provider was asked what became of it.",
    )
    ask_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When the provider is asked next; None where no report is awaited.",
    )
    told_with: UUID | None = Field(
        default=None, description="The notice whose message, a digest, contained this one."
    )

    @property
    def addressee(self) -> UUID:
        """The person whom it is for. Raises ValueError for a mail to nobody who is known."""
        if self.person_id is None:
            raise ValueError(f"the notice {self.id} is for nobody who is known")
        return self.person_id

    @property
    def message_name(self) -> str:
        """Its name with providers: the same for every try and every copy of one sending."""
        again = f"-{self.sendings}" if self.sendings > 1 else ""
        return f"notice-{self.id}{again}"


def notice_named(name: str) -> tuple[UUID, int] | None:
    """The notice and the sending that a provider knows by this name; None if it is no such name."""
    told = _NAME.fullmatch(name)
    return (UUID(told[1]), int(told[2] or 1)) if told else None


class NoticeAttempt(SQLModel, table=True):
    """One try to send a notice outside the cabinet, with its result."""

    __tablename__ = "notice_attempt"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    notice_id: UUID = Field(foreign_key="notice.id", index=True)
    at: datetime = Field(sa_column=utc_column())
    outcome: str = Field(description="One of `rules.notices.delivery.Outcome`.")
    reason: str = Field(default="", description="What the server answered, without addresses.")


class NoticeSetting(SQLModel, table=True):
    """A person's choice for a group of events and a channel; without a row, the default applies."""

    __tablename__ = "notice_setting"

    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    group: str = Field(primary_key=True, description="One of `rules.notices.kinds.NoticeGroup`.")
    channel: str = Field(primary_key=True)
    on: bool
    changed_at: datetime = Field(sa_column=utc_column())


class NoticePreferences(SQLModel, table=True):
    """Quiet hours and the daily digest of a person who asked for them, in `zone`."""

    __tablename__ = "notice_preferences"

    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    zone: str
    quiet_from: time | None = None
    quiet_to: time | None = None
    digest_hour: int | None = None
    changed_at: datetime = Field(sa_column=utc_column())


def push_index_text(contents: Any) -> str:
    """What is hashed of a subscription, so that a browser has one."""
    return f"push:{contents['endpoint']}"


class PushSubscription(SQLModel, table=True):
    """A browser that a person lets show notices. Deleted when it, or its push service, ends it."""

    __tablename__ = "push_subscription"
    __table_args__ = (*unique_places("push_subscription", "endpoint_blind"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    contents: Any = Field(
        sa_column=Column(EncryptedJSON("push_subscription.contents"), nullable=False),
        description="`endpoint`, `p256dh` and `auth` as the browser gave them.",
    )
    endpoint_blind: str = Field(
        sa_column=blind_index("push_subscription.contents", push_index_text),
        description="Blind index of the endpoint.",
    )
    device: str
    created_at: datetime = Field(sa_column=utc_column())
    last_ok_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class ContactChange(SQLModel, table=True):
    """A new address or number that has yet to be confirmed by its code, or has been."""

    __tablename__ = "contact_change"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    channel: str = Field(description="`mail` or `sms`.")
    value: str = Field(sa_column=Column(EncryptedText("contact_change.value"), nullable=False))
    code_hash: str = Field(description="Keyed hash of the code and this row's id.")
    created_at: datetime = Field(sa_column=utc_column())
    ends_at: datetime = Field(sa_column=utc_column())
    tries: int = 0
    done_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
