"""Versions of a credential: how they come about, and what tells two credentials apart."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from rules.credentials.categories import ISSUED_ON, NUMBER, VALID_UNTIL
from rules.refusals import FieldError, Refusal
from rules.texts.identifiers import tidy

OWN = "own"
"""The source of a version that its owner has entered; otherwise the name of a register."""
MOST = 200
"""How many credentials one person may have."""
_TWINS = str.maketrans("abcehkmoptxy", "авсенкмортху")


class How(StrEnum):
    """How a version came about. Values are stored for ever."""

    ADDED = "added"
    UPDATED = "updated"
    CORRECTED = "corrected"
    """Only its dates were wrong."""
    ACCEPTED = "accepted"
    """What a register says was accepted."""


HOW_WORDS: Mapping[How, str] = {
    How.ADDED: "добавлен",
    How.UPDATED: "обновлён",
    How.CORRECTED: "исправлены даты",
    How.ACCEPTED: "приняты сведения реестра",
}
"""The same in words (msgids)."""


def compared(number: str) -> str:
    """A registration number as two of them are compared: letters and digits alone.

    Latin letters count as the Russian ones that look alike.
    """
    folded = tidy(number).casefold().replace("ё", "е").translate(_TWINS)
    return "".join(sign for sign in folded if sign.isalnum())


def identity_of(owner_id: UUID, category: str, data: Mapping[str, Any]) -> str | None:
    """What no two credentials may share; None for one without a number."""
    number = compared(str(data.get(NUMBER) or ""))
    return f"{owner_id}:{category}:{number}" if number else None


def dates_of(data: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """First and last day out of checked values."""
    issued, until = data.get(ISSUED_ON), data.get(VALID_UNTIL)
    return (
        date.fromisoformat(str(issued)) if issued else None,
        date.fromisoformat(str(until)) if until else None,
    )


def changed_meanwhile() -> Refusal:
    """Another window, a register or a colleague has made a newer version."""
    words = "Пока вы смотрели, документ изменился. Откройте его заново."
    return Refusal("changed_meanwhile", words, 409)


def not_standing() -> Refusal:
    """It was withdrawn or replaced: it can be read, and nothing more."""
    words = "Этот документ заменён или внесён ошибочно. Изменить его нельзя."
    return Refusal("not_standing", words, 409)


def known_already(credential_id: UUID | None = None) -> Refusal:
    """The person has another credential of this category with the same number."""
    words = "Документ с таким номером у вас уже есть. Откройте его и обновите."
    fields = [FieldError(NUMBER, words)]
    return Refusal("known_already", words, 409, fields, credential=str(credential_id or ""))


def too_many() -> Refusal:
    """The person has as many credentials as one may have."""
    return Refusal("too_many", "Документов слишком много. Обратитесь в отдел кадров.", 409)


def own_original() -> Refusal:
    """Nobody vouches for their own original."""
    words = "Свой документ сверяет с оригиналом другой сотрудник."
    return Refusal("oneself", words, 409)
