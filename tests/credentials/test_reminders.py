"""When people are reminded of the end of a credential, as plain rules (Q4)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.credentials.reminders import (
    DEFAULT_LEADS,
    Reminder,
    ReminderState,
    demand_leads,
    due,
    known_since,
    next_moment,
    over_at,
    planned,
    reminder_at,
)
from rules.refusals import Refusal

MOSCOW, KAMCHATKA = ZoneInfo("Europe/Moscow"), ZoneInfo("Asia/Kamchatka")
LAST = date(2031, 3, 31)
BEGAN = datetime(2026, 4, 1, 12, tzinfo=UTC)


def known(reminders: Sequence[Reminder]) -> Mapping[int, Reminder]:
    """As they are kept between two looks."""
    return {one.days: one for one in reminders}


def states(reminders: Sequence[Reminder]) -> dict[int, ReminderState]:
    """The state of each reminder."""
    return {one.days: one.state for one in reminders}


def test_days_are_those_of_the_owners_unit() -> None:
    """Q4: nine in the morning there, and valid to the end of the day there."""
    assert reminder_at(LAST, 0, KAMCHATKA) == datetime(2031, 3, 30, 21, tzinfo=UTC)
    assert over_at(LAST, KAMCHATKA) == datetime(2031, 3, 31, 12, tzinfo=UTC)
    assert over_at(LAST, MOSCOW) - over_at(LAST, KAMCHATKA) == timedelta(hours=9)


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=60).map(sorted))
def test_whatever_the_outages_no_reminder_comes_twice_or_after_the_end(days: list[int]) -> None:
    """Looks at any moments: each reminder is sent at most once, late ones merge into the last."""
    kept: Mapping[int, Reminder] = {}
    sent: list[tuple[datetime, int]] = []
    for at in (BEGAN + timedelta(day) for day in days):
        wanted = planned(LAST, DEFAULT_LEADS, MOSCOW, kept, since=BEGAN, now=at)
        result = due(wanted, LAST, MOSCOW, at)
        if result.send is not None:
            sent.append((at, result.send.days))
        kept = known(result.all)
        assert all(one.due_at > at for one in result.all if one.state is ReminderState.PLANNED)
        again = next_moment(result.all, LAST, MOSCOW, at)
        assert (again is None) == (at >= over_at(LAST, MOSCOW))
        assert again is None or again > at
    assert len({lead for _, lead in sent}) == len(sent)
    assert all(at < over_at(LAST, MOSCOW) for at, _ in sent)
    for at, lead in sent:
        nearer = [one for one in DEFAULT_LEADS if one < lead]
        assert all(at < reminder_at(LAST, one, MOSCOW) for one in nearer), "the last one missed"


def test_who_has_typed_the_day_is_not_reminded_of_what_is_past() -> None:
    """The owner knows; what a register told is news, and its newest reminder comes at once."""
    typed = reminder_at(LAST, 20, MOSCOW)
    for by_owner, first in ((True, 14), (False, 30)):
        since = known_since(typed, by_owner=by_owner)
        wanted = planned(LAST, DEFAULT_LEADS, MOSCOW, {}, since=since, now=typed)
        waiting = [one.days for one in wanted if one.state is ReminderState.PLANNED]
        assert max(waiting) == first
    result = due(wanted, LAST, MOSCOW, typed)
    assert result.send is not None
    assert result.send.days == 30


def test_other_days_are_chosen() -> None:
    """What is no longer wanted is dropped, what was sent stays, and nothing past comes back."""
    at = reminder_at(LAST, 55, MOSCOW)
    first = planned(LAST, DEFAULT_LEADS, MOSCOW, {}, since=BEGAN, now=BEGAN)
    sent = [
        replace(one, state=ReminderState.SENT) if one.days in (90, 60) else one for one in first
    ]
    chosen = planned(LAST, (100, 45, 7), MOSCOW, known(sent), since=at, now=at)
    assert states(chosen) == {
        100: ReminderState.DROPPED,
        90: ReminderState.SENT,
        60: ReminderState.SENT,
        45: ReminderState.PLANNED,
        30: ReminderState.DROPPED,
        14: ReminderState.DROPPED,
        7: ReminderState.PLANNED,
        1: ReminderState.DROPPED,
        0: ReminderState.DROPPED,
    }
    back = planned(LAST, DEFAULT_LEADS, MOSCOW, known(chosen), since=at, now=at)
    assert [one.days for one in back if one.state is ReminderState.PLANNED] == [30, 14, 7, 1, 0]


def test_another_zone_moves_what_is_to_come() -> None:
    """A unit that got another zone, or an owner who went to another unit: the days are the same."""
    first = planned(LAST, (7,), MOSCOW, {}, since=BEGAN, now=BEGAN)
    moved = planned(LAST, (7,), KAMCHATKA, known(first), since=BEGAN, now=BEGAN)
    assert first[0].due_at - moved[0].due_at == timedelta(hours=9)


@pytest.mark.parametrize("leads", [(-1,), (731,), range(13)])
def test_odd_choices_are_refused(leads: Sequence[int]) -> None:
    """Days from the last day to two years ahead, a dozen at most; none is a choice too."""
    with pytest.raises(Refusal):
        demand_leads(leads)
    assert demand_leads([7, 7, 30]) == (30, 7)
    assert demand_leads([]) == ()
