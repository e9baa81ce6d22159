"""Days as people type them: one as its midnight, two as a period that includes both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.clock import YEARS
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError
from words.translation import in_words


@dataclass(frozen=True)
class Period:
    """From one moment until another; either may be open. `errors` by names in the address."""

    begins: datetime | None
    ends: datetime | None
    errors: Mapping[str, str]


def midnight(text: str, zone: ZoneInfo, days: int = 0) -> datetime:
    """The beginning of the day that was typed, or of the day `days` later.

    Raises IdentifierError.
    """
    day = identifiers.day(text)
    if day.year not in YEARS:
        raise IdentifierError("Такого дня нет в календаре, проверьте дату")
    return datetime.combine(day + timedelta(days=days), time(0), zone)


def period_of(given: Mapping[str, str], zone: ZoneInfo) -> Period:
    """The days `from` and `until` of an address. A wrong one is an error and sets no bound."""
    errors: dict[str, str] = {}

    def bound(name: str, days: int) -> datetime | None:
        if not given.get(name, "").strip():
            return None
        try:
            return midnight(given[name], zone, days)
        except IdentifierError as error:
            errors[name] = in_words(error.message)
            return None

    return Period(bound("from", 0), bound("until", 1), errors)
