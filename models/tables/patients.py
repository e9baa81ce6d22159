"""Patients: who they are, which of them are one person, and who opened their records why (W2)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.blind_indexes import blind_index, shared_blind_index, shared_places, unique_places
from models.encrypted_columns import EncryptedJSON, EncryptedText
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


class RecordOpening(SQLModel, table=True):
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


class Emergency(SQLModel, table=True):
    """What became of a record that was opened as an emergency. The id is that of the opening."""

    __tablename__ = "patient_emergency"
    __table_args__ = (
        CheckConstraint("judged_by <> person_id", name="patient_emergency_not_own"),
        CheckConstraint("judge_id <> person_id", name="patient_emergency_judge"),
        CheckConstraint(
            "(state = 'waits') = (judged_at is null) and (judged_at is null) = (judged_by is null)",
            name="patient_emergency_judged",
        ),
        Index("patient_emergency_waits", "due_at", postgresql_where=text("state = 'waits'")),
        Index("patient_emergency_of_person", "person_id", "state"),
        Index("patient_emergency_looks", "looks_at", postgresql_where=text("looks_at is not null")),
    )

    id: UUID = Field(primary_key=True, foreign_key="patient_opening.id")
    person_id: UUID = Field(foreign_key="person.id", description="Who opened the record.")
    unit_id: UUID = Field(foreign_key="unit.id", description="The unit of that person then.")
    state: str = Field(description="One of `rules.patients.emergencies.EmergencyState`.")
    judge_id: UUID | None = Field(
        default=None, foreign_key="person.id", description="Who took it; None: it is in the queue."
    )
    due_at: datetime = Field(sa_column=utc_column())
    reminded: int = 0
    looks_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    woken_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    judged_by: UUID | None = Field(default=None, foreign_key="person.id")
    judged_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    verdict: str | None = Field(
        default=None,
        sa_column=Column(EncryptedText("patient_emergency.verdict"), nullable=True),
        description="The words of the judge, for the person, the head and the patient.",
    )
    grants: list[str] = Field(
        default_factory=list,
        sa_column=Column(JSONB, nullable=False, server_default=text("'[]'")),
        description="The grants whose end was proposed: until that is decided, none by emergency.",
    )


class PatientInvitation(SQLModel, table=True):
    """A link by which one patient reads who looked; with a code by telephone at each entry."""

    __tablename__ = "patient_invitation"
    __table_args__ = (
        Index(
            "patient_invitation_open",
            "patient_id",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    patient_id: UUID = Field(foreign_key="patient.id")
    secret_hash: str = Field(unique=True, description="SHA-256 of the secret in the link.")
    created_by: UUID = Field(foreign_key="person.id")
    created_at: datetime = Field(sa_column=utc_column())
    ends_at: datetime = Field(sa_column=utc_column())
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    ended_by: UUID | None = Field(default=None, foreign_key="person.id")
    entered_at: datetime | None = Field(
        default=None, sa_column=utc_column(nullable=True), description="The last entry."
    )


class PatientEntry(SQLModel, table=True):
    """One entry of an invited patient: a code that was sent, then a session that ends."""

    __tablename__ = "patient_entry"
    __table_args__ = (Index("patient_entry_of_invitation", "invitation_id", "asked_at"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    invitation_id: UUID = Field(foreign_key="patient_invitation.id")
    asked_at: datetime = Field(sa_column=utc_column())
    code_hash: str | None = Field(default=None, description="Keyed hash; none once it was used.")
    tries: int = 0
    token_hash: str | None = Field(
        default=None, unique=True, description="SHA-256 of the token in the cookie."
    )
    ends_at: datetime = Field(
        sa_column=utc_column(), description="Of the code, then of the session."
    )


class PatientCheck(SQLModel, table=True):
    """The newest comparison of a patient with the registry of patients. The id is the patient's."""

    __tablename__ = "patient_check"
    __table_args__ = (
        Index(
            "patient_check_waits", "next_try_at", postgresql_where=text("next_try_at is not null")
        ),
    )

    id: UUID = Field(primary_key=True, foreign_key="patient.id")
    asked_by: UUID = Field(foreign_key="person.id")
    asked_at: datetime = Field(sa_column=utc_column())
    version: int = Field(description="Which version of the identity was asked about.")
    outcome: str | None = Field(
        default=None, description="One of `rules.patients.checks.CheckOutcome`; None: it waits."
    )
    said: Any = Field(
        default=None,
        sa_column=Column(EncryptedJSON("patient_check.said"), nullable=True),
        description="What the registry said in each field, where it knows exactly one.",
    )
    tries: int = 0
    next_try_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    woken_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    done_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
