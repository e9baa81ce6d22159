"""People: units, roles, absences, and who passed the course on protecting data."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.blind_indexes import blind_index, unique_places
from models.encrypted_columns import EncryptedJSON, EncryptedText
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
    urgent_access: bool = Field(
        default=False,
        sa_column_kwargs={"server_default": "false"},
        description="Whether rights may be had here before they are confirmed and approved.",
    )


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
    """A role or a permission held in a unit and the units below, from one moment until another.

    Append-only. `role` is the name of either (`rules.access.Right`).
    """

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint(
            "role not in ('auditor', 'audit_cases') or (valid_until is not null"
            " and valid_until - valid_from <= interval '90 days')",
            name="role_grant_auditor_ends",
        ),
        CheckConstraint(
            "case_id is null"
            " or (urgent and valid_until is not null"
            " and valid_until <= valid_from + interval '24 hours')"
            " or (confirmed_by is not null and approved_by is not null"
            " and asked_by <> confirmed_by and asked_by <> approved_by"
            " and confirmed_by <> approved_by"
            " and person_id <> confirmed_by and person_id <> approved_by)",
            name="role_grant_four_eyes",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    role: str
    unit_id: UUID = Field(foreign_key="unit.id", index=True)
    valid_from: datetime = Field(sa_column=utc_column())
    valid_until: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    case_id: UUID | None = Field(
        default=None,
        foreign_key="case.id",
        index=True,
        description="The change of rights that gave it; None: bootstrap or demonstration.",
    )
    asked_by: UUID | None = Field(default=None, foreign_key="person.id")
    confirmed_by: UUID | None = Field(default=None, foreign_key="person.id")
    approved_by: UUID | None = Field(default=None, foreign_key="person.id")
    urgent: bool = Field(
        default=False,
        sa_column_kwargs={"server_default": "false"},
        description="Given before anybody decided, for a day at most.",
    )
    ended_case_id: UUID | None = Field(
        default=None,
        foreign_key="case.id",
        description="The change of rights that took it.",
    )
    ended_by: UUID | None = Field(
        default=None,
        foreign_key="person.id",
        description="Who ended it at once, or refused what had been given urgently.",
    )


class RoleChange(SQLModel, table=True):
    """The subject of one case; the person it is about stands in the case (`subject_id`)."""

    __tablename__ = "access_change"
    __table_args__ = (
        CheckConstraint(
            "subject_id <> confirmed_by and subject_id <> approved_by"
            " and asked_by <> confirmed_by and asked_by <> approved_by"
            " and confirmed_by <> approved_by",
            name="access_change_three_people",
        ),
        CheckConstraint(
            "approved_by is null or confirmed_by is not null", name="access_change_in_turn"
        ),
        Index(
            "access_change_open",
            "subject_id",
            "role",
            "unit_id",
            text("(takes_grant_id is null)"),
            unique=True,
            postgresql_where=text("open"),
        ),
    )

    case_id: UUID = Field(foreign_key="case.id", primary_key=True)
    subject_id: UUID = Field(foreign_key="person.id", index=True)
    asked_by: UUID = Field(foreign_key="person.id")
    role: str
    unit_id: UUID = Field(foreign_key="unit.id")
    takes_grant_id: UUID | None = Field(
        default=None,
        foreign_key="role_grant.id",
        description="The grant to be ended; None where a role is asked for.",
    )
    valid_from: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="From when the role is wanted; None: as soon as it is approved.",
    )
    valid_until: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    urgent: bool = False
    confirmed_by: UUID | None = Field(default=None, foreign_key="person.id")
    approved_by: UUID | None = Field(default=None, foreign_key="person.id")
    open: bool = Field(default=True, description="Whether it waits for a decision.")
    proposed: bool = Field(
        default=False,
        sa_column_kwargs={"server_default": "false"},
        description="Whether nobody asked: what the right rests on is over.",
    )


class PersonnelRecord(SQLModel, table=True):
    """The newest that the personnel register has said of one employment.

    The id is made of the record's number (`services.staff.personnel`).
    """

    __tablename__ = "personnel_record"
    __table_args__ = (
        Index(
            "personnel_record_trouble",
            "trouble_since",
            postgresql_where=text("trouble is not null"),
        ),
    )

    id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    record: Any = Field(sa_column=Column(EncryptedJSON("personnel_record.record"), nullable=False))
    heard_at: datetime = Field(sa_column=utc_column())
    person_id: UUID | None = Field(default=None, foreign_key="person.id", index=True)
    ended: bool = Field(default=False, description="Whether the employment has an end.")
    left_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="The departure that was entered for it.",
    )
    absence_id: UUID | None = Field(
        default=None,
        foreign_key="absence.id",
        ondelete="SET NULL",
        description="The absence that was entered for its leave.",
    )
    trouble: str | None = Field(
        default=None,
        description="Why it waits for a person: one of `rules.staff.personnel.RecordTrouble`.",
    )
    trouble_since: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


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
