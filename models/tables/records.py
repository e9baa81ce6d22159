"""Patients' records: entries in versions, drafts, types of entry, and the dictionary of diagnoses.

Whose an entry is, when it was signed and where it stands are in the clear, so that lists need no
keys; what it says is encrypted.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedJSON, EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id


class EntryType(SQLModel, table=True):
    """One version of a type of entry; `definition` is an `EntryTypeDefinition`."""

    __tablename__ = "entry_type"

    key: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    definition: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    valid_from: datetime = Field(sa_column=utc_column())


class Icd10Edition(SQLModel, table=True):
    """An edition of МКБ-10 that was imported."""

    __tablename__ = "icd10_edition"

    name: str = Field(primary_key=True, description="As its publisher numbers it, such as 2.27.")
    sha256: str
    imported_at: datetime = Field(sa_column=utc_column())
    added: int
    renamed: int
    closed: int


class Icd10Code(SQLModel, table=True):
    """A code with its name from one day until another. Rows are closed, never changed otherwise."""

    __tablename__ = "icd10_code"
    __table_args__ = (
        Index(
            "icd10_code_current",
            "code",
            unique=True,
            postgresql_where=text("valid_until is null"),
        ),
        CheckConstraint("valid_until >= valid_from", name="icd10_code_days"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    code: str
    name: str
    search_text: str = Field(description="The name as it is searched.")
    edition: str = Field(
        foreign_key="icd10_edition.name", description="The edition that first said so."
    )
    valid_from: date
    valid_until: date | None = Field(
        default=None, description="From this day on it does not count; None: it counts."
    )


class RecordEntry(SQLModel, table=True):
    """One entry of a patient's record. It is never deleted; what it says are its versions."""

    __tablename__ = "record_entry"
    __table_args__ = (
        Index("record_entry_of_patient", "patient_id", "signed_at"),
        Index("record_entry_of_type", "patient_id", "type"),
        Index("record_entry_of_visit", "visit_id", postgresql_where=text("visit_id is not null")),
        CheckConstraint(
            "(mistaken_at is null) = (mistaken_by is null)", name="record_entry_mistaken"
        ),
        CheckConstraint("version > 0", name="record_entry_version"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True, description="The id of its draft.")
    patient_id: UUID = Field(foreign_key="patient.id")
    visit_id: UUID | None = Field(default=None, foreign_key="appointment.id")
    type: str = Field(description="The key of its type.")
    version: int = Field(default=1, description="The number of the current version.")
    author_id: UUID = Field(foreign_key="person.id")
    unit_id: UUID = Field(foreign_key="unit.id", description="Where its author worked.")
    signed_at: datetime = Field(sa_column=utc_column())
    mistaken_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    mistaken_by: UUID | None = Field(default=None, foreign_key="person.id")
    mistaken_reason: str | None = Field(
        default=None, sa_column=Column(EncryptedText("record_entry.mistaken_reason"), nullable=True)
    )
    erased_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When its contents were erased, their term being over.",
    )


class RecordVersion(SQLModel, table=True):
    """What an entry said when it was signed. Only erasing at the end of its term changes it."""

    __tablename__ = "record_version"
    __table_args__ = (
        UniqueConstraint("entry_id", "number"),
        Index("record_version_made_by", "made_by", "made_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    entry_id: UUID = Field(foreign_key="record_entry.id")
    number: int = Field(description="From 1.")
    type_version: int = Field(description="The version of the type it was written by.")
    data: dict[str, Any] = Field(
        sa_column=Column(EncryptedJSON("record_version.data"), nullable=False),
        description="The values of the type's form.",
    )
    codes: dict[str, Any] = Field(
        sa_column=Column(EncryptedJSON("record_version.codes"), nullable=False),
        description="By field, each code of МКБ-10 with its name and edition as they were then.",
    )
    reason: str | None = Field(
        default=None, sa_column=Column(EncryptedText("record_version.reason"), nullable=True)
    )
    made_at: datetime = Field(sa_column=utc_column())
    made_by: UUID = Field(foreign_key="person.id")


class RecordDraft(SQLModel, table=True):
    """What somebody has typed so far: of a new entry, or of a correction. Only they see it.

    Its id becomes that of the entry or of the version, so that it is signed once.
    """

    __tablename__ = "record_draft"
    __table_args__ = (
        Index("record_draft_of_author", "author_id", "id"),
        Index("record_draft_of_patient", "patient_id"),
        Index(
            "record_draft_of_correction",
            "author_id",
            "entry_id",
            unique=True,
            postgresql_where=text("entry_id is not null"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    author_id: UUID = Field(foreign_key="person.id")
    patient_id: UUID = Field(foreign_key="patient.id")
    visit_id: UUID | None = Field(default=None, foreign_key="appointment.id")
    type: str
    entry_id: UUID | None = Field(
        default=None, foreign_key="record_entry.id", description="What it corrects."
    )
    base_version: int = Field(default=0, description="The version that its author has seen.")
    data: dict[str, Any] = Field(
        sa_column=Column(EncryptedJSON("record_draft.data"), nullable=False)
    )
    reason: str = Field(
        default="", sa_column=Column(EncryptedText("record_draft.reason"), nullable=False)
    )
    created_at: datetime = Field(sa_column=utc_column())
    saved_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
