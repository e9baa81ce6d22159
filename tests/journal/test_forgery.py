"""What somebody with all rights on the tables, but without keys and seal, cannot make pass (I9)."""

import json
from asyncio import to_thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlmodel import select

from models.tables.journal import JournalCheckpoint, JournalEntry
from ops.local.buckets import prepare_buckets
from ops.local.home import CHECKOUT
from ops.upkeep import verify
from rules.access import Actor, Grant, Role
from rules.clock import now
from rules.ids import new_id
from rules.journal.checkpoints import Leaf
from rules.journal.entries import GENESIS, SYSTEM_CHAIN, EntryFacts, JournalKind, entry_hash, moment
from rules.refusals import Refusal
from services.journal import acceptance, checkpoints, declarations, restore_gaps
from services.journal import entries as journal
from services.journal.acceptance import NotAcceptableError
from services.journal.checkpoint_files import CHECKPOINTS_FILE
from services.journal.checkpoints import CheckpointsDisagreeError, checkpoint_object_key
from services.journal.entries import read
from services.seal import FileSeal, ensure_test_seal
from tests.shared.ledger import Ledger

DECLARED = "declares what the institution did not sign"
FOREIGN = "was not written by the application"


async def forge(
    ledger: Ledger,
    chain: UUID,
    kind: JournalKind,
    *,
    facts: dict[str, Any] | None = None,
    waits: bool = True,
    **more: Any,
) -> EntryFacts:
    """Add an entry as the application would, hash and all, and have it wait for its seal."""
    async with ledger.database.work() as session:
        entries = await read(session, chain)
    position, previous = (entries[-1].position, entries[-1].hash) if entries else (0, GENESIS)
    made = EntryFacts(
        **{
            "id": new_id(),
            "chain": chain,
            "position": position + 1,
            "kind": kind.value,
            "at": now(),
            "by_person": None,
            "by_system": "forger",
            "step": None,
            "facts": facts or {},
            "contents_digest": None,
            "previous_hash": previous,
            **more,
        }
    )
    digest = entry_hash(made)
    ledger.tamper(
        "insert into journal_entry (id, chain, position, kind, at, by_person, by_system, facts,"
        " hash_version, previous_hash, hash) values (%s, %s, %s, %s, %s, %s, %s, %s, 1, %s, %s)",
        *(made.id, chain, made.position, made.kind, made.at, made.by_person, made.by_system),
        *(json.dumps(made.facts), previous, digest),
    )
    if waits:
        wait(ledger, chain, made.position, digest)
    return made


def wait(ledger: Ledger, chain: UUID, position: int, digest: bytes) -> None:
    """Put a head where what waits for its seal stands."""
    ledger.tamper(
        "insert into journal_pending (kind, ref, position, hash) values ('chain', %s, %s, %s)",
        *(chain, position, digest),
    )


async def rewrite(ledger: Ledger, chain: UUID, position: int, kind: JournalKind) -> None:
    """Make an entry say something else, and compute anew every hash from there on."""
    async with ledger.database.work() as session:
        entries = await read(session, chain)
    previous = GENESIS
    for entry in entries:
        fields = entry.model_dump(include=set(EntryFacts.__dataclass_fields__) - {"contents"})
        fields |= {"previous_hash": previous}
        if entry.position == position:
            fields["kind"] = kind.value
        previous = entry_hash(EntryFacts(**fields))
        ledger.tamper(
            "update journal_entry set kind = %s, previous_hash = %s, hash = %s where id = %s",
            *(fields["kind"], fields["previous_hash"], previous, entry.id),
        )
    wait(ledger, chain, len(entries), previous)


async def test_a_rewritten_journal_cannot_call_the_seals_lost(ledger: Ledger) -> None:
    """A decision is turned, a restore that never was calls all seals lost, all heads wait anew."""
    chain = await ledger.story()
    await ledger.put_seal()
    await rewrite(ledger, chain, 4, JournalKind.CASE_REJECTED)
    lie = {"lost_seals": [1, 1], "lost_chains": 1}
    await forge(ledger, SYSTEM_CHAIN, JournalKind.INSTALLATION_RESTORED, facts=lie)
    await ledger.try_seal()
    faults = await ledger.faults()
    assert f"system chain, position 1: {DECLARED}" in faults
    assert f"chain {chain}, position 4: is not what its checkpoint includes" in faults
    assert f"chain {chain}, position 4: {FOREIGN}" in faults


