"""Patients' records: types of entry, and the dictionary of diagnoses."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

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
