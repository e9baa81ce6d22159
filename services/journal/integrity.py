"""The journal in figures: the last checkpoint, what checkpoints refused, whether a chain holds.

The whole journal is verified by `medcab self-check` and `medcab verify`. What a page says of one
chain is found out at that moment, from the chain's end.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.journal import (
    JournalCheckpoint,
    JournalEntry,
    JournalHead,
    journal_pending,
)
from rules.access import Actor, Permission
from rules.journal.entries import (
    GENESIS,
    SYSTEM_CHAIN,
    IntegrityFault,
    JournalKind,
    verify_chain,
)
from rules.refusals import forbidden
from services.journal.entries import facts_of

LOOKED_AT = 200
"""How many entries at the end of a chain a page verifies."""


@dataclass(frozen=True)
class Integrity:
    """When the last checkpoint was made (None: never), and how many rows it refused."""

    sealed_at: datetime | None
    refused: int


async def known(session: AsyncSession, actor: Actor) -> Integrity:
    """The figures. Raises `forbidden` unless the person reads the journal."""
    if not actor.may(Permission.READ_JOURNAL):
        raise forbidden()
    sealed = (await session.exec(select(func.max(col(JournalCheckpoint.at))))).one()
    return Integrity(sealed, (await session.exec(refused())).one())


def refused() -> Any:
    """How many rows the last checkpoint refused because the application did not write them."""
    return (
        select(func.count())
        .select_from(journal_pending)
        .where(journal_pending.c.refused.is_not(None))
    )


@dataclass(frozen=True)
class Verified:
    """What the last verification of the whole journal found."""

    at: datetime
    chains: int
    entries: int
    faults: int


async def last_verified(session: AsyncSession) -> Verified | None:
    """The last verification of the whole journal that was journaled; None if there was none."""
    found = await session.exec(
        select(JournalEntry)
        .where(
            JournalEntry.kind == JournalKind.JOURNAL_VERIFIED, JournalEntry.chain == SYSTEM_CHAIN
        )
        .order_by(col(JournalEntry.id).desc())
        .limit(1)
    )
    entry = found.one_or_none()
    if entry is None:
        return None
    return Verified(entry.at, *(int(entry.facts[one]) for one in ("chains", "entries", "faults")))


@dataclass(frozen=True)
class ChainState:
    """How far checkpoints cover a chain, and what is wrong at its end."""

    sealed: int
    """The position of the last entry that a checkpoint includes; 0 before the first one."""
    waiting: int
    """How many entries wait for the next checkpoint."""
    faults: list[IntegrityFault]


async def chain_state(session: AsyncSession, chain: UUID) -> ChainState:
    """Whether the end of a chain holds: each entry follows the one before, up to the checkpoint."""
    found = await session.exec(
        select(JournalEntry)
        .where(JournalEntry.chain == chain)
        .order_by(col(JournalEntry.position).desc())
        .limit(LOOKED_AT + 1)
    )
    entries = [facts_of(one) for one in reversed(found.all())]
    head = await session.get(JournalHead, chain)
    before, expected = GENESIS, 1
    if entries and entries[0].position != 1:
        before, expected = entries[0].hash, entries[0].position + 1
        del entries[0]
    faults = verify_chain(entries, before, expected)
    hashes = {one.position: one.hash for one in entries}
    sealed, last = head.position if head else 0, expected - 1 + len(entries)
    if head is not None and (
        sealed > last or (sealed >= expected and hashes.get(sealed) != head.hash)
    ):
        faults.append(IntegrityFault(f"chain {chain}", "is not what the checkpoint includes"))
    return ChainState(sealed, max(last - sealed, 0), faults)
