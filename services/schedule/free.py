"""Free times: computed from hours and claims when somebody asks, and stored nowhere."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Date,
    Integer,
    String,
    Uuid,
    bindparam,
    func,
    literal,
    literal_column,
    null,
    text,
    union_all,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectStatement
from models.tables.base import UtcDateTime
from models.tables.people import Absence, Person, Unit
from models.tables.schedule import HoursException, TimeClaim, WorkingHours
from rules.schedule import hours as rules
from rules.schedule.hours import DayHours, ExceptionalHours, FreeSlot, WeeklyHours

MOST_CLINICIANS = 100
"""Of so many people free times are computed at once."""


@dataclass(frozen=True)
class HoursPlan:
    """The hours of some clinicians on some days, whatever is booked in them."""

    weekly: Sequence[WeeklyHours]
    exceptional: Sequence[ExceptionalHours]
    absent: Sequence[tuple[UUID, date, date]]
    is_taken: bool = False
    """Whether one of them has an appointment at the moment that was asked about."""

    def hours_at(self, begins: datetime, ends: datetime) -> DayHours | None:
        """The hours in which a time lies, of a plan of one clinician."""
        return rules.hours_at(begins, ends, self.weekly, self.exceptional, self.absent)

    def is_away_on(self, day: date) -> bool:
        """Whether the clinician is absent on a day, of a plan of one clinician."""
        return any(first <= day <= last for _, first, last in self.absent)

    def by_clinician(self) -> dict[UUID, "HoursPlan"]:
        """The plan of each clinician by itself; one without hours has an empty one."""
        plans: dict[UUID, HoursPlan] = defaultdict(lambda: HoursPlan([], [], []))
        for who in {one.clinician_id for one in (*self.weekly, *self.exceptional)}:
            plans[who] = HoursPlan(
                [one for one in self.weekly if one.clinician_id == who],
                [one for one in self.exceptional if one.clinician_id == who],
                [one for one in self.absent if one[0] == who],
            )
        return plans

    @property
    def zones(self) -> set[str]:
        """By whose clocks these hours are worked."""
        return {one.zone for one in self.weekly} | {one.zone for one in self.exceptional}

    @property
    def parties(self) -> list[UUID]:
        """Whose claims are in the way of these hours."""
        lines: list[DayHours] = [*self.weekly, *self.exceptional]
        rooms = {one.room_id for one in lines if one.room_id is not None}
        return [*{one.clinician_id for one in lines}, *rooms]


@lru_cache
def _hours(*, at_moment: bool) -> DirectStatement:
    """Weekly hours, exceptions and absences between two days, in one question.

    With a moment it also says who has an appointment then.
    """
    first, last = (bindparam(name, type_=Date()) for name in ("first", "last"))
    people = func.any(bindparam("people", type_=ARRAY(Uuid())))
    line = ("unit_id", "room_id", "starts", "ends", "step", "zone")
    kinds = (Uuid(), Uuid(), Integer(), Integer(), Integer(), String())
    none = [sql_cast(null(), kind) for kind in kinds]
    week, exception = WorkingHours, HoursException
    parts: list[Any] = [
        choose(
            literal("week").label("what"),
            col(week.clinician_id).label("who"),
            *(getattr(week, name).label(name) for name in line),
            col(week.weekday).label("weekday"),
            col(week.valid_from).label("first"),
            col(week.valid_until).label("last"),
        ).where(
            col(week.clinician_id) == people,
            col(week.valid_from) <= last,
            func.coalesce(col(week.valid_until), first) >= first,
        ),
        choose(
            literal("day"),
            col(exception.clinician_id),
            *(getattr(exception, name) for name in line),
            sql_cast(col(exception.works), Integer()),
            col(exception.day),
            col(exception.day),
        ).where(
            col(exception.clinician_id) == people,
            col(exception.taken_back_at).is_(None),
            col(exception.day).between(first, last),
        ),
        choose(
            literal("away"),
            col(Absence.person_id),
            *none,
            sql_cast(null(), Integer()),
            col(Absence.first_day),
            col(Absence.last_day),
        ).where(
            col(Absence.person_id) == people,
            col(Absence.first_day) <= last,
            col(Absence.last_day) >= first,
        ),
        # Whoever leaves is away from that day on: nobody books them, and what is booked shows.
        choose(
            literal("away"),
            col(Person.id),
            *none,
            sql_cast(null(), Integer()),
            sql_cast(func.timezone(col(Unit.time_zone), col(Person.left_at)), Date()),
            sql_cast(last, Date()),
        )
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .where(col(Person.id) == people, col(Person.left_at).is_not(None)),
    ]
    if at_moment:
        both_ends: Any = literal_column("'[]'")
        parts.append(
            choose(
                literal("taken"),
                col(TimeClaim.party),
                *none,
                sql_cast(null(), Integer()),
                sql_cast(null(), Date()),
                sql_cast(null(), Date()),
            ).where(
                # As the constraint has it, whose index answers this.
                func.uuidrange(col(TimeClaim.party), col(TimeClaim.party), both_ends)
                == func.uuidrange(col(Person.id), col(Person.id), both_ends),
                col(TimeClaim.during).contains(bindparam("at", type_=UtcDateTime())),
                col(Person.id) == people,
            )
        )
    return DirectStatement(union_all(*parts))


async def plan(
    session: AsyncSession,
    clinicians: Collection[UUID],
    first: date,
    last: date,
    at: datetime | None = None,
) -> HoursPlan:
    """The hours of these clinicians on these days, the last included.

    With `at` it also says whether one of them is taken at that moment.
    """
    asked = {"people": list(clinicians), "first": first, "last": last}
    if at is not None:
        asked["at"] = at
    found = await _hours(at_moment=at is not None).run(session, asked)
    weekly, exceptional, absent, is_taken = [], [], [], False
    rows = await found.fetchall()
    for what, who, unit, room, starts, until, step, zone, on, begins, ends in rows:
        line = (who, unit, room, starts, until, step, zone)
        if what == "taken":
            is_taken = True
        elif what == "away":
            absent.append((who, begins, ends))
        elif what == "week":
            weekly.append(WeeklyHours(*line, on, begins, ends))
        else:
            exceptional.append(ExceptionalHours(*line, bool(on), begins))
    return HoursPlan(weekly, exceptional, absent, is_taken)


_TAKEN = DirectStatement(
    text(
        "select c.party, lower(c.during), upper(c.during) from unnest(:parties) as wanted(party)"
        " join claim c on c.during && tstzrange(:begins, :ends) and"
        " uuidrange(c.party, c.party, '[]') = uuidrange(wanted.party, wanted.party, '[]')"
    ).bindparams(
        bindparam("parties", type_=ARRAY(Uuid())),
        bindparam("begins", type_=UtcDateTime()),
        bindparam("ends", type_=UtcDateTime()),
    )
)
"""The claims of some people and rooms that meet a time, by the index of the constraint."""


async def taken(
    session: AsyncSession, parties: Sequence[UUID], begins: datetime, ends: datetime
) -> list[tuple[UUID, datetime, datetime]]:
    """Who and what is taken when, between two moments."""
    asked = {"parties": list(parties), "begins": begins, "ends": ends}
    found = await _TAKEN.run(session, asked)
    return [
        (party, first.astimezone(UTC), last.astimezone(UTC))
        for party, first, last in await found.fetchall()
    ]


async def free_times(
    session: AsyncSession, clinicians: Collection[UUID], first: date, days: int, now: datetime
) -> list[FreeSlot]:
    """The free times of clinicians from a day on. Nothing is written.

    Raises Refusal 422 for too many people or days.
    """
    if not 1 <= days <= rules.MOST_DAYS or len(clinicians) > MOST_CLINICIANS:
        raise rules.wrong("days", "Выберите меньше дней или людей.")
    wanted = [first + timedelta(days=number) for number in range(days)]
    found = await plan(session, clinicians, wanted[0], wanted[-1])
    zones = [ZoneInfo(name) for name in found.zones]
    claims: list[tuple[UUID, datetime, datetime]] = []
    if zones:
        begins = min(rules.moment(wanted[0], 0, zone) for zone in zones)
        ends = max(rules.moment(wanted[-1], rules.DAY, zone, ends=True) for zone in zones)
        claims = await taken(session, found.parties, begins, ends)
    return rules.free_times(wanted, found.weekly, found.exceptional, found.absent, claims, now)
