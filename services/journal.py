"""Write the journal, read it, and seal it once a minute.

An entry and what waits for the next seal are written by one statement in the caller's unit of work.
A seal signs the Merkle root over the heads of the chains that grew and over the views of records;
it is copied out of PostgreSQL at once, to a file and to the object store.
"""

import asyncio
import base64
import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Insert, bindparam, delete, func, insert
from sqlalchemy import select as scalar
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.objects import Objects
from models.tables.base import new_id
from models.tables.journal import (
    JournalEntry,
    JournalSeal,
    JournalSealCopy,
    RecordView,
    journal_pending,
)
from rules import clock
from rules.journal import (
    CHAIN_LEAF,
    GENESIS,
    HASH_VERSION,
    SYSTEM_CHAIN,
    VIEW_LEAF,
    EntryFacts,
    JournalKind,
    Leaf,
    canonical,
    contents_digest,
    entry_hash,
    merkle_root,
    new_salt,
    seal_body,
    seal_hash,
    view_hash,
)
from rules.permissions import Actor
from services.crash_points import CrashPoint, reach
from services.seals import Seal, keep_certificate

SEAL_EVERY = 60
"""Seconds between two seals: the age up to which an entry may stand unsealed."""

SEALS_FILE = "seals.jsonl"
SEALS_PREFIX = "seals/"
HASHED = frozenset(EntryFacts.__dataclass_fields__) - {"contents", "contents_state"}
"""The columns of an entry that its check needs, its contents apart."""
_STORE = "object store"
_SEALING = 7_205_759_403_793
_APPENDING = 1_245_662_035


_HEAD_OF = "head of the chain"
_LEAF = ("kind", "ref", "position", "hash")


def _insert_with_pending(model: type[SQLModel]) -> Insert:
    """One statement for a row and for what waits for its seal; built once, values are bound."""
    table = SQLModel.metadata.tables[str(model.__tablename__)]
    row = insert(table).values({one.name: bindparam(f"row_{one.name}") for one in table.c})
    leaf: dict[str, Any] = {name: bindparam(f"leaf_{name}") for name in _LEAF}
    return insert(journal_pending).values(leaf).add_cte(row.cte("written"))


@dataclass(frozen=True)
class Along:
    """A statement of the same unit of work that is sent in one with an entry."""

    statement: Insert
    values: Mapping[str, Any]


@lru_cache(maxsize=256)
def _along(statement: Insert) -> Insert:
    """The statement with an entry before it; built once for each that is built once."""
    return statement.add_cte(_WRITE_ENTRY.cte("journaled"))


_WRITE_ENTRY, _WRITE_VIEW = _insert_with_pending(JournalEntry), _insert_with_pending(RecordView)
_HEAD = (
    select(JournalEntry.position, JournalEntry.hash)
    .where(JournalEntry.chain == bindparam("of_chain"))
    .order_by(col(JournalEntry.position).desc())
    .limit(1)
)


async def _write(
    session: AsyncSession,
    statement: Insert,
    row: SQLModel,
    leaf: Leaf,
    more: Mapping[str, Any] | None = None,
) -> None:
    values = {f"row_{name}": value for name, value in row.model_dump().items()}
    waits = {f"leaf_{name}": getattr(leaf, name) for name in _LEAF}
    await session.exec(statement, params={**values, **waits, **(more or {})})


async def append(
    session: AsyncSession,
    *,
    chain: UUID,
    kind: JournalKind,
    at: datetime | None = None,
    by: UUID | None = None,
    system: str | None = None,
    step: int | None = None,
    facts: Mapping[str, Any] | None = None,
    contents: Any = None,
    after: JournalEntry | None = None,
    lock: bool = False,
    along: Along | None = None,
) -> JournalEntry:
    """Add an entry at the end of a chain, in two statements; the caller's unit of work commits.

    `by` is the person who acted, `system` names what acted of itself. `facts` stand in the clear:
    nothing personal, JSON without fractions. `contents` stand encrypted.

    The caller holds a lock on the row that owns the chain. For a chain without such a row `lock`
    takes one, in a third statement; the system's own chain always does. `after`, the entry just
    appended to the same chain in this unit of work, spares the look-up; so does `head_is_known`.
    `along` is sent in one with the entry.
    """
    if lock or chain == SYSTEM_CHAIN:
        key = int.from_bytes(chain.bytes[-4:], "big", signed=True)
        await session.exec(select(func.pg_advisory_xact_lock(_APPENDING, key)))
    position, previous = 0, GENESIS
    if after is not None and after.chain == chain:
        position, previous = after.position, after.hash
    elif (known := session.info.get((_HEAD_OF, chain))) is not None:
        position, previous = known
    else:
        head = await session.exec(_HEAD, params={"of_chain": chain})
        position, previous = head.one_or_none() or (position, previous)
    entry = _entry(
        chain=chain,
        position=position + 1,
        previous=previous,
        kind=kind,
        at=at or clock.now(),
        by=by,
        system=system,
        step=step,
        facts=dict(facts or {}),
        contents=contents,
    )
    leaf = Leaf(CHAIN_LEAF, chain, position + 1, entry.hash)
    if along is None:
        await _write(session, _WRITE_ENTRY, entry, leaf)
    else:
        await _write(session, _along(along.statement), entry, leaf, along.values)
    session.info[_HEAD_OF, chain] = (entry.position, entry.hash)
    return entry


