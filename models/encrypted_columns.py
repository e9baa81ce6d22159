"""Columns whose values are encrypted, each bound to its row.

A ciphertext can be decrypted in one place only: its table, its column and the row with its primary
key. A value copied from another row is refused like bytes that were changed.

Reading needs nothing special: the column is selected together with the primary key of its row, also
through a subquery that exports the key. Writing needs the key beside the value. It is taken from
the parameters of the statement if they contain it, as for everything that the ORM writes. Otherwise
the caller names it, by `bound` for a value and `bound_row` for a row. A value without a key is
refused.
"""

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Insert,
    LargeBinary,
    TableClause,
    Update,
    Uuid,
    event,
    func,
)
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import Label
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

from crypto.key_ring import FOR_ROW, KeyRing, UndecryptableError, key_ring

Key = tuple[UUID | int, ...]
"""The primary key of a row, in the order of its columns."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A value with the primary key of its row."""

    value: Any
    key: Key


class UnboundError(ValueError):
    """A value was to be written without the primary key of its row: see `bound`."""


def bound(value: Any, *key: UUID | int) -> Bound | None:
    """The value for the row with this primary key; None stays None.

    An upsert that keeps the row it found must also give that row this key.
    """
    return None if value is None else Bound(value, key)


def bound_row(row: SQLModel) -> dict[str, Any]:
    """The values of a whole row, for an insert whose parameters are not called like columns."""
    table = SQLModel.metadata.tables[str(row.__tablename__)]
    values = row.model_dump()
    key = tuple(values[one.key] for one in table.primary_key)
    return values | {name: bound(values[name], *key) for name in _encrypted_in(table)}


def encrypt_for(ring: KeyRing, plain: bytes, place: str, key: Key) -> bytes:
    """Encrypt a value for one column, `table.column`, of one row."""
    return ring.encrypt(plain, _binding(place, _key_bytes(key)), FOR_ROW)


def decrypt_for(ring: KeyRing, encrypted: bytes, place: str, key: Key) -> bytes:
    """Decrypt a value of this column of this row. Raises UndecryptableError."""
    return _decrypt(ring, encrypted, place, _key_bytes(key))


def _decrypt(ring: KeyRing, encrypted: bytes, place: str, key: bytes) -> bytes:
    try:
        return ring.decrypt(encrypted, _binding(place, key), FOR_ROW)
    except UndecryptableError as error:
        numbers = (key[at : at + 4] for at in range(16, len(key), 4))
        parts = UUID(bytes=key[:16]), *(int.from_bytes(one, "big", signed=True) for one in numbers)
        row = ", ".join(map(str, parts))
        raise UndecryptableError(
            f"{place} of the row {row} was not written there: {error}"
        ) from None


def _binding(place: str, key: bytes) -> bytes:
    """What is authenticated with a value. It is unambiguous: no place contains a zero byte."""
    return place.encode() + b"\0" + key


def _key_bytes(key: Key) -> bytes:
    """The key in the bytes of PostgreSQL's `uuid_send` and `int4send`: a UUID, then numbers."""
    return b"".join(
        part.bytes if isinstance(part, UUID) else part.to_bytes(4, "big", signed=True)
        for part in key
    )


