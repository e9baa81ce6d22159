"""Cases: what was asked, in which versions, what was decided and by whom.

Number, status, units and times are not encrypted, so that lists and queues need no keys; what
people wrote is encrypted. Notices, journal and documents have tables of their own.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, TextClause, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedJSON, EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id

LISTED_AT = "coalesce(submitted_at, created_at)"
"""The moment by which lists are ordered: a case's submission, or a draft's beginning."""

_NO_PROGRAMME = text("programme_id is null")
_OPEN = text("closed_at is null")


def _of_archive(name: str, *columns: str, where: TextClause | None = None) -> Index:
    """An index for scans of the archive. Only they ask for its order of nulls."""
    return Index(
        f"case_archive_{name}",
        *columns,
        text(f"{LISTED_AT} nulls first"),
        "id",
        postgresql_where=where,
    )


class Case(SQLModel, table=True):
    """One application or request. Only `services.cases.transitions` changes a row."""

    __tablename__ = "case"
    __table_args__ = (
        Index("case_of_applicant", "applicant_id", text(LISTED_AT), "id"),
        Index("case_queue", "responsible_unit_id", "status", "due_at", "id"),
        Index("case_list", "responsible_unit_id", text(LISTED_AT), "id"),
        Index("case_of_unit", "unit_id", text(LISTED_AT), "id"),
        Index("case_of_reviewer", "reviewer_id", "assigned_at"),
        Index("case_open_of_reviewer", "reviewer_id", "status", postgresql_where=_OPEN),
        Index(
            "case_decided_otherwise",
            "review_permission",
            "responsible_unit_id",
            text(LISTED_AT),
            "id",
            postgresql_where=text("review_permission <> 'review'"),
        ),
        Index(
            "case_decided_earlier",
            "earlier_reviewers",
            postgresql_using="gin",
            postgresql_where=text("earlier_reviewers <> '{}'"),
        ),
        Index("case_stood_in", "stands_in_for", postgresql_where=text("stands_in_for is not null")),
        _of_archive("status", "responsible_unit_id", "status"),
        _of_archive("type", "responsible_unit_id", "kind", "type"),
        _of_archive("programme", "responsible_unit_id", "programme_id"),
        _of_archive("no_programme", "responsible_unit_id", "kind", "type", where=_NO_PROGRAMME),
        _of_archive("unit", "unit_id", "status"),
        _of_archive("unit_programme", "unit_id", "programme_id"),
        _of_archive("unit_no_programme", "unit_id", "kind", "type", where=_NO_PROGRAMME),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: str = Field(description="`application` or `request`.")
    type: str
    type_version: int
    programme_id: UUID | None = Field(default=None, foreign_key="programme.id")
    intake_on: date | None = Field(
        default=None, description="The day of the intake in which it has a place."
    )
    number: str | None = Field(default=None, unique=True)
    applicant_id: UUID = Field(foreign_key="person.id")
    unit_id: UUID = Field(foreign_key="unit.id")
    subject_id: UUID | None = Field(
        default=None,
        foreign_key="person.id",
        description="The person whom the case is about, if not the applicant; never decides it.",
    )
    responsible_unit_id: UUID = Field(foreign_key="unit.id")
    review_permission: str = Field(
        default="review",
        sa_column_kwargs={"server_default": "review"},
        description="With it the case is decided in that unit, where it stands now.",
    )
    earlier_reviewers: list[UUID] = Field(
        default_factory=list,
        sa_column=Column(ARRAY(Uuid()), nullable=False, server_default="{}"),
        description="Who decided before others got their turn; they decide no further step.",
    )
    reviewer_id: UUID | None = Field(default=None, foreign_key="person.id")
    assigned_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When the reviewer got it.",
    )
    stands_in_for: UUID | None = Field(
        default=None,
        foreign_key="person.id",
        description="Absent reviewer who gets it back if the deputy has done nothing.",
    )
    copied_from_id: UUID | None = Field(default=None, foreign_key="case.id")

    status: str
    step: int = 0
    version: int = Field(default=0, description="The newest submitted version; 0 while a draft.")
    created_at: datetime = Field(description="When the draft was begun.", sa_column=utc_column())
    submitted_at: datetime | None = Field(
        default=None,
        description="When it was first submitted; never changed afterwards.",
        sa_column=utc_column(nullable=True),
    )
    since: datetime = Field(sa_column=utc_column())
    closed_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))

    waits_for: str
    due_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    term_zone: str
    term_left: int | None = Field(
        default=None, description="Working days of review left when the clock was paused."
    )
    alarms: int = Field(
        default=0, description="Number of reminders and escalations sent in this step."
    )
    escalated_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    wakes_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True, index=True))
    rung_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    rings: int = Field(
        default=0, description="How often the sweeper woke the case since it last moved."
    )
    stuck: str | None = Field(default=None, description="Type of the error at which it is stuck.")

    draft: dict[str, Any] | None = Field(
        default=None, sa_column=Column(EncryptedJSON("case.draft"), nullable=True)
    )
    draft_attachments: list[dict[str, str]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default="[]")
    )
    draft_saved_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class CaseVersion(SQLModel, table=True):
    """What was submitted: form and attachments, never changed afterwards."""

    __tablename__ = "case_version"

    case_id: UUID = Field(foreign_key="case.id", primary_key=True)
    number: int = Field(primary_key=True)
    data: dict[str, Any] = Field(
        sa_column=Column(EncryptedJSON("case_version.data"), nullable=False)
    )
    salt: bytes = Field(description="Keeps the digest from being guessed.")
    digest: str = Field(description="HMAC-SHA256 of the canonical form and its attachments.")
    submitted_at: datetime = Field(sa_column=utc_column())
    submitted_by: UUID = Field(foreign_key="person.id")
    findings: list[dict[str, Any]] | None = Field(
        default=None, sa_column=Column(EncryptedJSON("case_version.findings"), nullable=True)
    )
    checked_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class CaseAttachment(SQLModel, table=True):
    """A document as cited by one version of a case."""

    __tablename__ = "case_attachment"

    case_id: UUID = Field(foreign_key="case.id", primary_key=True)
    case_version: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    document_version_id: UUID = Field(
        foreign_key="document_version.id", primary_key=True, index=True
    )


class CaseAct(SQLModel, table=True):
    """An act of a person, by the client's id: sent again, it gets the same answer."""

    __tablename__ = "case_act"

    id: UUID = Field(primary_key=True)
    case_id: UUID = Field(foreign_key="case.id", index=True)
    by: UUID = Field(foreign_key="person.id")
    at: datetime = Field(sa_column=utc_column())
    at_step: int
    transition: str
    body_hash: str


