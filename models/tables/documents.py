"""Documents of a person: given once, in versions, and cited by cases. Files are objects."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id


class Document(SQLModel, table=True):
    """One document, such as a diploma. Every file given for it is a version."""

    __tablename__ = "document"
    __table_args__ = (Index("document_of_owner", "owner_id", "created_at", "id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    owner_id: UUID = Field(foreign_key="person.id")
    category: str = Field(description="`rules.files.categories.Category`.")
    title: str = Field(sa_column=Column(EncryptedText("document.title"), nullable=False))
    created_at: datetime = Field(sa_column=utc_column())
    archived_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class DocumentVersion(SQLModel, table=True):
    """One file as it was given, and the findings of its check. Only `replaced_at` changes later."""

    __tablename__ = "document_version"
    __table_args__ = (
        Index(
            "document_version_number",
            "document_id",
            "number",
            unique=True,
            postgresql_where=text("verdict = 'ok'"),
        ),
        Index(
            "document_version_current",
            "document_id",
            unique=True,
            postgresql_where=text("verdict = 'ok' and replaced_at is null"),
        ),
        Index("document_version_by_uploader", "uploaded_by", "sha256"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    document_id: UUID = Field(foreign_key="document.id")
    number: int = Field(
        description="From 1; a refused file bears the number that it would have got."
    )
    object_key: str | None = Field(
        default=None,
        unique=True,
        description="`documents/<random>/original`; None for a refused file, which is not kept.",
    )
    file_name: str = Field(
        sa_column=Column(EncryptedText("document_version.file_name"), nullable=False)
    )
    media_type: str = Field(description="The true one; of a refused file, the one declared.")
    size: int = Field(description="Bytes.")
    sha256: str = Field(description="Of the bytes as given, in hexadecimal.")
    verdict: str = Field(description="`rules.files.checks.Verdict`.")
    findings: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default="[]")
    )
    pages: int | None = None
    dpi: int | None = Field(default=None, description="None where nothing is scanned.")
    mark: bool | None = Field(
        default=None, description="Whether a seal or signature was found; None: nobody looked."
    )
    scanned: bool = Field(default=False, description="Whether an antivirus has looked at it.")
    uploaded_at: datetime = Field(sa_column=utc_column())
    uploaded_by: UUID = Field(foreign_key="person.id")
    replaced_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class DocumentImage(SQLModel, table=True):
    """A page as the browser shows it, drawn when it is first asked for."""

    __tablename__ = "document_image"

    version_id: UUID = Field(foreign_key="document_version.id", primary_key=True)
    page: int = Field(primary_key=True, description="From 1.")
    object_key: str = Field(unique=True)
    media_type: str
    size: int = Field(description="Bytes.")
    drawn_at: datetime = Field(sa_column=utc_column())
