"""Notices: what a person is told, by which channel, and how the telling went.

A row is written in the transaction of the event that it tells of, so none is lost and none is told
of what did not happen. Facts stand in the clear and hold numbers and ids only.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.encryption import EncryptedJSON
from models.tables.base import new_id, utc_column


class Notice(SQLModel, table=True):
    """One event, told to one person by one channel."""

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
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    event_key: str
    person_id: UUID = Field(foreign_key="person.id")
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

    state: str = Field(description="One of `rules.notices.NoticeState`.")
    tries: int = Field(default=0, description="Refusals of this message; outages do not count.")
    next_try_at: datetime = Field(sa_column=utc_column())
    told_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    failed_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    failure_reason: str | None = None
    read_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))

    @property
    def message_name(self) -> str:
        """The part of the Message-ID before the @: the same for every try and every copy."""
        return f"notice-{self.id}"


class NoticeAttempt(SQLModel, table=True):
    """One try to tell a notice outside the cabinet: when, and what came of it."""

    __tablename__ = "notice_attempt"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    notice_id: UUID = Field(foreign_key="notice.id", index=True)
    at: datetime = Field(sa_column=utc_column())
    outcome: str = Field(description="One of `rules.notices.Outcome`.")
    reason: str = Field(default="", description="What the server said, addresses cut out.")
