"""Objects, copied once each: an object never changes under its key.

An archived object is named by the SHA-256 of its key. Its first line holds its key, media type,
size and the SHA-256 of its bytes; all of it is encrypted.
"""

import asyncio
import hashlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Column, Select, null, select, text
from sqlmodel import SQLModel, col

import models.tables as _complete_metadata  # noqa: F401
from clients.database import Database
from clients.objects import ObjectMissingError, Objects
from crypto.backup_files import PIECE, BackupKey
from models.tables.journal import JournalCheckpoint
from ops.backup import DamagedError
from ops.backup.repository.encrypted_files import read_encrypted, write_encrypted
from ops.backup.repository.manifest import Repository
from rules.archive import ERASED
from services.journal.checkpoints import SEALS_PREFIX, checkpoint_object_key

LANES = 4


@dataclass(frozen=True)
class ExpectedObject:
    """An object that a row names; what the row does not say is None."""

    key: str
    table: str
    sha256: str | None = None
    size: int | None = None


@dataclass
class Copied:
    """What a round of copying did."""

    objects: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class KeyColumn:
    """A column that names objects, and those of the same row that say what their bytes are."""

    key: Column[Any]
    sha256: Column[Any] | None
    size: Column[Any] | None


def key_columns() -> Iterator[KeyColumn]:
    """The columns of all tables that name objects.

    They are `object_key`, and every other `…_key` that has its `…_sha256` beside it.
    """
    for table in SQLModel.metadata.sorted_tables:
        for column in table.c:
            named = column.name.endswith("object_key")
            lead = column.name.removesuffix("object_key" if named else "key")
            sha256, size = table.c.get(f"{lead}sha256"), table.c.get(f"{lead}size")
            if named or (column.name.endswith("_key") and sha256 is not None):
                yield KeyColumn(column, sha256, size)


async def wanted(database: Database) -> dict[str, ExpectedObject]:
    """Every object that a row of any table names, and the copies of the checkpoints.

    Of an erased object the row stays, and nothing is wanted.
    """
    found: dict[str, ExpectedObject] = {}
    async with database.engine.connect() as connection:
        for each in key_columns():
            beside = [null() if one is None else one for one in (each.sha256, each.size)]
            there = each.key.is_not(None) & ~each.key.startswith(ERASED)
            query: Any = Select(each.key, *beside).where(there)
            rows = await connection.stream(query, execution_options={"yield_per": 1000})
            async for key, sha256, octets in rows:
                found[key] = ExpectedObject(key, each.key.table.name, sha256, octets)
        numbers = await connection.execute(select(col(JournalCheckpoint.number)))
        for (number,) in numbers:
            found[checkpoint_object_key(number)] = ExpectedObject(
                checkpoint_object_key(number), "journal_seal"
            )
    return found


async def last_number(database: Database) -> int:
    """The last number that was drawn for a case; 0 before the first."""
    drawn = text("select last_value from pg_sequences where sequencename = 'case_number'")
    async with database.engine.connect() as connection:
        return int((await connection.execute(drawn)).scalar() or 0)


def hash_of(key: str) -> str:
    """The name of an archived object."""
    return hashlib.sha256(key.encode()).hexdigest()


def place_of(repository: Repository, key: str) -> Path:
    """Where an object is archived."""
    name = hash_of(key)
    return repository.objects / name[:2] / name


def archived(repository: Repository) -> set[str]:
    """The names of all archived objects."""
    return {each.name for each in repository.objects.glob("[0-9a-f][0-9a-f]/[0-9a-f]*")}


async def copy_out(
    objects: Objects,
    repository: Repository,
    key: BackupKey,
    rows: Mapping[str, ExpectedObject],
    known: set[str],
    passed: Callable[[int, int], None] = lambda done, whole: None,
) -> Copied:
    """Archive the objects that are not in `known` yet, and add them to it.

    An object that is not in the store, or whose bytes are not what its row says, is reported and
    not archived. Raises ObjectsDownError.
    """
    done = Copied()
    new = [each for each in rows.values() if hash_of(each.key) not in known]
    waiting = iter(new)

    async def lane() -> None:
        for one in waiting:
            await _copy_one(objects, repository, key, one, done)
            known.add(hash_of(one.key))
            passed(done.objects, len(new))

    try:
        async with asyncio.TaskGroup() as lanes:
            for _ in range(min(LANES, len(new))):
                lanes.create_task(lane())
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    for name in (*done.missing, *done.differing):
        known.discard(hash_of(name))
    return done


