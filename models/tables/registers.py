"""What state registers say of people, and how far the comparison with them is."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedJSON, EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id


class RegisterRecord(SQLModel, table=True):
    """What one register said last of one person. The id is made of both (`services.registers`)."""

    __tablename__ = "register_record"
    __table_args__ = (UniqueConstraint("person_id", "source"),)

    id: UUID = Field(primary_key=True)
    person_id: UUID = Field(foreign_key="person.id")
    source: str = Field(description="`rules.registers.kinds.RegisterName`.")
    state: str = Field(description="`rules.registers.kinds.RecordState`.")
    revision: int = Field(description="Of the register; 0: it does not know the person.")
    records: list[dict[str, Any]] = Field(
        sa_column=Column(EncryptedJSON("register_record.records"), nullable=False)
    )
    changed_on: date | None = Field(
        default=None, description="The day on which it changed in the register, as that says."
    )
    seen_at: datetime = Field(sa_column=utc_column())
    """When we first read this revision."""
    checked_at: datetime = Field(sa_column=utc_column())
    """When the register last said that this is so."""


class RegisterRun(SQLModel, table=True):
    """One comparison of everybody with one register. Whoever was done stands in a row of its own.

    People are gone through in the order of their ids; `cursor` is the last who was done.
    """

    __tablename__ = "register_run"
    __table_args__ = (
        Index(
            "register_run_open", "source", unique=True, postgresql_where=text("ended_at is null")
        ),
        Index("register_run_latest", "source", "started_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    source: str = Field(description="`rules.registers.kinds.RegisterName`.")
    started_at: datetime = Field(sa_column=utc_column())
    cursor: UUID | None = None
    total: int = Field(description="How many people there were to compare when it began.")
    done: int = 0
    changed: int = Field(default=0, description="Of how many the register said something new.")
    unknown: int = Field(default=0, description="How many the register does not know.")
    asked: int = Field(default=0, description="How many requests were answered.")
    worked: float = Field(default=0.0, description="Seconds of work, without waiting for outages.")
    next_try_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When the register is asked again that did not answer.",
    )
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class RegisterRunPerson(SQLModel, table=True):
    """That a person was compared in a run. The key keeps anybody from being compared twice."""

    __tablename__ = "register_run_person"

    run_id: UUID = Field(foreign_key="register_run.id", primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    state: str = Field(description="`rules.registers.kinds.RecordState`.")


class RegisterCheck(SQLModel, table=True):
    """That a person asked to be compared now. One is open at a time."""

    __tablename__ = "register_check"
    __table_args__ = (
        Index(
            "register_check_open",
            "person_id",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index("register_check_waiting", "next_try_at", postgresql_where=text("ended_at is null")),
        Index("register_check_of_person", "person_id", "asked_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id")
    asked_at: datetime = Field(sa_column=utc_column())
    waits_for: list[str] = Field(
        sa_column=Column(JSONB, nullable=False), description="Registers that have yet to answer."
    )
    tries: int = 0
    next_try_at: datetime = Field(sa_column=utc_column())
    woken_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    """When the sweeper last woke its workflow."""
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    given_up: bool = False


class RegisterDispute(SQLModel, table=True):
    """That a person says a register is wrong, with what both said then, and what was answered."""

    __tablename__ = "register_dispute"
    __table_args__ = (
        Index("register_dispute_of_person", "person_id", "at"),
        Index("register_dispute_open", "at", postgresql_where=text("answered_at is null")),
        Index(
            "register_dispute_once",
            "person_id",
            "subject",
            unique=True,
            postgresql_where=text("answered_at is null"),
        ),
        CheckConstraint("answered_by <> person_id", name="register_dispute_answered"),
    )

    id: UUID = Field(primary_key=True)
    person_id: UUID = Field(foreign_key="person.id")
    credential_id: UUID | None = Field(
        default=None, foreign_key="credential.id", description="None: the register alone has it."
    )
    source: str = Field(description="`rules.registers.kinds.RegisterName`.")
    category: str
    subject: str = Field(
        description="The credential, or a keyed hash of what the register alone has."
    )
    fields: list[dict[str, Any]] = Field(
        sa_column=Column(EncryptedJSON("register_dispute.fields"), nullable=False),
        description="What both said of each field in which they differed.",
    )
    words: str = Field(sa_column=Column(EncryptedText("register_dispute.words"), nullable=False))
    at: datetime = Field(sa_column=utc_column())
    answer: str | None = Field(
        default=None, sa_column=Column(EncryptedText("register_dispute.answer"), nullable=True)
    )
    answered_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    answered_by: UUID | None = Field(default=None, foreign_key="person.id")