async def test_a_forged_chain_is_not_sealed(ledger: Ledger) -> None:
    """A whole case that never was, put where entries wait for their seal, stays unsealed."""
    chain = uuid4()
    await ledger.story()
    for kind in (JournalKind.CASE_DRAFTED, JournalKind.CASE_SUBMITTED, JournalKind.CASE_APPROVED):
        await forge(ledger, chain, kind)
    made = await ledger.put_seal()
    assert str(chain) not in {leaf[1] for leaf in made.leaves}
    faults = await ledger.faults()
    assert [f"chain {chain}, position {n}: {FOREIGN}" for n in (1, 2, 3)] == faults.splitlines()
    ledger.tamper("delete from journal_pending")
    ledger.tamper("update journal_seal set at = at")
    assert await ledger.faults() == "", "until the next seals show that it never was in one"


async def test_what_is_built_on_a_forged_entry_is_not_sealed(ledger: Ledger) -> None:
    """The application goes on from an entry that somebody slipped in: nothing of that is sealed."""
    chain, other = await ledger.story(), await ledger.story()
    await ledger.put_seal()
    await forge(ledger, chain, JournalKind.CASE_RELEASED, waits=False)
    await ledger.write(chain, JournalKind.CASE_COMMENTED)
    await ledger.write(other, JournalKind.CASE_COMMENTED)
    made = await ledger.put_seal()
    assert [leaf[1:3] for leaf in made.leaves] == [[str(other), 5]]
    with ledger.owner() as connection:
        left = connection.execute("select position, refused from journal_pending").fetchall()
    assert left == [(6, "astray")]
    assert await ledger.try_seal() is None, "and not by the next one either"


async def test_a_genuine_row_of_another_place_proves_nothing(ledger: Ledger) -> None:
    """The application's word is for one entry of one chain after one hash."""
    chain = await ledger.story()
    with ledger.owner() as connection:
        [(previous, word)] = connection.execute(
            "select previous, attestation from journal_pending where position = 1"
        ).fetchall()
    forged = await forge(ledger, uuid4(), JournalKind.CASE_DRAFTED)
    ledger.tamper(
        "update journal_pending set previous = %s, attestation = %s where ref = %s",
        *(previous, word, forged.chain),
    )
    made = await ledger.put_seal()
    assert [leaf[1] for leaf in made.leaves] == [str(chain)]


async def test_an_entry_from_the_future_is_found(ledger: Ledger) -> None:
    """An id that lies ahead would never count as too old to be unsealed."""
    chain = await ledger.story()
    await ledger.put_seal()
    later = UUID("01ffffff-0000-7000-8000-000000000000")
    await forge(ledger, chain, JournalKind.CASE_RELEASED, waits=False, id=later)
    assert "is dated in the future" in await ledger.faults()


async def test_seals_taken_away_stop_the_sealing(ledger: Ledger) -> None:
    """Seals cut in the database and known outside: no other seal takes their number (I9)."""
    await ledger.story()
    await ledger.put_seal()
    ledger.tamper("delete from journal_seal")
    ledger.tamper("delete from journal_head")
    await ledger.story()
    with pytest.raises(CheckpointsDisagreeError, match="lacks it: run `medcab verify`"):
        await ledger.try_seal()
    await checkpoints.take(ledger.database, ledger.seal, ledger.folder / "elsewhere")
    with pytest.raises(CheckpointsDisagreeError, match="holds another one"):
        await ledger.try_seal()


async def test_a_copy_in_the_object_store_is_never_replaced(ledger: Ledger) -> None:
    """What the store holds of a seal stays, whatever the database says later."""
    prepare_buckets(ledger.settings)
    await ledger.story()
    await ledger.put_seal(ledger.objects)
    kept = await ledger.objects.read(checkpoint_object_key(1))
    ledger.tamper("truncate journal_seal, journal_seal_copy, journal_head")
    (ledger.folder / CHECKPOINTS_FILE).unlink()
    await ledger.story()
    with pytest.raises(CheckpointsDisagreeError, match="another checkpoint than the database's"):
        await ledger.try_seal(ledger.objects)
    assert await ledger.objects.read(checkpoint_object_key(1)) == kept