async def _copy_one(
    objects: Objects, repository: Repository, key: BackupKey, one: ExpectedObject, done: Copied
) -> None:
    # A file without a name: it is gone with this process.
    with tempfile.TemporaryFile() as spool:
        try:
            opened = await objects.open(one.key)
        except ObjectMissingError:
            done.missing.append(one.key)
            return
        digest, size = hashlib.sha256(), 0
        async for chunk in opened.chunks():
            spool.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        if one.sha256 not in (None, digest.hexdigest()):
            done.differing.append(one.key)
            return
        head = {
            "key": one.key,
            "media_type": opened.media_type,
            "size": size,
            "sha256": digest.hexdigest(),
        }
        name = f"objects/{hash_of(one.key)}"
        source = _with_head(head, spool)
        await asyncio.to_thread(write_encrypted, place_of(repository, one.key), key, name, source)
    done.objects += 1
    done.bytes += size


def _with_head(head: Mapping[str, Any], spool: BinaryIO) -> Iterator[bytes]:
    yield json.dumps(head).encode() + b"\n"
    spool.seek(0)
    while piece := spool.read(PIECE):
        yield piece


class Archived:
    """An archived object that is being read: `head` first, then `chunks`."""

    def __init__(self, path: Path, key: BackupKey) -> None:
        self._pieces = read_encrypted(path, key, f"objects/{path.name}")
        first = next(self._pieces)
        line, _, self._rest = first.partition(b"\n")
        try:
            self.head = json.loads(line)
            self.key, self.size = str(self.head["key"]), int(self.head["size"])
            self.media_type, self.sha256 = str(self.head["media_type"]), str(self.head["sha256"])
        except (ValueError, KeyError, TypeError):
            raise DamagedError(f"{path} does not begin as an archived object does") from None

    def chunks(self) -> Iterator[bytes]:
        """The bytes of the object. Raises DamagedError."""
        if self._rest:
            yield self._rest
        yield from self._pieces

    async def flow(self) -> AsyncIterator[bytes]:
        """The same bytes, for the object store."""
        for chunk in self.chunks():
            yield chunk


async def put_back(
    objects: Objects,
    repository: Repository,
    key: BackupKey,
    rows: Mapping[str, ExpectedObject],
    *,
    replace: bool,
    passed: Callable[[int, int], None] = lambda done, whole: None,
) -> Copied:
    """Put into the store what rows name and it lacks, and all archived checkpoints.

    An object that is there with another size is only replaced when asked for. What the archive
    lacks too is reported as missing. Raises ObjectsDownError and DamagedError.
    """
    done = Copied()
    there = {item.key: item.size async for item in objects.list()}
    names = {hash_of(each): each for each in rows}
    waiting = [each for each in rows.values() if each.key not in there or _differs(each, there)]
    for number, one in enumerate(waiting, start=1):
        path = place_of(repository, one.key)
        if not path.exists():
            done.missing.append(one.key)
        elif one.key in there and not replace:
            done.differing.append(one.key)
        else:
            await _put_one(objects, Archived(path, key), done)
        passed(number, len(waiting))
    for path in _strangers(repository, names):
        found = Archived(path, key)
        if found.key.startswith(SEALS_PREFIX) and found.key not in there:
            await _put_one(objects, found, done)
    return done


def _differs(one: ExpectedObject, there: Mapping[str, int]) -> bool:
    return one.size is not None and there[one.key] != one.size


def _strangers(repository: Repository, names: Mapping[str, str]) -> Iterable[Path]:
    for each in repository.objects.glob("[0-9a-f][0-9a-f]/[0-9a-f]*"):
        if each.name not in names:
            yield each


async def _put_one(objects: Objects, found: Archived, done: Copied) -> None:
    stored = await objects.put(found.key, found.flow(), found.size, found.media_type)
    if stored.sha256 != found.sha256:
        raise DamagedError(f"{found.key} came out of the archive with other bytes than went in")
    done.objects += 1
    done.bytes += stored.size


async def changed(
    objects: Objects, rows: Sequence[ExpectedObject], passed: Callable[[int, int], None]
) -> list[str]:
    """The keys of objects whose bytes are not what their rows say. Reads every one of them."""
    found = []
    named = [each for each in rows if each.sha256 is not None]
    for number, one in enumerate(named, start=1):
        opened = await objects.open(one.key)
        digest = hashlib.sha256()
        async for chunk in opened.chunks():
            digest.update(chunk)
        if digest.hexdigest() != one.sha256:
            found.append(one.key)
        passed(number, len(named))
    return found
