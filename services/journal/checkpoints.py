"""Making a checkpoint of the journal once a minute, and copying checkpoints out of PostgreSQL.

A checkpoint signs the Merkle root over the heads of the chains that grew and over the views of
records. It only includes what the application attested and what continues the chain after its last
checkpoint. It is copied at once to a file and to the object store.
"""

import asyncio
import base64
import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, delete, func, insert, literal, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.objects import LOCKED, ObjectMissingError, Objects
from crypto.certificates import Certificate, keep_certificate, kept_certificates
from crypto.key_ring import key_ring
from models.tables.journal import (
    JournalCheckpoint,
    JournalCheckpointCopy,
    JournalHead,
    journal_pending,
)
from rules import clock
from rules.journal.checkpoints import (
    CHAIN_LEAF,
    Leaf,
    LeafRefusal,
    Waiting,
    attested,
    checkpoint_body,
    checkpoint_hash,
    checkpoint_leaves,
    merkle_root,
)
from rules.journal.entries import GENESIS, canonical
from services.crash_points import CrashPoint, reach
from services.journal.checkpoint_files import CHECKPOINTS_FILE, checkpoints_folder
from services.seal import Seal, SealError, open_seal
from settings import Settings

SEAL_EVERY = 60
"""Seconds between two checkpoints: the longest time for which an entry is in none."""

SEALS_PREFIX = LOCKED
_STORE = "object store"
_SEALING = 7_205_759_403_793
_HEADS = text(
    "INSERT INTO journal_head (chain, position, hash) SELECT * FROM"
    " unnest(CAST(:chains AS uuid[]), CAST(:positions AS integer[]), CAST(:hashes AS bytea[]))"
    " ON CONFLICT (chain) DO UPDATE SET position = excluded.position, hash = excluded.hash"
)


class CheckpointsDisagreeError(RuntimeError):
    """Copies of checkpoints contradict the database: no more are made until people have looked."""


async def take(
    database: Database, with_seal: Seal, folder: Path, objects: Objects | None = None
) -> JournalCheckpoint | None:
    """Make a checkpoint of what was written since the last one, and update the copies.

    Returns None if nothing waits or another process is doing it. `folder` holds the copies on this
    machine (`checkpoints_folder`). Raises ObjectsDownError if the store is down, after the
    checkpoint was stored and copied to the file; the next call catches up. Raises
    CheckpointsDisagreeError if a copy is of a checkpoint that the database does not have: somebody
    removed it, or the database was restored and not reconciled.
    """
    outside = await asyncio.to_thread(_last_copy, folder / CHECKPOINTS_FILE)
    made = await _take_pending(database, with_seal, outside)
    if made is not None:
        reach(CrashPoint.SEALED)
    await asyncio.to_thread(keep_certificate, folder, with_seal.certificate)
    await _copy_to_file(database, folder)
    if objects is not None:
        await _copy_to_store(database, objects)
    return made


def trusted_certificates(settings: Settings) -> list[Certificate]:
    """The certificates of the present seal and of former ones kept here. Raises SealError."""
    present = open_seal(settings).certificate
    try:
        former = kept_certificates(checkpoints_folder(settings.home))
    except ValueError as error:
        raise SealError(str(error)) from error
    return [present, *(one for one in former if one != present)]


async def _take_pending(
    database: Database, with_seal: Seal, outside: tuple[int, bytes] | None
) -> JournalCheckpoint | None:
    async with database.work() as session:
        if not (await session.exec(select(func.pg_try_advisory_xact_lock(_SEALING)))).one():
            return None
        if outside is not None:
            await _demand_the_same(session, *outside)
        leaves = await _take(session)
        if not leaves:
            return None
        last = (
            await session.exec(
                select(JournalCheckpoint.number, JournalCheckpoint.hash)
                .order_by(col(JournalCheckpoint.number).desc())
                .limit(1)
            )
        ).one_or_none()
        number, previous = (last[0] + 1, last[1]) if last else (1, GENESIS)
        at = clock.now()
        root = merkle_root([leaf.encoded() for leaf in leaves])
        body = checkpoint_body(
            number=number, at=at, root=root, leaves=len(leaves), previous_hash=previous
        )
        made = JournalCheckpoint(
            number=number,
            at=at,
            leaves=[leaf.listed() for leaf in leaves],
            root=root,
            previous_hash=previous,
            hash=checkpoint_hash(body),
            signature=with_seal.sign_bytes(canonical(body)),
        )
        session.add(made)
        return made


async def _demand_the_same(session: AsyncSession, number: int, digest: bytes) -> None:
    inside = await session.exec(
        select(JournalCheckpoint.hash).where(JournalCheckpoint.number == number)
    )
    found = inside.one_or_none()
    if found is None or bytes(found) != digest:
        raise CheckpointsDisagreeError(
            f"checkpoint {number} is kept outside the database, and the database "
            + ("lacks it" if found is None else "holds another one")
            + ": run `medcab verify`; after a restore, `medcab reconcile`"
        )


