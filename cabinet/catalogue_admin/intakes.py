"""Intakes of a programme as an administrator types them: a line for each."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from rules.refusals import FieldError

_DAY = r"(\d{1,2}\.\d{1,2}\.\d{4})"
_LINE = re.compile(
    rf"{_DAY}(?:[\s,;]+до\s+{_DAY})?(?:[\s,;]+мест[:\s]+([1-9]\d{{0,3}}))?", re.IGNORECASE
)
_WORDS = (
    "Напишите набор так: «18.01.2027 до 11.01.2027 мест 25», по строке на набор. Последний день"
    " подачи и число мест можно не писать."
)


def typed_intakes(values: Mapping[str, Any]) -> str:
    """The intakes of an entry as they would be typed."""
    lines = []
    for start in values.get("starts_on", ()):
        limits = values.get("intake_limits", {}).get(start, {})
        until, places = limits.get("apply_until"), limits.get("places")
        lines.append(
            _written(start)
            + (f" до {_written(until)}" if until else "")
            + (f" мест {places}" if places else "")
        )
    return "\n".join(lines)


def read_intakes(typed: str, errors: list[FieldError]) -> dict[str, Any]:
    """The values of the entry; what cannot be read is told among the errors."""
    starts: list[str] = []
    limits: dict[str, dict[str, Any]] = {}
    for line in filter(None, map(str.strip, re.split(r"\n|,\s*(?=\d)", typed))):
        found = _LINE.fullmatch(line)
        days = [_read(part) for part in found.groups()[:2] if part] if found else [None]
        if found is None or None in days:
            errors.append(FieldError("starts_on", _WORDS))
            break
        start, *until = [day.isoformat() for day in days if day]
        if until and until[0] > start:
            words = "Последний день подачи не может быть позже дня начала."
            errors.append(FieldError("starts_on", words))
            break
        starts.append(start)
        places = int(found[3]) if found[3] else None
        if until or places:
            limits[start] = {"places": places, "apply_until": until[0] if until else None}
    return {"starts_on": starts, "intake_limits": limits}


def _written(day: str) -> str:
    return f"{date.fromisoformat(day):%d.%m.%Y}"


def _read(typed: str) -> date | None:
    try:
        return datetime.strptime(typed, "%d.%m.%Y").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None
