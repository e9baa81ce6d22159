"""Until when a result is to be confirmed, when people are reminded, and when the head is told.

The terms are data (`services/results/terms.yaml`): by class either minutes, which run day and
night, or working days, which end at 24:00 in the zone of the unit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rules.cases.terms import MORNING, Alarm, WorkingCalendar, deadline, last_day
from rules.results.values import Urgency


@dataclass(frozen=True)
class ResultTerm:
    """How long one class of results may wait: `minutes` or `working_days`.

    An offer that nobody answers comes back after `offer_minutes`.
    """

    offer_minutes: int
    minutes: int | None = None
    working_days: int | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for no term, two, or one that nobody can mean."""
        if (self.minutes is None) == (self.working_days is None):
            raise ValueError("a term has minutes or working days")
        if not 1 <= (self.minutes or self.working_days or 0) <= 10_000:
            raise ValueError("a term has 1 to 10000 minutes or days")
        if not 1 <= self.offer_minutes <= 10_000:
            raise ValueError("an offer stands for 1 to 10000 minutes")

    def due(self, opened: datetime, zone: str, calendar: WorkingCalendar) -> datetime:
        """When a result is late that was opened then."""
        if self.minutes is not None:
            return opened + timedelta(minutes=self.minutes)
        return deadline(opened, self.working_days or 1, zone, calendar)

    def alarms(
        self, opened: datetime, due: datetime, zone: str, calendar: WorkingCalendar
    ) -> Iterator[tuple[datetime, Alarm]]:
        """The endless alarms: one reminder, the head at `due`, then again and again.

        In minutes the reminder comes at half time and the head hears every term anew; in days it
        comes on the morning of the last day, and the head hears every working morning.
        """
        if self.minutes is not None:
            step = timedelta(minutes=self.minutes)
            yield opened + step / 2, Alarm.REMIND
            moment = due
            while True:
                yield moment, Alarm.ESCALATE
                moment += step
        day = last_day(due, zone)
        morning = _morning(day, zone)
        if opened < morning < due:
            yield morning, Alarm.REMIND
        yield due, Alarm.ESCALATE
        while True:
            day = calendar.add(day, 1)
            morning = _morning(day, zone)
            if morning > due:
                yield morning, Alarm.ESCALATE


ResultTerms = Mapping[Urgency, ResultTerm]


def next_midnight(now: datetime, zone: str) -> datetime:
    """When the next day begins in a zone: absences begin and end then."""
    day = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    return datetime.combine(day, time(), ZoneInfo(zone))


def _morning(day: date, zone: str) -> datetime:
    return datetime.combine(day, MORNING, ZoneInfo(zone))
