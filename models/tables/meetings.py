"""Meetings by video: the times that operators offer, and what was booked."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id

_TAKEN = text("state <> 'cancelled'")
_BOOKED = text("state = 'booked'")


class MeetingSlot(SQLModel, table=True):
    """A time at which an operator can meet somebody; all are equally long."""

    __tablename__ = "meeting_slot"
    __table_args__ = (
        UniqueConstraint("operator_id", "starts_at"),
        UniqueConstraint("id", "offered", name="meeting_slot_offered"),
        Index("meeting_slot_open", "starts_at", postgresql_where=text("withdrawn_at is null")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    operator_id: UUID = Field(foreign_key="person.id")
    starts_at: datetime = Field(sa_column=utc_column())
    withdrawn_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    offered: bool | None = Field(
        default=None,
        sa_column=Column(Boolean, Computed("withdrawn_at is null", persisted=True)),
    )


class Meeting(SQLModel, table=True):
    """A meeting of a person with an operator. Nobody else has its time, unless it is cancelled.

    What is booked has a time that is offered: whoever withdraws the time cancels the meeting.
    """

    __tablename__ = "meeting"
    __table_args__ = (
        ForeignKeyConstraint(
            ["slot_id", "booked"],
            ["meeting_slot.id", "meeting_slot.offered"],
            name="meeting_in_offered_time",
        ),
        Index("meeting_of_slot", "slot_id", unique=True, postgresql_where=_TAKEN),
        Index(
            "meeting_open",
            "person_id",
            "purpose",
            unique=True,
            postgresql_where=_BOOKED,
        ),
        Index("meeting_of_person", "person_id", "purpose", "id"),
        Index("meeting_to_look_at", "looks_at", postgresql_where=_BOOKED),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id")
    purpose: str = Field(description="One of `rules.meetings.Purpose`.")
    slot_id: UUID = Field(foreign_key="meeting_slot.id")
    room: str = Field(
        sa_column=Column(EncryptedText("meeting.room"), nullable=False),
        description="128 random bits: whoever knows them can enter.",
    )
    state: str = Field(description="One of `rules.meetings.MeetingState`.")
    booked: bool | None = Field(
        default=None,
        sa_column=Column(
            Boolean, Computed("case when state = 'booked' then true end", persisted=True)
        ),
        description="True while it is booked, else nothing, so that the time may be withdrawn.",
    )
    changes: int = Field(default=0, description="How often it was moved: SEQUENCE of its .ics.")
    reminded: int = Field(default=0, description="How many reminders are over.")
    looks_at: datetime = Field(
        sa_column=utc_column(), description="When it is reminded of, or closed without outcome."
    )
    booked_at: datetime = Field(sa_column=utc_column())
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    ended_by: UUID | None = Field(default=None, foreign_key="person.id")
    compared: list[str] = Field(
        default_factory=list,
        sa_column=Column(JSONB, nullable=False),
        description="What the operator compared: names of `rules.meetings.CHECKLIST`.",
    )
    marked: list[str] = Field(
        default_factory=list,
        sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")),
        description="What the operator marked of what the purpose asks for.",
    )
    reason: str | None = Field(
        default=None, sa_column=Column(EncryptedText("meeting.reason"), nullable=True)
    )
