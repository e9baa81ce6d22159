"""The archive's arithmetic: states of an export, its limits, and terms of keeping. Source: S7."""

from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import Field

from rules.cases.process import CaseKind
from rules.forms.fields import Definition


class ExportKind(StrEnum):
    """Into what kind of file a list goes."""

    PDF = "pdf"
    XLSX = "xlsx"


class ExportState(StrEnum):
    """Where an export stands."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REMOVED = "removed"


UNDER_WAY = frozenset({ExportState.WAITING, ExportState.RUNNING})

AT_ONCE = 200
"""Rows of a list that is made within the request."""

MOST_ROWS = 50_000
MOST_RUNNING = 3
"""Exports of one person that may be under way together."""

KEPT = timedelta(days=7)
"""How long the file of an export waits to be downloaded."""

MOST_VIEWS = 20
"""Saved views of one person."""

NOTICE_DAYS = (90, 30)
"""How long before its end applicants and keepers of the archive are told of it."""

MOST_YEARS = 75
"""The longest extension; the longest term that archives of institutions know for staff papers."""


class RetentionRule(Definition):
    """How long closed cases of a type are kept; without a type, those of the whole kind."""

    kind: CaseKind
    type: str = ""
    years: int = Field(ge=1, le=MOST_YEARS)
    ground: str = Field(min_length=3)

    @property
    def name(self) -> str:
        """The rule as messages name it."""
        return f"{self.kind.value} {self.type}".strip()


ERASED = "erased/"
"""Keys of objects that were erased begin so: their rows stay, with digest and size."""


def kept_until(closed_at: datetime, years: int, zone: ZoneInfo) -> datetime:
    """The end of keeping: midnight after so many years, counted from the next January (zone's).

    Archives count from the first of January after the year in which a case was closed.
    """
    return datetime(closed_at.astimezone(zone).year + 1 + years, 1, 1, tzinfo=zone)


def notice_due(until: datetime, now: datetime, told: int | None) -> int | None:
    """Which notice of `NOTICE_DAYS` is due now, in days; None where none is, or it was given."""
    reached = [days for days in NOTICE_DAYS if now >= until - timedelta(days=days)]
    if not reached or (told is not None and told <= min(reached)):
        return None
    return min(reached)
