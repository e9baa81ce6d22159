"""Writing, sealing and reading the journal (A7, I9)."""

import asyncio
import io
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import LargeBinary, text, type_coerce
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto.certificates import kept_certificates
from models.tables.journal import JournalEntry
from ops.local.buckets import prepare_buckets
from ops.upkeep import verify as verify_command
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from services.journal import entries as journal
from services.journal.checkpoint_files import CHECKPOINTS_FILE
from services.seal import FileSeal, ensure_test_seal
from tests.shared.ledger import Ledger


async def test_an_entry_costs_two_statements(ledger: Ledger, counted: Callable[[], int]) -> None:
    """One look for the head, one insert; of the next in the same work, one (P6)."""
    chain = uuid4()
    async with ledger.database.work() as session:
        before = counted()
        first = await journal.append(session, chain=chain, kind=JournalKind.CASE_DRAFTED)
        assert counted() - before == 2
        second = await journal.append(
            session, chain=chain, kind=JournalKind.CASE_SUBMITTED, after=first, contents={"a": 1}
        )
        assert counted() - before == 3
    assert second.position == 2
    assert second.previous_hash == first.hash
    assert (await ledger.verify()).faults == []


async def test_what_was_written_is_read_back(ledger: Ledger) -> None:
    """Entries come oldest first, contents decrypted, which stand encrypted."""
    chain = await ledger.story()
    async with ledger.database.work() as session:
        entries = await journal.read(session, chain)
        raw = (await session.exec(select(type_coerce(JournalEntry.contents, LargeBinary)))).all()
    assert [entry.position for entry in entries] == [1, 2, 3, 4]
    assert entries[3].contents == {"reason": "Да"}
    assert not any("Прошу".encode() in bytes(one) for one in raw if one)


async def test_a_rolled_back_work_leaves_nothing(ledger: Ledger) -> None:
    """An entry stands and falls with the work it is about."""
    chain = uuid4()

    async def fail() -> None:
        async with ledger.database.work() as session:
            await journal.append(session, chain=chain, kind=JournalKind.CASE_DRAFTED)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with ledger.database.work() as session:
        assert await journal.read(session, chain) == []
    assert await ledger.try_seal() is None


async def test_many_writers_of_one_chain_stand_in_line(ledger: Ledger) -> None:
    """Twenty at once on the system's chain: twenty positions, one chain."""
    await asyncio.gather(
        *(ledger.write(SYSTEM_CHAIN, JournalKind.CATALOGUE_CHANGED) for _ in range(20))
    )
    async with ledger.database.work() as session:
        entries = await journal.read(session, SYSTEM_CHAIN)
    assert [entry.position for entry in entries] == list(range(1, 21))
    assert (await ledger.verify()).faults == []


async def test_two_writers_without_a_lock_never_fork_the_chain(ledger: Ledger) -> None:
    """Forgetting the lock costs an error, never a second entry at one position."""
    chain = uuid4()

    async def second(session: AsyncSession) -> None:
        await journal.append(session, chain=chain, kind=JournalKind.CASE_WITHDRAWN)

    async with ledger.database.work() as one:
        await journal.append(one, chain=chain, kind=JournalKind.CASE_DRAFTED)
        async with ledger.database.work() as other:
            late = asyncio.create_task(second(other))
            await asyncio.sleep(0.2)
            await one.commit()
            with pytest.raises(IntegrityError):
                await late
    async with ledger.database.work() as session:
        assert len(await journal.read(session, chain)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "update journal_entry set kind = 'x'",
        "update journal_entry set contents = null",
        "delete from journal_entry",
        "truncate journal_entry",
        "update record_view set what = 'x'",
        "delete from record_view",
        "update journal_seal set at = now()",
        "delete from journal_seal",
        "delete from journal_seal_copy",
        "update journal_pending set position = 1",
        "delete from journal_head",
        "update login_attempt set outcome = 'passed'",
        "delete from login_attempt",
        "alter table journal_entry disable trigger all",
    ],
)
async def test_the_application_cannot_change_the_journal(ledger: Ledger, statement: str) -> None:
    """Its role may add and read; anything else is refused by PostgreSQL."""
    await ledger.story()
    async with ledger.database.engine.connect() as connection:
        with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
            await connection.execute(text(statement))


