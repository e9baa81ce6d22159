"""Terms in working days: calendars, deadlines, reminders."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.cases.terms import (
    Alarm,
    DueAlarms,
    Terms,
    WorkingCalendar,
    answer_alarms,
    day_and_hour,
    deadline,
    due_alarms,
    in_zone,
    last_day,
    nth_alarm,
    review_alarms,
    working_days_left,
)

MOSCOW = "Europe/Moscow"
ZONES = ("Europe/Moscow", "Asia/Kamchatka", "Europe/Kaliningrad", "Asia/Yekaterinburg", "UTC")
DST_ZONES = ("Africa/Cairo", "America/Sao_Paulo", "Europe/Berlin")
RU = WorkingCalendar()

days = st.dates(date(2015, 1, 1), date(2060, 12, 31))
moments = st.datetimes(datetime(2015, 1, 1), datetime(2060, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def moscow(*parts: int) -> datetime:
    """A moment by the clock of Moscow."""
    return datetime(*parts, tzinfo=ZoneInfo(MOSCOW))  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 11, 23), True),
        (date(2026, 11, 22), False),
        (date(2026, 12, 31), False),  # moved from Sunday 4 January
        (date(2026, 1, 9), False),  # moved from Saturday 3 January
        (date(2027, 1, 8), False),
        (date(2027, 1, 11), True),
        (date(2027, 2, 20), True),  # a Saturday that is worked for Monday the 22nd
        (date(2027, 2, 22), False),
        (date(2027, 11, 5), False),
        (date(2040, 1, 3), False),  # no transfers decreed, the holidays of the Code hold
        (date(2040, 1, 10), True),
    ],
)
def test_calendar_knows_holidays_and_transferred_days(day: date, working: bool) -> None:
    """The production calendars of 2026 and 2027 hold, and years beyond them have holidays too."""
    assert RU.is_working(day) is working


def test_later_decree_overrides_the_calendar() -> None:
    """A day of the institution's table counts as the table says, in every calculation."""
    decreed = WorkingCalendar({date(2026, 11, 24): False, date(2026, 11, 28): True})
    assert not decreed.is_working(date(2026, 11, 24))
    assert decreed.add(date(2026, 11, 23), 1) == date(2026, 11, 25)
    assert decreed.add(date(2026, 11, 27), 1) == date(2026, 11, 28)
    assert decreed.between(date(2026, 11, 23), date(2026, 11, 30)) == 5


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        (moscow(2026, 11, 23, 12), 10, moscow(2026, 12, 8)),
        (moscow(2026, 11, 21, 12), 1, moscow(2026, 11, 24)),  # a Saturday: Monday is the first day
        (moscow(2026, 12, 30, 23, 59), 1, moscow(2027, 1, 12)),  # the whole New Year between
        (moscow(2026, 12, 18, 9), 10, moscow(2027, 1, 13)),
        (moscow(2025, 12, 30, 9), 2, moscow(2026, 1, 14)),
        (moscow(2027, 2, 19, 9), 1, moscow(2027, 2, 21)),  # the worked Saturday is a day
        (moscow(2027, 2, 19, 9), 2, moscow(2027, 2, 25)),
    ],
)
def test_deadline_is_midnight_after_the_last_working_day(
    start: datetime, n: int, end: datetime
) -> None:
    """Terms end at 24:00 of a working day, across weekends, New Year and transferred days."""
    assert deadline(start, n, MOSCOW, RU) == end


def test_deadline_counts_from_the_local_day() -> None:
    """23:30 in Moscow is already tomorrow on Kamchatka, so its term ends a day later."""
    start = moscow(2026, 11, 23, 23, 30)
    assert deadline(start, 1, MOSCOW, RU) == datetime(2026, 11, 24, 21, tzinfo=UTC)
    assert deadline(start, 1, "Asia/Kamchatka", RU) == datetime(2026, 11, 25, 12, tzinfo=UTC)


