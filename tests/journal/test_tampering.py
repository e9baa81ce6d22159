"""A journal that was changed, cut or reordered is found, even by the owner's hand (I9)."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from models.encrypted_columns import encrypt_for
from models.tables.journal import CONTENTS_PLACE, JournalCheckpoint
from models.tables.people import Person, Unit
from ops.local.buckets import prepare_buckets
from rules.clock import now
from rules.journal.checkpoints import checkpoint_body, checkpoint_hash, merkle_root
from rules.journal.entries import GENESIS, EntryFacts, JournalKind, canonical, entry_hash
from services.journal.checkpoint_files import CHECKPOINTS_FILE
from services.journal.entries import erase_contents, read
from services.seal import FileSeal, ensure_test_seal
from tests.shared.ledger import Ledger


async def test_an_untouched_journal_holds(ledger: Ledger) -> None:
    """Without a fault nothing is reported, and what was tried is counted."""
    chain = await ledger.story()
    await ledger.story()
    await ledger.look(chain)
    assert await ledger.put_seal()
    report = await ledger.verify()
    assert report.faults == []
    assert (report.chains, report.entries, report.contents, report.views) == (2, 8, 4, 1)
    assert (report.checkpoints, report.copies, report.unsealed) == (1, 1, 0)


@pytest.mark.asvs("16.4.2")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("kind", "'case.rejected'"),
        ("at", "at - interval '1 day'"),
        ("by_person", "gen_random_uuid()"),
        ("by_system", "'nobody'"),
        ("step", "99"),
        ("facts", "'{\"changed\": true}'"),
        ("id", "gen_random_uuid()"),
        ("contents_digest", "sha256('x')"),
        ("hash", "sha256('x')"),
        ("previous_hash", "sha256('x')"),
        ("hash_version", "2"),
    ],
)
async def test_a_changed_entry_is_found(ledger: Ledger, column: str, value: str) -> None:
    """Each column that is hashed, changed by the owner."""
    chain = await ledger.story()
    await ledger.put_seal()
    change = f"update journal_entry set {column} = {value} where position = 2"  # noqa: S608
    ledger.tamper(change)
    assert f"chain {chain}, position 2" in await ledger.faults()


async def test_changed_contents_are_found(ledger: Ledger) -> None:
    """Contents stand beside the chain, and still cannot be exchanged."""
    chain = await ledger.story()
    async with ledger.database.work() as session:
        first, second, *_ = await read(session, chain)
    other = encrypt_for(ledger.ring, b'{"text":"x"}', CONTENTS_PLACE, (second.id,))
    ledger.tamper("update journal_entry set contents = %s where position = 2", other)
    assert "contents were changed" in await ledger.faults()
    ledger.tamper(
        "update journal_entry set contents ="
        " (select contents from journal_entry where position = 4) where position = 2"
    )
    assert "cannot be decrypted" in await ledger.faults()
    ledger.tamper("update journal_entry set contents = '\\x00' where position = 2")
    assert "cannot be decrypted" in await ledger.faults()
    ledger.tamper("update journal_entry set contents = null where position = 2")
    assert "no entry says by whom" in await ledger.faults()
    other = encrypt_for(ledger.ring, b'{"text":"x"}', CONTENTS_PLACE, (first.id,))
    ledger.tamper("update journal_entry set contents = %s where position = 1", other)
    assert "contents were added" in await ledger.faults()


async def test_values_of_another_row_are_found(ledger: Ledger) -> None:
    """Somebody's number in the row of somebody else: the cabinet would refuse it too."""
    unit = Unit(code="И", name="Институт")
    mine, theirs = (
        Person(unit_id=unit.id, position="", name="Имя", email="a@b", snils=snils, created_at=now())
        for snils in ("001-001-998 77", "112-233-445 95")
    )
    before = (await ledger.verify()).values
    async with ledger.database.work() as session:
        session.add(unit)
        await session.flush()
        session.add_all([mine, theirs])
    report = await ledger.verify()
    assert (report.values - before, report.faults) == (6, [])
    ledger.tamper(
        "update person set snils = (select snils from person where id = %s) where id = %s",
        theirs.id,
        mine.id,
    )
    found = await ledger.faults()
    ledger.tamper("delete from person where id in (%s, %s)", mine.id, theirs.id)
    ledger.tamper("delete from unit where id = %s", unit.id)
    assert found.startswith(f"person.snils, row {mine.id}: cannot be read")
    assert "\n" not in found