async def test_seals_follow_each_other(ledger: Ledger) -> None:
    """A seal holds the chains that grew since the last one; without news there is none."""
    chain = await ledger.story()
    first = await ledger.put_seal()
    assert await ledger.try_seal() is None
    await ledger.write(chain, JournalKind.CASE_COMMENTED)
    await ledger.story()
    second = await ledger.put_seal()
    assert (first.number, second.number) == (1, 2)
    assert second.previous_hash == first.hash
    assert [leaf[1:3] for leaf in first.leaves] == [[str(chain), 4]]
    assert len(second.leaves) == 2
    assert [str(chain), 5] in [leaf[1:3] for leaf in second.leaves]


async def test_a_late_commit_is_sealed_next_time(ledger: Ledger) -> None:
    """A transaction that was open while a seal was made is not forgotten."""
    chain = uuid4()
    async with ledger.database.work() as slow:
        await journal.append(slow, chain=chain, kind=JournalKind.CASE_DRAFTED)
        await ledger.story()
        first = await ledger.put_seal()
        assert str(chain) not in [leaf[1] for leaf in first.leaves]
    second = await ledger.put_seal()
    assert [leaf[1] for leaf in second.leaves] == [str(chain)]


async def test_only_one_process_seals(ledger: Ledger) -> None:
    """Several at once make one seal, and one line in the file."""
    await ledger.story()
    made = await asyncio.gather(*(ledger.try_seal() for _ in range(5)))
    assert len([one for one in made if one]) == 1
    assert len((ledger.folder / CHECKPOINTS_FILE).read_text().splitlines()) == 1
    assert (await ledger.verify()).faults == []


async def test_a_line_torn_by_a_crash_is_mended(ledger: Ledger) -> None:
    """Half a line at the end of the file is cut off and written again."""
    await ledger.story()
    await ledger.put_seal()
    file = ledger.folder / CHECKPOINTS_FILE
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:200])
    await ledger.story()
    await ledger.put_seal()
    assert len(file.read_text().splitlines()) == 2
    assert (await ledger.verify()).faults == []


async def test_a_lost_file_is_written_anew(ledger: Ledger) -> None:
    """A new machine gets all seals from the database."""
    for _ in range(3):
        await ledger.story()
        await ledger.put_seal()
    file = ledger.folder / CHECKPOINTS_FILE
    before = file.read_bytes()
    file.unlink()
    await ledger.story()
    await ledger.put_seal()
    assert file.read_bytes().startswith(before)


async def test_the_command_says_what_it_tried(ledger: Ledger) -> None:
    """`medcab verify`: 1 when empty, 0 when whole, 1 and the place when changed."""

    async def run() -> tuple[int, str]:
        said = io.StringIO()
        with redirect_stdout(said):
            code = await asyncio.to_thread(verify_command.run, ledger.settings)
        return code, said.getvalue()

    prepare_buckets(ledger.settings)
    assert (await run())[0] == 1
    chain = await ledger.story()
    await ledger.put_seal(ledger.objects)
    code, said = await run()
    assert code == 0
    assert "1 with 4 entries" in said
    assert "1 on this machine, 1 in the object store" in said
    assert "Тестовая печать" in said
    ledger.tamper("update journal_entry set step = 7 where position = 2")
    code, said = await run()
    assert code == 1
    assert f"chain {chain}, position 2" in said


async def test_a_former_seal_is_still_trusted(ledger: Ledger, tmp_path: Path) -> None:
    """A new certificate does not orphan what the old one sealed."""
    await ledger.story()
    await ledger.put_seal()
    ledger.seal = FileSeal.read(ensure_test_seal(tmp_path / "next", "Больница"))
    await ledger.story()
    await ledger.put_seal()
    kept = kept_certificates(ledger.folder)
    assert len(kept) == 2
    assert (await ledger.verify(trusted=kept)).faults == []
    only_new = await ledger.verify(trusted=[ledger.seal.certificate])
    assert "not signed by a seal that is trusted here" in str(only_new.faults)
