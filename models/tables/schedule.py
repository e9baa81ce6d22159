"""The schedule: working hours, appointments, and who or what is taken when (W1).

Free time is computed from these tables and stands in none of them.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    UniqueConstraint,
    Uuid,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id

_CLOCKED = text("looks_at is not null")
_MINUTES = "starts >= 0 and starts < ends and ends <= 1440"


class TreatmentRoom(SQLModel, table=True):
    """A room in which people are treated. It is never deleted; it closes."""

    __tablename__ = "room"
    __table_args__ = (UniqueConstraint("unit_id", "name"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    unit_id: UUID = Field(foreign_key="unit.id")
    name: str
    closed_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class WorkingHours(SQLModel, table=True):
    """The hours of one clinician on one day of the week, by the clock of a zone.

    They are not changed: they end, and others begin.
    """

    __tablename__ = "working_hours"
    __table_args__ = (
        CheckConstraint(_MINUTES, name="working_hours_in_a_day"),
        CheckConstraint("weekday between 0 and 6", name="working_hours_weekday"),
        CheckConstraint("step between 5 and 480", name="working_hours_step"),
        CheckConstraint("valid_until >= valid_from", name="working_hours_valid"),
        UniqueConstraint("clinician_id", "weekday", "starts", "valid_from"),
        Index("working_hours_of_unit", "unit_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    clinician_id: UUID = Field(foreign_key="person.id")
    unit_id: UUID = Field(foreign_key="unit.id")
    room_id: UUID | None = Field(default=None, foreign_key="room.id")
    weekday: int = Field(description="0 is Monday.")
    starts: int = Field(description="Minutes after midnight.")
    ends: int = Field(description="Likewise; 1440 is 24:00.")
    step: int = Field(description="How many minutes one appointment lasts.")
    zone: str
    valid_from: date
    valid_until: date | None = Field(default=None, description="The last day.")
    added_by: UUID = Field(foreign_key="person.id")


class HoursException(SQLModel, table=True):
    """Hours of one day on which somebody works besides, or does not work, whatever the week says.

    It is not changed: it is taken back.
    """

    __tablename__ = "hours_exception"
    __table_args__ = (
        CheckConstraint(_MINUTES, name="hours_exception_in_a_day"),
        CheckConstraint("step between 5 and 480", name="hours_exception_step"),
        Index(
            "hours_exception_stands",
            "clinician_id",
            "day",
            "starts",
            "works",
            unique=True,
            postgresql_where=text("taken_back_at is null"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    clinician_id: UUID = Field(foreign_key="person.id")
    unit_id: UUID = Field(foreign_key="unit.id")
    room_id: UUID | None = Field(default=None, foreign_key="room.id")
    works: bool
    day: date
    starts: int = Field(description="Minutes after midnight.")
    ends: int = Field(description="Likewise; 1440 is 24:00.")
    step: int = Field(description="How many minutes one appointment lasts.")
    zone: str
    added_by: UUID = Field(foreign_key="person.id")
    taken_back_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class Appointment(SQLModel, table=True):
    """A patient's time with a clinician; once the patient has come, it is the visit."""

    __tablename__ = "appointment"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="appointment_takes_time"),
        CheckConstraint("(state = 'held') = (held_until is not null)", name="appointment_held"),
        CheckConstraint("(state = 'moved') = (moved_to is not null)", name="appointment_moved"),
        CheckConstraint("not overbooked or reason is not null", name="appointment_overbooked"),
        Index("appointment_of_clinician", "clinician_id", "starts_at"),
        Index("appointment_of_patient", "patient_id", "starts_at"),
        Index("appointment_of_unit", "unit_id", "starts_at"),
        Index("appointment_to_look_at", "looks_at", postgresql_where=_CLOCKED),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    clinician_id: UUID = Field(foreign_key="person.id")
    patient_id: UUID = Field(foreign_key="patient.id")
    room_id: UUID | None = Field(default=None, foreign_key="room.id")
    unit_id: UUID = Field(foreign_key="unit.id")
    starts_at: datetime = Field(sa_column=utc_column())
    ends_at: datetime = Field(sa_column=utc_column())
    wall: datetime = Field(
        sa_column=Column(DateTime(timezone=False), nullable=False),
        description="The beginning as the clock of `zone` showed it when it was booked.",
    )
    zone: str
    state: str = Field(description="One of `rules.schedule.states.AppointmentState`.")
    version: int = 1
    changed_at: datetime = Field(sa_column=utc_column())
    booked_by: UUID = Field(foreign_key="person.id")
    held_until: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    overbooked: bool = Field(default=False, description="Beside another one, for a reason.")
    moved_to: UUID | None = Field(
        default=None,
        sa_column=Column(
            Uuid,
            ForeignKey("appointment.id", deferrable=True, initially="DEFERRED"),
            nullable=True,
        ),
        description="The appointment in its place, written after this one is.",
    )
    reason: str | None = Field(
        default=None,
        sa_column=Column(EncryptedText("appointment.reason"), nullable=True),
        description="Of the overbooking, or of the last change that needed one.",
    )
    looks_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When the clock looks at it next; None when it has nothing to do.",
    )


