"""What seals kept outside prove to be lost after a restore (O5, I9)."""

from datetime import timedelta
from uuid import UUID, uuid4

from models.tables.journal import JournalEntry, JournalSeal
from rules.clock import now
from rules.journal import CHAIN_LEAF, SYSTEM_CHAIN, VIEW_LEAF, JournalKind, Leaf
from services import losses
from tests.journal.conftest import Ledger

MORE_THAN_PARAMETERS = 66_000


def sealed(number: int, *leaves: Leaf) -> JournalSeal:
    """A seal that was kept outside, as far as losses are weighed by it."""
    return JournalSeal(
        number=number,
        at=now() + timedelta(minutes=number),
        leaves=[one.listed() for one in leaves],
        root=b"",
        previous_hash=b"",
        hash=b"",
        signature=b"",
    )


def head(entry: JournalEntry, further: int = 0) -> Leaf:
    """The head of a chain as the journal has it, or as it was some entries later."""
    digest = bytes(32) if further else entry.hash
    return Leaf(CHAIN_LEAF, entry.chain, entry.position + further, digest)


async def test_lost_is_what_the_journal_lacks_however_much_it_is(ledger: Ledger) -> None:
    """More chains than a statement has parameters; what is whole or only seen is not lost (O5)."""
    whole, grown, system = [
        (await ledger.write(chain, JournalKind.CASE_DRAFTED, JournalKind.CASE_SUBMITTED))[-1]
        for chain in (uuid4(), uuid4(), SYSTEM_CHAIN)
    ]
    changed = Leaf(CHAIN_LEAF, (await ledger.story()), 4, bytes(32))
    seen = Leaf(VIEW_LEAF, uuid4(), 0, bytes(32))
    gone = [Leaf(CHAIN_LEAF, UUID(int=n), 1, bytes(32)) for n in range(1, MORE_THAN_PARAMETERS)]
    seals = [
        sealed(7, head(whole), head(grown, 2), changed, seen, *gone),
        sealed(8, head(grown, 3), head(system, 1)),
    ]
    async with ledger.database.work() as session:
        loss = await losses.weigh(session, seals)
    assert set(loss.chains) == {grown.chain, changed.ref, SYSTEM_CHAIN, *(one.ref for one in gone)}
    assert loss.unknown_cases == len(gone)
    assert (loss.first, loss.last, loss.since, loss.until) == (7, 8, None, seals[-1].at)


async def test_a_later_seal_counts_where_several_name_a_chain(ledger: Ledger) -> None:
    """The journal has what the first of two seals holds, and lacks what the second does."""
    chain = uuid4()
    first, second = await ledger.write(chain, JournalKind.CASE_DRAFTED, JournalKind.CASE_SUBMITTED)
    async with ledger.database.work() as session:
        nothing = await losses.weigh(session, [sealed(1, head(first)), sealed(2, head(second))])
        loss = await losses.weigh(session, [sealed(1, head(first)), sealed(2, head(second, 1))])
    assert nothing.chains == ()
    assert loss.chains == (chain,)
    assert loss.unknown_cases == 0
