"""What administrators may change in the catalogue, and the refusals they get (O6)."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from rules.access import Actor, Permission
from rules.clock import YEARS
from rules.refusals import FieldError, Refusal, forbidden


class Subject(StrEnum):
    """What an administrator changes. Values are stored with the history: add, never rename."""

    PROGRAMME = "programme"
    TYPE = "type"
    REASON = "reason"
    UNIT = "unit"
    DAY = "day"
    CATEGORY = "category"
    """Of credentials."""


def demand(actor: Actor) -> None:
    """Raise Refusal 403 for those who do not manage the catalogue."""
    if not actor.may(Permission.MANAGE_CATALOGUE):
        raise forbidden()


def changed_meanwhile() -> Refusal:
    """Somebody else has changed it since the person opened it. What was typed stays on the page."""
    return Refusal(
        "changed_meanwhile",
        "Пока вы правили, это изменил кто-то другой. Ваш текст сохранён на странице: сравните "
        "с тем, что есть теперь, и сохраните ещё раз.",
        409,
    )


def nothing_changed() -> Refusal:
    """What was sent equals what is stored."""
    return Refusal("nothing_changed", "Вы ничего не изменили.", 422)


def unfit(fields: Sequence[FieldError]) -> Refusal:
    """Some fields have to be corrected."""
    return Refusal("incomplete", "Исправьте отмеченные поля.", 422, fields)


def unfit_text(problems: Sequence[str]) -> Refusal:
    """A definition with mistakes; each problem begins with the line it is in."""
    return Refusal(
        "bad_definition",
        "В описании есть ошибки: исправьте указанные строки.",
        422,
        [FieldError("text", problem) for problem in problems],
    )


def demand_future(day: date | None, today: date) -> None:
    """Raise Refusal 422 for a first day in the past: changes never apply retroactively."""
    if day is not None and day.year not in YEARS:
        raise unfit([FieldError("valid_from", "Такого дня нет в календаре, проверьте дату")])
    if day is not None and day < today:
        words = "Этот день уже прошёл. Укажите сегодняшний или более поздний."
        raise unfit([FieldError("valid_from", words)])


Flat = dict[str, str]


def flat(value: Any, path: str = "") -> Flat:
    """A nested value as flat `path: text` pairs.

    A path names an entry of a list by its own name.
    """
    if isinstance(value, Mapping):
        lines: Flat = {}
        for key, inner in value.items():
            lines |= flat(inner, f"{path}.{key}" if path else str(key))
        return lines
    if isinstance(value, list | tuple):
        if all(not isinstance(one, Mapping | list | tuple) for one in value):
            return {path: ", ".join(map(str, value))}
        lines = {}
        for place, one in enumerate(value, start=1):
            lines |= flat(one, f"{path}.{_name_of(one) or place}")
        return lines
    return {path: "" if value is None else str(value)}


def _name_of(value: Any) -> str:
    if not isinstance(value, Mapping):
        return ""
    return next((str(value[k]) for k in ("name", "kind", "key", "value") if value.get(k)), "")


def differences(
    before: Mapping[str, Any] | None, after: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    """The differences as `(path, old, new)` in the order of `after`; an absent value is empty.

    For a list whose entries changed their order, the names of the entries in both are given.
    """
    old, new = flat(before or {}), flat(after)
    paths = [*new, *(path for path in old if path not in new)]
    lines = [
        (path, old.get(path, ""), new.get(path, ""))
        for path in paths
        if old.get(path, "") != new.get(path, "")
    ]
    stood, stand = _orders(before or {}), _orders(after)
    for path, names in stand.items():
        here = [name for name in names if name in stood.get(path, ())]
        there = [name for name in stood.get(path, ()) if name in names]
        if here != there:
            lines.append((path, ", ".join(there), ", ".join(here)))
    return lines


def _orders(value: Any, path: str = "") -> dict[str, list[str]]:
    """The names of the entries of each list, by the path of the list."""
    if isinstance(value, Mapping):
        found: dict[str, list[str]] = {}
        for key, inner in value.items():
            found |= _orders(inner, f"{path}.{key}" if path else str(key))
        return found
    if not isinstance(value, list | tuple) or not all(_name_of(one) for one in value):
        return {}
    found = {path: [_name_of(one) for one in value]}
    for one in value:
        found |= _orders(one, f"{path}.{_name_of(one)}")
    return found


_SOUNDS = (
    "a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s",
    "t", "u", "f", "kh", "ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya",
)  # fmt: skip
_LATIN = dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", _SOUNDS, strict=True))


def name_of(words: str, taken: set[str], otherwise: str) -> str:
    """A name for programs, transliterated from `words`: Latin letters, digits, underscores.

    It is none of those in `taken`, and begins with `otherwise` if it would not begin with a letter.
    """
    latin = "".join(_LATIN.get(sign, sign) for sign in words.lower())
    plain = re.sub(r"[^a-z0-9]+", "_", latin).strip("_")[:34].strip("_")
    stem = plain if plain[:1].isalpha() else f"{otherwise}_{plain}".strip("_")
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    return name