@given(moments, st.integers(1, 60), st.sampled_from(ZONES + DST_ZONES))
def test_deadline_never_ends_on_a_day_off(start: datetime, n: int, zone: str) -> None:
    """The last day of any term is a working day, and n of them lie in the term."""
    due = deadline(start, n, zone, RU)
    last = last_day(due, zone)
    assert RU.is_working(last)
    assert due > start
    assert due.tzinfo is UTC
    assert working_days_left(start, due, zone, RU) == n
    assert working_days_left(due - timedelta(seconds=1), due, zone, RU) == 0


@given(moments, moments, st.integers(1, 60), st.integers(0, 60), st.sampled_from(ZONES))
def test_deadline_is_monotone(a: datetime, b: datetime, n: int, more: int, zone: str) -> None:
    """Who begins later or has longer never has to be ready sooner."""
    first, second = sorted((a, b))
    assert deadline(first, n, zone, RU) <= deadline(second, n + more, zone, RU)


@given(days, st.integers(-300, 300).filter(bool), st.dictionaries(days, st.booleans(), max_size=9))
def test_adding_and_counting_agree(day: date, n: int, overrides: dict[date, bool]) -> None:
    """`between` undoes `add`, `add` lands on working days, whatever a decree says."""
    calendar = WorkingCalendar(overrides)
    there = calendar.add(day, n)
    assert calendar.is_working(there)
    if n > 0:
        assert calendar.between(day, there) == n
    else:
        assert calendar.between(there, day) == -n - (not calendar.is_working(day))
    assert calendar.between(there, day) == -calendar.between(day, there)


@given(days, days)
def test_counting_is_what_one_would_count_by_hand(a: date, b: date) -> None:
    """`between` equals going through the days one by one."""
    if abs((b - a).days) > 1000:
        b = a + timedelta(days=(b - a).days % 1000)
    first, last = min(a, b), max(a, b)
    count = sum(RU.is_working(first + timedelta(days=i)) for i in range(1, (last - first).days + 1))
    assert RU.between(first, last) == count


def test_days_left_go_below_zero_when_overdue() -> None:
    """An overdue case says by how many working days."""
    due = deadline(moscow(2026, 11, 23, 12), 1, MOSCOW, RU)
    assert working_days_left(moscow(2026, 11, 24, 23, 59), due, MOSCOW, RU) == 0
    assert working_days_left(moscow(2026, 11, 25), due, MOSCOW, RU) == -1
    assert working_days_left(moscow(2026, 11, 29, 12), due, MOSCOW, RU) == -3


def test_review_is_reminded_escalated_and_never_given_up() -> None:
    """Reminder on the seventh day, escalation at the end, then every working morning (A11)."""
    entered = moscow(2026, 12, 14, 15)
    due = deadline(entered, 10, MOSCOW, RU)
    alarms = list(islice(review_alarms(entered, due, Terms(), MOSCOW, RU), 4))
    assert alarms == [
        (moscow(2026, 12, 23, 9), Alarm.REMIND),
        (moscow(2026, 12, 29), Alarm.ESCALATE),
        (moscow(2026, 12, 29, 9), Alarm.ESCALATE),
        (moscow(2026, 12, 30, 9), Alarm.ESCALATE),
    ]
    fifth = nth_alarm(review_alarms(entered, due, Terms(), MOSCOW, RU), 4)
    assert fifth == (moscow(2027, 1, 11, 9), Alarm.ESCALATE)
    hundredth = nth_alarm(review_alarms(entered, due, Terms(), MOSCOW, RU), 99)
    assert hundredth is not None
    assert hundredth[1] is Alarm.ESCALATE


def test_answer_is_reminded_twice_and_then_lapses() -> None:
    """The applicant hears on the fifth and ninth day; after the tenth the case is closed."""
    entered = moscow(2026, 11, 23, 15)
    due = deadline(entered, 10, MOSCOW, RU)
    alarms = list(answer_alarms(entered, due, Terms(), MOSCOW, RU))
    assert alarms == [
        (moscow(2026, 11, 30, 9), Alarm.REMIND),
        (moscow(2026, 12, 4, 9), Alarm.REMIND),
        (moscow(2026, 12, 8), Alarm.LAPSE),
    ]
    assert nth_alarm(alarms, 2) == (moscow(2026, 12, 8), Alarm.LAPSE)
    assert nth_alarm(alarms, 3) is None


