"""What every table shares: times with a zone."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, DateTime, Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """`timestamptz`, refused without a zone and always read back in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: they are a mistake somewhere above."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Read in UTC."""
        return None if value is None else value.astimezone(UTC)


def utc_column(*, nullable: bool = False, index: bool = False) -> Column[Any]:
    """A `timestamptz` column for a SQLModel field."""
    return Column(UtcDateTime(), nullable=nullable, index=index)