class CaseDecision(SQLModel, table=True):
    """What a reviewer decided on one version, and why."""

    __tablename__ = "case_decision"
    __table_args__ = (UniqueConstraint("case_id", "step"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID = Field(foreign_key="case.id")
    step: int = Field(description="The step that was decided.")
    version: int
    outcome: str
    by: UUID = Field(foreign_key="person.id")
    permission: str = Field(
        default="review",
        sa_column_kwargs={"server_default": "review"},
        description="The right with which it was decided.",
    )
    at: datetime = Field(sa_column=utc_column())
    reason: str = Field(sa_column=Column(EncryptedText("case_decision.reason"), nullable=False))
    remarks: dict[str, str] = Field(
        sa_column=Column(EncryptedJSON("case_decision.remarks"), nullable=False),
        description="What is wrong, by name of the field or kind of attachment.",
    )
    checklist: dict[str, bool] = Field(sa_column=Column(JSONB, nullable=False))


class CaseComment(SQLModel, table=True):
    """A message on a case: to the applicant, or an internal remark among reviewers."""

    __tablename__ = "case_comment"
    __table_args__ = (Index("case_comment_of_case", "case_id", "at", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID = Field(foreign_key="case.id")
    by: UUID = Field(foreign_key="person.id")
    at: datetime = Field(sa_column=utc_column())
    internal: bool = False
    text: str = Field(sa_column=Column(EncryptedText("case_comment.text"), nullable=False))


READ_FOR = timedelta(minutes=1)
"""For so long after an open page last reported it, a person counts as reading a case."""


class CaseReading(SQLModel, table=True):
    """Who has the case open at this moment."""

    __tablename__ = "case_reading"

    case_id: UUID = Field(foreign_key="case.id", primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    at: datetime = Field(sa_column=utc_column())


class IssuedAct(SQLModel, table=True):
    """The signed enrolment certificate of a case; the file is in the object store."""

    __tablename__ = "issued_act"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID = Field(foreign_key="case.id", unique=True)
    number: str = Field(unique=True)
    issued_at: datetime = Field(sa_column=utc_column())
    outcome: str
    object_key: str = Field(unique=True)
    sha256: str
    size: int
    public_code_hash: str = Field(unique=True, description="SHA-256 of the code in the QR.")


class Outage(SQLModel, table=True):
    """One outage of an outside system; each system has at most one open row."""

    __tablename__ = "outage"
    __table_args__ = (
        Index("outage_open", "system", unique=True, postgresql_where=text("until is null")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    system: str
    since: datetime = Field(sa_column=utc_column())
    until: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