async def test_a_missing_entry_is_found(ledger: Ledger) -> None:
    """Taken from the middle, before any seal."""
    await ledger.story()
    ledger.tamper("delete from journal_entry where position = 2")
    assert "entries are missing" in await ledger.faults()


async def test_a_cut_chain_is_found(ledger: Ledger) -> None:
    """The last entry taken away: the chain looks whole, the seal does not."""
    await ledger.story()
    await ledger.put_seal()
    ledger.tamper("delete from journal_entry where position = 4")
    assert "the chain was cut" in await ledger.faults()


async def test_a_removed_chain_is_found(ledger: Ledger) -> None:
    """A whole case taken away."""
    chain = await ledger.story()
    await ledger.put_seal()
    ledger.tamper("delete from journal_entry where chain = %s", chain)
    assert f"chain {chain}: was removed: it had 4 entries" in await ledger.faults()


async def test_reordered_entries_are_found(ledger: Ledger) -> None:
    """Two entries in each other's places."""
    await ledger.story()
    ledger.tamper("update journal_entry set position = 99 where position = 2")
    ledger.tamper("update journal_entry set position = 2 where position = 3")
    ledger.tamper("update journal_entry set position = 3 where position = 99")
    faults = await ledger.faults()
    assert "position 2: does not follow" in faults
    assert "position 3: does not follow" in faults


async def test_a_chain_forged_with_all_its_hashes_is_found(ledger: Ledger) -> None:
    """Someone who knows the algorithm computes every hash anew: the seal still knows better."""
    chain = await ledger.story()
    await ledger.put_seal()
    async with ledger.database.work() as session:
        entries = await read(session, chain)
    previous = GENESIS
    for entry in entries:
        fields = entry.model_dump(include=set(EntryFacts.__dataclass_fields__) - {"contents"})
        fields |= {"previous_hash": previous}
        if entry.position == 4:
            fields["kind"] = JournalKind.CASE_REJECTED.value
        digest = entry_hash(EntryFacts(**fields))
        ledger.tamper(
            "update journal_entry set kind = %s, previous_hash = %s, hash = %s where id = %s",
            fields["kind"],
            previous,
            digest,
            entry.id,
        )
        previous = digest
    faults = await ledger.faults()
    assert faults == f"chain {chain}, position 4: is not what its checkpoint includes"


async def test_an_entry_slipped_in_past_the_seals_is_found(ledger: Ledger) -> None:
    """An entry that never waited for a seal shows once younger ones were sealed."""
    chain = await ledger.story()
    await ledger.put_seal()
    await ledger.write(chain, JournalKind.CASE_COMMENTED)
    ledger.tamper("delete from journal_pending")
    old = "019a0000-0000-7000-8000-000000000000"
    async with ledger.database.work() as session:
        last = (await read(session, chain))[-1]
    fields = last.model_dump(include=set(EntryFacts.__dataclass_fields__) - {"contents"})
    digest = entry_hash(EntryFacts(**(fields | {"id": old})))
    ledger.tamper("update journal_entry set id = %s, hash = %s where id = %s", old, digest, last.id)
    assert "is in no checkpoint, although younger ones are" in await ledger.faults()


