"""Comparing a patient with the registry of patients: what came of it, and what differs."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

from rules.patients.identity import FIELD_WORDS, Identity
from rules.texts.cleaning import searched

RETRIES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
)
"""How long after a try without an answer the registry is asked again; the last one repeats."""
GIVEN_UP_AFTER = timedelta(days=1)
COMPARED = ("name", "birth_date", "sex", "snils", "policy")
"""The fields that the registry knows."""


class RegistryOutcome(StrEnum):
    """What came of a comparison. Values are stored for ever."""

    SAME = "same"
    DIFFERS = "differs"
    SEVERAL = "several"
    NOBODY = "nobody"
    GIVEN_UP = "given_up"


CHECK_WORDS: Mapping[RegistryOutcome, str] = {
    RegistryOutcome.SAME: "Совпадает с регистром",
    RegistryOutcome.DIFFERS: "В регистре записано иначе",
    RegistryOutcome.SEVERAL: "В регистре несколько таких людей: сверьте документы",
    RegistryOutcome.NOBODY: "Регистр такого человека не знает",
    RegistryOutcome.GIVEN_UP: "Регистр не ответил за сутки",
}
"""The outcomes in words (msgids)."""


def differences(ours: Identity, said: Mapping[str, str]) -> Sequence[str]:
    """The fields in which the registry says something else; what it leaves open is no difference.

    Case, ё and blanks of a name do not count.
    """
    mine = ours.as_text
    return [
        name
        for name in FIELD_WORDS
        if name in COMPARED and said.get(name) and searched(mine[name]) != searched(said[name])
    ]


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries without an answer."""
    return RETRIES[min(tries, len(RETRIES)) - 1]
