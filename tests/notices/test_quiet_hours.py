"""Quiet hours and the digest, at the edges of days, zones and changes of the clock (N2)."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.notices.quiet_hours import Quiet, digest_at, held_until

MOSCOW, BERLIN, CHATHAM = "Europe/Moscow", "Europe/Berlin", "Pacific/Chatham"
NIGHT = Quiet(MOSCOW, time(22), time(8))
AT_NOON = Quiet(MOSCOW, time(12), time(14))


def at(zone: str, *parts: int, fold: int = 0) -> datetime:
    """A moment by the clock of a zone."""
    return datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("quiet", "moment", "until"),
    [
        (NIGHT, at(MOSCOW, 2026, 12, 4, 21, 59, 59), None),
        (NIGHT, at(MOSCOW, 2026, 12, 4, 22), at(MOSCOW, 2026, 12, 5, 8)),
        (NIGHT, at(MOSCOW, 2026, 12, 5, 0), at(MOSCOW, 2026, 12, 5, 8)),
        (NIGHT, at(MOSCOW, 2026, 12, 5, 7, 59, 59), at(MOSCOW, 2026, 12, 5, 8)),
        (NIGHT, at(MOSCOW, 2026, 12, 5, 8), None),
        (NIGHT, datetime(2026, 12, 31, 20, tzinfo=UTC), at(MOSCOW, 2027, 1, 1, 8)),
        (AT_NOON, at(MOSCOW, 2026, 12, 4, 12), at(MOSCOW, 2026, 12, 4, 14)),
        (AT_NOON, at(MOSCOW, 2026, 12, 4, 14), None),
        (Quiet(MOSCOW), at(MOSCOW, 2026, 12, 4, 3), None),
        (Quiet(MOSCOW, time(8), time(8)), at(MOSCOW, 2026, 12, 4, 8), None),
        # The clock of Chatham is 13 h 45 min ahead in summer.
        (
            Quiet(CHATHAM, time(22), time(8)),
            datetime(2026, 12, 4, 8, 15, tzinfo=UTC),
            at(CHATHAM, 2026, 12, 5, 8),
        ),
        (Quiet(CHATHAM, time(22), time(8)), datetime(2026, 12, 4, 8, 14, tzinfo=UTC), None),
    ],
)
def test_held_inside_quiet_hours_only(
    quiet: Quiet, moment: datetime, until: datetime | None
) -> None:
    """From the first second to the last, over midnight and over New Year, by the person's clock."""
    assert held_until(quiet, moment) == until


def test_an_end_that_the_clock_skips_or_shows_twice() -> None:
    """In spring the moment that would have been so, in autumn the first of the two."""
    quiet = Quiet(BERLIN, time(22), time(2, 30))
    spring = held_until(quiet, at(BERLIN, 2026, 3, 28, 23))
    assert spring == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    autumn = held_until(quiet, at(BERLIN, 2026, 10, 24, 23))
    assert autumn == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (at(MOSCOW, 2026, 12, 4, 17, 59, 59), at(MOSCOW, 2026, 12, 4, 18)),
        (at(MOSCOW, 2026, 12, 4, 18), at(MOSCOW, 2026, 12, 5, 18)),
        (at(MOSCOW, 2026, 12, 31, 23), at(MOSCOW, 2027, 1, 1, 18)),
    ],
)
def test_a_digest_gathers_until_its_hour(written: datetime, told: datetime) -> None:
    """What is written at the hour itself belongs to the next day."""
    assert digest_at(Quiet(MOSCOW, digest_hour=18), written) == told


def test_a_digest_in_quiet_hours_waits_for_their_end() -> None:
    """Whoever asked for both is not woken by the digest."""
    both = Quiet(MOSCOW, time(22), time(8), digest_hour=6)
    assert digest_at(both, at(MOSCOW, 2026, 12, 4, 10)) == at(MOSCOW, 2026, 12, 5, 8)
    assert digest_at(Quiet(MOSCOW), at(MOSCOW, 2026, 12, 4, 10)) is None


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from([MOSCOW, BERLIN, CHATHAM, "Asia/Kamchatka", "America/St_Johns"]),
    st.times(),
    st.times(),
)
def test_the_wait_ends_within_a_day_and_outside_quiet_hours(
    moment: datetime, zone: str, begins: time, ends: time
) -> None:
    """Nothing is held for ever, and at the end of a wait it may go."""
    quiet = Quiet(zone, begins, ends)
    until = held_until(quiet, moment)
    if until is not None:
        assert 0 < (until - moment).total_seconds() <= 26 * 3600