@pytest.mark.parametrize(
    "statement",
    [
        "update record_view set by_person = gen_random_uuid()",
        "update record_view set what = 'x'",
        "update record_view set hash = sha256('x')",
        "delete from record_view",
    ],
)
async def test_a_changed_or_removed_view_is_found(ledger: Ledger, statement: str) -> None:
    """Who looked at a record cannot be made to look like another, or like nobody."""
    await ledger.look(uuid4())
    await ledger.put_seal()
    ledger.tamper(statement)
    assert "view" in await ledger.faults()


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (
            "delete from journal_seal where number = 2",
            "checkpoint 2: was removed from the database",
        ),
        ("update journal_seal set at = at - interval '1 h' where number = 1", "checkpoint 1"),
        ("update journal_seal set root = sha256('x') where number = 1", "checkpoint 1"),
        ("update journal_seal set hash = sha256('x') where number = 1", "was changed after"),
        ("update journal_seal set leaves = leaves - 0 where number = 1", "holds other heads"),
        ("update journal_seal set signature = '\\x00' where number = 1", "not a signature"),
    ],
)
async def test_a_changed_or_removed_seal_is_found(
    ledger: Ledger, statement: str, found: str
) -> None:
    """Seals are linked, signed, and compared with their copies outside."""
    await ledger.story()
    await ledger.put_seal()
    await ledger.story()
    await ledger.put_seal()
    ledger.tamper(statement)
    assert found in await ledger.faults()


async def test_journal_and_seals_cut_together_are_found(ledger: Ledger) -> None:
    """Entries and the seals over them removed: the copy outside PostgreSQL remembers both."""
    await ledger.story()
    await ledger.put_seal()
    chain = await ledger.story()
    await ledger.put_seal()
    ledger.tamper("delete from journal_entry where chain = %s", chain)
    ledger.tamper("delete from journal_seal where number = 2")
    faults = await ledger.faults()
    assert "checkpoint 2: was removed" in faults
    assert f"chain {chain}: was removed" in faults


async def test_a_seal_by_another_key_is_found(ledger: Ledger, tmp_path: Path) -> None:
    """A forger without the institution's key can make everything fit but the signature."""
    await ledger.story()
    await ledger.put_seal()
    forger = FileSeal.read(ensure_test_seal(tmp_path / "forger", "Больница"))
    leaves = [["chain", str(uuid4()), 1, "00" * 32]]
    root = merkle_root([canonical(leaves[0])])
    async with ledger.database.work() as session:
        made = await session.get_one(JournalCheckpoint, 1)
    body = checkpoint_body(number=1, at=made.at, root=root, leaves=1, previous_hash=GENESIS)
    ledger.tamper(
        "update journal_seal set leaves = %s, root = %s, hash = %s, signature = %s",
        json.dumps(leaves),
        root,
        checkpoint_hash(body),
        forger.sign_bytes(canonical(body)),
    )
    (ledger.folder / CHECKPOINTS_FILE).unlink()
    assert "not signed by a seal that is trusted here" in await ledger.faults()


async def test_a_changed_copy_is_found(ledger: Ledger) -> None:
    """The file outside is checked as strictly as the table."""
    await ledger.story()
    await ledger.put_seal()
    file = ledger.folder / CHECKPOINTS_FILE
    file.write_text(file.read_text().replace('"number":1', '"number":2'))
    assert "copy of checkpoint 2" in await ledger.faults()
    file.write_text("nonsense\n")
    assert "is not a checkpoint" in await ledger.faults()


async def test_the_object_store_remembers_too(ledger: Ledger) -> None:
    """With table and file both cut, the copies in the object store still show it."""
    prepare_buckets(ledger.settings)
    await ledger.story()
    assert await ledger.put_seal(ledger.objects)
    assert (await ledger.verify(objects=ledger.objects)).stored == 1
    ledger.tamper("delete from journal_entry")
    ledger.tamper("delete from journal_seal")
    (ledger.folder / CHECKPOINTS_FILE).unlink()
    report = await ledger.verify(objects=ledger.objects)
    assert [str(fault) for fault in report.faults] == ["checkpoint 1: is in the object store only"]


async def test_erasure_by_law_leaves_the_chain_whole(ledger: Ledger) -> None:
    """Contents and salt go, the chain verifies, and an entry says who did it."""
    chain = await ledger.story()
    await ledger.put_seal()
    async with ledger.database.work() as session:
        entry = (await read(session, chain))[1]
        assert entry.contents == {"text": "Прошу рассмотреть", "hours": 36}
        await erase_contents(session, entry, by=uuid4(), ground="152-FZ, article 21")
    async with ledger.database.work() as session:
        erased = (await read(session, chain))[1]
    assert erased.contents is None
    assert erased.salt is None
    report = await ledger.verify()
    assert report.faults == []
    assert report.erased == 1