async def taken_back(ledger: Ledger) -> list[JournalCheckpoint]:
    """Lose a chain of four entries to a restore; the seals outside that still speak of it."""
    prepare_buckets(ledger.settings)
    await ledger.story()
    await ledger.put_seal(ledger.objects)
    lost = await ledger.story()
    await ledger.look(lost)
    await ledger.put_seal(ledger.objects)
    ledger.tamper("delete from journal_entry where chain = %s", lost)
    ledger.tamper("delete from record_view")
    ledger.tamper("delete from journal_head where chain = %s", lost)
    ledger.tamper("delete from journal_seal where number = 2")
    return await restore_gaps.newer_checkpoints(
        ledger.database, ledger.folder, ledger.objects, [ledger.seal.certificate]
    )


@pytest.fixture
async def restored(ledger: Ledger) -> Ledger:
    """A journal that a restore took back, declared as it should be."""
    newer = await taken_back(ledger)
    async with ledger.database.work() as session:
        await restore_gaps.declare(session, newer, {"backup": "b"}, ledger.seal)
    await ledger.put_seal(ledger.objects)
    return ledger


SECURITY = Actor(uuid4(), "Безопасность", uuid4(), (Grant(Role.SECURITY, frozenset()),))


async def confirm(ledger: Ledger, actor: Actor = SECURITY, reason: str = "Авария, акт 7") -> None:
    """Confirm the only declaration."""
    trusted = [ledger.seal.certificate]
    async with ledger.database.work() as session:
        [one] = await declarations.declared(session, SECURITY, trusted)
        digest = one.declaration.digest
        await declarations.confirm(session, actor, digest, reason, trusted)


