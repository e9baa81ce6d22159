"""The catalogue: types of case, programmes, stock reasons, and days that a decree has changed.

A version is never changed once it is written: a case keeps the type and the programme it began
with.
"""

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Computed, Index, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlmodel import Field, SQLModel

from models.tables.base import utc_column
from rules.catalogue.intakes import Intake, intakes_of
from rules.forms.definitions import ProgrammeRules
from rules.ids import new_id


class CaseTypeVersion(SQLModel, table=True):
    """One version of a type of case; `definition` is a `CaseTypeDefinition`."""

    __tablename__ = "case_type_version"

    key: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    definition: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    valid_from: datetime = Field(sa_column=utc_column())


class Programme(SQLModel, table=True):
    """One version of a programme of training (A1)."""

    __tablename__ = "programme"
    __table_args__ = (
        UniqueConstraint("code", "version"),
        CheckConstraint("kind in ('course', 'distance', 'seminar')", name="programme_kind"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    code: str
    version: int
    title: str
    kind: str = Field(description="`course`, `distance` or `seminar`.")
    organisation: str
    hours: int
    certified_hours: int
    starts_on: list[str] = Field(
        sa_column=Column(JSONB, nullable=False), description="ISO dates; empty: at any time."
    )
    intake_limits: dict[str, Any] = Field(
        default_factory=dict,
        sa_column=Column(JSONB, nullable=False, server_default="{}"),
        description="By day of `starts_on`: `places`, and `apply_until` as an ISO date.",
    )
    description: str
    specialties: list[str] = Field(
        sa_column=Column(JSONB, nullable=False), description="Values of the form; empty: all."
    )
    attachments: dict[str, Any] = Field(
        sa_column=Column(JSONB, nullable=False), description="Rules under `add` and `waive`."
    )
    checklist: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    terms: dict[str, Any] | None = Field(sa_column=Column(JSONB(none_as_null=True), nullable=True))
    sort_key: str = Field(sa_column=Column(Text(collation="C"), nullable=False, index=True))
    search_text: str = Field(description="What a search looks into, folded.")
    valid_from: datetime = Field(sa_column=utc_column())
    withdrawn_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))

    @property
    def intakes(self) -> list[Intake]:
        """Its intakes with their limits; empty if it may begin on any day."""
        return intakes_of(self.starts_on, self.intake_limits)

    @property
    def rules(self) -> ProgrammeRules:
        """What it changes in the type of its applications."""
        own = {**self.attachments, "checklist": self.checklist, "terms": self.terms}
        return ProgrammeRules.model_validate(own)


class IntakeCount(SQLModel, table=True):
    """How many cases have a place in an intake, in all versions of its programme together."""

    __tablename__ = "intake_count"
    __table_args__ = (CheckConstraint("taken >= 0", name="intake_count_taken"),)

    programme_code: str = Field(primary_key=True)
    starts_on: date = Field(primary_key=True)
    taken: int


SEARCH_WORDS: Any = Column(
    "search_words",
    TSVECTOR,
    Computed("to_tsvector('russian'::regconfig, search_text)", persisted=True),
)
"""The stems of a programme's `search_text`; the database keeps them, nobody writes them here."""
cast("Table", Programme.__table__).append_column(SEARCH_WORDS)  # type: ignore[attr-defined]


class Reason(SQLModel, table=True):
    """A stock reason, which a reviewer may take and edit (A4)."""

    __tablename__ = "reason"
    __table_args__ = (
        CheckConstraint("outcome in ('approve', 'clarify', 'reject')", name="reason_outcome"),
    )

    key: str = Field(primary_key=True)
    outcome: str
    position: int
    title: str = Field(description="What stands in the list.")
    text: str = Field(description="What is put into the decision.")
    active: bool = True


class CalendarDay(SQLModel, table=True):
    """A day that a decree has made working or not, unlike the calendar known before."""

    __tablename__ = "calendar_day"

    day: date = Field(primary_key=True)
    working: bool
    source: str = Field(description="The decree.")


class CatalogueChange(SQLModel, table=True):
    """One change by one person. The client makes the id: sending it again changes nothing."""

    __tablename__ = "catalogue_change"
    __table_args__ = (Index("catalogue_change_of", "subject", "key", "at"),)

    id: UUID = Field(primary_key=True)
    subject: str = Field(description="`rules.catalogue.entries.Subject`.")
    key: str = Field(description="Code of a programme or unit, key of a type or reason, a day.")
    at: datetime = Field(sa_column=utc_column())
    by: UUID = Field(foreign_key="person.id")
    valid_from: datetime = Field(sa_column=utc_column())
    version: int | None = Field(default=None, description="Of what is kept in versions.")
    before: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    after: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    body_hash: str
