"""Rules of the archive: formats, states and limits of exports, and terms of keeping. Source: S7."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from rules.cases.process import CaseKind
from rules.forms.fields import Definition


class ExportKind(StrEnum):
    """The file format of an exported list."""

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
"""The longest list, in rows, that is exported within the HTTP request itself."""

MOST_ROWS = 50_000
MOST_RUNNING = 3
"""How many exports of one person may be under way at the same time."""

KEPT = timedelta(days=7)
"""How long the file of an export can be downloaded."""

MOST_VIEWS = 20
"""How many views of the archive one person may save."""

NOTICE_DAYS = (90, 30)
"""How many days before the end of keeping the applicant and the keepers of the archive are told."""

MOST_YEARS = 75
"""The longest term in years, extensions included: as long as institutions keep staff papers."""


class RetentionRule(Definition):
    """How long closed cases of a type are kept. An empty `type` is the rule of the whole kind.

    `record` is no kind of case: so long a patient's record is kept after its last entry.
    """

    kind: CaseKind | Literal["record"]
    type: str = ""
    years: int = Field(ge=1, le=MOST_YEARS)
    ground: str = Field(min_length=3)

    @property
    def name(self) -> str:
        """The rule as error messages name it."""
        return f"{self.kind} {self.type}".strip()


ERASED = "erased/"
"""The prefix of keys of erased objects. Their rows stay, with digest and size."""


def kept_until(closed_at: datetime, years: int, zone: ZoneInfo) -> datetime:
    """When keeping ends: at midnight in `zone`, `years` years after the next first of January.

    Archives count terms from the first of January after the year in which a case was closed.
    """
    return datetime(closed_at.astimezone(zone).year + 1 + years, 1, 1, tzinfo=zone)


def notice_due(until: datetime, now: datetime, told: int | None) -> int | None:
    """Which notice of `NOTICE_DAYS` is due at `now`; None if none is, or if it was sent already.

    `told` is the notice that was sent last, None for none.
    """
    reached = [days for days in NOTICE_DAYS if now >= until - timedelta(days=days)]
    if not reached or (told is not None and told <= min(reached)):
        return None
    return min(reached)
