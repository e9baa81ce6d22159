"""Hand-overs of documents to authorities, and the authorities that may ask (Q5)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id


class Authority(SQLModel, table=True):
    """An authority with credentials of its own. It is never deleted; it ends."""

    __tablename__ = "authority"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str
    certificate: bytes = Field(
        sa_column=Column(LargeBinary, nullable=False),
        description="Packages are encrypted to it; PEM.",
    )
    secret_hash: str = Field(unique=True, description="SHA-256 of its secret, in hexadecimal.")
    added_at: datetime = Field(sa_column=utc_column())
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class Handover(SQLModel, table=True):
    """One request of an authority, and what became of it."""

    __tablename__ = "handover"
    __table_args__ = (
        UniqueConstraint("authority_id", "reference"),
        Index("handover_of_person", "person_id", "asked_at"),
        Index("handover_waits", "asked_at", postgresql_where=text("state = 'asked'")),
        CheckConstraint("decided_by <> person_id", name="handover_not_own"),
        CheckConstraint("(state = 'asked') = (decided_at is null)", name="handover_decided"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    authority_id: UUID = Field(foreign_key="authority.id")
    reference: str = Field(description="The authority's own number of the request.")
    body_hash: str
    person_id: UUID | None = Field(
        default=None, foreign_key="person.id", description="None: nobody here has this SNILS."
    )
    purpose: str = Field(sa_column=Column(EncryptedText("handover.purpose"), nullable=False))
    ground: str = Field(sa_column=Column(EncryptedText("handover.ground"), nullable=False))
    categories: list[str] = Field(
        sa_column=Column(JSONB, nullable=False),
        description="Of credentials that are asked for; empty: whatever the purpose needs.",
    )
    asked_at: datetime = Field(sa_column=utc_column())
    state: str = Field(description="`rules.credentials.handovers.HandoverState`.")
    decided_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    decided_by: UUID | None = Field(
        default=None, foreign_key="person.id", description="None: nobody is known here."
    )
    reason: str | None = Field(
        default=None, sa_column=Column(EncryptedText("handover.reason"), nullable=True)
    )
    package_key: str | None = Field(default=None, unique=True)
    package_sha256: str | None = None
    package_size: int | None = None
    ends_at: datetime | None = Field(
        default=None, sa_column=utc_column(nullable=True), description="When the package goes."
    )
    fetched_at: datetime | None = Field(
        default=None, sa_column=utc_column(nullable=True), description="For the first time."
    )
    reminded: int = 0
    looks_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True, index=True),
        description="When its workflow looks at it next; None once it is over.",
    )
    woken_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class HandoverFile(SQLModel, table=True):
    """A file that was released, of the version of a credential that stood then."""

    __tablename__ = "handover_file"

    handover_id: UUID = Field(foreign_key="handover.id", primary_key=True)
    position: int = Field(primary_key=True, description="From 0.")
    credential_version_id: UUID = Field(foreign_key="credential_version.id")
    document_version_id: UUID = Field(foreign_key="document_version.id")