async def test_a_declared_loss_is_told_until_people_confirm_it(
    restored: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3 and what was lost; 0 once information security confirmed and that is sealed."""
    assert verify.tell(await restored.verify()) == verify.UNCONFIRMED == 3
    assert "a restore lost 2 heads and views of the checkpoints 2 to 2" in capsys.readouterr().out
    for role in (Role.AUDITOR, Role.OPS, Role.ADMINISTRATOR, Role.HR_HEAD):
        other = Actor(uuid4(), "Другой", uuid4(), (Grant(role, frozenset()),))
        with pytest.raises(Refusal, match="forbidden"):
            await confirm(restored, other)
    with pytest.raises(Refusal, match="incomplete"):
        await confirm(restored, reason=" ")
    await confirm(restored)
    assert verify.tell(await restored.verify()) == 3, "not sealed yet"
    await restored.put_seal()
    assert verify.tell(await restored.verify()) == 0
    await confirm(restored)
    assert await restored.try_seal() is None, "the same again changes nothing"


async def test_a_loss_declared_before_declarations_were_signed_is_signed_once(
    ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fault that says what to do; after it the loss is told like any other, until confirmed."""
    async with ledger.database.work() as session:
        session.add_all(await taken_back(ledger))
    former = {"backup": "b", "lost_seals": [2, 2], "lost_chains": 1}
    await ledger.write(
        SYSTEM_CHAIN, JournalKind.INSTALLATION_RESTORED, system="restore", facts=former
    )
    trusted = [ledger.seal.certificate]
    given = ledger.database, ledger.seal, trusted, "Авария, акт 7"
    assert await restore_gaps.sign_former(*given) == [], "what no seal holds may be anybody's"
    await ledger.put_seal()
    assert "`medcab verify accept --reason ...` signs it once" in await ledger.faults()
    assert await to_thread(verify.run_accept, ledger.settings, "Авария, акт 7") == 0
    assert "checkpoints 2 to 2" in capsys.readouterr().out
    assert await restore_gaps.sign_former(*given) == []
    await ledger.put_seal()
    assert verify.tell(await ledger.verify()) == verify.UNCONFIRMED
    await confirm(ledger)
    await ledger.put_seal()
    assert verify.tell(await ledger.verify()) == 0


async def test_no_more_is_lost_than_was_declared(restored: Ledger) -> None:
    """What seals of the lost time hold fast and the restore kept cannot be dropped behind it."""
    report = await restored.verify()
    assert report.faults == []
    async with restored.database.work() as session:
        entries = (await session.exec(select(JournalEntry.chain).distinct())).all()
    [chain] = [one for one in entries if one != SYSTEM_CHAIN]
    restored.tamper(
        "update journal_entry set facts = jsonb_set(facts, '{declaration,lost_seals}', '[1, 2]')"
        " where chain = %s",
        SYSTEM_CHAIN,
    )
    restored.tamper("delete from journal_entry where chain = %s", chain)
    faults = await restored.faults()
    assert DECLARED in faults
    assert f"chain {chain}: was removed" in faults


async def test_a_declaration_is_bound_to_its_seals_and_to_what_was_lost(ledger: Ledger) -> None:
    """A genuine signature over other seals, or over another loss, covers nothing here."""
    chain = await ledger.story()
    sealed = await ledger.put_seal()
    leaves = [Leaf.read(one) for one in sealed.leaves]
    for follows, until, lost, found in (
        (
            bytes(32),
            bytes(32),
            leaves,
            "declares checkpoints lost that are not those of this journal",
        ),
        (GENESIS, sealed.hash, leaves, "declares 1 heads and views lost, but not the 0 that are"),
    ):
        body = declarations.loss_body(1, 1, follows, until, lost, now())
        async with ledger.database.work() as session:
            await journal.append(
                session,
                chain=SYSTEM_CHAIN,
                kind=JournalKind.INSTALLATION_RESTORED,
                facts=declarations.signed(body, ledger.seal),
            )
        assert found in await ledger.faults(), chain


async def test_a_confirmation_by_hand_counts_for_nothing(restored: Ledger) -> None:
    """A row that says that somebody confirmed is not sealed, so nobody did."""
    [one] = (await restored.verify()).declared
    await forge(
        restored,
        SYSTEM_CHAIN,
        JournalKind.JOURNAL_DECLARATION_CONFIRMED,
        facts={"declaration": one.digest},
        by_person=uuid4(),
        by_system=None,
    )
    assert await restored.try_seal() is None
    report = await restored.verify()
    assert report.unconfirmed == [one]
    assert FOREIGN in str(report.faults[0])


async def test_a_declaration_by_another_seal_is_found(restored: Ledger, tmp_path: Any) -> None:
    """A stranger's signature declares nothing."""
    stranger = FileSeal.read(ensure_test_seal(tmp_path / "stranger", "Другая больница"))
    body = {"accepted": [], "at": moment(now()), "v": 1}
    await forge(
        restored,
        SYSTEM_CHAIN,
        JournalKind.JOURNAL_ACCEPTED,
        facts=declarations.signed(body, stranger),
    )
    assert DECLARED in await restored.faults()


async def test_what_people_accept_is_sealed_and_declared(ledger: Ledger) -> None:
    """Entries of a version that attested nothing yet go on, openly; a rewritten past does not."""
    chain, other = await ledger.story(), await ledger.story()
    await ledger.put_seal()
    await forge(ledger, chain, JournalKind.CASE_COMMENTED)
    await ledger.write(chain, JournalKind.CASE_COMMENTED)
    assert await ledger.try_seal() is None
    taken = await acceptance.accept(ledger.database, ledger.seal, "Обновление без остановки")
    assert [(one.ref, one.first, one.last) for one in taken] == [(chain, 5, 6)]
    made = await ledger.put_seal()
    assert [str(chain), 6] in [leaf[1:3] for leaf in made.leaves]
    report = await ledger.verify()
    assert report.faults == []
    [declared] = report.unconfirmed
    assert declared.told().startswith("2 entries and views")
    assert await acceptance.accept(ledger.database, ledger.seal, "Ещё раз") == ()
    await rewrite(ledger, other, 4, JournalKind.CASE_REJECTED)
    with pytest.raises(NotAcceptableError, match="has no entries after the last"):
        await acceptance.accept(ledger.database, ledger.seal, "Не пройдёт")
    await forge(ledger, other, JournalKind.CASE_COMMENTED)
    with pytest.raises(NotAcceptableError, match="does not go on from its last checkpoint"):
        await acceptance.accept(ledger.database, ledger.seal, "Не пройдёт")


async def test_what_waits_at_an_upgrade_is_sealed(ledger: Ledger) -> None:
    """An installation of before attestations: what is sealed is known, what waits is attested."""
    chain = await ledger.story()
    await ledger.put_seal()
    await ledger.write(chain, JournalKind.CASE_COMMENTED)
    await ledger.look(chain)
    assert ledger.settings.database_owner_url is not None
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "models" / "migrations"))
    url = ledger.settings.database_owner_url.get_secret_value()
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    config.attributes["settings"] = ledger.settings
    command.downgrade(config, "0009")
    command.upgrade(config, "head")
    made = await ledger.put_seal()
    assert len(made.leaves) == 2
    assert await ledger.faults() == ""
