"""Results of the laboratory: versions, whose they are, who answers, what was confirmed (W2)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedJSON, EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id


class LabResult(SQLModel, table=True):
    """One test of one order, and where it stands. The id is made of the laboratory's number.

    Exactly one person answers for it, unless the laboratory has it back.
    """

    __tablename__ = "lab_result"
    __table_args__ = (
        CheckConstraint("(answers_id is null) = (state = 'returned')", name="lab_result_answered"),
        CheckConstraint(
            "(patient_id is null) = (state in ('unmatched', 'returned'))",
            name="lab_result_matched",
        ),
        CheckConstraint(
            "(due_at is null) = (state in ('confirmed', 'returned'))", name="lab_result_due"
        ),
        Index("lab_result_of_patient", "patient_id", "opened_at"),
        Index(
            "lab_result_waits",
            "answers_id",
            "due_at",
            postgresql_where=text("state in ('unmatched', 'awaiting')"),
        ),
        Index(
            "lab_result_of_unit",
            "unit_id",
            "due_at",
            postgresql_where=text("state in ('unmatched', 'awaiting')"),
        ),
    )

    id: UUID = Field(primary_key=True)
    number: str = Field(sa_column=Column(EncryptedText("lab_result.number"), nullable=False))
    unit_id: UUID = Field(foreign_key="unit.id", description="Who ordered it: its days count.")
    ordered_by: UUID | None = Field(default=None, foreign_key="person.id")
    repeats_id: UUID | None = Field(default=None, description="The result that it repeats.")
    patient_id: UUID | None = Field(default=None, foreign_key="patient.id")
    answers_id: UUID | None = Field(
        default=None, foreign_key="person.id", description="Who answers for it."
    )
    state: str = Field(description="`rules.results.life.ResultState`.")
    urgency: str = Field(description="`rules.results.values.Urgency` of the newest version.")
    version: int = Field(description="The newest one.")
    opened_at: datetime = Field(sa_column=utc_column(), description="Since when it waits.")
    due_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    alarms: int = Field(default=0, description="How many alarms are over since it was opened.")
    escalated_at: datetime | None = Field(
        default=None, sa_column=utc_column(nullable=True), description="When the head was told."
    )
    confirmed_version: int | None = None
    confirmed_by: UUID | None = Field(default=None, foreign_key="person.id")
    confirmed_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    return_reason: str | None = Field(
        default=None, sa_column=Column(EncryptedText("lab_result.return_reason"), nullable=True)
    )
    return_told_at: datetime | None = Field(
        default=None, sa_column=utc_column(nullable=True), description="When the laboratory knew."
    )
    looks_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True, index=True),
        description="When its workflow looks at it next; None once nothing waits.",
    )
    woken_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class LabVersion(SQLModel, table=True):
    """What the laboratory said once of a result. Append-only."""

    __tablename__ = "lab_version"
    __table_args__ = (UniqueConstraint("result_id", "number"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    result_id: UUID = Field(foreign_key="lab_result.id")
    number: int = Field(description="The laboratory's number of the version.")
    stage: str = Field(description="`rules.results.life.ResultStage`.")
    urgency: str
    heard_at: datetime = Field(sa_column=utc_column())
    body_hash: str = Field(description="Keyed; tells the same message from another one.")
    said: Any = Field(sa_column=Column(EncryptedJSON("lab_version.said"), nullable=False))


class LabMatch(SQLModel, table=True):
    """That a result is in a patient's record, and until when it was. One at a time."""

    __tablename__ = "lab_match"
    __table_args__ = (
        Index(
            "lab_match_one",
            "result_id",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index("lab_match_of_patient", "patient_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    result_id: UUID = Field(foreign_key="lab_result.id")
    patient_id: UUID = Field(foreign_key="patient.id")
    how: str = Field(description="`rules.results.life.Matching`.")
    made_at: datetime = Field(sa_column=utc_column())
    made_by: UUID | None = Field(default=None, foreign_key="person.id", description="None: by us.")
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    ended_by: UUID | None = Field(
        default=None, foreign_key="person.id", description="None: the laboratory named another."
    )
    reason: str | None = Field(
        default=None, sa_column=Column(EncryptedText("lab_match.reason"), nullable=True)
    )


class LabReading(SQLModel, table=True):
    """That somebody saw a version while it was in that patient's record. Append-only."""

    __tablename__ = "lab_reading"

    match_id: UUID = Field(foreign_key="lab_match.id", primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime = Field(sa_column=utc_column())


class LabConfirmation(SQLModel, table=True):
    """That somebody confirmed a version that they had seen, and what follows. Append-only."""

    __tablename__ = "lab_confirmation"
    __table_args__ = (
        UniqueConstraint("match_id", "version"),
        ForeignKeyConstraint(
            ["match_id", "by", "version"],
            ["lab_reading.match_id", "lab_reading.person_id", "lab_reading.version"],
            name="lab_confirmation_seen",
        ),
        ForeignKeyConstraint(
            ["result_id", "version"],
            ["lab_version.result_id", "lab_version.number"],
            name="lab_confirmation_version",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    result_id: UUID = Field(foreign_key="lab_result.id", index=True)
    match_id: UUID = Field(foreign_key="lab_match.id")
    version: int
    by: UUID = Field(foreign_key="person.id")
    at: datetime = Field(sa_column=utc_column())
    next_step: str = Field(description="`rules.results.life.NextStep`.")
    follows: str = Field(
        sa_column=Column(EncryptedText("lab_confirmation.follows"), nullable=False)
    )


class LabOffer(SQLModel, table=True):
    """That somebody was asked to answer for a result instead, and what became of it."""

    __tablename__ = "lab_offer"
    __table_args__ = (
        Index(
            "lab_offer_one",
            "result_id",
            unique=True,
            postgresql_where=text("state = 'offered'"),
        ),
        Index("lab_offer_to", "to_id", postgresql_where=text("state = 'offered'")),
        CheckConstraint("from_id <> to_id", name="lab_offer_two"),
        CheckConstraint("(state = 'offered') = (ended_at is null)", name="lab_offer_ended"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    result_id: UUID = Field(foreign_key="lab_result.id")
    from_id: UUID = Field(foreign_key="person.id")
    to_id: UUID = Field(foreign_key="person.id")
    reason: str = Field(sa_column=Column(EncryptedText("lab_offer.reason"), nullable=False))
    made_at: datetime = Field(sa_column=utc_column())
    lapses_at: datetime = Field(sa_column=utc_column())
    state: str = Field(description="`rules.results.life.OfferState`.")
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class LabCall(SQLModel, table=True):
    """That a critical version was told by telephone, or that nobody rang. Append-only."""

    __tablename__ = "lab_call"
    __table_args__ = (
        ForeignKeyConstraint(
            ["result_id", "version"],
            ["lab_version.result_id", "lab_version.number"],
            name="lab_call_version",
        ),
        CheckConstraint("(told_at is null) = (not rang)", name="lab_call_told"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    result_id: UUID = Field(foreign_key="lab_result.id", index=True)
    version: int
    rang: bool
    told_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    words: str = Field(sa_column=Column(EncryptedText("lab_call.words"), nullable=False))
    by: UUID = Field(foreign_key="person.id")
    at: datetime = Field(sa_column=utc_column())
