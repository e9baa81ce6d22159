"""Patients: who they are, which of them are one person, and who opened their records why (W2)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, text
from sqlmodel import Field, SQLModel

from models.blind_indexes import blind_index, shared_blind_index, shared_places, unique_places
from models.encrypted_columns import EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id
from rules.patients.identity import birth_key, name_key, policy_key, snils_key


class Patient(SQLModel, table=True):
    """A patient under an opaque id. A row is never deleted, and never given to another one.

    SNILS and policy are alone among all patients, linked or not: so a link can always be ended.
    """

    __tablename__ = "patient"
    __table_args__ = (
        *unique_places("patient", "snils_blind"),
        *unique_places("patient", "policy_blind"),
        *shared_places("patient", "name_blind"),
        *shared_places("patient", "birth_blind"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    unit_id: UUID = Field(foreign_key="unit.id", index=True)
    version: int = Field(default=1, description="Counts corrections of the identity.")
    name: str = Field(sa_column=Column(EncryptedText("patient.name"), nullable=False))
    birth_date: str = Field(
        sa_column=Column(EncryptedText("patient.birth_date"), nullable=False),
        description="In ISO form.",
    )
    sex: str = Field(
        sa_column=Column(EncryptedText("patient.sex"), nullable=False),
        description="One of `rules.patients.identity.Sex`.",
    )
    snils: str | None = Field(
        default=None, sa_column=Column(EncryptedText("patient.snils"), nullable=True)
    )
    policy: str | None = Field(
        default=None, sa_column=Column(EncryptedText("patient.policy"), nullable=True)
    )
    phone: str | None = Field(
        default=None, sa_column=Column(EncryptedText("patient.phone"), nullable=True)
    )
    email: str | None = Field(
        default=None, sa_column=Column(EncryptedText("patient.email"), nullable=True)
    )
    name_blind: str = Field(sa_column=shared_blind_index("patient.name", name_key))
    birth_blind: str = Field(sa_column=shared_blind_index("patient.birth_date", birth_key))
    snils_blind: str | None = Field(
        default=None, sa_column=blind_index("patient.snils", snils_key, nullable=True)
    )
    policy_blind: str | None = Field(
        default=None, sa_column=blind_index("patient.policy", policy_key, nullable=True)
    )
    created_at: datetime = Field(sa_column=utc_column())
    created_by: UUID | None = Field(
        default=None, foreign_key="person.id", description="None: entered by a program."
    )


class PatientLink(SQLModel, table=True):
    """That one patient is another: proposed by somebody, made by somebody else, ended some day.

    Nothing else is rewritten, so that ending it parts exactly what stood apart before.
    """

    __tablename__ = "patient_link"
    __table_args__ = (
        CheckConstraint("from_id <> to_id", name="patient_link_two"),
        CheckConstraint("made_by <> proposed_by", name="patient_link_four_eyes"),
        CheckConstraint("(made_by is null) = (made_at is null)", name="patient_link_made"),
        CheckConstraint("(ended_by is null) = (ended_at is null)", name="patient_link_ended"),
        Index(
            "patient_link_open", "from_id", unique=True, postgresql_where=text("ended_at is null")
        ),
        Index("patient_link_to", "to_id", postgresql_where=text("ended_at is null")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    from_id: UUID = Field(foreign_key="patient.id")
    to_id: UUID = Field(foreign_key="patient.id")
    reason: str = Field(sa_column=Column(EncryptedText("patient_link.reason"), nullable=False))
    proposed_by: UUID = Field(foreign_key="person.id")
    proposed_at: datetime = Field(sa_column=utc_column())
    made_by: UUID | None = Field(default=None, foreign_key="person.id")
    made_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    ended_by: UUID | None = Field(default=None, foreign_key="person.id")
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    end_reason: str | None = Field(
        default=None, sa_column=Column(EncryptedText("patient_link.end_reason"), nullable=True)
    )


class Opening(SQLModel, table=True):
    """That somebody opened a closed record, for a reason from the list or as an emergency."""

    __tablename__ = "patient_opening"
    __table_args__ = (
        CheckConstraint("emergency = (ground is null)", name="patient_opening_ground"),
        CheckConstraint(
            "ends_at > at and ends_at <= at + interval '3 hours'", name="patient_opening_ends"
        ),
        Index("patient_opening_of", "person_id", "patient_id", "ends_at"),
        Index("patient_opening_of_patient", "patient_id", "at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    patient_id: UUID = Field(foreign_key="patient.id")
    person_id: UUID = Field(foreign_key="person.id")
    emergency: bool = False
    ground: str | None = Field(
        default=None, description="A name of `rules.patients.grounds.GROUNDS`; None: an emergency."
    )
    words: str = Field(
        default="", sa_column=Column(EncryptedText("patient_opening.words"), nullable=False)
    )
    at: datetime = Field(sa_column=utc_column())
    ends_at: datetime = Field(sa_column=utc_column())


class PatientView(SQLModel, table=True):
    """One look at a record, and by which way. Append-only; the id is that of the `record_view`."""

    __tablename__ = "patient_view"
    __table_args__ = (
        Index("patient_view_of_patient", "patient_id", "at"),
        Index("patient_view_by_person", "person_id", "at"),
    )

    id: UUID = Field(primary_key=True, foreign_key="record_view.id")
    patient_id: UUID = Field(foreign_key="patient.id")
    person_id: UUID = Field(foreign_key="person.id")
    at: datetime = Field(sa_column=utc_column())
    way: str = Field(description="A name registered in `services.patients.ways`, or of `Opened`.")
    opening_id: UUID | None = Field(default=None, foreign_key="patient_opening.id")
