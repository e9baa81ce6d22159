"""What a restore has lost of the journal, and how it is declared.

A database restored to an earlier point is older than the checkpoints kept outside it. These prove
that there was more. They are taken back into the database, so that the chain of checkpoints goes on
where it was; an entry in the system's chain, signed by the institution, says which of them speak of
lost entries, and exactly what was lost. From then on, what such a checkpoint includes and the
journal lacks is a declared loss, which every verification reports, and no longer a fault.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.objects import Objects
from crypto.certificates import Certificate
from crypto.cms_signatures import SignatureError, check_signature
from models.tables.journal import JournalCheckpoint, JournalEntry
from rules.clock import now
from rules.journal.checkpoints import CHAIN_LEAF, Leaf, checkpoint_hash, merkle_root
from rules.journal.entries import GENESIS, SYSTEM_CHAIN, JournalKind, canonical
from services.journal import declarations
from services.journal import entries as journal
from services.journal.checkpoint_files import CHECKPOINTS_FILE
from services.journal.checkpoints import (
    SEALS_PREFIX,
    as_line,
    checkpoint_object_key,
    sealed_heads,
)
from services.seal import Seal

# Three arrays, since the number of parameters is limited to 65 535.
_LACKING = text(
    "SELECT v.chain, EXISTS (SELECT FROM journal_entry e WHERE e.chain = v.chain)"
    " FROM unnest(CAST(:chains AS uuid[]), CAST(:positions AS bigint[]), CAST(:hashes AS bytea[]))"
    " AS v(chain, position, hash)"
    " WHERE NOT EXISTS (SELECT FROM journal_entry e"
    " WHERE e.chain = v.chain AND e.position = v.position AND e.hash = v.hash)"
)
"""The chains whose heads the journal lacks, and whether any entry of them is there."""


_HELD = text(
    "SELECT held.ref, held.position, held.hash"
    " FROM unnest(CAST(:refs AS uuid[]), CAST(:positions AS bigint[]), CAST(:hashes AS bytea[]))"
    " AS held(ref, position, hash)"
    " WHERE EXISTS (SELECT FROM journal_entry e"
    " WHERE e.chain = held.ref AND e.position = held.position AND e.hash = held.hash)"
    " OR EXISTS (SELECT FROM record_view v WHERE v.id = held.ref AND v.hash = held.hash)"
)
"""Those of these heads and views that are there."""


class CheckpointsUnclearError(Exception):
    """The checkpoints outside the database do not follow from it: nothing may be built on them."""


@dataclass(frozen=True)
class Loss:
    """Checkpoints that include what the database lacks, the first and the last, and since when."""

    first: int
    last: int
    since: datetime | None
    until: datetime
    chains: tuple[UUID, ...]
    """Chains that had grown by entries that are lost."""
    unknown_cases: int
    """How many of these chains began in the lost time: at least so many cases are lost."""


async def newer_checkpoints(
    database: Database, folder: Path, objects: Objects, trusted: Sequence[Certificate]
) -> list[JournalCheckpoint]:
    """The checkpoints outside that follow the last one of the database; each was verified.

    Raises CheckpointsUnclearError if they do not follow, and ObjectsDownError.
    """
    async with database.work() as session:
        last = (
            await session.exec(
                select(JournalCheckpoint).order_by(col(JournalCheckpoint.number).desc()).limit(1)
            )
        ).one_or_none()
    number, digest = (last.number, last.hash) if last else (0, GENESIS)
    outside = dict(_in_file(folder / CHECKPOINTS_FILE))
    async for item in objects.list(SEALS_PREFIX):
        if item.key > checkpoint_object_key(number):
            written = json.loads(await objects.read(item.key))
            outside.setdefault(int(written["body"]["number"]), written)
    found: list[JournalCheckpoint] = []
    for each in sorted(one for one in outside if one > number):
        if each != number + 1:
            raise CheckpointsUnclearError(
                f"checkpoint {number + 1} is missing, checkpoint {each} is there"
            )
        made = _checked(outside[each], digest, trusted)
        found.append(made)
        number, digest = made.number, made.hash
    return found


def _in_file(file: Path) -> Iterable[tuple[int, dict[str, Any]]]:
    if not file.exists():
        return
    with file.open("rb") as lines:
        for line in lines:
            try:
                written = json.loads(line)
                yield int(written["body"]["number"]), written
            except (ValueError, KeyError, TypeError) as error:
                # The last line may be torn by the crash that made the restore necessary.
                if line.endswith(b"\n"):
                    raise CheckpointsUnclearError(
                        f"{file} has a line that is not a checkpoint"
                    ) from error


def _checked(
    written: Mapping[str, Any], previous: bytes, trusted: Sequence[Certificate]
) -> JournalCheckpoint:
    """A row from a copy.

    Raises CheckpointsUnclearError unless it follows and our seal signed it.
    """
    try:
        body = written["body"]
        number = int(body["number"])
        leaves = [Leaf.read(listed) for listed in written["leaves"]]
        made = JournalCheckpoint(
            number=number,
            at=datetime.fromisoformat(body["at"]),
            leaves=list(written["leaves"]),
            root=bytes.fromhex(body["root"]),
            previous_hash=bytes.fromhex(body["previous"]),
            hash=checkpoint_hash(body),
            signature=base64.b64decode(written["signature"], validate=True),
        )
        whole = json.loads(as_line(made)) == written
        check_signature(canonical(body), made.signature, trusted)
    except (ValueError, KeyError, TypeError, SignatureError) as error:
        raise CheckpointsUnclearError(
            f"a checkpoint kept outside the database does not hold: {error}"
        ) from error
    follows = made.previous_hash == previous
    if not whole or not follows or merkle_root([one.encoded() for one in leaves]) != made.root:
        raise CheckpointsUnclearError(
            f"checkpoint {number} kept outside does not follow those of the database"
        )
    return made


async def weigh(session: AsyncSession, checkpoints: Sequence[JournalCheckpoint]) -> Loss:
    """What the journal lacks according to these checkpoints, of which there is at least one."""
    heads: dict[UUID, tuple[int, bytes]] = {}
    for one in checkpoints:
        for leaf in map(Leaf.read, one.leaves):
            if leaf.kind == CHAIN_LEAF and leaf.position >= heads.get(leaf.ref, (0, b""))[0]:
                heads[leaf.ref] = (leaf.position, leaf.hash)
    found = await (await session.connection()).execute(
        _LACKING,
        {
            "chains": list(heads),
            "positions": [position for position, _ in heads.values()],
            "hashes": [digest for _, digest in heads.values()],
        },
    )
    lost = {chain: bool(begun) for chain, begun in found}
    before = await session.get(JournalCheckpoint, checkpoints[0].number - 1)
    return Loss(
        checkpoints[0].number,
        checkpoints[-1].number,
        before.at if before else None,
        checkpoints[-1].at,
        tuple(sorted(lost)),
        sum(not begun for chain, begun in lost.items() if chain != SYSTEM_CHAIN),
    )


async def lost_leaves(
    session: AsyncSession, checkpoints: Sequence[JournalCheckpoint]
) -> list[Leaf]:
    """Every head and view that these checkpoints include and the journal lacks."""
    leaves = [Leaf.read(listed) for one in checkpoints for listed in one.leaves]
    found = await (await session.connection()).execute(
        _HELD,
        {
            "refs": [leaf.ref for leaf in leaves],
            "positions": [leaf.position for leaf in leaves],
            "hashes": [leaf.hash for leaf in leaves],
        },
    )
    held = {(ref, position, bytes(digest)) for ref, position, digest in found}
    return [leaf for leaf in leaves if (leaf.ref, leaf.position, leaf.hash) not in held]


async def _signed(
    session: AsyncSession, checkpoints: Sequence[JournalCheckpoint], seal: Seal
) -> dict[str, Any]:
    """The facts of an entry that declares what these checkpoints include and the journal lacks."""
    body = declarations.loss_body(
        checkpoints[0].number,
        checkpoints[-1].number,
        checkpoints[0].previous_hash,
        checkpoints[-1].hash,
        await lost_leaves(session, checkpoints),
        now(),
    )
    return declarations.signed(body, seal)


async def declare(
    session: AsyncSession,
    checkpoints: Sequence[JournalCheckpoint],
    facts: Mapping[str, Any],
    seal: Seal,
) -> Loss | None:
    """Take the checkpoints back and journal the restore; the caller's unit of work commits.

    What is lost is declared under the institution's signature. Returns None if nothing is lost.
    """
    loss = await weigh(session, checkpoints) if checkpoints else None
    told = dict(facts)
    if loss is not None:
        told |= {"lost_chains": len(loss.chains), **await _signed(session, checkpoints, seal)}
    for one in checkpoints:
        session.add(one)
    await session.flush()
    await journal.append(
        session,
        chain=SYSTEM_CHAIN,
        kind=JournalKind.INSTALLATION_RESTORED,
        system="restore",
        facts=told,
    )
    return loss


async def sign_former(
    database: Database, seal: Seal, trusted: Sequence[Certificate], reason: str
) -> list[tuple[int, int]]:
    """Sign what restores declared lost before declarations were signed; each is signed once.

    Returns the first and the last checkpoint of each. Only entries in a checkpoint count: one that
    somebody put there by hand is in none.
    """
    async with database.work() as session:
        await journal.lock_chain(session, SYSTEM_CHAIN)
        sealed, _ = (await sealed_heads(session, {SYSTEM_CHAIN})).get(SYSTEM_CHAIN, (0, b""))
        found = await session.exec(
            select(JournalEntry)
            .where(
                JournalEntry.chain == SYSTEM_CHAIN,
                JournalEntry.kind == JournalKind.INSTALLATION_RESTORED.value,
            )
            .order_by(col(JournalEntry.position))
        )
        entries = found.all()
        known = []
        for one in entries:
            try:
                made = declarations.read(one.kind, one.at, one.position, one.facts, trusted)
            except declarations.DeclarationError:
                continue
            known.append(made.loss)
        done = []
        for one in entries:
            named = declarations.unsigned_loss(one.kind, one.facts)
            if named is None or one.position > sealed:
                continue
            if any(loss and loss.covers(*named) for loss in known):
                continue
            checkpoints = await session.exec(
                select(JournalCheckpoint)
                .where(col(JournalCheckpoint.number).between(*named))
                .order_by(col(JournalCheckpoint.number))
            )
            await journal.append(
                session,
                chain=SYSTEM_CHAIN,
                kind=JournalKind.INSTALLATION_RESTORED,
                system="verify",
                facts={"former": one.position, **await _signed(session, checkpoints.all(), seal)},
                contents={"reason": reason},
            )
            done.append(named)
    return done
