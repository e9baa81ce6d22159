"""The self-check of protective measures: what is examined, and when a figure is a fault (I13)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

KEY_AGE = timedelta(days=365)
"""After so long a key of stored data is to be replaced."""
CERTIFICATE_NEAR = timedelta(days=30)
VERIFIED_AGE = timedelta(days=7)
"""How old the last verification of the whole journal may be."""
RISK_AGE = timedelta(days=1)
"""How long a sign of an attack may wait to be judged."""


class Protection(StrEnum):
    """What is examined."""

    TLS = "tls"
    KEYS = "keys"
    SEAL = "seal"
    BACKUP = "backup"
    SECOND_FACTOR = "second_factor"
    PASSWORDS = "passwords"
    COURSE = "course"
    JOURNAL = "journal"
    CHECKPOINTS = "checkpoints"
    RISKS = "risks"
    NORMS = "norms"


class Grade(StrEnum):
    """How a measure stands, the worst first."""

    BAD = "bad"
    UNKNOWN = "unknown"
    WARNING = "warning"
    GOOD = "good"


@dataclass(frozen=True)
class Examined:
    """One measure with its grade. `finding` says which of its sentences applies, filled by `facts`.

    Nothing personal stands in it: figures, days and versions.
    """

    protection: Protection
    grade: Grade
    finding: str
    facts: Mapping[str, str | int] = field(default_factory=dict)


def of_number(protection: Protection, number: int, grade: Grade) -> Examined:
    """A measure that is good when nothing is found; otherwise it has this grade."""
    if number == 0:
        return Examined(protection, Grade.GOOD, "none")
    return Examined(protection, grade, "some", {"n": number})


def of_certificate(protection: Protection, days: int, facts: Mapping[str, str | int]) -> Examined:
    """A certificate that is valid for so many more days."""
    known = {**facts, "days": days}
    if days < 0:
        return Examined(protection, Grade.BAD, "over", known)
    if days < CERTIFICATE_NEAR.days:
        return Examined(protection, Grade.WARNING, "near", known)
    return Examined(protection, Grade.GOOD, "valid", known)
