"""What a restore has lost of the journal, told honestly.

A database restored to an earlier point is older than the seals kept outside it. These seals prove
that there was more. They are taken back into the database, so that the chain of seals goes on where
it was; an entry in the system's chain says which of them speak of what is lost. From there a new
epoch begins: what such a seal held fast and the journal lacks is a loss that every verification
tells, no longer a fault.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography import x509
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.objects import Objects
from models.tables.journal import JournalSeal
from rules.journal import (
    CHAIN_LEAF,
    GENESIS,
    SYSTEM_CHAIN,
    JournalKind,
    Leaf,
    canonical,
    merkle_root,
    seal_hash,
)
from services import journal
from services.journal import SEALS_FILE, SEALS_PREFIX, as_line, seal_key
from services.signatures import SignatureError, check_signature

# As three arrays, however many chains there are: parameters are limited to 65 535.
_LACKING = text(
    "SELECT v.chain, EXISTS (SELECT FROM journal_entry e WHERE e.chain = v.chain)"
    " FROM unnest(CAST(:chains AS uuid[]), CAST(:positions AS bigint[]), CAST(:hashes AS bytea[]))"
    " AS v(chain, position, hash)"
    " WHERE NOT EXISTS (SELECT FROM journal_entry e"
    " WHERE e.chain = v.chain AND e.position = v.position AND e.hash = v.hash)"
)
"""The chains whose heads the journal lacks, and whether anything of them is here."""


class SealsUnclearError(Exception):
    """The seals outside the database do not follow from it: nothing may be built on them."""


@dataclass(frozen=True)
class Loss:
    """Seals that speak of what the database lacks, the first and the last, and since when."""

    first: int
    last: int
    since: datetime | None
    until: datetime
    chains: tuple[UUID, ...]
    """Chains that had grown by entries that are not here."""
    unknown_cases: int
    """How many of these chains begin in the lost time: at least so many cases are gone."""


async def newer_seals(
    database: Database, folder: Path, objects: Objects, trusted: Sequence[x509.Certificate]
) -> list[JournalSeal]:
    """The seals outside that follow the last one of the database; each was checked.

    Raises SealsUnclearError where they do not follow, ObjectsDownError.
    """
    async with database.work() as session:
        last = (
            await session.exec(
                select(JournalSeal).order_by(col(JournalSeal.number).desc()).limit(1)
            )
        ).one_or_none()
    number, digest = (last.number, last.hash) if last else (0, GENESIS)
    outside = dict(_in_file(folder / SEALS_FILE))
    async for item in objects.list(SEALS_PREFIX):
        if item.key > seal_key(number):
            written = json.loads(await objects.read(item.key))
            outside.setdefault(int(written["body"]["number"]), written)
    found: list[JournalSeal] = []
    for each in sorted(one for one in outside if one > number):
        if each != number + 1:
            raise SealsUnclearError(f"seal {number + 1} is missing, seal {each} is there")
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
                # The last line may be torn by the crash that made the restore needed.
                if line.endswith(b"\n"):
                    raise SealsUnclearError(f"{file} holds what is no seal") from error


def _checked(
    written: Mapping[str, Any], previous: bytes, trusted: Sequence[x509.Certificate]
) -> JournalSeal:
    """A seal as a row. Raises SealsUnclearError unless it follows and was made by our seal."""
    try:
        body = written["body"]
        number = int(body["number"])
        leaves = [Leaf.read(listed) for listed in written["leaves"]]
        made = JournalSeal(
            number=number,
            at=datetime.fromisoformat(body["at"]),
            leaves=list(written["leaves"]),
            root=bytes.fromhex(body["root"]),
            previous_hash=bytes.fromhex(body["previous"]),
            hash=seal_hash(body),
            signature=base64.b64decode(written["signature"], validate=True),
        )
        whole = json.loads(as_line(made)) == written
        check_signature(canonical(body), made.signature, trusted)
    except (ValueError, KeyError, TypeError, SignatureError) as error:
        raise SealsUnclearError(f"a seal outside the database does not hold: {error}") from error
    follows = made.previous_hash == previous
    if not whole or not follows or merkle_root([one.encoded() for one in leaves]) != made.root:
        raise SealsUnclearError(f"seal {number} outside does not follow those of the database")
    return made


async def weigh(session: AsyncSession, seals: Sequence[JournalSeal]) -> Loss:
    """What these seals say that the journal lacks; there is at least one."""
    heads: dict[UUID, tuple[int, bytes]] = {}
    for seal in seals:
        for leaf in map(Leaf.read, seal.leaves):
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
    before = await session.get(JournalSeal, seals[0].number - 1)
    return Loss(
        seals[0].number,
        seals[-1].number,
        before.at if before else None,
        seals[-1].at,
        tuple(sorted(lost)),
        sum(not begun for chain, begun in lost.items() if chain != SYSTEM_CHAIN),
    )


async def declare(
    session: AsyncSession, seals: Sequence[JournalSeal], facts: Mapping[str, Any]
) -> Loss | None:
    """Take the seals back and journal the restore; the caller's unit of work commits.

    None when nothing is lost.
    """
    loss = await weigh(session, seals) if seals else None
    for one in seals:
        session.add(one)
    await session.flush()
    told = dict(facts)
    if loss is not None:
        told |= {"lost_seals": [loss.first, loss.last], "lost_chains": len(loss.chains)}
    await journal.append(
        session,
        chain=SYSTEM_CHAIN,
        kind=JournalKind.INSTALLATION_RESTORED,
        system="restore",
        facts=told,
    )
    return loss


def lost_seals(facts: Iterable[Mapping[str, Any]]) -> set[int]:
    """The numbers of the seals that entries of restores declare as speaking of what is lost."""
    numbers: set[int] = set()
    for told in facts:
        match told.get("lost_seals"):
            case [int(first), int(last)]:
                numbers.update(range(first, last + 1))
    return numbers
