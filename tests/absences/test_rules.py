"""Which time is proposed, and when people are reminded: plain functions."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from rules.absences import Displaced, FreeBoard, demand_days, is_urgent, reminds_at
from rules.refusals import Refusal
from rules.schedule.hours import FreeSlot, Span

OWN, COLLEAGUE, UNIT, PATIENT = (UUID(int=number) for number in range(1, 5))
AT = datetime(2026, 12, 7, 9, tzinfo=UTC)
HALF = timedelta(minutes=30)
ONE = Displaced(UUID(int=9), OWN, PATIENT, AT, AT + HALF)


def slot(who: UUID, days: int = 0, minutes: int = 0, length: timedelta = HALF) -> FreeSlot:
    """A free time so much later than the appointment."""
    at = AT + timedelta(days=days, minutes=minutes)
    return FreeSlot(who, UNIT, None, at, at + length)


@pytest.mark.parametrize(
    ("free", "proposed"),
    [
        ([slot(COLLEAGUE, 0, 90), slot(COLLEAGUE, 0, -60), slot(OWN, 1)], 1),
        ([slot(COLLEAGUE, 1), slot(OWN, 7)], 1),
        ([slot(OWN, 8), slot(COLLEAGUE, 3)], 1),
        ([slot(COLLEAGUE, 0, 0, timedelta(minutes=20)), slot(COLLEAGUE, 0, 30)], 1),
        ([slot(COLLEAGUE, -1)], None),
        ([], None),
    ],
    ids=["same day, nearest", "own within a week", "else anybody", "long enough", "past", "none"],
)
def test_the_time_nearest_to_what_the_patient_had(
    free: list[FreeSlot], proposed: int | None
) -> None:
    """A colleague that day, the same clinician within a week, the first of anybody."""
    found = FreeBoard(free, {}, "Europe/Moscow").propose(ONE)
    assert found == (None if proposed is None else free[proposed])


def test_each_time_is_proposed_once_and_to_nobody_who_is_busy() -> None:
    """Of two patients the second gets the next; who is elsewhere then gets neither."""
    board = FreeBoard([slot(COLLEAGUE), slot(COLLEAGUE, 0, 30)], {}, "Europe/Moscow")
    assert board.propose(ONE) == slot(COLLEAGUE)
    assert board.propose(ONE) == slot(COLLEAGUE, 0, 30)
    assert board.propose(ONE) is None
    busy: dict[UUID, list[Span]] = {PATIENT: [(AT, AT + HALF)]}
    board = FreeBoard([slot(COLLEAGUE), slot(COLLEAGUE, 0, 30)], busy, "Europe/Moscow")
    assert not board.take(ONE, COLLEAGUE, AT)
    assert board.propose(ONE) == slot(COLLEAGUE, 0, 30)


def test_a_day_is_that_of_the_unit() -> None:
    """Where it is Monday 23:30 UTC it is Tuesday in Vladivostok, and so is two hours later."""
    late = datetime(2026, 12, 7, 23, 30, tzinfo=UTC)
    one = Displaced(ONE.id, OWN, PATIENT, late, late + HALF)
    before = FreeSlot(COLLEAGUE, UNIT, None, late - timedelta(hours=10), late)
    after = FreeSlot(COLLEAGUE, UNIT, None, late + timedelta(hours=2), late + timedelta(hours=3))
    for zone, nearest in (("Asia/Vladivostok", after), ("UTC", before)):
        assert FreeBoard([before, after], {}, zone).propose(one) == nearest


def test_reminders_come_daily_then_hourly_and_the_head_hears_in_the_last_day() -> None:
    """Never later than a day before the first appointment that waits."""
    for ahead, pause in (
        (timedelta(days=30), timedelta(days=1)),
        (timedelta(days=2), timedelta(hours=4)),
        (timedelta(hours=25), timedelta(hours=1)),
        (timedelta(hours=5), timedelta(hours=1)),
        (-timedelta(hours=5), timedelta(hours=1)),
    ):
        assert reminds_at(AT, AT + ahead) - AT == pause
    assert not is_urgent(AT, AT + timedelta(hours=25))
    assert is_urgent(AT, AT + timedelta(hours=24))


def test_days_of_an_absence() -> None:
    """In order, at most a year; not entered when they are over, but shortened until yesterday."""
    today = date(2026, 12, 7)
    demand_days(today, today, today)
    demand_days(today - timedelta(days=5), today - timedelta(days=1))
    for first, last in ((0, -1), (0, 366), (-5, -1)):
        with pytest.raises(Refusal, match="incomplete"):
            demand_days(today + timedelta(days=first), today + timedelta(days=last), today)