def head_columns(chain: BindParameter[UUID]) -> tuple[Any, Any]:
    """Place and hash of a chain's last entry, for a statement that is sent anyway.

    Only for one that begins after the chain's owner is locked: an older one sees an older end.
    """
    of_chain = col(JournalEntry.chain) == chain
    last = col(JournalEntry.position).desc()
    return (
        scalar(col(JournalEntry.position))
        .where(of_chain)
        .order_by(last)
        .limit(1)
        .scalar_subquery(),
        scalar(col(JournalEntry.hash)).where(of_chain).order_by(last).limit(1).scalar_subquery(),
    )


def head_is_known(
    session: AsyncSession, chain: UUID, position: int | None, digest: bytes | None
) -> None:
    """Keep what `head_columns` gave for the next `append` of this unit of work."""
    session.info[_HEAD_OF, chain] = (position or 0, bytes(digest) if digest else GENESIS)


def _entry(
    *,
    chain: UUID,
    position: int,
    previous: bytes,
    kind: JournalKind,
    at: datetime,
    by: UUID | None,
    system: str | None,
    step: int | None,
    facts: dict[str, Any],
    contents: Any,
) -> JournalEntry:
    """The entry with its salt, digests and hash. Raises CanonicalizationError for odd facts."""
    salt = new_salt() if contents is not None else None
    hashed = EntryFacts(
        id=new_id(),
        chain=chain,
        position=position,
        kind=kind.value,
        at=at,
        by_person=by,
        by_system=system,
        step=step,
        facts=facts,
        contents_digest=contents_digest(contents, salt) if salt else None,
        previous_hash=previous,
    )
    return JournalEntry(
        id=hashed.id,
        chain=chain,
        position=position,
        kind=hashed.kind,
        at=at,
        by_person=by,
        by_system=system,
        step=step,
        facts=facts,
        contents=contents,
        salt=salt,
        contents_digest=hashed.contents_digest,
        hash_version=HASH_VERSION,
        previous_hash=previous,
        hash=entry_hash(hashed),
    )


def facts_of(entry: JournalEntry) -> EntryFacts:
    """The entry as it is hashed, without its contents."""
    return EntryFacts(
        **entry.model_dump(include=set(HASHED)),
        contents_state="absent" if entry.contents is None else "unread",
    )


async def read(session: AsyncSession, chain: UUID) -> Sequence[JournalEntry]:
    """The entries of a chain, oldest first, contents decrypted."""
    found = await session.exec(
        select(JournalEntry).where(JournalEntry.chain == chain).order_by(col(JournalEntry.position))
    )
    return found.all()


async def record_view(
    session: AsyncSession, actor: Actor, subject_id: UUID, what: str, *, at: datetime | None = None
) -> RecordView:
    """Note that a person looked at a record (I9); one statement, and it never waits for another.

    `what` is a short code such as `attachment` or `case`, nothing personal.
    """
    view_id, moment = new_id(), at or clock.now()
    view = RecordView(
        id=view_id,
        at=moment,
        by_person=actor.person_id,
        subject=subject_id,
        what=what,
        hash=view_hash(
            view=view_id, at=moment, by_person=actor.person_id, subject=subject_id, what=what
        ),
    )
    await _write(session, _WRITE_VIEW, view, Leaf(VIEW_LEAF, view.id, 0, view.hash))
    return view


async def erase_contents(
    session: AsyncSession,
    entry: JournalEntry,
    *,
    by: UUID | None = None,
    system: str | None = None,
    ground: str,
) -> JournalEntry:
    """Erase the contents of an entry by law; the chain stays whole and says who did it and why.

    The caller holds the lock on the chain's owner. `ground` names the rule, nothing personal.
    """
    recorded = await append(
        session,
        chain=entry.chain,
        kind=JournalKind.CONTENTS_ERASED,
        by=by,
        system=system,
        facts={"position": entry.position, "ground": ground},
    )
    await session.exec(select(func.journal_erase(entry.id)))
    return recorded


async def seal(
    database: Database, with_seal: Seal, folder: Path, objects: Objects | None = None
) -> JournalSeal | None:
    """Seal what was written since the last time, and bring the copies outside up to date.

    None when nothing waits or another process is sealing. `folder` is where the copies stand on
    this machine (`seals_folder`). Raises ObjectsDownError when the store is down, after the seal
    was written and copied to the file; the next call catches up.
    """
    made = await _seal_pending(database, with_seal)
    if made is not None:
        reach(CrashPoint.SEALED)
    await asyncio.to_thread(keep_certificate, folder, with_seal.certificate)
    await _copy_to_file(database, folder)
    if objects is not None:
        await _copy_to_store(database, objects)
    return made


