"""Accepting entries that the application did not attest, openly and signed by the institution.

Checkpoints leave such entries out: whoever wrote them does not hold the keys of the application, or
they are from a version that did not attest yet. People look at them first. Accepted entries
continue the chain after its last checkpoint, and are declared in the system's chain; `medcab
verify` reports the declaration until information security has confirmed it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto.key_ring import key_ring
from models.tables.journal import JournalEntry, RecordView, journal_pending
from rules.clock import now
from rules.journal.checkpoints import (
    CHAIN_LEAF,
    VIEW_LEAF,
    Leaf,
    Waiting,
    attested,
    checkpoint_leaves,
)
from rules.journal.entries import GENESIS, SYSTEM_CHAIN, JournalKind, moment
from services.journal import checkpoints, declarations
from services.journal import entries as journal
from services.seal import Seal

MOST = 10_000
"""How many entries and views one declaration may cover."""


class NotAcceptableError(ValueError):
    """The waiting rows contradict a checkpoint, or are too many: the message says what to do."""


@dataclass(frozen=True)
class Foreign:
    """Entries of one chain, or a view, that wait without the application's attestation."""

    kind: str
    ref: UUID
    first: int
    last: int
    leaves: tuple[Waiting, ...]

    def listed(self) -> list[object]:
        """The form of it in the declaration."""
        return [str(self.ref), self.first, self.last, self.leaves[-1].leaf.hash.hex()]


async def foreign(session: AsyncSession) -> list[Foreign]:
    """What checkpoints refuse, with the links to the last checkpoint. Raises NotAcceptableError."""
    rows = await (await session.connection()).execute(journal_pending.select())
    waiting, heads = await checkpoints.read_waiting(session, rows)
    _, refused = checkpoint_leaves(waiting, heads, checkpoints.genuine)
    if len(refused) > MOST:
        raise NotAcceptableError(
            f"{len(refused)} rows were refused, more than can be accepted: restore a backup from "
            "before they were added"
        )
    found = []
    for ref in sorted({one.leaf.ref for one, _ in refused if one.leaf.kind == CHAIN_LEAF}):
        position, digest = heads.get(ref, (0, GENESIS))
        found.append(await _chain(session, ref, position, digest))
    for ref in sorted({one.leaf.ref for one, _ in refused if one.leaf.kind == VIEW_LEAF}):
        view = await session.get(RecordView, ref)
        if view is None:
            raise NotAcceptableError(f"view {ref} waits for a checkpoint, but does not exist")
        leaf = Leaf(VIEW_LEAF, ref, 0, bytes(view.hash))
        found.append(Foreign(VIEW_LEAF, ref, 0, 0, (_vouched(leaf, GENESIS),)))
    return found


async def accept(database: Database, seal: Seal, reason: str) -> Sequence[Foreign]:
    """Accept all of it: the next checkpoint includes it. Raises NotAcceptableError."""
    async with database.work() as session:
        await checkpoints.hold_checkpoints(session)
        await journal.lock_chain(session, SYSTEM_CHAIN)
        taken = await foreign(session)
        if not taken:
            return ()
        for one in taken:
            await session.exec(
                delete(journal_pending).where(
                    journal_pending.c.kind == one.kind, journal_pending.c.ref == one.ref
                )
            )
            await session.exec(
                insert(journal_pending),
                params=[checkpoints.pending_row(each) for each in one.leaves],
            )
        body = {"accepted": [one.listed() for one in taken], "at": moment(now()), "v": 1}
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.JOURNAL_ACCEPTED,
            system="verify",
            facts=declarations.signed(body, seal),
            contents={"reason": reason},
        )
    return taken


async def _chain(session: AsyncSession, ref: UUID, position: int, digest: bytes) -> Foreign:
    entries = (
        await session.exec(
            select(JournalEntry.position, JournalEntry.previous_hash, JournalEntry.hash)
            .where(JournalEntry.chain == ref, col(JournalEntry.position) > position)
            .order_by(col(JournalEntry.position))
            .limit(MOST)
        )
    ).all()
    leaves = []
    for place, previous, made in entries:
        if place != position + 1 or bytes(previous) != digest:
            raise NotAcceptableError(
                f"chain {ref} does not go on from its last checkpoint, at position {place}: "
                "restore a backup from before it was changed"
            )
        position, digest = place, bytes(made)
        leaves.append(_vouched(Leaf(CHAIN_LEAF, ref, place, digest), bytes(previous)))
    if not leaves:
        raise NotAcceptableError(
            f"chain {ref} waits for a checkpoint and has no entries after the last one"
        )
    return Foreign(CHAIN_LEAF, ref, leaves[0].leaf.position, position, tuple(leaves))


def _vouched(leaf: Leaf, previous: bytes) -> Waiting:
    return Waiting(leaf, previous, key_ring().attest(attested(leaf, previous)))
