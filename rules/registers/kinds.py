"""The state registers that are asked about people, and when one is asked again (Q7, Q8)."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from rules.refusals import Refusal


class RegisterName(StrEnum):
    """The registers. Values are stored: add, never rename."""

    WORKERS = "workers"
    ACCREDITATION = "accreditation"
    EDUCATION = "education"


REGISTER_WORDS: Mapping[RegisterName, str] = {
    RegisterName.WORKERS: "Регистр медицинских работников",
    RegisterName.ACCREDITATION: "Реестр аккредитаций",
    RegisterName.EDUCATION: "Портал непрерывного образования",
}


class RecordState(StrEnum):
    """What a register says of a person. Values are stored: add, never rename."""

    FOUND = "found"
    UNKNOWN = "unknown"
    """The register knows nobody with this SNILS."""
    OTHER = "other"
    """Under this SNILS the register has somebody of another name: nothing of it is taken over."""
    UNREADABLE = "unreadable"
    """What it says of the person cannot be read; what was known before stays."""


PATIENCE = 3.0
"""Seconds that a page waits for the registers; then the check goes on without it."""
GIVEN_UP_AFTER = timedelta(hours=24)
"""After so long a check is given up, and the person told: the nightly comparison goes on anyway."""
CHECKS_A_DAY = 20
"""So many checks may one person ask for in a day."""


def too_many_checks(retry_after: int) -> Refusal:
    """The registers were asked about this person often enough."""
    words = "Сегодня вы уже много раз проверяли сведения. Ночью мы сверим их сами."
    return Refusal("too_many_checks", words, 429, retry_after=retry_after)
