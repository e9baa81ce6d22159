"""Days typed into filters: both ends are included, and no day that is typed brings a page down."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cabinet.frame.periods import period_of

ZONE = ZoneInfo("Europe/Samara")


def test_both_days_are_included() -> None:
    """A period ends where the day after its last begins, in the institution's zone."""
    period = period_of({"from": "1.02.2026", "until": "2026-02-28"}, ZONE)
    assert period.begins == datetime(2026, 2, 1, tzinfo=ZONE)
    assert period.ends == datetime(2026, 3, 1, tzinfo=ZONE)
    assert not period.errors


def test_an_open_end_narrows_nothing() -> None:
    """Blank fields are no days."""
    period = period_of({"from": " ", "until": ""}, ZONE)
    assert (period.begins, period.ends, dict(period.errors)) == (None, None, {})


@pytest.mark.parametrize("day", ["31.12.9999", "01.01.0001", "30.02.2026", "завтра"])
def test_days_that_are_none_are_told(day: str) -> None:
    """The last day of the calendar has no day after it; it is refused like every wrong one."""
    period = period_of({"from": "01.03.2026", "until": day}, ZONE)
    assert period.begins is not None
    assert period.ends is None
    assert list(period.errors) == ["until"]
