"""What seals kept outside prove to be lost after a restore (O5, I9)."""

import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from models.tables.journal import JournalCheckpoint, JournalEntry
from ops.local.buckets import prepare_buckets
from rules.clock import now
from rules.journal.checkpoints import CHAIN_LEAF, VIEW_LEAF, Leaf
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from services.journal import checkpoints, restore_gaps
from services.journal.checkpoint_files import CHECKPOINTS_FILE
from services.journal.checkpoints import checkpoint_object_key
from services.journal.restore_gaps import CheckpointsUnclearError
from services.seal import FileSeal, ensure_test_seal
from tests.shared.ledger import Ledger
from tests.shared.servers import hide_copy

MORE_THAN_PARAMETERS = 66_000


def sealed(number: int, *leaves: Leaf) -> JournalCheckpoint:
    """A seal that was kept outside, as far as losses are weighed by it."""
    return JournalCheckpoint(
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
        loss = await restore_gaps.weigh(session, seals)
    assert set(loss.chains) == {grown.chain, changed.ref, SYSTEM_CHAIN, *(one.ref for one in gone)}
    assert loss.unknown_cases == len(gone)
    assert (loss.first, loss.last, loss.since, loss.until) == (7, 8, None, seals[-1].at)


async def test_a_later_seal_counts_where_several_name_a_chain(ledger: Ledger) -> None:
    """The journal has what the first of two seals holds, and lacks what the second does."""
    chain = uuid4()
    first, second = await ledger.write(chain, JournalKind.CASE_DRAFTED, JournalKind.CASE_SUBMITTED)
    async with ledger.database.work() as session:
        nothing = await restore_gaps.weigh(
            session, [sealed(1, head(first)), sealed(2, head(second))]
        )
        newer = sealed(2, head(second, 1), Leaf(CHAIN_LEAF, SYSTEM_CHAIN, 1, bytes(32)))
        loss = await restore_gaps.weigh(session, [sealed(1, head(first)), newer])
    assert nothing.chains == ()
    assert set(loss.chains) == {chain, SYSTEM_CHAIN}
    assert loss.unknown_cases == 0


@pytest.fixture
async def shortened(ledger: Ledger) -> Ledger:
    """Three seals outside, of which the database has gone back to the first."""
    prepare_buckets(ledger.settings)
    for _ in range(3):
        await ledger.story()
        await ledger.put_seal(ledger.objects)
    ledger.tamper("delete from journal_seal where number > 1")
    return ledger


async def outside(ledger: Ledger, folder: Path | None = None) -> list[int]:
    """The numbers of the seals outside that follow those of the database."""
    found = await restore_gaps.newer_checkpoints(
        ledger.database, folder or ledger.folder, ledger.objects, [ledger.seal.certificate]
    )
    return [each.number for each in found]


async def test_newer_seals_are_found_in_either_place(shortened: Ledger, tmp_path: Path) -> None:
    """In the file or in the object store, whichever is left; the last line may be torn (O5)."""
    assert await outside(shortened) == [2, 3]
    assert await outside(shortened, tmp_path / "gone") == [2, 3]
    hide_copy(shortened.settings, checkpoint_object_key(3))
    assert await outside(shortened, tmp_path / "gone") == [2]
    file = shortened.folder / CHECKPOINTS_FILE
    file.write_bytes(file.read_bytes() + b'{"body": {"num')
    assert await outside(shortened) == [2, 3]
    shortened.tamper("delete from journal_seal")
    assert await outside(shortened) == [1, 2, 3]


async def test_seals_that_do_not_follow_are_refused(shortened: Ledger, tmp_path: Path) -> None:
    """A gap, a changed leaf, another history, another's signature, no seal at all (I9)."""
    file = shortened.folder / CHECKPOINTS_FILE
    first, second, third = file.read_text().splitlines()
    for number in (2, 3):
        hide_copy(shortened.settings, checkpoint_object_key(number))

    async def refused(*lines: str) -> str:
        file.write_text("".join(f"{line}\n" for line in lines))
        with pytest.raises(CheckpointsUnclearError) as why:
            await outside(shortened)
        return str(why.value)

    assert "checkpoint 2 is missing, checkpoint 3 is there" in await refused(first, third)
    leaf = json.loads(second)["leaves"][0]
    other = second.replace(leaf[3], bytes(32).hex())
    assert "does not follow" in await refused(first, other)
    assert "does not follow" in await refused(first, second[:-1] + ',"more":1}')
    assert "not a checkpoint" in await refused(first, "hello", second)
    renumbered = second.replace('"number":2', '"number":4').replace('"number": 2', '"number": 4')
    assert "is missing" in await refused(first, renumbered)
    file.write_text(f"{first}\n{second}\n")
    stranger = FileSeal.read(ensure_test_seal(tmp_path / "stranger", "Другая больница"))
    with pytest.raises(CheckpointsUnclearError, match="does not hold"):
        await restore_gaps.newer_checkpoints(
            shortened.database, shortened.folder, shortened.objects, [stranger.certificate]
        )
    shortened.tamper("delete from journal_seal")
    await shortened.write(uuid4(), JournalKind.CASE_DRAFTED)
    await checkpoints.take(shortened.database, shortened.seal, tmp_path / "anew")
    assert "does not follow" in await refused(first, second)
