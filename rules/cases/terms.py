"""Terms in working days: when a case is due, when people are reminded, when it is escalated.

A term of n working days ends at 24:00 of the n-th working day after the local day it began on, in
the zone of the unit. Working days follow the Russian production calendar: the `holidays` library
with the transferred days that it knows, and the institution's own table for later decrees. A year
whose transfers are not decreed yet has weekends and public holidays (Labour Code, article 112).
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


OWN_REMINDER = 5
"""So many working days before the end of a term of `Terms.own` people are reminded."""


@dataclass(frozen=True)
class Terms:
    """How long people have, in working days.

    A reminder of day n comes on the n-th working day after the term began. `own` are terms that
    only some kinds of case have, by name.
    """

    review: int = 10
    review_reminders: tuple[int, ...] = (7,)
    answer: int = 10
    answer_reminders: tuple[int, ...] = (5, 9)
    own: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError for a term outside 1 to 366 days, or for a reminder outside its term."""
        for term, reminders in (
            (self.review, self.review_reminders),
            (self.answer, self.answer_reminders),
        ):
            if not 1 <= term <= 366:
                raise ValueError(f"a term has 1 to 366 working days, not {term}")
            if not all(1 <= day < term for day in reminders):
                raise ValueError(f"reminders {reminders} lie outside a term of {term} days")
        for name, term in self.own.items():
            if not OWN_REMINDER < term <= 366:
                raise ValueError(f"the term {name} has {OWN_REMINDER + 1} to 366 days, not {term}")

    def in_place_of_review(self, name: str) -> "Terms":
        """These terms where one of `own` runs instead of the review."""
        term = self.own[name]
        return replace(self, review=term, review_reminders=(term - OWN_REMINDER,))


@lru_cache(maxsize=64)
def _working_days(year: int) -> frozenset[int]:
    """Ordinals of the working days of a year, without the institution's own table."""
    known = holidays.country_holidays("RU", years=year)
    first, following = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1
    days = map(date.fromordinal, range(first, following))
    return frozenset(day.toordinal() for day in days if known.is_working_day(day))


@dataclass(frozen=True)
class WorkingCalendar:
    """Which days are working days. `overrides` come from later decrees: True for a working day."""

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
        """The n-th working day after `day`, before it for a negative n; `day` itself for n = 0."""
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
        """How many working days follow `a`, up to and including `b`; negative if `b` is earlier."""
        if b < a:
            return -self.between(b, a)
        whole = sum(len(self._year(year)) for year in range(a.year, b.year))
        until_a = bisect_right(self._year(a.year), a.toordinal())
        return whole + bisect_right(self._year(b.year), b.toordinal()) - until_a


class Alarm(StrEnum):
    """What happens to a case when its clock reaches a moment."""

    REMIND = "remind"
    ESCALATE = "escalate"
    LAPSE = "lapse"


def deadline(start: datetime, working_days: int, zone: str, calendar: WorkingCalendar) -> datetime:
    """The end of the term, in UTC: 24:00 of the n-th working day after the local day of `start`."""
    last = calendar.add(_local_day(start, zone), working_days)
    return _at(last + timedelta(days=1), time(0), zone)


def in_zone(moment: datetime, zone: str) -> datetime:
    """The same moment in the given zone."""
    return moment.astimezone(ZoneInfo(zone))


def day_and_hour(due: datetime) -> tuple[date, str]:
    """The end of a term as day and hour in its own zone; midnight is 24:00 of the day before."""
    hour = f"{due:%H:%M}"
    return (due.date() - timedelta(days=1), "24:00") if hour == "00:00" else (due.date(), hour)


def last_day(due: datetime, zone: str) -> date:
    """The last local day of a term: one that is due at 24:00 of the 4th ends on the 4th."""
    return _local_day(due - timedelta(microseconds=1), zone)


def working_days_left(now: datetime, due: datetime, zone: str, calendar: WorkingCalendar) -> int:
    """How many working days follow today, up to the last day of the term.

    A new term of n days has n left; on its last day 0 are left. After its end the number is
    negative and counts the working days that have begun since.
    """
    return calendar.between(_local_day(now, zone), last_day(due, zone))


def review_alarms(
    entered: datetime, due: datetime, terms: Terms, zone: str, calendar: WorkingCalendar
) -> Iterator[tuple[datetime, Alarm]]:
    """The endless alarms of a review: reminders, escalation at `due`, then every working morning.

    Reminders are counted back from `due`, so that they come at the right time after a pause as
    well. Those at or before `entered` are left out.
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
    """The alarms of a clarification: reminders to the applicant, then the case lapses at `due`."""
    before = [terms.answer - day for day in terms.answer_reminders]
    yield from _reminders(entered, due, before, zone, calendar)
    yield due, Alarm.LAPSE


def nth_alarm(alarms: Iterable[tuple[datetime, Alarm]], n: int) -> tuple[datetime, Alarm] | None:
    """The alarm after the first n (n = 0: the first one); None after the last."""
    return next(islice(alarms, n, None), None)


@dataclass(frozen=True)
class DueAlarms:
    """Which alarms are due: how many are not handled yet, the last of them, and the next time.

    `next_at` is when the following alarm comes; None if there is none.
    """

    count: int = 0
    last: Alarm | None = None
    next_at: datetime | None = None


def due_alarms(alarms: Iterable[tuple[datetime, Alarm]], told: int, now: datetime) -> DueAlarms:
    """Which alarms are due at `now`, the first `told` of them having been handled before."""
    due = DueAlarms()
    for moment, alarm in islice(alarms, told, None):
        if moment > now:
            return replace(due, next_at=moment)
        due = DueAlarms(due.count + 1, alarm)
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
