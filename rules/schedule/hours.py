"""Working hours by the clock on the wall, and the free times in them. Pure functions.

Zones change by law: 9 o'clock in Volgograd was 05:00 UTC until 2020-12-26 and 06:00 UTC from the
next day on. So hours are kept as the clock shows them and become moments only when they are asked
for. Where the clock jumps over an hour, hours in it do not exist; where an hour comes twice, hours
that begin in it begin with the first, and hours that end in it end with the second.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from rules.refusals import FieldError, Refusal
from rules.zones import is_zone

DAY = 1440
"""Minutes; a day ends at 24:00."""
MOST_DAYS = 31
"""So many days are asked for at once."""
STEPS = range(5, 481)

_CLOCK = re.compile(r"(\d{1,2})[:.]([0-5]\d)", re.ASCII)
_LENGTH = re.compile(r"\d{1,3}", re.ASCII)

Span = tuple[datetime, datetime]
"""From one moment until another, the second not included."""


@dataclass(frozen=True)
class DayHours:
    """Hours of one day: of every week, or of one date. Minutes after midnight."""

    clinician_id: UUID
    unit_id: UUID
    room_id: UUID | None
    starts: int
    ends: int
    step: int
    zone: str


@dataclass(frozen=True)
class WeeklyHours(DayHours):
    """Hours of a day of the week; `valid_until` is the last day."""

    weekday: int
    valid_from: date
    valid_until: date | None

    def holds_on(self, day: date) -> bool:
        """Whether they are worked on that day."""
        until = self.valid_until
        return day.weekday() == self.weekday and self.valid_from <= day <= (until or day)


@dataclass(frozen=True)
class ExceptionalHours(DayHours):
    """Hours of one day that are worked besides, or not worked whatever the week says."""

    works: bool
    day: date


@dataclass(frozen=True)
class FreeSlot:
    """A time in which somebody can be booked."""

    clinician_id: UUID
    unit_id: UUID
    room_id: UUID | None
    starts_at: datetime
    ends_at: datetime


def moment(day: date, minutes: int, zone: ZoneInfo, *, ends: bool = False) -> datetime:
    """The moment at which the clock of a zone shows so many minutes after midnight, in UTC.

    In a missing hour it is the moment of the jump; in one that comes twice the first, or with
    `ends` the last.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    first, last = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != wall:
        return _jump(last, first, zone)
    return last if ends else first


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The minute at which the clock changes between two moments."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(minutes=1):
        middle = before + timedelta(minutes=(after - before) // timedelta(minutes=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def span(day: date, hours: DayHours) -> Span:
    """The moments between which hours of a day lie."""
    zone = ZoneInfo(hours.zone)
    return moment(day, hours.starts, zone), moment(day, hours.ends, zone, ends=True)


def wall_of(at: datetime, zone: str) -> datetime:
    """What the clock of a zone shows at a moment, without a zone."""
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def parted(starts_at: datetime, wall: datetime, zone: str) -> bool:
    """Whether the clock shows another time at the moment of an appointment than was agreed on.

    A law has changed the zone since: the patient will come by the clock.
    """
    return wall_of(starts_at, zone) != wall


def hours_at(
    begins: datetime,
    ends: datetime,
    weekly: Iterable[WeeklyHours],
    exceptional: Iterable[ExceptionalHours],
    absent: Iterable[tuple[UUID, date, date]],
) -> DayHours | None:
    """The hours of one clinician in which a time lies as a whole; None where it does not."""
    exceptional, away = list(exceptional), list(absent)
    for one in exceptional:
        if not one.works:
            first, last = span(one.day, one)
            if first < ends and begins < last:
                return None
    for hours in (*(one for one in exceptional if one.works), *weekly):
        day = wall_of(begins, hours.zone).date()
        if isinstance(hours, WeeklyHours) and not hours.holds_on(day):
            continue
        if isinstance(hours, ExceptionalHours) and hours.day != day:
            continue
        first, last = span(day, hours)
        if first <= begins and ends <= last:
            return None if any(a <= day <= b for _, a, b in away) else hours
    return None


def free_times(
    days: Sequence[date],
    weekly: Iterable[WeeklyHours],
    exceptional: Iterable[ExceptionalHours],
    absent: Iterable[tuple[UUID, date, date]],
    taken: Iterable[tuple[UUID, datetime, datetime]],
    now: datetime,
) -> list[FreeSlot]:
    """The free times on these days, by beginning.

    `taken` names clinicians and rooms; the hours are cut into steps from their beginning on.
    """
    weekly, exceptional = list(weekly), list(exceptional)
    away = [(who, first, last) for who, first, last in absent]
    closed: dict[UUID, list[Span]] = {}
    for party, begins, ends in taken:
        closed.setdefault(party, []).append((begins, ends))
    for one in exceptional:
        if not one.works:
            closed.setdefault(one.clinician_id, []).append(span(one.day, one))
    merged = {party: _merged(spans) for party, spans in closed.items()}
    found: dict[tuple[datetime, UUID], FreeSlot] = {}
    for day in days:
        open_hours: list[DayHours] = [one for one in weekly if one.holds_on(day)]
        open_hours += [one for one in exceptional if one.works and one.day == day]
        for hours in open_hours:
            who = hours.clinician_id
            if any(who == absentee and a <= day <= b for absentee, a, b in away):
                continue
            begins, ends = span(day, hours)
            step = timedelta(minutes=hours.step)
            in_the_way = [merged[one] for one in (who, hours.room_id) if one in merged]
            while begins + step <= ends:
                until = begins + step
                if begins > now and not any(_meets(spans, begins, until) for spans in in_the_way):
                    time_ = FreeSlot(who, hours.unit_id, hours.room_id, begins, until)
                    found.setdefault((begins, who), time_)
                begins = until
    return [found[key] for key in sorted(found)]


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The spans in order, those that meet made one."""
    joined: list[Span] = []
    for begins, ends in sorted(spans):
        if joined and begins <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], ends)
        else:
            joined.append((begins, ends))
    return joined


def _meets(spans: Sequence[Span], begins: datetime, ends: datetime) -> bool:
    """Whether one of the merged spans meets the time between two moments."""
    at = bisect_left(spans, ends, key=lambda one: one[0])
    return at > 0 and spans[at - 1][1] > begins


def minutes_of(clock: str) -> int | None:
    """Minutes after midnight of a time that somebody typed, up to 24:00; None for no time."""
    typed = _CLOCK.fullmatch(clock.strip())
    minutes = int(typed[1]) * 60 + int(typed[2]) if typed else DAY + 1
    return minutes if minutes <= DAY else None


def length_of(typed: str) -> int | None:
    """A number of minutes that somebody typed; None for anything else."""
    return int(typed) if _LENGTH.fullmatch(typed := typed.strip()) else None


def demand_hours(starts: int, ends: int, step: int, zone: str) -> None:
    """Raise Refusal 422 for hours that are none."""
    if not 0 <= starts < ends <= DAY:
        raise wrong("ends", "Окончание должно быть позже начала и не позже полуночи.")
    if step not in STEPS or step > ends - starts:
        raise wrong("step", "Приём длится от 5 минут до 8 часов и не дольше часов работы.")
    if not is_zone(zone):
        raise wrong("zone", "Такого часового пояса нет.")


def wrong(field: str, words: str) -> Refusal:
    """What was typed into a field has to be mended."""
    return Refusal("incomplete", words, 422, [FieldError(field, words)])
