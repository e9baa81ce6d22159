"""What an accreditation requires: hours, norms with their days, programmes that close a gap."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from rules.accreditations.hours import FinishedCourse, Hours, closing, hours_of
from rules.accreditations.norms import (
    AccreditationNorm,
    file_from,
    needs_primary,
    norm_on,
    years_before,
)
from rules.cases.accreditations import ACCREDITATION, AT_THE_CENTRE
from rules.cases.process import Party, Status, Transition
from rules.cases.terms import Alarm, Terms, WorkingCalendar, nth_alarm, review_alarms
from services.accreditations.norms import SHIPPED, norms_in

NORM = norms_in(SHIPPED)[0]
DAY = date(2026, 12, 1)


@dataclass(frozen=True)
class Offer:
    """A programme of a catalogue."""

    hours: int
    certified_hours: int


def test_hours_count_for_five_years() -> None:
    """Those of the day five years ago no more; none is certified beyond its hours."""
    courses = [
        FinishedCourse(36, 36, date(2026, 12, 1)),
        FinishedCourse(72, 100, date(2021, 12, 2)),
        FinishedCourse(18, 18, date(2021, 12, 1)),
        FinishedCourse(18, 18, date(2026, 12, 2)),
    ]
    hours = hours_of(courses, DAY, NORM)
    assert (hours.total, hours.certified) == (108, 108)
    assert (hours.missing, hours.certified_missing, hours.enough) == (36, 0, False)
    certified = Hours(200, 60, 144, 72)
    assert (certified.missing, certified.certified_missing) == (12, 12)
    assert Hours(144, 72, 144, 72).enough
    assert years_before(date(2028, 2, 29), 5) == date(2023, 2, 28)


def test_the_norm_in_force_decides() -> None:
    """The shipped one stands as the order says; of two the later, before both the earlier."""
    assert (NORM.hours, NORM.certified_hours, NORM.years) == (144, 72, 5)
    assert NORM.until == date(2029, 1, 1)
    later = AccreditationNorm("новый", date(2029, 1, 1), None, 5, 250, 100, 5, 5, 90)
    both = [later, NORM]
    assert norm_on(both, date(2028, 12, 31)) is NORM
    assert norm_on(both, date(2029, 1, 1)) is later
    assert norm_on(both, date(2020, 1, 1)) is NORM


def test_a_long_break_needs_the_primary_accreditation() -> None:
    """More than five years, to the day; who still works has none. Filing opens a year before."""
    assert not needs_primary(None, DAY, NORM)
    assert not needs_primary(years_before(DAY, 5), DAY, NORM)
    assert needs_primary(years_before(DAY, 5) - timedelta(days=1), DAY, NORM)
    assert file_from(date(2027, 12, 1), NORM) == DAY


@pytest.mark.parametrize(
    ("offers", "chosen", "alone"),
    [
        ([(36, 36), (144, 0), (72, 36), (576, 576)], [(72, 36), (576, 576)], True),
        ([(36, 0), (36, 36), (18, 18)], [(36, 36), (36, 0)], False),
        ([(18, 0)], [(18, 0)], False),
        ([], [], False),
        ([(36, 0), (0, 0)], [(36, 0)], False),
    ],
)
def test_programmes_close_the_gap(
    offers: list[tuple[int, int]], chosen: list[tuple[int, int]], alone: bool
) -> None:
    """One that is enough, the shortest first; or several together, as few as give the most."""
    gap = Hours(72, 36, 144, 72)
    found, enough = closing([Offer(*one) for one in offers], gap)
    assert [(one.hours, one.certified_hours) for one in found] == chosen
    assert enough is alone
    assert closing([Offer(1, 1)], Hours(144, 72, 144, 72)) == ([], True)


def test_terms_of_the_centre_and_of_its_commission() -> None:
    """20 and 15 working days; people are reminded five days before, then every morning."""
    assert set(ACCREDITATION.own_terms) == set(AT_THE_CENTRE)
    with pytest.raises(ValueError, match="centre"):
        Terms(own={"centre": 5})
    from datetime import UTC, datetime

    calendar = WorkingCalendar()
    begun, due = datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 29, 21, tzinfo=UTC)
    terms = Terms(own={"centre": 20}).in_place_of_review("centre")
    alarms = review_alarms(begun, due, terms, "Europe/Moscow", calendar)
    reminder = nth_alarm(alarms, 0)
    assert reminder is not None
    assert reminder == (datetime(2026, 12, 22, 6, tzinfo=UTC), Alarm.REMIND)
    assert next(alarms) == (due, Alarm.ESCALATE)


def test_the_process_leaves_nobody_waiting() -> None:
    """Every open status has a way on; only the centre accredits; a refused one may be copied."""
    for status, party in ACCREDITATION.waits_for.items():
        leaves = [s for s, _ in ACCREDITATION.transitions if s is status]
        assert bool(leaves) is (party is not Party.NOBODY), status
    accredits = [rule for (_, t), rule in ACCREDITATION.transitions.items()
                 if t is Transition.ACCREDIT]  # fmt: skip
    assert [rule.by for rule in accredits] == [Party.FEDERAL_CENTRE]
    assert {Status.REFUSED, Status.RETURNED} <= set(ACCREDITATION.copyable)
    assert set(ACCREDITATION.words) == set(ACCREDITATION.waits_for)
