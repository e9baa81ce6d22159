"""Times, reminders and outcomes of meetings, as plain rules."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from rules.meetings import (
    CHECKLIST,
    LENGTH,
    OUTCOME_WITHIN,
    MeetingState,
    Purpose,
    demand_outcome,
    next_look,
    reminded_by,
    slots_between,
)
from rules.refusals import Refusal
from services.meetings.calendar_file import calendar_file
from services.meetings.seen import MeetingSeen

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)


def test_a_day_is_cut_into_half_hours_of_its_zone() -> None:
    """By the clock of the unit; what is over is not offered."""
    found = slots_between(date(2026, 12, 1), time(8), time(10, 30), MOSCOW, NOW)
    assert [one.astimezone(MOSCOW).time() for one in found] == [time(9, 30), time(10)]
    later = slots_between(date(2026, 12, 2), time(8), time(9), MOSCOW, NOW)
    assert later[0] == datetime(2026, 12, 2, 5, 0, tzinfo=UTC)
    assert later[1] - later[0] == LENGTH


def test_a_day_on_which_the_clock_changes_has_no_hour_twice() -> None:
    """The hour that comes twice is cut by instants, so no two meetings begin at once."""
    berlin = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 10, 24, 6, 0, tzinfo=UTC)
    found = slots_between(date(2026, 10, 25), time(1), time(4), berlin, now)
    assert len(set(found)) == len(found) == 8


@pytest.mark.parametrize(
    ("day", "first", "last", "field"),
    [
        (date(2026, 11, 30), time(9), time(10), "day"),
        (date(2027, 2, 1), time(9), time(10), "day"),
        (date(2026, 12, 2), time(9, 15), time(10), "first"),
        (date(2026, 12, 2), time(10), time(10), "last"),
        (date(2026, 12, 1), time(7), time(8), "first"),
    ],
)
def test_times_that_cannot_be_meant_are_refused(
    day: date, first: time, last: time, field: str
) -> None:
    """Over, too far, off the half hour, the wrong way round."""
    with pytest.raises(Refusal) as refused:
        slots_between(day, first, last, MOSCOW, NOW)
    assert [one.path for one in refused.value.fields] == [field]


def test_whoever_confirms_has_compared_everything() -> None:
    """And whoever does not says why; not coming needs no reason."""
    everything = list(CHECKLIST)
    assert demand_outcome("confirmed", everything, "")[0] is MeetingState.CONFIRMED
    assert demand_outcome("missed", [], " ")[2] == ""
    for outcome, compared, reason, field in (
        ("confirmed", everything[1:], "", "compared"),
        ("not_confirmed", everything, "", "reason"),
        ("not_confirmed", [], "x" * 1001, "reason"),
        ("booked", everything, "", "outcome"),
        ("nothing", everything, "", "outcome"),
    ):
        with pytest.raises(Refusal) as refused:
            demand_outcome(outcome, compared, reason)
        assert [one.path for one in refused.value.fields] == [field]


def test_a_meeting_is_looked_at_until_it_has_an_outcome() -> None:
    """A day before, half an hour before, and two days after; late bookings skip what is over."""
    at = NOW + timedelta(days=2)
    assert next_look(at, 0) == at - timedelta(hours=24)
    assert next_look(at, 1) == at - timedelta(minutes=30)
    assert next_look(at, 2) == at + LENGTH + OUTCOME_WITHIN
    assert [reminded_by(at, at - timedelta(hours=h)) for h in (25, 24, 1, 0)] == [0, 1, 1, 2]


def test_the_calendar_file_names_nobody_and_no_room() -> None:
    """Lines of at most 75 bytes, one UID for the life of a meeting, a number for each move."""
    seen = MeetingSeen(
        uuid4(),
        uuid4(),
        Purpose.VERIFICATION,
        MeetingState.BOOKED,
        NOW,
        NOW + LENGTH,
        "Соколова Анна",
        "Орлова Вера",
        "secret-room",
        2,
        (),
        (),
        None,
    )
    title = "Видеовстреча; " * 10
    text = calendar_file(seen, title, "https://medcab.example/meetings", NOW).decode()
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    unfolded = text.replace("\r\n ", "")
    assert "DTSTART:20261201T060000Z\r\nDTEND:20261201T063000Z" in unfolded
    assert "SEQUENCE:2" in unfolded
    assert r"Видеовстреча\; " in unfolded
    for private in ("Соколова", "Орлова", "secret-room"):
        assert private not in text
