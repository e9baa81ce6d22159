"""What a register says of a credential beside what we have: field by field, as people read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from rules.credentials.categories import NUMBER, VALID_UNTIL
from rules.credentials.versions import compared
from rules.refusals import Refusal
from rules.texts.cleaning import plain

LETTERS = str.maketrans("", "", "«»\"'.,-–— ")


class DifferenceKind(StrEnum):
    """How a register and we differ."""

    DIFFERS = "differs"
    NEW = "new"
    """The register has something that we have not."""


@dataclass(frozen=True)
class RegisterItem:
    """One credential as a register has it, in the fields of our category.

    `data` is compared; `more` is needed beside it to make a credential of one that is new. `counts`
    is false for one that a later record has replaced. `offered` says whether it is worth having.
    """

    category: str
    data: Mapping[str, Any]
    more: Mapping[str, Any] = field(default_factory=dict)
    counts: bool = True
    offered: bool = True


class Kept(Protocol):
    """A credential of ours."""

    @property
    def category(self) -> str:
        """The key of its category."""

    @property
    def data(self) -> Mapping[str, Any]:
        """The values of its current version."""


Ours = TypeVar("Ours", bound=Kept)


@dataclass(frozen=True)
class FieldDifference:
    """A field in which both differ; `ours` is None where we have nothing."""

    name: str
    ours: Any
    theirs: Any


@dataclass(frozen=True)
class Pairing(Generic[Ours]):
    """A credential as a register has it, and as we have it, if we do."""

    item: RegisterItem
    ours: Ours | None

    @property
    def fields(self) -> Sequence[FieldDifference]:
        """The fields in which they differ; for one that is new, everything."""
        data: Mapping[str, Any] = self.ours.data if self.ours else {}
        return [
            FieldDifference(name, data.get(name), theirs)
            for name, theirs in self.item.data.items()
            if theirs not in (None, "") and not is_same(name, data.get(name), theirs)
        ]

    @property
    def kind(self) -> DifferenceKind | None:
        """How they differ; None if they agree, or if it is nothing worth telling."""
        if self.ours is None:
            return DifferenceKind.NEW if self.item.counts and self.item.offered else None
        return DifferenceKind.DIFFERS if self.fields else None


def pair(
    items: Sequence[RegisterItem], ours: Sequence[Ours], about: Mapping[str, str]
) -> Sequence[Pairing[Ours]]:
    """What belongs together: by number; what is left over, by what it is about and its first day.

    `about` names the field of each category that says what a credential is about.
    """
    left = list(ours)
    found: dict[int, Ours] = {}
    for rank in (_same_number, _same_subject):
        for place, item in enumerate(items):
            if place in found:
                continue
            twin = next(
                (one for one in left if one.category == item.category and rank(item, one, about)),
                None,
            )
            if twin is not None:
                found[place] = twin
                left.remove(twin)
    return [Pairing(item, found.get(place)) for place, item in enumerate(items)]


def _same_number(item: RegisterItem, ours: Kept, about: Mapping[str, str]) -> bool:
    number = compared(str(item.data.get(NUMBER) or ""))
    return bool(number) and number == compared(str(ours.data.get(NUMBER) or ""))


def _same_subject(item: RegisterItem, ours: Kept, about: Mapping[str, str]) -> bool:
    """A number that was mistyped: the same thing of the same days."""
    name = about[item.category]
    if not item.counts or not is_same(name, ours.data.get(name), item.data.get(name)):
        return False
    days = [one for one in ("issued_on", "ended_on") if item.data.get(one)]
    return bool(days) and all(ours.data.get(one) == item.data[one] for one in days)


def is_same(name: str, ours: Any, theirs: Any) -> bool:
    """Whether two values mean the same: case, ё, quotes and spaces do not count."""
    if name == NUMBER:
        return compared(str(ours or "")) == compared(str(theirs or ""))
    return _folded(ours) == _folded(theirs)


def _folded(value: Any) -> str:
    if value is None:
        return ""
    return plain(str(value)).casefold().replace("ё", "е").translate(LETTERS)


def ended_before(data: Mapping[str, Any], day: date) -> bool:
    """Whether a credential with these values has ended before a day."""
    until = data.get(VALID_UNTIL)
    return bool(until) and date.fromisoformat(str(until)) < day


def difference_is_over() -> Refusal:
    """What the person saw is no longer so: the register, or their own credential, has changed."""
    words = "Пока вы смотрели, сведения изменились. Посмотрите их заново."
    return Refusal("changed_meanwhile", words, 409)


def disputed_already() -> Refusal:
    """The same difference is disputed, and waits for an answer."""
    return Refusal("disputed_already", "Вы уже оспорили это. Дождитесь ответа кадров.", 409)


def answered_already() -> Refusal:
    """Somebody else has answered meanwhile."""
    return Refusal("answered_already", "На это уже ответили.", 409)
