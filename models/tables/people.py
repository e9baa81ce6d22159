"""People: units, roles, absences, and who passed the course on protecting data."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.blind_indexes import blind_index, unique_places
from models.encrypted_columns import EncryptedText
from models.tables.base import UtcDateTime, utc_column
from rules.ids import new_id


class Unit(SQLModel, table=True):
    """A unit of the institution; the one without a parent is the institution itself."""

    __tablename__ = "unit"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    code: str = Field(unique=True)
    name: str
    parent_id: UUID | None = Field(default=None, foreign_key="unit.id", index=True)
    time_zone: str = "Europe/Moscow"


class Person(SQLModel, table=True):
    """A person who works here. What identifies a person is encrypted."""

    __tablename__ = "person"
    __table_args__ = (
        *unique_places("person", "snils_blind"),
        Index(
            "person_departing",
            "left_at",
            postgresql_where=text("left_at is not null and departed_at is null"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    unit_id: UUID = Field(foreign_key="unit.id", index=True)
    position: str = Field(description="Post, such as «врач-кардиолог».")
    name: str = Field(sa_column=Column(EncryptedText("person.name"), nullable=False))
    email: str = Field(sa_column=Column(EncryptedText("person.email"), nullable=False))
    phone: str | None = Field(
        default=None, sa_column=Column(EncryptedText("person.phone"), nullable=True)
    )
    snils: str | None = Field(
        default=None, sa_column=Column(EncryptedText("person.snils"), nullable=True)
    )
    inn: str | None = Field(
        default=None, sa_column=Column(EncryptedText("person.inn"), nullable=True)
    )
    snils_blind: str | None = Field(
        default=None, sa_column=blind_index("person.snils", nullable=True)
    )
    language: str = "ru"
    created_at: datetime = Field(sa_column=utc_column())
    left_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When the person leaves or has left: from then on nothing is open to them.",
    )
    departed_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When roles, sessions and cases were detached after that.",
    )


class RoleGrant(SQLModel, table=True):
    """A role held in a unit and the units below, from one moment until another. Append-only."""

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint(
            "role <> 'auditor' or (valid_until is not null"
            " and valid_until - valid_from <= interval '90 days')",
            name="role_grant_auditor_ends",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    role: str
    unit_id: UUID = Field(foreign_key="unit.id", index=True)
    valid_from: datetime = Field(sa_column=utc_column())
    valid_until: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class StaffAct(SQLModel, table=True):
    """An act on people's accounts, by the client's id: sent again, it gets the same answer.

    What it did and why is in the journal.
    """

    __tablename__ = "staff_act"

    id: UUID = Field(primary_key=True)
    by: UUID | None = Field(
        default=None, foreign_key="person.id", description="None: done at the command line."
    )
    at: datetime = Field(sa_column=utc_column())
    kind: str = Field(description="One of `rules.staff.people.StaffActKind`.")
    body_hash: str
    answer: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class Absence(SQLModel, table=True):
    """Days on which a reviewer is absent (both included), and who stands in."""

    __tablename__ = "absence"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    first_day: date
    last_day: date
    deputy_id: UUID | None = Field(default=None, foreign_key="person.id")


class CoursePass(SQLModel, table=True):
    """All questions of a version were answered right. Append-only."""

    __tablename__ = "course_pass"
    __table_args__ = (Index("course_pass_of_person", "person_id", "at"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id")
    version: int
    at: datetime = Field(sa_column=utc_column())


class CourseReminder(SQLModel, table=True):
    """That somebody was told of the course once, for one assignment of it and one stage."""

    __tablename__ = "course_reminder"

    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    assigned_at: datetime = Field(sa_column=Column(UtcDateTime(), primary_key=True))
    stage: str = Field(primary_key=True, description="One of `rules.course.CourseStage`.")
    at: datetime = Field(sa_column=utc_column())