class EncryptedColumn(TypeDecorator[Any]):
    """A value that is encrypted in its column; `place` is `table.column`."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    @abstractmethod
    def to_bytes(self, value: Any) -> bytes:
        """The bytes of a value, which are encrypted."""

    @abstractmethod
    def from_bytes(self, plain: bytes) -> Any:
        """The value of decrypted bytes."""

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> bytes | None:
        """Encrypt on writing. Raises UnboundError for a value without its row."""
        if value is None:
            return None
        if not isinstance(value, Bound):
            raise UnboundError(f"{self.place}: a value without its row; wrap it by `bound`")
        return encrypt_for(key_ring(), self.to_bytes(value.value), self.place, value.key)

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Select the primary key of the row before the ciphertext.

        Raises InvalidRequestError if the key cannot be selected.
        """
        origin: Any = column
        while isinstance(origin, Label):
            origin = origin.element
        source = getattr(origin, "table", None)
        parts: list[ColumnElement[Any]] = []
        for one in _primary_key(self.place):
            key = None if source is None else source.corresponding_column(one)
            if key is None:
                raise InvalidRequestError(
                    f"{self.place} is read with the primary key of its row: take the column from"
                    " its table, or from a subquery that exports the key"
                )
            send = func.uuid_send if isinstance(one.type, Uuid) else func.int4send
            parts.append(send(key, type_=LargeBinary()))
        return reduce(
            lambda before, part: before.op("||", return_type=self)(part), [*parts, origin]
        )

    def process_result_value(self, value: Any | None, dialect: Dialect) -> Any | None:
        """Decrypt on reading.

        Raises UndecryptableError for bytes that were not encrypted for this row.
        """
        if value is None:
            return None
        size = _key_size(self.place)
        return self.from_bytes(_decrypt(key_ring(), value[size:], self.place, value[:size]))


class EncryptedText(EncryptedColumn):
    """Text that is encrypted in its column."""

    cache_ok = True

    def to_bytes(self, value: str) -> bytes:
        return value.encode()

    def from_bytes(self, plain: bytes) -> str:
        return plain.decode()


class EncryptedJSON(EncryptedColumn):
    """Any JSON value that is encrypted in its column."""

    cache_ok = True

    def to_bytes(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def from_bytes(self, plain: bytes) -> Any:
        return json.loads(plain)


@lru_cache
def _key_size(place: str) -> int:
    return sum(16 if isinstance(one.type, Uuid) else 4 for one in _primary_key(place))


@lru_cache
def _primary_key(place: str) -> tuple[Column[Any], ...]:
    """The columns of the primary key of the table of this place."""
    return tuple(SQLModel.metadata.tables[place.partition(".")[0]].primary_key)


@lru_cache
def _encrypted_in(table: TableClause) -> frozenset[str]:
    """The names of the encrypted columns of a table."""
    return frozenset(one.key for one in table.c if isinstance(one.type, EncryptedColumn))


@event.listens_for(Engine, "before_execute", retval=True)
def _bind_parameters(
    connection: Connection, statement: Any, many: Any, one: Any, options: Any
) -> tuple[Any, Any, Any]:
    """Bind the values of an insert or update to the row that its own parameters name."""
    del connection, options
    if isinstance(statement, Insert | Update):
        names = _encrypted_in(statement.table)
        if names and any(names & row.keys() for row in (*many, one)):
            keys = _key_parameters(statement)
            many = [_with_key(row, names, keys) for row in many]
            one = _with_key(one, names, keys)
    return statement, many, one


def _with_key(
    row: Mapping[str, Any], names: frozenset[str], parameters: Sequence[str]
) -> dict[str, Any]:
    values = dict(row)
    if parameters and all(name in values for name in parameters):
        key = tuple(values[name] for name in parameters)
        for name in names & values.keys():
            if not isinstance(values[name], Bound):
                values[name] = bound(values[name], *key)
    return values


def _key_parameters(statement: Insert | Update) -> list[str]:
    """The names of the parameters that hold the row's primary key; empty if there are none."""
    primary_key = [one.key for one in statement.table.primary_key]
    if isinstance(statement, Insert):
        return primary_key
    held = dict(_compared(statement.whereclause))
    return [held[name] for name in primary_key] if held.keys() >= set(primary_key) else []


def _compared(condition: Any) -> Iterator[tuple[str, str]]:
    """Columns that the condition demands to equal a parameter, each with the parameter's name."""
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for part in condition.clauses:
            yield from _compared(part)
    elif (
        isinstance(condition, BinaryExpression)
        and condition.operator is operators.eq
        and isinstance(condition.left, Column)
        and isinstance(condition.right, BindParameter)
    ):
        yield condition.left.key, condition.right.key
