"""Intakes of a programme: when each begins, how many people it takes, until when one may apply."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from rules.refusals import FieldError, Words

FIELD = "starts_on"
"""The form field that holds the chosen intake: the day on which it begins."""


@dataclass(frozen=True)
class Intake:
    """One intake. `places` is None if they are unlimited; `taken` counts those given away."""

    starts_on: date
    apply_until: date
    places: int | None = None
    taken: int = 0

    @property
    def left(self) -> int | None:
        """The number of free places; None if they are unlimited."""
        return None if self.places is None else max(0, self.places - self.taken)


def intakes_of(starts: Iterable[str], limits: Mapping[str, Mapping[str, Any]]) -> list[Intake]:
    """The intakes that begin on these days (YYYY-MM-DD), in order.

    Applications are taken until the day before the beginning, unless the limits of the day say
    otherwise.
    """
    found = []
    for start in sorted(starts):
        begins, own = date.fromisoformat(start), limits.get(start, {})
        until, places = own.get("apply_until"), own.get("places")
        last = date.fromisoformat(until) if until else begins - timedelta(days=1)
        found.append(Intake(begins, last, places))
    return found


def with_taken(intakes: Iterable[Intake], taken: Mapping[date, int]) -> list[Intake]:
    """The intakes, each with the number of places taken."""
    return [replace(one, taken=taken.get(one.starts_on, 0)) for one in intakes]


def check_intake(
    intakes: Sequence[Intake], chosen: Any, held: Collection[Any], today: date
) -> list[FieldError]:
    """Why this day cannot be chosen; empty if it can. A day in `held` is the case's own already.

    A programme without intakes may begin on any day. A text that is no date is left to the form's
    own checks.
    """
    try:
        day = date.fromisoformat(chosen) if isinstance(chosen, str) else None
    except ValueError:
        return []
    if not intakes or day is None or day.isoformat() in held:
        return []
    found = next((one for one in intakes if one.starts_on == day), None)
    if found is None:
        days = ", ".join(f"{one.starts_on:%d.%m.%Y}" for one in intakes if one.apply_until >= today)
        words: str = (
            Words("Выберите один из наборов программы: {days}", days=days)
            if days
            else "Наборы на эту программу закончились"
        )
    elif today > found.apply_until:
        until = f"{found.apply_until:%d.%m.%Y}"
        words = Words(
            "Приём заявок в этот набор закончился {day}. Выберите другой набор", day=until
        )
    elif found.left == 0:
        words = "В этом наборе не осталось мест. Выберите другой набор"
    else:
        return []
    return [FieldError(FIELD, words)]
