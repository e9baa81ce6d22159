"""The one place that asks what time it is. Workflows use `workflow.now()` instead."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


YEARS = range(1900, 2201)
"""Years that people mean. Nearer the ends of the calendar a change of zone overflows `datetime`."""