async def _take(session: AsyncSession) -> list[Leaf]:
    """Take what a checkpoint may include. The rest is put back with the reason."""
    taken = await session.exec(delete(journal_pending).returning(journal_pending))
    waiting, heads = await read_waiting(session, taken)
    leaves, refused = checkpoint_leaves(waiting, heads, genuine)
    if refused:
        await session.exec(
            insert(journal_pending), params=[pending_row(one, why) for one, why in refused]
        )
    grown = [leaf for leaf in leaves if leaf.kind == CHAIN_LEAF]
    if grown:
        await (await session.connection()).execute(
            _HEADS,
            {
                "chains": [leaf.ref for leaf in grown],
                "positions": [leaf.position for leaf in grown],
                "hashes": [leaf.hash for leaf in grown],
            },
        )
    return leaves


async def read_waiting(
    session: AsyncSession, rows: Iterable[Any]
) -> tuple[list[Waiting], dict[UUID, tuple[int, bytes]]]:
    """What waits, from rows of its table, and how far checkpoints cover the chains concerned."""
    waiting = [
        Waiting(Leaf(kind, ref, position, bytes(digest)), previous, attestation)
        for kind, ref, position, digest, previous, attestation, _ in rows
    ]
    chains = {one.leaf.ref for one in waiting if one.leaf.kind == CHAIN_LEAF}
    return waiting, await sealed_heads(session, chains)


async def hold_checkpoints(session: AsyncSession) -> None:
    """Prevent checkpoints until the unit of work ends."""
    await session.exec(select(func.pg_advisory_xact_lock(_SEALING)))


async def sealed_heads(session: AsyncSession, chains: set[UUID]) -> dict[UUID, tuple[int, bytes]]:
    """How far checkpoints cover each of these chains; chains in no checkpoint are left out."""
    found = await session.exec(
        select(JournalHead).where(
            # One array, since the number of parameters is limited to 65 535.
            col(JournalHead.chain) == func.any(literal(list(chains), ARRAY(Uuid())))
        )
    )
    return {one.chain: (one.position, bytes(one.hash)) for one in found}


def pending_row(one: Waiting, refused: LeafRefusal | None = None) -> dict[str, Any]:
    """What waits, as a row of its table."""
    return {
        "kind": one.leaf.kind,
        "ref": one.leaf.ref,
        "position": one.leaf.position,
        "hash": one.leaf.hash,
        "previous": one.previous,
        "attestation": one.attestation,
        "refused": refused,
    }


def genuine(one: Waiting) -> bool:
    """Whether the application wrote what waits, by a key of this process's ring."""
    if one.previous is None or one.attestation is None:
        return False
    return key_ring().attests(attested(one.leaf, one.previous), one.attestation)


def checkpoint_object_key(number: int) -> str:
    """The key of a checkpoint's copy in the object store."""
    return f"{SEALS_PREFIX}{number:09}.json"


def as_line(one: JournalCheckpoint) -> bytes:
    """A checkpoint as it is copied: one line of JSON."""
    return json.dumps(
        {
            "body": checkpoint_body(
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


async def _since(database: Database, number: int, most: int = 100) -> Sequence[JournalCheckpoint]:
    async with database.work() as session:
        found = await session.exec(
            select(JournalCheckpoint)
            .where(JournalCheckpoint.number > number)
            .order_by(col(JournalCheckpoint.number))
            .limit(most)
        )
        return found.all()


async def _copy_to_file(database: Database, folder: Path) -> None:
    """Append the checkpoints that the file lacks. Processes of one machine take turns."""
    file = folder / CHECKPOINTS_FILE
    with (folder / "lock").open("w") as turn:
        await asyncio.to_thread(fcntl.flock, turn, fcntl.LOCK_EX)
        last = await asyncio.to_thread(_last_copy, file)
        number = last[0] if last else 0
        while found := await _since(database, number):
            number = found[-1].number
            lines = b"".join(as_line(one) + b"\n" for one in found)
            await asyncio.to_thread(_append_durably, file, lines)


def _last_copy(file: Path) -> tuple[int, bytes] | None:
    """Number and hash of the last whole line. A line torn by a crash is cut off first."""
    if not file.exists():
        return None
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
    if not whole:
        return None
    last = json.loads(whole.splitlines()[-1])
    return int(last["body"]["number"]), bytes.fromhex(last["hash"])


def _append_durably(file: Path, lines: bytes) -> None:
    with file.open("ab") as out:
        out.write(lines)
        out.flush()
        os.fsync(out.fileno())


async def _copy_to_store(database: Database, objects: Objects) -> None:
    """Put the checkpoints that the store lacks, one object each."""
    async with database.work() as session:
        place = await session.get(JournalCheckpointCopy, _STORE)
        number = place.number if place else 0
    while found := await _since(database, number):
        for one in found:
            await _put_once(objects, checkpoint_object_key(one.number), as_line(one))
        number = found[-1].number
        async with database.work() as session:
            await session.exec(
                upsert(JournalCheckpointCopy)
                .values(place=_STORE, number=number)
                .on_conflict_do_update(
                    index_elements=["place"],
                    set_={"number": func.greatest(JournalCheckpointCopy.number, number)},
                )
            )


async def _put_once(objects: Objects, key: str, line: bytes) -> None:
    """Put a copy unless it is there; a different one is never replaced.

    Raises CheckpointsDisagreeError for a different one.
    """
    try:
        kept = await objects.read(key)
    except ObjectMissingError:
        await objects.put(key, line, len(line), "application/json")
        return
    if kept != line:
        raise CheckpointsDisagreeError(
            f"{key} in the object store is another checkpoint than the database's"
        )
