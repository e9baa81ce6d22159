"""Acts of people on the ops desk, and indexes that only the desk's overview needs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel, col

from models.tables.base import utc_column
from models.tables.cases import Case
from models.tables.notices import Notice


class OperationAct(SQLModel, table=True):
    """A remedy, by the client's id: sent again, it gets the same answer.

    Its reason is in the journal.
    """

    __tablename__ = "operation_act"

    id: UUID = Field(primary_key=True)
    by: UUID = Field(foreign_key="person.id")
    at: datetime = Field(sa_column=utc_column(index=True))
    remedy: str = Field(description="One of `rules.operation.states.Remedy`.")
    subject: str = Field(description="Id of the case or notice, name of the channel or system.")
    body_hash: str
    touched: int = Field(description="How many cases or notices it was done to.")
    told: bool = Field(default=False, description="Whether Temporal took its signals.")


Index("case_open", col(Case.kind), col(Case.status), postgresql_where=text("closed_at is null"))
Index("case_stuck", col(Case.kind), postgresql_where=text("stuck is not null"))
Index(
    "notice_failed",
    col(Notice.channel),
    col(Notice.failed_at),
    postgresql_where=text("state = 'failed'"),
)
