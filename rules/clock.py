"""The one place that asks what time it is. Workflows use `workflow.now()` instead."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
