"""The conversation on a case: the files of its messages, and how far each person has read.

The messages themselves are in `models.tables.cases.CaseComment`.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from models.tables.base import utc_column


class MessageFile(SQLModel, table=True):
    """A file sent with a message: a version of a document of its sender."""

    __tablename__ = "message_file"

    message_id: UUID = Field(foreign_key="case_comment.id", primary_key=True)
    document_version_id: UUID = Field(
        foreign_key="document_version.id", primary_key=True, index=True
    )
    position: int


class ConversationReading(SQLModel, table=True):
    """How far a person has read the conversation on a case."""

    __tablename__ = "conversation_reading"

    case_id: UUID = Field(foreign_key="case.id", primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    read_to: datetime = Field(
        sa_column=utc_column(),
        description="When the newest message that the person has read was written.",
    )
    before: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="`read_to` before the present visit: later messages are shown as new.",
    )
