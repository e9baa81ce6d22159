"""The hours that an accreditation needs: counted, and the programmes that give what is missing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol, TypeVar

from rules.accreditations.norms import AccreditationNorm, years_before


@dataclass(frozen=True)
class FinishedCourse:
    """A course that was finished: its hours, and how many of them are certified."""

    hours: int
    certified_hours: int
    finished_on: date


@dataclass(frozen=True)
class Hours:
    """The hours that somebody has, and those that are needed."""

    total: int
    certified: int
    needed: int
    certified_needed: int

    @property
    def missing(self) -> int:
        """How many hours are missing, certified or not."""
        return max(self.needed - self.total, self.certified_missing)

    @property
    def certified_missing(self) -> int:
        """How many of them have to be certified."""
        return max(self.certified_needed - self.certified, 0)

    @property
    def enough(self) -> bool:
        """Whether nothing is missing."""
        return self.missing == 0


def counts(finished_on: date, on: date, norm: AccreditationNorm) -> bool:
    """Whether a course belongs to the years that a portfolio of the day `on` covers."""
    return years_before(on, norm.years) < finished_on <= on


def hours_of(courses: Iterable[FinishedCourse], on: date, norm: AccreditationNorm) -> Hours:
    """The hours of the courses that count on a day; of no course more are certified than it has."""
    counted = [one for one in courses if counts(one.finished_on, on, norm)]
    return Hours(
        sum(one.hours for one in counted),
        sum(min(one.certified_hours, one.hours) for one in counted),
        norm.hours,
        norm.certified_hours,
    )


class TrainingOffer(Protocol):
    """What a programme of the catalogue gives."""

    @property
    def hours(self) -> int:
        """Its academic hours."""

    @property
    def certified_hours(self) -> int:
        """How many of them are certified."""


Offer = TypeVar("Offer", bound=TrainingOffer)


def closing(offers: Sequence[Offer], missing: Hours) -> tuple[list[Offer], bool]:
    """Programmes that give the missing hours.

    The second value says whether each of them is enough by itself, the shortest first. Otherwise
    they are to be taken together; where the catalogue does not suffice, they give what it can.
    """
    hours, certified = missing.missing, missing.certified_missing
    if not hours:
        return [], True
    enough = [one for one in offers if one.hours >= hours and one.certified_hours >= certified]
    if enough:
        return sorted(enough, key=lambda one: one.hours), True
    chosen: list[Offer] = []
    left = list(offers)
    while left and (hours > 0 or certified > 0):
        best = max(left, key=lambda one: _gain(one, hours, certified))
        if not _gain(best, hours, certified)[0]:
            break
        left.remove(best)
        chosen.append(best)
        hours, certified = hours - best.hours, certified - best.certified_hours
    return chosen, False


def _gain(offer: TrainingOffer, hours: int, certified: int) -> tuple[int, int]:
    """How much of the gap an offer closes; among equals the shorter one is better."""
    got = min(offer.hours, max(hours, 0)) + min(offer.certified_hours, max(certified, 0))
    return got, -offer.hours
