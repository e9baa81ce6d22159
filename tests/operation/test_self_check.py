"""The self-check of protective measures: each is really examined, and says what to do (I13)."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from cabinet.journal import self_check as page
from clients import front_door
from clients.database import Database
from crypto.front_door import new_door
from crypto.key_ring import KeyRing
from models.tables.accounts import Account, RiskEvent
from ops.upkeep import self_check as command
from rules.access import Role
from rules.accounts import PASSWORD_AGE, AccountState
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.operation.self_check import Examined, Grade, Protection
from rules.refusals import Refusal
from services.operation import self_check
from settings import Settings
from tests.shared.ledger import Ledger
from tests.shared.office import Office


@asynccontextmanager
async def door(context: ssl.SSLContext | None) -> AsyncIterator[str]:
    """A server that shakes hands and says nothing more; yields its host and port."""

    async def closing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    served = await asyncio.start_server(closing, "127.0.0.1", 0, ssl=context)
    async with served:
        yield f"127.0.0.1:{served.sockets[0].getsockname()[1]}"


def spoken(folder: Path, lowest: ssl.TLSVersion) -> ssl.SSLContext:
    """What a server speaks that begins with this version."""
    files = new_door(now())
    for name, text in (("door.pem", files.certificate), ("door.key", files.key)):
        (folder / name).write_text(text)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = lowest
    context.load_cert_chain(folder / "door.pem", folder / "door.key")
    return context


async def test_the_front_door_is_looked_at_from_outside(tmp_path: Path) -> None:
    """TLS 1.3 alone, an older version beside it, no TLS at all, and nobody there."""
    async with door(spoken(tmp_path, ssl.TLSVersion.TLSv1_3)) as place:
        seen = await front_door.look(f"https://{place}")
        assert seen is not None
        assert (seen.version, seen.older) == ("TLSv1.3", False)
        assert seen.valid_until is not None
        assert seen.valid_until > now()
    async with door(spoken(tmp_path, ssl.TLSVersion.TLSv1_2)) as place:
        seen = await front_door.look(f"https://{place}")
        assert seen is not None
        assert seen.older
    async with door(None) as place:
        assert await front_door.look(f"http://{place}") == front_door.DoorSeen()
        assert await front_door.look(f"https://{place}") is None
    assert await front_door.look(f"https://{place}") is None


@pytest.fixture
async def checked(ledger: Ledger) -> Office:
    """People in the database of a journal that is this test's own."""
    with ledger.owner() as owner:
        owner.execute("truncate account, risk_event cascade")
    return await Office.open(ledger.database)


async def examine(
    ledger: Ledger, settings: Settings | None = None, ring: KeyRing | None = None
) -> Mapping[Protection, Examined]:
    """Every measure by its name; nobody answers at the public address."""
    known = settings or ledger.settings.model_copy(update={"public_url": "https://127.0.0.1:1"})
    found = await self_check.examine(ledger.database, known, ring or ledger.ring)
    assert [one.protection for one in found if one.grade is Grade.BAD] == [
        one.protection for one in found[: sum(one.grade is Grade.BAD for one in found)]
    ]
    return {one.protection: one for one in found}


async def test_a_fresh_installation_says_what_is_missing(ledger: Ledger, checked: Office) -> None:
    """Every measure is there; what was never done is not called good."""
    found = await examine(ledger)
    assert set(found) == set(Protection)
    grades = {name: (one.grade, one.finding) for name, one in found.items()}
    assert grades[Protection.TLS] == (Grade.UNKNOWN, "silent")
    assert grades[Protection.SEAL] == (Grade.WARNING, "test")
    assert grades[Protection.BACKUP] == (Grade.WARNING, "never")
    assert grades[Protection.JOURNAL] == (Grade.UNKNOWN, "never")
    assert grades[Protection.RISKS] == (Grade.GOOD, "none")
    assert grades[Protection.SECOND_FACTOR] == (Grade.GOOD, "none")


