"""Columns that hold a blind index: an encrypted value is looked up by its keyed hash.

A value may have two places, `first.second`, of the key that goes and of the one that comes; see
`crypto.key_ring`. Comparing a column with a value compares the places that the value fills, so that
a row is found before, while and after its index is made anew. Each place has an index, which is
unique unless several rows may have the same value.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, String, false, func, or_
from sqlalchemy.types import TypeDecorator

from crypto.key_ring import places_in


class BlindIndex(TypeDecorator[str]):
    """The blind index of an encrypted column `of`, which is `table.column`.

    `text` makes of a decrypted value the text that is hashed. Where the encrypted column stands in
    another table, the rows of both have the same primary key. `alone` says that no two rows have
    the same value.
    """

    impl = String
    cache_ok = True

    def __init__(self, of: str, text: Callable[[Any], str] = str, *, alone: bool = True) -> None:
        super().__init__()
        self.of = of
        self.text = text
        self.alone = alone

    class Comparator(TypeDecorator.Comparator[str]):
        """Equal is a row with a hash that the other side has in the same place."""

        def __eq__(self, other: Any) -> ColumnElement[bool]:  # type: ignore[override]
            if not isinstance(other, str):
                same: ColumnElement[bool] = super().__eq__(other)  # type: ignore[assignment]
                return same
            return or_(
                false(),
                *(_place(self.expr, place) == part for place, part in places_in(other)),
            )

    comparator_factory = Comparator


def among(column: Any, values: Iterable[str]) -> ColumnElement[bool]:
    """Equal, as the comparator of the column has it, to one of the values."""
    parts: dict[int, set[str]] = {}
    for value in values:
        for place, part in places_in(value):
            parts.setdefault(place, set()).add(part)
    return or_(false(), *(_place(column, place).in_(sorted(some)) for place, some in parts.items()))


def blind_index(
    of: str, text: Callable[[Any], str] = str, *, nullable: bool = False
) -> Column[Any]:
    """A column for a blind index; its table needs `unique_places` too."""
    return Column(BlindIndex(of, text), nullable=nullable, unique=True)


def shared_blind_index(of: str, text: Callable[[Any], str] = str) -> Column[Any]:
    """A column for a blind index that many rows may share; its table needs `shared_places` too."""
    return Column(BlindIndex(of, text, alone=False), nullable=False)


def unique_places(table: str, column: str) -> Sequence[Index]:
    """The unique indexes on both places of a blind index."""
    return _places(table, column, unique=True)


def shared_places(table: str, column: str) -> Sequence[Index]:
    """The indexes on both places of a blind index that many rows may share."""
    return _places(table, column, unique=False)


def _places(table: str, column: str, *, unique: bool) -> Sequence[Index]:
    return [
        Index(
            f"{table}_{column}_{name}",
            func.split_part(Column(column, String), ".", place + 1),
            unique=unique,
            postgresql_where=func.split_part(Column(column, String), ".", place + 1) != "",
        )
        for place, name in enumerate(("first", "second"))
    ]


def _place(column: Any, place: int) -> ColumnElement[str]:
    return func.split_part(column, ".", place + 1, type_=String())
