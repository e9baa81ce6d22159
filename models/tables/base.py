"""What every table shares: times with a zone."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, Column, DateTime, Dialect
from sqlalchemy.types import TypeDecorator

Moment = datetime | BindParameter[datetime]
"""A moment in a condition: known, or given when the statement is sent."""


class UtcDateTime(TypeDecorator[datetime]):
    """`timestamptz`: a time without a zone is refused, and times are read in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone: it is a mistake in the caller. Raises ValueError."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC."""
        return None if value is None else value.astimezone(UTC)


def utc_column(*, nullable: bool = False, index: bool = False) -> Column[Any]:
    """A `timestamptz` column for a SQLModel field."""
    return Column(UtcDateTime(), nullable=nullable, index=index)