async def test_accounts_keys_and_risks_are_counted(ledger: Ledger, checked: Office) -> None:
    """Old passwords, missing factors, a sign that waits for a day, a key of a year."""
    for password, factor in ((PASSWORD_AGE, None), (timedelta(0), now())):
        person = await checked.person("Сотрудник", Role.DOCTOR, checked.ward)
        async with ledger.database.work() as session:
            account = Account(
                person_id=person.person_id,
                login=uuid4().hex,
                password_hash="none",
                password_changed_at=now() - password,
                totp_confirmed_at=factor,
                state=AccountState.ACTIVE,
                created_at=now(),
            )
            session.add(account)
    async with ledger.database.work() as session:
        sign = RiskEvent(
            person_id=person.person_id,
            kind="enumeration",
            key=uuid4().hex,
            at=now() - timedelta(days=2),
            last_at=now(),
            address="198.51.100.7",
            device="Firefox, Linux",
            device_kind="computer",
            facts={},
        )
        session.add(sign)
    ring = KeyRing.parse(ledger.settings.keys.get_secret_value())
    newest = ring.in_use[0]
    old = int((now() - timedelta(days=400)).timestamp())
    aged = KeyRing(ring.keys, ring.reads, {newest: old})
    found = await examine(ledger, ring=aged)
    assert found[Protection.PASSWORDS].facts == {"n": 1}
    assert found[Protection.SECOND_FACTOR].facts == {"n": 1}
    assert (found[Protection.RISKS].grade, found[Protection.RISKS].facts) == (Grade.BAD, {"n": 1})
    keys = found[Protection.KEYS]
    assert (keys.grade, keys.facts["days"]) == (Grade.WARNING, 400)


async def test_the_verification_of_the_journal_is_journaled(
    ledger: Ledger, checked: Office
) -> None:
    """Whole, then forged: what the page says is what the command found."""
    await ledger.story()
    await ledger.put_seal()

    async def verified() -> Examined:
        await self_check.verify_journal(
            ledger.database, ledger.folder, [ledger.seal.certificate], ledger.ring, ledger.objects
        )
        return (await examine(ledger))[Protection.JOURNAL]

    whole = await verified()
    assert (whole.grade, whole.finding) == (Grade.GOOD, "holds")
    assert whole.facts["entries"] == 4
    ledger.tamper(
        "update journal_entry set facts = '{\"x\": 1}' where kind = %s", JournalKind.CASE_CHECKED
    )
    forged = await verified()
    assert (forged.grade, forged.finding) == (Grade.BAD, "faults")
    assert int(forged.facts["n"]) >= 1


async def test_the_command_verifies_prints_and_judges(
    ledger: Ledger, checked: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each measure in a line with its remedy; exit code 1 while something is a fault."""
    await ledger.story()
    settings = ledger.settings.model_copy(update={"public_url": "https://127.0.0.1:1"})
    assert await asyncio.to_thread(command.run, settings) == 1
    said = capsys.readouterr().out
    assert "GOOD     journal" in said
    assert "UNKNOWN  tls            nobody answers at the public address: start the cabinet" in said
    assert {line.split()[1] for line in said.splitlines()[:-1]} == {one.value for one in Protection}


def test_each_finding_has_words_and_a_remedy_unless_it_is_good() -> None:
    """On the page and in the command, for the same findings."""
    assert set(page._TOLD) == set(command.TOLD)
    for said in (page._TOLD, command.TOLD):
        for (_, finding), (words, remedy) in said.items():
            good = finding in ("valid", "fresh", "holds", "none")
            assert words
            assert bool(remedy) is not good, finding


async def test_only_readers_of_the_journal_see_it(
    database: Database, settings: Settings, office: Office
) -> None:
    """Others are refused before anything is examined."""
    ring = KeyRing.parse(settings.keys.get_secret_value())
    quiet = settings.model_copy(update={"database_url": SecretStr("unused")})
    for role in (Role.ADMINISTRATOR, Role.OPS, Role.DOCTOR):
        actor = await office.person("Кто-то", role, office.institution)
        with pytest.raises(Refusal, match="forbidden"):
            await self_check.report(database, quiet, ring, actor)
