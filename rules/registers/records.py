"""What counts of several records of one thing: the latest that is in effect."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import TypeVar

Record = TypeVar("Record")


def latest_effective(
    records: Iterable[Record],
    thing: Callable[[Record], object],
    since: Callable[[Record], date],
    today: date,
) -> Sequence[Record]:
    """One record of each thing, in the order in which the things first come.

    Of several, the one that came into effect last counts; where none is in effect yet, the one that
    will be first. A record that was entered for the same day again replaces the one before.
    """
    kept: dict[object, Record] = {}
    for record in records:
        key = thing(record)
        known = kept.get(key)
        if known is None or _counts_before(since(record), since(known), today):
            kept[key] = record
    return list(kept.values())


def _counts_before(new: date, known: date, today: date) -> bool:
    """Whether a record since `new` counts rather than one since `known`."""
    if (new <= today) != (known <= today):
        return new <= today
    return new >= known if new <= today else new < known
