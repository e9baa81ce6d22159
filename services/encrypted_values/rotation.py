"""UnderKeys values come under the newest key, in batches that may end anywhere and begin again.

Each batch is a transaction of its own. It takes only rows that nobody is changing; those come in a
later pass. A value under the newest key is left alone, so that whoever is killed loses nothing.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    RowMapping,
    Select,
    Table,
    bindparam,
    column,
    func,
    or_,
    select,
    table,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel

from crypto.key_ring import KeyRing, UndecryptableError, place_of
from models.blind_indexes import BlindIndex
from models.encrypted_columns import EncryptedColumn, decrypt_for, encrypt_for
from models.tables.journal import journal_pending
from rules.journal.checkpoints import Leaf, attested

TOGETHER = 200
PASSES = 20
PAUSE = 0.5
"""Seconds between two passes: whoever holds a row has ended by then, or in the next."""


class NotAllEncryptedError(RuntimeError):
    """Some rows were held by others in every pass. Says how many values are left."""


@dataclass
class Rotated:
    """What was done, and what could not be."""

    encrypted: int = 0
    indexed: int = 0
    unreadable: list[str] = field(default_factory=list)
    """Values that no key opens: table, column and row."""
    unmatched: list[str] = field(default_factory=list)
    """Blind indexes of another text than the row now has; they stay as they are."""


@dataclass(frozen=True)
class _Place:
    """The encrypted columns of a table, or a blind index with what it is the index of."""

    read: Select[Any]
    keys: list[ColumnClause[Any]]
    target: Any
    change: Callable[[RowMapping], dict[str, Any]]
    stuck: dict[tuple[Any, ...], str] = field(default_factory=dict)
    """Rows that cannot be changed by their keys, with what is wrong."""


async def rotate_values(engine: AsyncEngine, ring: KeyRing, done: Rotated) -> AsyncIterator[None]:
    """Encrypt every value with the newest key of the ring; a step for each batch.

    Raises NotAllEncryptedError, and DBAPIError where the database is lost.
    """
    places = [_encrypted(one, ring) for one in _tables(EncryptedColumn)]
    async for size in _passes(engine, places):
        done.encrypted += size
        yield
    done.unreadable = [where for place in places for where in place.stuck.values()]


async def rotate_indexes(engine: AsyncEngine, ring: KeyRing, done: Rotated) -> AsyncIterator[None]:
    """Bring every blind index to the form that the ring gives; a step for each batch.

    Raises NotAllEncryptedError, and DBAPIError where the database is lost.
    """
    places = [_indexed(one, ring) for one in _columns(BlindIndex)]
    async for size in _passes(engine, places):
        done.indexed += size
        yield
    done.unmatched = [where for place in places for where in place.stuck.values()]


async def _passes(engine: AsyncEngine, places: list[_Place]) -> AsyncIterator[int]:
    for _ in range(PASSES):
        for place in places:
            async for size in _one_pass(engine, place):
                yield size
        async with engine.connect() as connection:
            left = [await connection.scalar(_count(place.read)) or 0 for place in places]
        held = sum(left) - sum(len(place.stuck) for place in places)
        if held <= 0:
            return
        await asyncio.sleep(PAUSE)
    raise NotAllEncryptedError(f"{held} rows are held by others: call it again later")


async def _one_pass(engine: AsyncEngine, place: _Place) -> AsyncIterator[int]:
    """One pass over a place; the number of rows that each batch has changed."""
    after: tuple[Any, ...] | None = None
    while True:
        query = place.read.order_by(*place.keys).limit(TOGETHER)
        query = query.with_for_update(key_share=True, skip_locked=True, of=place.target)
        if after is not None:
            query = query.where(tuple_(*place.keys) > after)
        async with engine.begin() as connection:
            rows = (await connection.execute(query)).mappings().all()
            changed = [values for values in map(place.change, rows) if values]
            if changed:
                await connection.execute(_change(place, changed[0]), changed)
        if not rows:
            return
        yield len(changed)
        after = tuple(rows[-1][one.name] for one in place.keys)


def _change(place: _Place, values: dict[str, Any]) -> Any:
    row = (one == bindparam(f"of_{one.name}") for one in place.keys)
    names = [name.removeprefix("new_") for name in values if name.startswith("new_")]
    return update(place.target).where(*row).values({n: bindparam(f"new_{n}") for n in names})


def _encrypted(whole: Table, ring: KeyRing) -> _Place:
    """The encrypted columns of a table, read and written as they stand."""
    names = [one.name for one in whole.c if isinstance(one.type, EncryptedColumn)]
    keys = [one.name for one in whole.primary_key]
    bare = table(whole.name, *map(column, [*keys, *names]))
    newest = ring.in_use[0].encode()
    stuck: dict[tuple[Any, ...], str] = {}

    def change(row: RowMapping) -> dict[str, Any]:
        key = tuple(row[name] for name in keys)
        values = {f"new_{name}": row[name] for name in names}
        for name in names:
            value, place = row[name], f"{whole.name}.{name}"
            if value is not None and _key_of(value) != newest:
                try:
                    plain = decrypt_for(ring, value, place, key)
                except UndecryptableError:
                    stuck[key] = f"{place}, row {', '.join(map(str, key))}"
                else:
                    values[f"new_{name}"] = encrypt_for(ring, plain, place, key)
        same = all(values[f"new_{name}"] is row[name] for name in names)
        return {} if same else values | {f"of_{name}": row[name] for name in keys}

    stale = (_key_in(bare.c[name]) != newest for name in names)
    read = select(bare).where(or_(*stale))
    return _Place(read, [bare.c[name] for name in keys], bare, change, stuck)


def _indexed(index: Any, ring: KeyRing) -> _Place:
    """A blind index with the value that it is the index of, in the same or another table."""
    whole, kind = index.table, index.type
    [key] = (one.name for one in whole.primary_key)
    bare = table(whole.name, column(key), column(index.name))
    origin, _, name = kind.of.partition(".")
    of = SQLModel.metadata.tables[origin]
    [own] = (one.name for one in of.primary_key)
    read_value = of.c[name].type.from_bytes
    source = table(origin, column(own), column(name)).alias("source")
    filled = {place_of(one) for one in (ring.in_use[0], ring.in_use[-1])}
    stuck: dict[tuple[Any, ...], str] = {}

    def change(row: RowMapping) -> dict[str, Any]:
        try:
            plain = decrypt_for(ring, row["value"], kind.of, (row[key],))
            text = kind.text(read_value(plain))
            if ring.is_blind(row[index.name], text):
                return {f"of_{key}": row[key], f"new_{index.name}": ring.blind(text)}
        except UndecryptableError:
            pass
        stuck[row[key],] = f"{whole.name}.{index.name}, row {row[key]}"
        return {}

    read = (
        select(bare, source.c[name].label("value"))
        .join(source, source.c[own] == bare.c[key])
        .where(or_(*((_part(bare.c[index.name], n) != "") != (n in filled) for n in (0, 1))))
    )
    return _Place(read, [bare.c[key]], bare, change, stuck)


@dataclass(frozen=True)
class UnderKeys:
    """How many values stand under which key, and how many blind indexes."""

    values: Counter[str]
    indexes: Counter[str]
    attestations: Counter[str]
    """Entries that wait for a checkpoint, by the key that attested them."""

    def of(self, key_id: str) -> list[str]:
        """What stands under a key, in words; empty where nothing does."""
        counted = (
            (self.values[key_id], "encrypted values"),
            (self.indexes[key_id], "blind indexes"),
            (self.attestations[key_id], "entries of the journal that wait for a checkpoint"),
        )
        return [f"{number} {what}" for number, what in counted if number]


async def stored(connection: AsyncConnection, ring: KeyRing) -> UnderKeys:
    """Count what stands under each key of the ring."""
    values: Counter[str] = Counter()
    for whole in _tables(EncryptedColumn):
        for one in whole.c:
            if isinstance(one.type, EncryptedColumn):
                bare = table(whole.name, column(one.name)).c[one.name]
                key_id = _key_in(bare)
                query = select(key_id, func.count()).where(bare.is_not(None)).group_by(key_id)
                for name, number in await connection.execute(query):
                    values[bytes(name).decode()] += number
    return UnderKeys(values, await _indexes(connection, ring), await _attested(connection, ring))


async def _indexes(connection: AsyncConnection, ring: KeyRing) -> Counter[str]:
    """By key: a filled place is of the key that fills it now, or of the last one that did."""
    counted: Counter[str] = Counter()
    for index in _columns(BlindIndex):
        bare = table(index.table.name, column(index.name)).c[index.name]
        for place in (0, 1):
            number = await connection.scalar(select(func.count()).where(_part(bare, place) != ""))
            filling = [key_id for key_id in ring.in_use[::-1] if place_of(key_id) == place]
            before = [key_id for key_id in ring.keys if place_of(key_id) == place]
            for key_id in [*filling, *before][:1]:
                counted[key_id] += number or 0
    return counted


async def _attested(connection: AsyncConnection, ring: KeyRing) -> Counter[str]:
    counted: Counter[str] = Counter()
    waiting = journal_pending.c
    query = select(waiting.kind, waiting.ref, waiting.position, waiting.hash)
    query = query.add_columns(waiting.previous, waiting.attestation)
    for *leaf, previous, attestation in await connection.execute(query):
        if previous is not None and attestation is not None:
            kind, ref, position, digest = leaf
            said = attested(Leaf(kind, ref, position, bytes(digest)), bytes(previous))
            for key_id, key in ring.keys.items():
                counted[key_id] += KeyRing({key_id: key}).attests(said, bytes(attestation))
    return counted


def _tables(kind: type) -> list[Table]:
    return [
        one
        for one in SQLModel.metadata.sorted_tables
        if any(isinstance(each.type, kind) for each in one.c)
    ]


def _columns(kind: type) -> list[Any]:
    return [one for whole in _tables(kind) for one in whole.c if isinstance(one.type, kind)]


def _count(query: Select[Any]) -> Select[Any]:
    return select(func.count()).select_from(query.subquery())


def _key_in(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The id of the key, which stands behind the version and its own length."""
    return func.substr(value, 3, func.get_byte(value, 1))


def _key_of(value: bytes) -> bytes:
    return bytes(value[2 : 2 + value[1]])


def _part(index: ColumnElement[Any], place: int) -> ColumnElement[Any]:
    return func.split_part(index, ".", place + 1)
