"""Norms of law that the cabinet rests on: how long they count, and when somebody is to act (O8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

NEAR = timedelta(days=180)
"""So long before a norm ends those who look after the catalogue are told."""


class NormStage(StrEnum):
    """Where a norm stands. Values are in keys of notices: add, never rename."""

    AHEAD = "ahead"
    COUNTS = "counts"
    NEAR = "near"
    OVER = "over"


@dataclass(frozen=True)
class Norm:
    """A norm. `what`, `source` and `rests` are msgids; `rests` is what here rests on it.

    From the day `until` on it does not count any more; None: no end is named.
    """

    key: str
    what: str
    source: str
    since: date
    until: date | None
    rests: Sequence[str]

    def days_left(self, today: date) -> int | None:
        """For how many days more it counts, today included; None without an end."""
        return (self.until - today).days if self.until else None

    def stage(self, today: date) -> NormStage:
        """Where it stands on a day."""
        left = self.days_left(today)
        if today < self.since:
            return NormStage.AHEAD
        if left is None or left > NEAR.days:
            return NormStage.COUNTS
        return NormStage.NEAR if left > 0 else NormStage.OVER
