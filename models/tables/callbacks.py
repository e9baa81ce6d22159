"""Callbacks that were received: the same one again, sent or replayed, changes nothing."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from models.tables.base import utc_column


class HeardCallback(SQLModel, table=True):
    """One callback of a source, by the id that its signature covers.

    Rows are kept for a day: older callbacks are refused by their own time.
    """

    __tablename__ = "heard_callback"

    source: str = Field(primary_key=True)
    webhook_id: str = Field(primary_key=True)
    at: datetime = Field(sa_column=utc_column(index=True))