def seals_folder(home: Path) -> Path:
    """Where seals and the certificates that made them are kept outside PostgreSQL."""
    return home / "seals"


async def _seal_pending(database: Database, with_seal: Seal) -> JournalSeal | None:
    async with database.work() as session:
        if not (await session.exec(select(func.pg_try_advisory_xact_lock(_SEALING)))).one():
            return None
        heads: dict[tuple[str, UUID], Leaf] = {}
        taken = await session.exec(delete(journal_pending).returning(journal_pending))
        for kind, ref, position, digest in taken:
            known = heads.get((kind, ref))
            if known is None or known.position < position:
                heads[kind, ref] = Leaf(kind, ref, position, bytes(digest))
        if not heads:
            return None
        leaves = [heads[key] for key in sorted(heads)]
        last = (
            await session.exec(
                select(JournalSeal.number, JournalSeal.hash)
                .order_by(col(JournalSeal.number).desc())
                .limit(1)
            )
        ).one_or_none()
        number, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
        at = clock.now()
        root = merkle_root([leaf.encoded() for leaf in leaves])
        body = seal_body(
            number=number, at=at, root=root, leaves=len(leaves), previous_hash=previous
        )
        made = JournalSeal(
            number=number,
            at=at,
            leaves=[leaf.listed() for leaf in leaves],
            root=root,
            previous_hash=previous,
            hash=seal_hash(body),
            signature=with_seal.sign_bytes(canonical(body)),
        )
        session.add(made)
        return made


def seal_key(number: int) -> str:
    """Where the object store keeps the copy of a seal."""
    return f"{SEALS_PREFIX}{number:09}.json"


def as_line(one: JournalSeal) -> bytes:
    """A seal as it stands outside PostgreSQL: one line of JSON."""
    return json.dumps(
        {
            "body": seal_body(
                number=one.number,
                at=one.at,
                root=one.root,
                leaves=len(one.leaves),
                previous_hash=one.previous_hash,
            ),
            "hash": one.hash.hex(),
            "leaves": one.leaves,
            "signature": base64.b64encode(one.signature).decode(),
        },
        separators=(",", ":"),
    ).encode()


async def _since(database: Database, number: int, most: int = 100) -> Sequence[JournalSeal]:
    async with database.work() as session:
        found = await session.exec(
            select(JournalSeal)
            .where(JournalSeal.number > number)
            .order_by(col(JournalSeal.number))
            .limit(most)
        )
        return found.all()


async def _copy_to_file(database: Database, folder: Path) -> None:
    """Append the seals that the file does not hold yet. Processes of one machine take turns."""
    file = folder / SEALS_FILE
    with (folder / "lock").open("w") as turn:
        await asyncio.to_thread(fcntl.flock, turn, fcntl.LOCK_EX)
        number = await asyncio.to_thread(_last_number, file)
        while seals := await _since(database, number):
            number = seals[-1].number
            lines = b"".join(as_line(one) + b"\n" for one in seals)
            await asyncio.to_thread(_append_durably, file, lines)


def _last_number(file: Path) -> int:
    """The number of the last whole line. A line torn by a crash is cut off first."""
    if not file.exists():
        return 0
    with file.open("r+b") as lines:
        size = lines.seek(0, os.SEEK_END)
        tail = b""
        while size and tail.count(b"\n") < 2:
            step = min(size, 1 << 16)
            size -= step
            lines.seek(size)
            tail = lines.read(step) + tail
        whole = tail[: tail.rfind(b"\n") + 1]
        if len(whole) < len(tail):
            lines.truncate(size + len(whole))
    last = whole.splitlines()
    return int(json.loads(last[-1])["body"]["number"]) if last else 0


def _append_durably(file: Path, lines: bytes) -> None:
    with file.open("ab") as out:
        out.write(lines)
        out.flush()
        os.fsync(out.fileno())


async def _copy_to_store(database: Database, objects: Objects) -> None:
    """Put the seals that the store does not hold yet, one object each."""
    async with database.work() as session:
        place = await session.get(JournalSealCopy, _STORE)
        number = place.number if place else 0
    while seals := await _since(database, number):
        for one in seals:
            line = as_line(one)
            await objects.put(seal_key(one.number), line, len(line), "application/json")
        number = seals[-1].number
        async with database.work() as session:
            await session.exec(
                upsert(JournalSealCopy)
                .values(place=_STORE, number=number)
                .on_conflict_do_update(
                    index_elements=["place"],
                    set_={"number": func.greatest(JournalSealCopy.number, number)},
                )
            )
