"""What a periodic accreditation requires by law: years, breaks, when to file. Pure functions.

The figures are data with effective dates (`services/accreditations/norms.yaml`): the norm that is
in force on the day decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

SOON_DAYS = 90
"""An accreditation is urgent from this many days before its end."""

MOST_PAGES = 150
"""How many pages the documents of a portfolio have at most, so that it fits into one file."""
LARGEST_FILE = 10 * 1024 * 1024
"""Bytes of a file that the federal centre takes."""


@dataclass(frozen=True)
class AccreditationNorm:
    """What one order requires, from `since` to the day before `until`.

    - `years`: of training and work that the portfolio covers.
    - `hours`: academic hours in these years; an hour is one point of continuing education. Of them
      `certified_hours` in courses that the ministry has accredited.
    - `valid_years`: how long an accreditation holds.
    - `longest_break`: after so many years without work in the specialty, the periodic accreditation
      is not enough: the primary specialised one is needed.
    - `file_days_ahead`: from so many days before the end documents are taken.
    """

    order: str
    since: date
    until: date | None
    years: int
    hours: int
    certified_hours: int
    valid_years: int
    longest_break: int
    file_days_ahead: int


def norm_on(norms: Sequence[AccreditationNorm], day: date) -> AccreditationNorm:
    """The norm in force on a day; on a day that none covers, the one that came into force last."""
    begun = [one for one in norms if one.since <= day] or [min(norms, key=lambda one: one.since)]
    return max(begun, key=lambda one: one.since)


def years_before(day: date, years: int) -> date:
    """The same day so many years earlier; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def needs_primary(worked_until: date | None, on: date, norm: AccreditationNorm) -> bool:
    """Whether a break in the specialty is so long that the periodic accreditation is not enough."""
    return worked_until is not None and worked_until < years_before(on, norm.longest_break)


def file_from(valid_until: date, norm: AccreditationNorm) -> date:
    """The first day on which documents are taken for an accreditation that ends on a day."""
    return valid_until - timedelta(days=norm.file_days_ahead)


def is_urgent(valid_until: date, today: date) -> bool:
    """Whether the accreditation ends soon, or has ended."""
    return (valid_until - today).days <= SOON_DAYS


def day_of(value: object) -> date | None:
    """The day that a field of the form holds; None if it is empty."""
    return date.fromisoformat(value) if isinstance(value, str) and value else None