def test_resumed_term_reminds_by_what_is_left() -> None:
    """After a pause with two days left, the reminder at three days left is not sent late."""
    entered = moscow(2026, 11, 23, 15)
    due = deadline(entered, 2, MOSCOW, RU)
    first = nth_alarm(review_alarms(entered, due, Terms(), MOSCOW, RU), 0)
    assert first == (due, Alarm.ESCALATE)
    due = deadline(entered, 4, MOSCOW, RU)
    first = nth_alarm(review_alarms(entered, due, Terms(), MOSCOW, RU), 0)
    assert first == (moscow(2026, 11, 24, 9), Alarm.REMIND)


@given(
    moments,
    st.integers(1, 40),
    st.sampled_from(ZONES + DST_ZONES),
    st.sets(st.integers(1, 39), max_size=4),
)
def test_alarms_ring_in_order_and_after_the_beginning(
    entered: datetime, n: int, zone: str, reminders: set[int]
) -> None:
    """Every alarm is later than the one before it and than the beginning of the wait."""
    within = tuple(day for day in reminders if day < n)
    terms = Terms(review=n, review_reminders=within, answer=n, answer_reminders=within)
    due = deadline(entered, n, zone, RU)
    for alarms in (
        list(islice(review_alarms(entered, due, terms, zone, RU), 8)),
        list(answer_alarms(entered, due, terms, zone, RU)),
    ):
        times = [moment for moment, _ in alarms]
        assert times == sorted(set(times))
        assert times[0] > entered
        assert (due, Alarm.ESCALATE) in alarms or (due, Alarm.LAPSE) in alarms


def test_an_arbitrary_due_time_works() -> None:
    """A due time in the middle of a day rings at it and on the next morning."""
    entered, due = moscow(2026, 11, 23, 9), moscow(2026, 11, 23, 9, 30)
    alarms = review_alarms(entered, due, Terms(), MOSCOW, RU)
    assert nth_alarm(alarms, 0) == (due, Alarm.ESCALATE)
    assert nth_alarm(alarms, 0) == (moscow(2026, 11, 24, 9), Alarm.ESCALATE)


@pytest.mark.parametrize("wrong", [{"review": 0}, {"review": 5}, {"answer_reminders": (10,)}])
def test_impossible_terms_are_refused(wrong: dict[str, int]) -> None:
    """A term has days, and its reminders lie within it."""
    with pytest.raises(ValueError, match="term"):
        Terms(**wrong)  # type: ignore[arg-type]


def test_what_was_missed_rings_once() -> None:
    """Of the alarms that are over the last one counts; those told before are not told again."""
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)
    alarms = [
        (start + timedelta(days=n), Alarm.REMIND if n == 0 else Alarm.ESCALATE) for n in range(4)
    ]
    assert due_alarms(alarms, 0, start - timedelta(days=1)) == DueAlarms(0, None, start)
    assert due_alarms(alarms, 0, start) == DueAlarms(1, Alarm.REMIND, alarms[1][0])
    assert due_alarms(alarms, 0, alarms[2][0]) == DueAlarms(3, Alarm.ESCALATE, alarms[3][0])
    assert due_alarms(alarms, 3, alarms[2][0]) == DueAlarms(0, None, alarms[3][0])
    assert due_alarms(alarms, 1, alarms[3][0]) == DueAlarms(3, Alarm.ESCALATE, None)
    assert due_alarms([], 0, start) == DueAlarms()


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("Europe/Kaliningrad", (date(2026, 12, 2), "24:00")),
        ("Europe/Moscow", (date(2026, 12, 3), "01:00")),
    ],
)
def test_a_term_is_written_by_the_clock_it_carries(zone: str, written: tuple[date, str]) -> None:
    """Midnight ends the day before; elsewhere the same moment has another hour."""
    due = in_zone(datetime(2026, 12, 2, 22, tzinfo=UTC), zone)
    assert day_and_hour(due) == written
