"""Terms in working days: when a case is due, when people are reminded, when a question goes higher.

A term of n working days ends at 24:00 of the n-th working day after the local day it began on, in
the zone of the unit. Working days follow the Russian production calendar: the `holidays` library
with the transferred days that it knows, and the institution's table for later decrees. For years
whose transfers are not decreed yet, weekends and public holidays (Labour Code, article 112) hold.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import holidays

MORNING = time(9)
"""Local time at which people are reminded."""


@dataclass(frozen=True)
class Terms:
    """How long people have, in working days. Reminders count from the beginning of the term."""

    review: int = 10
    review_reminders: tuple[int, ...] = (7,)
    answer: int = 10
    answer_reminders: tuple[int, ...] = (5, 9)

    def __post_init__(self) -> None:
        """Refuse terms without a day, and reminders that would come outside their term."""
        for term, reminders in (
            (self.review, self.review_reminders),
            (self.answer, self.answer_reminders),
        ):
            if not 1 <= term <= 366:
                raise ValueError(f"a term has 1 to 366 working days, not {term}")
            if not all(1 <= day < term for day in reminders):
                raise ValueError(f"reminders {reminders} lie outside a term of {term} days")


@lru_cache(maxsize=64)
def _working_days(year: int) -> frozenset[int]:
    """Ordinals of the working days of a year, without the institution's own table."""
    known = holidays.country_holidays("RU", years=year)
    first, following = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1
    days = map(date.fromordinal, range(first, following))
    return frozenset(day.toordinal() for day in days if known.is_working_day(day))


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are worked. `overrides` are later decrees: True for a working day."""

    overrides: Mapping[date, bool] = field(default_factory=dict)
    _years: dict[int, tuple[int, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def _year(self, year: int) -> tuple[int, ...]:
        """Ordinals of the working days of a year, in order."""
        if (days := self._years.get(year)) is None:
            changed = {d.toordinal(): on for d, on in self.overrides.items() if d.year == year}
            kept = _working_days(year) - {day for day, on in changed.items() if not on}
            days = tuple(sorted(kept | {day for day, on in changed.items() if on}))
            self._years[year] = days
        return days

    def is_working(self, day: date) -> bool:
        """Whether people work on that day."""
        days, ordinal = self._year(day.year), day.toordinal()
        place = bisect_left(days, ordinal)
        return place < len(days) and days[place] == ordinal

    def add(self, day: date, n: int) -> date:
        """The n-th working day after the day, or before it where n is negative; n = 0: the day."""
        if n == 0:
            return day
        year, ordinal = day.year, day.toordinal()
        days = self._year(year)
        place = bisect_right(days, ordinal) + n - 1 if n > 0 else bisect_left(days, ordinal) + n
        while place >= len(days):
            place -= len(days)
            year += 1
            days = self._year(year)
        while place < 0:
            year -= 1
            days = self._year(year)
            place += len(days)
        return date.fromordinal(days[place])

    def between(self, a: date, b: date) -> int:
        """How many working days follow `a` up to and including `b`; negative where b is earlier."""
        if b < a:
            return -self.between(b, a)
        whole = sum(len(self._year(year)) for year in range(a.year, b.year))
        until_a = bisect_right(self._year(a.year), a.toordinal())
        return whole + bisect_right(self._year(b.year), b.toordinal()) - until_a


class Alarm(StrEnum):
    """What a clock does to a case."""

    REMIND = "remind"
    ESCALATE = "escalate"
    LAPSE = "lapse"


def deadline(start: datetime, working_days: int, zone: str, calendar: WorkingCalendar) -> datetime:
    """24:00 of the n-th working day after the local day of `start`, in UTC."""
    last = calendar.add(_local_day(start, zone), working_days)
    return _at(last + timedelta(days=1), time(0), zone)


def in_zone(moment: datetime, zone: str) -> datetime:
    """The same moment by the clock of the zone that it belongs to, such as that of a term."""
    return moment.astimezone(ZoneInfo(zone))


def day_and_hour(due: datetime) -> tuple[date, str]:
    """The end of a term by the clock it carries: midnight is 24:00 of the day before."""
    hour = f"{due:%H:%M}"
    return (due.date() - timedelta(days=1), "24:00") if hour == "00:00" else (due.date(), hour)


def last_day(due: datetime, zone: str) -> date:
    """The local day that a term ends with: `due` at 24:00 of the 4th is the 4th."""
    return _local_day(due - timedelta(microseconds=1), zone)


def working_days_left(now: datetime, due: datetime, zone: str, calendar: WorkingCalendar) -> int:
    """Working days after today up to the last day of the term.

    A new term of n days has n left, its last day has 0; once it is over, the negative number of
    working days that have begun since.
    """
    return calendar.between(_local_day(now, zone), last_day(due, zone))


def review_alarms(
    entered: datetime, due: datetime, terms: Terms, zone: str, calendar: WorkingCalendar
) -> Iterator[tuple[datetime, Alarm]]:
    """The clock of a review, endless: reminders, escalation at `due`, then each working morning.

    Reminders stand as many working days before `due` as they do in an uninterrupted term, so they
    are right after a pause too. Those not after `entered` are left out.
    """
    before = [terms.review - day for day in terms.review_reminders]
    yield from _reminders(entered, due, before, zone, calendar)
    yield due, Alarm.ESCALATE
    day = last_day(due, zone)
    while True:
        day = calendar.add(day, 1)
        morning = _at(day, MORNING, zone)
        if morning > due:
            yield morning, Alarm.ESCALATE


def answer_alarms(
    entered: datetime, due: datetime, terms: Terms, zone: str, calendar: WorkingCalendar
) -> Iterator[tuple[datetime, Alarm]]:
    """The clock of a clarification: reminders to the applicant, then the case lapses at `due`."""
    before = [terms.answer - day for day in terms.answer_reminders]
    yield from _reminders(entered, due, before, zone, calendar)
    yield due, Alarm.LAPSE


def nth_alarm(alarms: Iterable[tuple[datetime, Alarm]], n: int) -> tuple[datetime, Alarm] | None:
    """The alarm that follows n that have rung already (n = 0: the first), None after the last."""
    return next(islice(alarms, n, None), None)


@dataclass(frozen=True)
class Rung:
    """What a clock says at a moment: how many alarms are over that were not told, and the last.

    `next_at` is when the following one comes, None where there is none.
    """

    count: int = 0
    last: Alarm | None = None
    next_at: datetime | None = None


def rung(alarms: Iterable[tuple[datetime, Alarm]], told: int, now: datetime) -> Rung:
    """What a clock says by `now`, of whose alarms so many were told before."""
    due = Rung()
    for moment, alarm in islice(alarms, told, None):
        if moment > now:
            return replace(due, next_at=moment)
        due = Rung(due.count + 1, alarm)
    return due


def _reminders(
    entered: datetime,
    due: datetime,
    days_before: Iterable[int],
    zone: str,
    calendar: WorkingCalendar,
) -> Iterator[tuple[datetime, Alarm]]:
    last = last_day(due, zone)
    for days in sorted(days_before, reverse=True):
        moment = _at(calendar.add(last, -days), MORNING, zone)
        if entered < moment < due:
            yield moment, Alarm.REMIND


def _local_day(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def _at(day: date, at: time, zone: str) -> datetime:
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
