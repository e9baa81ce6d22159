"""The one place that asks what time it is. Workflows use `workflow.now()` instead."""

from datetime import UTC, date, datetime
from typing import Annotated, TypeVar

from pydantic import AfterValidator, AwareDatetime, WithJsonSchema

YEARS = range(1900, 2201)
"""Years that people mean. Nearer the ends of the calendar a change of zone overflows `datetime`."""
_LAST = f"{YEARS.stop - 1}-12-31"
Day = TypeVar("Day", bound=date)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def _meant(value: Day) -> Day:
    if value.year not in YEARS:
        raise ValueError("a year that nobody means")
    return value


def _shown(kind: str, last: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": kind, "formatMaximum": last})


MeantDay = Annotated[date, AfterValidator(_meant), _shown("date", _LAST)]
"""A day that a client sends."""
MeantMoment = Annotated[
    AwareDatetime, AfterValidator(_meant), _shown("date-time", f"{_LAST}T23:59:59Z")
]
"""A point in time that a client sends, with its zone."""