class TimeClaim(SQLModel, table=True):
    """That a clinician, a patient or a room is taken. Nobody and nothing is taken twice.

    An own range type over `uuid` makes the constraint possible without an extension.
    """

    __tablename__ = "claim"
    __table_args__ = (
        ExcludeConstraint(
            (literal_column("uuidrange(party, party, '[]')"), "="),
            ("during", "&&"),
            using="gist",
            name="claim_taken_once",
        ),
        CheckConstraint(
            "not isempty(during) and not lower_inf(during) and not upper_inf(during)",
            name="claim_bounded",
        ),
    )

    appointment_id: UUID = Field(foreign_key="appointment.id", ondelete="CASCADE", primary_key=True)
    party: UUID = Field(
        primary_key=True,
        description="The id of a clinician, patient or room, or `rules.schedule.claims.beside`.",
    )
    during: Any = Field(sa_column=Column(TSTZRANGE, nullable=False))


class AppointmentAct(SQLModel, table=True):
    """An act on the schedule, by the client's id: sent again, it gets the same answer."""

    __tablename__ = "appointment_act"

    id: UUID = Field(primary_key=True)
    by: UUID = Field(foreign_key="person.id")
    at: datetime = Field(sa_column=utc_column())
    body_hash: str
    appointment_id: UUID = Field(foreign_key="appointment.id", index=True)


class WaitingWish(SQLModel, table=True):
    """That a patient waits for a time with a clinician, or with anybody of a unit."""

    __tablename__ = "waiting_wish"
    __table_args__ = (
        Index(
            "waiting_wish_open",
            "unit_id",
            "patient_id",
            text("coalesce(clinician_id, unit_id)"),
            unique=True,
            postgresql_where=text("closed_at is null"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    patient_id: UUID = Field(foreign_key="patient.id", index=True)
    unit_id: UUID = Field(foreign_key="unit.id")
    clinician_id: UUID | None = Field(default=None, foreign_key="person.id")
    note: str = Field(sa_column=Column(EncryptedText("waiting_wish.note"), nullable=False))
    added_by: UUID = Field(foreign_key="person.id")
    added_at: datetime = Field(sa_column=utc_column())
    closed_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class CalendarFeed(SQLModel, table=True):
    """A calendar of one device, which reads a clinician's times by a secret address."""

    __tablename__ = "calendar_feed"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    name: str = Field(description="Of the device, in the person's words.")
    token_hash: str = Field(unique=True, description="SHA-256, in hexadecimal.")
    made_at: datetime = Field(sa_column=utc_column())
    read_at: datetime | None = Field(
        default=None, sa_column=utc_column(nullable=True), description="When last."
    )
    revoked_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
