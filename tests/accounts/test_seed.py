"""The demo institution."""

import asyncio
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlmodel import select

from clients.database import Database
from models.tables.accounts import Account
from models.tables.people import Person, Unit
from ops.data import seed as seeding
from ops.data.demo_clinic import ClinicSize
from ops.data.demo_people import PEOPLE
from ops.data.seed import SeedRefusedError, enter_clinic, restore_sign_in, seed_database
from ops.local.system import settings_from
from rules.access import Permission
from rules.clock import now
from rules.refusals import Refusal
from rules.texts import identifiers
from services.access import actor_for, present_reviewers
from services.accounts import sign_in as accounts
from services.catalogue import lookup as catalogue
from settings import Settings
from tests.shared.accounts import visitor_at
from tests.shared.servers import KEYS


@pytest.fixture
async def demo(
    new_database: Callable[[], dict[str, str]], tmp_path: Path
) -> AsyncIterator[tuple[Database, Settings]]:
    """An empty database and the settings of a demo."""
    settings = settings_from(
        {
            **new_database(),
            "MEDCAB_KEYS": KEYS,
            "MEDCAB_HOME": str(tmp_path / "home"),
            "MEDCAB_DEMO": "1",
        }
    )
    database = Database.from_settings(settings)
    yield database, settings
    await database.close()


async def test_demo_people_can_sign_in_and_review(demo: tuple[Database, Settings]) -> None:
    """Printed passwords and seeds work, rights hold where they should, the catalogue is there."""
    database, settings = demo
    known = {one.email.partition("@")[0]: one for one in await seed_database(database, settings)}
    assert len(known) == len(PEOPLE)
    opened = await accounts.sign_in(
        database, known["sokolova"].email, known["sokolova"].password, visitor_at(), now()
    )
    assert opened.stage == "code"
    # Short lines that are read and typed: an address for an app would drown them.
    assert max(map(len, str(known["sokolova"]).splitlines())) < 80
    async with database.work() as session:
        hr = await catalogue.unit_id(session, "hr")
        assert len(await present_reviewers(session, hr, now())) == 3
        assert len(await catalogue.programmes(session)) >= 12
        doctor = await actor_for(session, opened.person_id, now())
        assert doctor.may(Permission.APPLY)
        assert not doctor.may(Permission.REVIEW)


async def test_seeding_again_changes_no_password(demo: tuple[Database, Settings]) -> None:
    """A second start prints the same accounts, from a file that only its owner can read."""
    database, settings = demo
    first = await seed_database(database, settings)
    assert await seed_database(database, settings) == first
    assert stat.S_IMODE((settings.home / "demo.json").stat().st_mode) == 0o600
    async with database.work() as session:
        assert len((await session.exec(select(Person))).all()) == len(PEOPLE)


async def test_a_lost_file_makes_new_passwords(demo: tuple[Database, Settings]) -> None:
    """Without demo.json the accounts get passwords that are printed, not ones nobody knows."""
    database, settings = demo
    before = await seed_database(database, settings)
    (settings.home / "demo.json").unlink()
    after = await seed_database(database, settings)
    assert {one.password for one in before}.isdisjoint(one.password for one in after)
    opened = await accounts.sign_in(
        database, after[0].email, after[0].password, visitor_at(), now()
    )
    assert opened.stage == "code"


async def test_demo_is_refused_where_others_work(demo: tuple[Database, Settings]) -> None:
    """Accounts with known passwords never enter a database that holds other people."""
    database, settings = demo
    async with database.work() as session:
        unit = Unit(code="institution", name="Больница")
        session.add(unit)
        await session.flush()
        session.add(
            Person(
                unit_id=unit.id, position="врач", name="Иной", email="a@b.example", created_at=now()
            )
        )
    with pytest.raises(SeedRefusedError):
        await seed_database(database, settings)
    async with database.work() as session:
        assert len((await session.exec(select(Person))).all()) == 1


@pytest.mark.parametrize("others", [False, True])
async def test_people_whom_a_newer_demo_brings(
    demo: tuple[Database, Settings], monkeypatch: pytest.MonkeyPatch, *, others: bool
) -> None:
    """They are entered, beside a demo clinic too, but not where others work; passwords stay."""
    database, settings = demo
    with monkeypatch.context() as earlier:
        earlier.setattr(seeding, "PEOPLE", PEOPLE[:-2])
        before = await seed_database(database, settings)
    if others:
        async with database.work() as session:
            first = (await session.exec(select(Person))).first()
            assert first is not None
            session.add(
                Person(
                    unit_id=first.unit_id,
                    position="врач",
                    name="Иной",
                    email="a@b.example",
                    created_at=now(),
                )
            )
    else:
        await enter_clinic(database, settings, 1, ClinicSize(clinicians=1, patients=0, days=0))
    after = await seed_database(database, settings)
    assert after[: len(before)] == before
    assert len(after) == len(before if others else PEOPLE)
    assert await seed_database(database, settings) == after


@pytest.mark.asvs("6.3.2")
async def test_without_demo_there_are_no_accounts(demo: tuple[Database, Settings]) -> None:
    """An ordinary installation gets the catalogue and nobody who could sign in."""
    database, settings = demo
    plain = settings.model_copy(update={"demo": False})
    async with database.work() as session:
        root = Unit(code="institution", name="Больница")
        session.add(root)
        await session.flush()
        session.add(Unit(code="hr", name="Отдел кадров", parent_id=root.id))
    assert await seed_database(database, plain) == []
    async with database.work() as session:
        assert (await session.exec(select(Person))).all() == []


def test_demo_identifiers_are_valid() -> None:
    """SNILS and INN of the demo people pass the checks of the forms."""
    for person in PEOPLE:
        if person.snils:
            assert identifiers.snils(person.snils)
        if person.inn:
            assert identifiers.inn(person.inn)


async def test_demo_people_may_change_all_of_their_accounts(
    demo: tuple[Database, Settings],
) -> None:
    """Another address, password and second factor, and locked: the next start knows the person by
    then, and the show sets back what it signs in with."""
    database, settings = demo
    before = (await seed_database(database, settings))[0]
    async with database.work() as session:
        person = (await session.exec(select(Person).where(Person.id == before.person_id))).one()
        account = await session.get_one(Account, person.id)
        person.email = "anna@elsewhere.example"
        account.login = accounts.login_of(person.email)
        account.password_hash, account.totp_secret = "another", "another"
        account.locked_at = now()
    after = (await seed_database(database, settings))[0]
    assert (after.person_id, after.email) == (before.person_id, "anna@elsewhere.example")
    assert (after.password, after.secret) == (before.password, before.secret)
    with pytest.raises(Refusal):
        await accounts.sign_in(database, after.email, after.password, visitor_at(), now())
    await asyncio.to_thread(restore_sign_in, settings, after)
    opened = await accounts.sign_in(database, after.email, after.password, visitor_at(), now())
    assert opened.stage == "code"
