"""What a value means: by the laboratory's flag, and by reference and critical bounds.

The more dangerous of the two counts: a flag that is missing or too mild never hides a value that
lies outside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum


class Urgency(StrEnum):
    """How dangerous a result is. Values are stored for ever."""

    CRITICAL = "critical"
    ABNORMAL = "abnormal"
    OTHER = "other"


DANGER: Sequence[Urgency] = (Urgency.CRITICAL, Urgency.ABNORMAL, Urgency.OTHER)
"""The most dangerous first."""

URGENCY_WORDS: Mapping[Urgency, str] = {
    Urgency.CRITICAL: "критический",
    Urgency.ABNORMAL: "вне нормы",
    Urgency.OTHER: "в норме",
}
"""The classes in words (msgids)."""


class Flag(StrEnum):
    """What the laboratory says of a value. Values are stored for ever."""

    NORMAL = "normal"
    LOW = "low"
    HIGH = "high"
    ABNORMAL = "abnormal"
    CRITICAL_LOW = "critical_low"
    CRITICAL_HIGH = "critical_high"
    NONE = "none"


FLAG_WORDS: Mapping[Flag, str] = {
    Flag.NORMAL: "в норме",
    Flag.LOW: "ниже нормы",
    Flag.HIGH: "выше нормы",
    Flag.ABNORMAL: "вне нормы",
    Flag.CRITICAL_LOW: "критически низкий",
    Flag.CRITICAL_HIGH: "критически высокий",
    Flag.NONE: "",
}
"""The flags in words (msgids)."""

_OF_FLAG: Mapping[Flag, Urgency] = {
    Flag.NORMAL: Urgency.OTHER,
    Flag.LOW: Urgency.ABNORMAL,
    Flag.HIGH: Urgency.ABNORMAL,
    Flag.ABNORMAL: Urgency.ABNORMAL,
    Flag.CRITICAL_LOW: Urgency.CRITICAL,
    Flag.CRITICAL_HIGH: Urgency.CRITICAL,
    Flag.NONE: Urgency.OTHER,
}


@dataclass(frozen=True)
class Bounds:
    """From one number to another, both inside; None where there is no bound."""

    low: Decimal | None = None
    high: Decimal | None = None

    def hold(self, value: Decimal) -> bool:
        """Whether a value lies inside."""
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)


@dataclass(frozen=True)
class Reference:
    """What is normal for people of one sex and age: years, from `since` to before `until`."""

    bounds: Bounds
    sex: str | None = None
    """One of `rules.patients.identity.Sex`; None: both."""
    since: int = 0
    until: int = 200


@dataclass(frozen=True)
class LabTest:
    """A test of the institution's own dictionary."""

    code: str
    name: str
    unit: str
    references: Sequence[Reference] = ()
    critical: Bounds = Bounds()

    def reference(self, sex: str | None, age: int | None) -> Bounds | None:
        """What is normal for somebody; None where the dictionary does not say."""
        for one in self.references:
            fits = one.sex is None or one.sex == sex
            if fits and (age is None or one.since <= age < one.until):
                return one.bounds
        return None


def number_of(value: str) -> Decimal | None:
    """The number that a value is, with a comma or a point; None for words."""
    try:
        found = Decimal(value.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def age_on(born: date, day: date) -> int:
    """Full years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _outside(value: str, bounds: Bounds | None) -> bool:
    """Whether a value lies outside for certain: «> 10» does where 10 is the most."""
    said = value.strip()
    number = number_of(said.lstrip("<>≤≥= "))
    if bounds is None or number is None:
        return False
    if said[0] in ">≥":
        return bounds.high is not None and number >= bounds.high
    if said[0] in "<≤":
        return bounds.low is not None and number <= bounds.low
    return not bounds.hold(number)


def urgency_of(
    value: str, flag: Flag, reference: Bounds | None, critical: Bounds | None
) -> Urgency:
    """How dangerous a value is."""
    found = [_OF_FLAG[flag]]
    if _outside(value, critical):
        found.append(Urgency.CRITICAL)
    if _outside(value, reference):
        found.append(Urgency.ABNORMAL)
    return min(found, key=DANGER.index)
