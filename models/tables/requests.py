"""Service requests on their way: what was handed over, what came back, and what was answered.

Papers, envelopes and files of answers are in the object store. Numbers, states and times are not
encrypted; what people or addressees wrote is.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedJSON, EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id


class RequestMessage(SQLModel, table=True):
    """One version of a request as it was made for its addressee."""

    __tablename__ = "request_message"

    case_id: UUID = Field(foreign_key="case.id", primary_key=True)
    version: int = Field(primary_key=True)
    message_id: UUID = Field(unique=True, description="Derived from the case and the version.")
    service: str | None = Field(default=None, description="None: people of a unit answer.")
    formed_at: datetime = Field(sa_column=utc_column())
    paper_key: str = Field(unique=True)
    paper_sha256: str
    paper_size: int
    envelope_key: str | None = Field(default=None, unique=True)
    envelope_sha256: str | None = None
    envelope_size: int | None = None
    handed_over_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    state: str | None = Field(
        default=None, description="State by the addressee's last acknowledgement."
    )
    asks: int = Field(default=0, description="Times it was asked since it was handed over.")
    ask_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class RequestAcknowledgement(SQLModel, table=True):
    """What the gov service said of a message; the same thing twice is one row."""

    __tablename__ = "request_receipt"
    __table_args__ = (
        UniqueConstraint("message_id", "digest"),
        Index("request_receipt_waits", "message_id", postgresql_where=text("taken_at is null")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    message_id: UUID = Field(foreign_key="request_message.message_id")
    digest: str = Field(description="SHA-256 of state, reason and envelope.")
    came: str = Field(description="`callback`, `asked`, `handed_over` or `withdrawal`.")
    at: datetime = Field(sa_column=utc_column())
    state: str
    envelope: bytes | None = Field(
        default=None, description="The acknowledgement as it came, until it is processed."
    )
    reason: str | None = Field(
        default=None, sa_column=Column(EncryptedText("request_receipt.reason"), nullable=True)
    )
    taken_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    verdict: str | None = Field(default=None, description="What it led to.")


class RequestAnswer(SQLModel, table=True):
    """The answer to one version of a request, or why it was refused."""

    __tablename__ = "request_answer"
    __table_args__ = (UniqueConstraint("case_id", "version"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID = Field(foreign_key="case.id")
    version: int
    outcome: str
    at: datetime = Field(sa_column=utc_column())
    by: UUID | None = Field(
        default=None, foreign_key="person.id", description="None: the gov service."
    )
    signer: str | None = Field(default=None, description="Serial of the certificate that signed.")
    signed_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    title: str | None = Field(
        default=None, sa_column=Column(EncryptedText("request_answer.title"), nullable=True)
    )
    document_number: str | None = Field(
        default=None,
        sa_column=Column(EncryptedText("request_answer.document_number"), nullable=True),
    )
    message: str | None = Field(
        default=None, sa_column=Column(EncryptedText("request_answer.message"), nullable=True)
    )
    data: dict[str, Any] | None = Field(
        default=None, sa_column=Column(EncryptedJSON("request_answer.data"), nullable=True)
    )
    envelope_key: str | None = Field(default=None, unique=True)
    envelope_sha256: str | None = None


class RequestFile(SQLModel, table=True):
    """A file of an answer; its contents are in the object store."""

    __tablename__ = "request_file"

    answer_id: UUID = Field(foreign_key="request_answer.id", primary_key=True)
    position: int = Field(primary_key=True, description="From 1; the first is the answer itself.")
    name: str = Field(sa_column=Column(EncryptedText("request_file.name"), nullable=False))
    media_type: str
    object_key: str = Field(unique=True)
    sha256: str
    size: int


class HeardCallback(SQLModel, table=True):
    """One callback of a source, by the id that its signature covers.

    Rows are kept for a day: older callbacks are refused by their own time.
    """

    __tablename__ = "heard_callback"

    source: str = Field(primary_key=True)
    webhook_id: str = Field(primary_key=True)
    at: datetime = Field(sa_column=utc_column(index=True))
