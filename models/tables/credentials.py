"""Credentials: proofs of qualification, in versions, with their files; and their categories.

Also what is sent to the federal accreditation centre to renew one.

Days, status and times stand in the clear, so that lists need no keys; what identifies a paper is
encrypted.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, Integer, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from models.blind_indexes import blind_index, unique_places
from models.encrypted_columns import EncryptedJSON, EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id

STANDS = "withdrawn_at is null and replaced_by is null"
"""The condition that a credential counts."""


class CredentialCategory(SQLModel, table=True):
    """One version of a category; `definition` is a `CategoryDefinition`."""

    __tablename__ = "credential_category"

    key: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    definition: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    valid_from: datetime = Field(sa_column=utc_column())


class Credential(SQLModel, table=True):
    """One proof of qualification of one person. It is never deleted; its contents are versions."""

    __tablename__ = "credential"
    __table_args__ = (
        *unique_places("credential", "identity_blind"),
        Index("credential_of_owner", "owner_id", "category", "id"),
        Index("credential_ending", "valid_until", "id", postgresql_where=text(STANDS)),
        Index(
            "credential_renewing",
            "renewal_case_id",
            postgresql_where=text("renewal_case_id is not null"),
        ),
        Index(
            "credential_replaced", "replaced_by", postgresql_where=text("replaced_by is not null")
        ),
        CheckConstraint("replaced_by <> id", name="credential_replaced_by_another"),
        CheckConstraint("valid_until >= issued_on", name="credential_days"),
        CheckConstraint(
            "(withdrawn_at is null) = (withdrawn_by is null)", name="credential_withdrawn"
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    owner_id: UUID = Field(foreign_key="person.id")
    category: str
    version: int = Field(default=1, description="The number of the current version.")
    issued_on: date | None = Field(default=None, description="Of the current version.")
    valid_until: date | None = Field(
        default=None, description="Of the current version: the last day; None: without an end."
    )
    identity: str | None = Field(
        default=None,
        sa_column=Column(EncryptedText("credential.identity"), nullable=True),
        description="Owner, category and registration number, as the index is made of them; None"
        " without a number, and of one that was withdrawn.",
    )
    identity_blind: str | None = Field(
        default=None, sa_column=blind_index("credential.identity", nullable=True)
    )
    created_at: datetime = Field(sa_column=utc_column())
    withdrawn_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    withdrawn_by: UUID | None = Field(default=None, foreign_key="person.id")
    withdrawn_reason: str | None = Field(
        default=None, sa_column=Column(EncryptedText("credential.withdrawn_reason"), nullable=True)
    )
    replaced_by: UUID | None = Field(default=None, foreign_key="credential.id")
    leads: list[int] | None = Field(
        default=None,
        sa_column=Column(ARRAY(Integer()), nullable=True),
        description="How many days ahead its owner is reminded; None: as of all others.",
    )
    renewal_case_id: UUID | None = Field(
        default=None, foreign_key="case.id", description="An open case that renews it."
    )
    step: int = Field(default=0, description="How often its workflow has moved it.")
    wakes_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True, index=True),
        description="When its workflow looks at it next; None if it has none.",
    )
    woken_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When the sweeper last woke its workflow.",
    )


class CredentialVersion(SQLModel, table=True):
    """What a credential said from one moment until another. Only the end of that, and that the
    original was seen, are written later."""

    __tablename__ = "credential_version"
    __table_args__ = (
        UniqueConstraint("credential_id", "number"),
        Index(
            "credential_version_current",
            "credential_id",
            unique=True,
            postgresql_where=text("replaced_at is null"),
        ),
        CheckConstraint("confirmed_by <> made_by", name="credential_version_confirmed"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    credential_id: UUID = Field(foreign_key="credential.id")
    number: int = Field(description="From 1.")
    category_version: int = Field(description="The version of the category it was written by.")
    data: dict[str, Any] = Field(
        sa_column=Column(EncryptedJSON("credential_version.data"), nullable=False),
        description="The values of the category's form.",
    )
    issued_on: date | None = None
    valid_until: date | None = None
    source: str = Field(description="`own`, or the name of a register.")
    how: str = Field(description="One of `rules.credentials.versions.How`.")
    reason: str | None = Field(
        default=None, sa_column=Column(EncryptedText("credential_version.reason"), nullable=True)
    )
    made_at: datetime = Field(sa_column=utc_column())
    made_by: UUID | None = Field(
        default=None, foreign_key="person.id", description="None: a register."
    )
    replaced_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    confirmed_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When somebody compared it with the original.",
    )
    confirmed_by: UUID | None = Field(default=None, foreign_key="person.id")


class CredentialFile(SQLModel, table=True):
    """A file of a version: a document that its owner gave once and may choose again (Q10)."""

    __tablename__ = "credential_file"
    __table_args__ = (UniqueConstraint("version_id", "document_version_id"),)

    version_id: UUID = Field(foreign_key="credential_version.id", primary_key=True)
    position: int = Field(primary_key=True, description="From 0.")
    document_version_id: UUID = Field(foreign_key="document_version.id", index=True)


class CredentialReminder(SQLModel, table=True):
    """One reminder of one end of a credential: planned, and sent once at most.

    A correction of the days begins another set. `days` is `rules.credentials.reminders.END` for
    having told that the end has come.
    """

    __tablename__ = "credential_reminder"

    credential_id: UUID = Field(foreign_key="credential.id", primary_key=True)
    last_day: date = Field(primary_key=True, description="The end that it is about.")
    days: int = Field(primary_key=True, description="So many days ahead.")
    due_at: datetime = Field(sa_column=utc_column())
    state: str = Field(description="One of `rules.credentials.reminders.ReminderState`.")
    sent_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    answered_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When the owner first did something after it.",
    )
    answer: str | None = Field(
        default=None, description="One of `rules.credentials.reminders.ReminderAnswer`."
    )


class ReminderLeads(SQLModel, table=True):
    """How many days ahead a person wants to be reminded; without a row, the default applies."""

    __tablename__ = "reminder_leads"

    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    days: list[int] = Field(sa_column=Column(ARRAY(Integer()), nullable=False))
    changed_at: datetime = Field(sa_column=utc_column())


class CredentialDraft(SQLModel, table=True):
    """What somebody has typed and uploaded so far: of a new credential, or of a new version.

    Its id becomes that of the credential or of the version, so that it is made once.
    """

    __tablename__ = "credential_draft"
    __table_args__ = (
        Index("credential_draft_of_owner", "owner_id", "id"),
        Index(
            "credential_draft_of_update",
            "credential_id",
            unique=True,
            postgresql_where=text("credential_id is not null"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    owner_id: UUID = Field(foreign_key="person.id")
    credential_id: UUID | None = Field(
        default=None, foreign_key="credential.id", description="What it is a new version of."
    )
    base_version: int = Field(default=0, description="The version that its author has seen.")
    category: str | None = Field(default=None, description="None: not chosen yet.")
    data: dict[str, Any] = Field(
        sa_column=Column(EncryptedJSON("credential_draft.data"), nullable=False)
    )
    files: list[UUID] = Field(
        default_factory=list,
        sa_column=Column(ARRAY(Uuid()), nullable=False, server_default="{}"),
        description="Versions of documents, in order.",
    )
    created_at: datetime = Field(sa_column=utc_column())
    saved_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class AccreditationPackage(SQLModel, table=True):
    """One version of a case of accreditation as it was made for the federal centre."""

    __tablename__ = "accreditation_package"

    case_id: UUID = Field(foreign_key="case.id", primary_key=True)
    version: int = Field(primary_key=True)
    package_id: UUID = Field(unique=True, description="Derived from the case and the version.")
    formed_at: datetime = Field(sa_column=utc_column())
    application: dict[str, Any] = Field(
        sa_column=Column(EncryptedJSON("accreditation_package.application"), nullable=False),
        description="What goes with the portfolio, as canonical JSON.",
    )
    portfolio_key: str = Field(unique=True)
    portfolio_sha256: str
    portfolio_size: int
    portfolio_pages: int
    digest: str = Field(description="SHA-256 by which both sides know the contents.")
    forwarded_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    state: str | None = Field(default=None, description="What the centre said last.")
    asks: int = Field(default=0, description="Times it was asked without anything new.")
    ask_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    decision: dict[str, Any] | None = Field(
        default=None,
        sa_column=Column(EncryptedJSON("accreditation_package.decision"), nullable=True),
        description="The centre's last answer: its words, and number and days of an accreditation.",
    )
