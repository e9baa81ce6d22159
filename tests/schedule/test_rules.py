"""Hours by the clock on the wall, free times in them, and the arrows of an appointment."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from rules.refusals import Refusal
from rules.schedule.claims import beside, parties
from rules.schedule.hours import (
    DAY,
    ExceptionalHours,
    WeeklyHours,
    demand_hours,
    free_times,
    hours_at,
    length_of,
    minutes_of,
    moment,
    parted,
    span,
    wall_of,
)
from rules.schedule.states import (
    ARROWS,
    OVER,
    AppointmentState,
    VisitStep,
    demand_arrow,
    looks_at,
    taken,
)

WHO, UNIT, ROOM = (UUID(int=number) for number in (1, 2, 3))
VOLGOGRAD = "Europe/Volgograd"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def weekly(day: date, starts: int, ends: int, step: int = 30, zone: str = VOLGOGRAD) -> WeeklyHours:
    """Hours of the weekday of a day, for ever."""
    return WeeklyHours(
        WHO, UNIT, ROOM, starts, ends, step, zone, day.weekday(), date(2000, 1, 1), None
    )


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A moment in UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def starts(day: date, hours: WeeklyHours, **others: object) -> list[datetime]:
    """When one can be booked on a day."""
    given: dict[str, object] = {"exceptional": [], "absent": [], "taken": [], "now": LONG_AGO}
    return [one.starts_at for one in free_times([day], [hours], **(given | others))]  # type: ignore[arg-type]


def test_nine_o_clock_moves_with_the_law() -> None:
    """Volgograd went back by an hour on 2020-12-27: 9:00 is 05:00 UTC before, 06:00 from then."""
    zone = ZoneInfo(VOLGOGRAD)
    assert moment(date(2020, 12, 26), 9 * 60, zone) == at(2020, 12, 26, 5)
    assert moment(date(2020, 12, 27), 9 * 60, zone) == at(2020, 12, 27, 6)
    booked, wall = at(2021, 1, 10, 5), datetime(2021, 1, 10, 9)  # noqa: DTZ001 - by the clock
    assert parted(booked, wall, VOLGOGRAD)
    assert not parted(at(2021, 1, 10, 6), wall, VOLGOGRAD)
    assert wall_of(booked, VOLGOGRAD).hour == 8


def test_an_hour_that_comes_twice_is_worked_twice_and_each_time_is_another_moment() -> None:
    """On that night the clock showed 1:00 to 2:00 twice."""
    day = date(2020, 12, 27)
    hours = weekly(day, 60, 120)
    assert span(day, hours) == (at(2020, 12, 26, 21), at(2020, 12, 26, 23))
    found = starts(day, hours)
    assert found == [at(2020, 12, 26, 21) + timedelta(minutes=30 * n) for n in range(4)]
    assert [wall_of(one, VOLGOGRAD).minute for one in found] == [0, 30, 0, 30]


def test_an_hour_that_is_missing_cannot_be_booked() -> None:
    """Berlin jumped from 2:00 to 3:00 on 2026-03-29: hours in it are empty, those around shrink."""
    day, zone = date(2026, 3, 29), "Europe/Berlin"
    assert starts(day, weekly(day, 120, 180, zone=zone)) == []
    assert starts(day, weekly(day, 135, 165, zone=zone)) == []
    around = starts(day, weekly(day, 90, 210, zone=zone))
    assert [wall_of(one, zone).strftime("%H:%M") for one in around] == ["01:30", "03:00"]
    assert moment(day, 150, ZoneInfo(zone)) == at(2026, 3, 29, 1)


def test_the_last_day_counts_until_midnight_also_at_the_end_of_a_year() -> None:
    """Hours until 24:00 of the last valid day, and none on the next."""
    last = date(2026, 12, 31)
    hours = WeeklyHours(
        WHO, UNIT, None, DAY - 60, DAY, 30, VOLGOGRAD, last.weekday(), date(2026, 1, 1), last
    )
    assert span(last, hours)[1] == at(2026, 12, 31, 21)
    assert starts(last, hours) == [at(2026, 12, 31, 20), at(2026, 12, 31, 20, 30)]
    assert starts(last + timedelta(days=7), hours) == []
    begins, ends = at(2026, 12, 31, 20, 30), at(2026, 12, 31, 21)
    assert hours_at(begins, ends, [hours], [], []) == hours
    assert hours_at(begins, ends + timedelta(minutes=1), [hours], [], []) is None


def test_free_time_is_what_exceptions_absences_and_claims_leave() -> None:
    """Rooms count as well as people; what has begun is not offered."""
    day = date(2026, 6, 1)
    hours = weekly(day, 9 * 60, 11 * 60)
    nine = span(day, hours)[0]
    half = timedelta(minutes=30)
    whole = [nine + n * half for n in range(4)]
    assert starts(day, hours) == whole
    assert starts(day, hours, taken=[(ROOM, nine, nine + half)]) == whole[1:]
    crossing = [(WHO, nine + half / 2, nine + half + half / 2)]
    assert starts(day, hours, taken=crossing) == whole[2:]
    assert starts(day, hours, absent=[(WHO, day, day)]) == []
    assert starts(day, hours, now=nine) == whole[1:]
    common = (WHO, UNIT, None, 9 * 60, 10 * 60, 30, VOLGOGRAD)
    off = ExceptionalHours(*common, False, day)
    assert starts(day, hours, exceptional=[off]) == whole[2:]
    more = ExceptionalHours(WHO, UNIT, None, 12 * 60, 13 * 60, 60, VOLGOGRAD, True, day)
    assert starts(day, hours, exceptional=[more]) == [*whole, nine + 6 * half]
    assert hours_at(nine, nine + half, [hours], [off], []) is None
    assert hours_at(nine, nine + half, [hours], [], [(WHO, day, day)]) is None


@pytest.mark.parametrize(
    ("begins", "ends", "step"), [(600, 600, 15), (600, 540, 15), (0, 1441, 15), (600, 610, 15)]
)
def test_hours_that_are_none_are_refused(begins: int, ends: int, step: int) -> None:
    """Empty, backwards, past midnight, or shorter than one appointment."""
    with pytest.raises(Refusal, match="incomplete"):
        demand_hours(begins, ends, step, VOLGOGRAD)


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("9:30", 570),
        (" 09.30 ", 570),
        ("24:00", DAY),
        ("00:00", 0),
        ("24:01", None),
        ("09:75", None),
        ("9²:30", None),
        ("٠٩:٣٠", None),
        ("930", None),
        ("", None),
    ],
)
def test_times_that_people_type(typed: str, minutes: int | None) -> None:
    """What is no time is none, whatever digits it is written in."""
    assert minutes_of(typed) == minutes


def test_lengths_that_people_type() -> None:
    """Whole minutes in up to three digits, and nothing that only looks like them."""
    typed = ("15", " 480 ", "²", "1٥", "0000300000", "-5", "1e2", "")
    assert [length_of(one) for one in typed] == [15, 480, *[None] * 6]


def test_every_way_back_needs_a_reason_and_nothing_leaves_the_end() -> None:
    """What is cancelled or moved stays so; what was completed or missed is undone with a reason."""
    order = list(AppointmentState)
    for (state, step), arrow in ARROWS.items():
        back = order.index(arrow.to) < order.index(state)
        assert arrow.reason or not back, (state, step)
    assert {state for state, _ in ARROWS} & OVER == {
        AppointmentState.COMPLETED,
        AppointmentState.NO_SHOW,
    }
    noon = at(2026, 6, 1, 9)
    arguments = ("", noon, VOLGOGRAD)
    with pytest.raises(Refusal, match="not_now"):
        demand_arrow(AppointmentState.COMPLETED, VisitStep.ARRIVE, *arguments, noon)
    with pytest.raises(Refusal, match="incomplete"):
        demand_arrow(AppointmentState.COMPLETED, VisitStep.UNDO, *arguments, noon)
    yesterday = noon - timedelta(days=1)
    with pytest.raises(Refusal, match="too_early"):
        demand_arrow(AppointmentState.BOOKED, VisitStep.ARRIVE, *arguments, yesterday)
    with pytest.raises(Refusal, match="too_early"):
        demand_arrow(
            AppointmentState.BOOKED, VisitStep.MISS, *arguments, noon - timedelta(minutes=1)
        )


def test_the_clock_looks_again_until_nobody_came() -> None:
    """A reminder before, the missed appointment after; nothing else is watched."""
    begins, ends = at(2026, 6, 1, 9), at(2026, 6, 1, 10)
    booked = AppointmentState.BOOKED
    assert looks_at(booked, begins, ends, None, at(2026, 5, 1)) == at(2026, 6, 1, 8)
    assert looks_at(booked, begins, ends, None, at(2026, 6, 1, 8, 30)) == at(2026, 6, 1, 11)
    assert looks_at(AppointmentState.ARRIVED, begins, ends, None, begins) is None


def test_an_overbooking_has_one_place_beside_the_clinician() -> None:
    """It takes the patient too, and no room; a refusal says what is taken and names nobody."""
    patient = UUID(int=9)
    assert parties(WHO, patient, ROOM, overbooked=False) == sorted((WHO, patient, ROOM))
    assert parties(WHO, patient, ROOM, overbooked=True) == sorted((beside(WHO), patient))
    refusal = taken(clinician=True, patient=False, room=True)
    assert refusal.status == 409
    assert "заняты врач и кабинет" in refusal.message
    assert refusal.facts["taken"] == ["clinician", "room"]
