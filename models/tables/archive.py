"""The archive: saved views, exports, and how long cases are kept."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, text
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedJSON, EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id


class SavedView(SQLModel, table=True):
    """Filters of the archive that a person has saved under a name."""

    __tablename__ = "saved_view"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    name: str = Field(sa_column=Column(EncryptedText("saved_view.name"), nullable=False))
    query: str = Field(
        sa_column=Column(EncryptedText("saved_view.query"), nullable=False),
        description="The address of the page, after its `?`.",
    )
    created_at: datetime = Field(sa_column=utc_column())


class Export(SQLModel, table=True):
    """A list that becomes a file: requested by a person, made by a workflow.

    `after` is the place in the list that the last whole part reached. Parts are in the object store
    under `folder` until the file is made, so that a run that was cut off continues from there.
    """

    __tablename__ = "export"
    __table_args__ = (
        Index("export_of_person", "person_id", "id"),
        Index(
            "export_under_way",
            "beat_at",
            postgresql_where=text("state in ('waiting', 'running')"),
        ),
        CheckConstraint("kind in ('pdf', 'xlsx')", name="export_kind"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id")
    kind: str = Field(description="`pdf` or `xlsx`.")
    filters: dict[str, Any] = Field(
        sa_column=Column(EncryptedJSON("export.filters"), nullable=False)
    )
    scope: dict[str, Any] = Field(
        sa_column=Column(EncryptedJSON("export.scope"), nullable=False),
        description="What the person could see then; if it is less now, the file is refused.",
    )
    zone: str = Field(description="Time zone of the times in the file: that of the person's unit.")
    state: str = Field(description="One of `rules.archive.ExportState`.")
    reason: str | None = Field(default=None, description="Code of the reason why it failed.")
    total: int
    done: int = 0
    parts: int = 0
    after: str | None = None
    folder: str = Field(unique=True)
    object_key: str | None = Field(default=None, unique=True)
    size: int | None = Field(default=None, description="Bytes.")
    sha256: str | None = None
    asked_at: datetime = Field(sa_column=utc_column())
    beat_at: datetime = Field(sa_column=utc_column())
    woken_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When the sweeper last woke its workflow.",
    )
    ready_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    ends_at: datetime = Field(sa_column=utc_column())


class RetentionTerm(SQLModel, table=True):
    """How many years closed cases of a type are kept; an empty type means the whole kind."""

    __tablename__ = "retention_term"

    kind: str = Field(primary_key=True)
    type: str = Field(primary_key=True, default="")
    years: int
    ground: str = Field(description="The rule that says so, in words.")


class CaseRetention(SQLModel, table=True):
    """Until when a closed case is kept, and what was decided about that."""

    __tablename__ = "case_retention"
    __table_args__ = (
        Index(
            "case_retention_due",
            "retain_until",
            "case_id",
            postgresql_where=text("erased_at is null"),
        ),
    )

    case_id: UUID = Field(foreign_key="case.id", primary_key=True)
    closed_at: datetime = Field(
        sa_column=utc_column(),
        description="Step of the case when the term was set; a case may reopen.",
    )
    retain_until: datetime = Field(sa_column=utc_column())
    told_days: int | None = Field(
        default=None, description="The last notice that was given, in days before the end."
    )
    held_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    held_by: UUID | None = Field(default=None, foreign_key="person.id")
    hold_reason: str | None = Field(
        default=None,
        sa_column=Column(EncryptedText("case_retention.hold_reason"), nullable=True),
    )
    erased_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
