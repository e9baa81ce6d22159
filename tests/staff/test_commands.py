"""`medcab people` and `medcab bootstrap`, over a database of their own (I6, I8)."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from clients.database import Database
from models.tables.journal import JournalEntry
from models.tables.people import Person, RoleGrant, Unit
from ops.data.bootstrap import (
    BootstrapRefusedError,
    administrator,
    bootstrap_database,
    security,
)
from ops.local.system import settings_from
from rules.access import Permission
from rules.clock import now
from rules.journal.entries import SYSTEM_CHAIN
from services import access
from services.staff import invitations
from settings import Settings
from tests.shared.accounts import PASSWORD, visitor_at
from tests.shared.servers import KEYS
from tests.shared.typed import typed

ADMIN = ("Власов Пётр Егорович", "vlasov@example.org")
SECURITY = ("Ершова Нина", "Ershova@Example.org")
FIRST = [
    "bootstrap",
    f"--admin-name={ADMIN[0]}",
    f"--admin-email={ADMIN[1]}",
    f"--security-name={SECURITY[0]}",
    f"--security-email={SECURITY[1]}",
]


class Server:
    """A machine with an empty installation, and who gives commands there."""

    def __init__(self, urls: dict[str, str], home: Path) -> None:
        self.environment = {
            **urls,
            "PATH": "/usr/bin:/bin",
            "MEDCAB_KEYS": KEYS,
            "MEDCAB_HOME": str(home),
            "MEDCAB_PUBLIC_URL": "https://cabinet.example",
        }
        self.settings: Settings = settings_from(self.environment)

    def run(self, *arguments: str) -> str:
        """Run a command as a process of its own; its output, which has no traceback."""
        done = subprocess.run(
            [Path(sys.executable).with_name("medcab"), *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert "Traceback" not in done.stdout, done.stdout
        assert done.returncode == 0, done.stdout
        return done.stdout

    async def typed(self, *arguments: str, code: int = 0) -> str:
        """Run a command in a thread of this process."""
        ended, told = await asyncio.to_thread(typed, self.environment, *arguments)
        assert ended == code, told
        return told


@pytest.fixture
def server(new_database: Callable[[], dict[str, str]], tmp_path: Path) -> Server:
    """A machine of this test's own."""
    return Server(new_database(), tmp_path / "home")


async def test_an_installation_starts_without_demo_data(server: Server) -> None:
    """Two links, no password; the first administrator signs in by one and has the right (I6)."""
    told = server.run(*FIRST)
    secrets = re.findall(r"https://cabinet\.example/invitation/(\S+)", told)
    assert len(secrets) == 2
    assert ADMIN[0] in told
    database = Database.from_settings(server.settings)
    async with database.work() as session:
        people = (await session.exec(select(Person))).all()
        assert {one.email.lower() for one in people} == {ADMIN[1], SECURITY[1].lower()}
        units = (await session.exec(select(Unit))).all()
        assert [(one.code, one.parent_id) for one in units] == [("institution", None)]
        assert len((await session.exec(select(RoleGrant))).all()) == 2
        kinds = await session.exec(
            select(JournalEntry.kind).where(JournalEntry.chain == SYSTEM_CHAIN)
        )
        assert "installation.begun" in kinds.all()
    opened = await invitations.accept(database, secrets[0], PASSWORD, visitor_at(), now())
    async with database.work() as session:
        actor = await access.actor_for(session, opened.person_id, now())
        assert actor.may(Permission.MANAGE_PEOPLE)
        assert not actor.may(Permission.READ_JOURNAL)
    await database.close()
    refused = await server.typed(*FIRST, code=1)
    assert len(refused.strip().splitlines()) == 1
    assert "There are people already" in refused
    renewed = await server.typed("people", "invite", SECURITY[1])
    assert renewed.startswith("https://cabinet.example/invitation/")
    assert secrets[1] not in renewed


async def test_what_will_not_do_is_refused_and_changes_nothing(server: Server) -> None:
    """A name without a given name, an address that is none, one address for both."""
    database = Database.from_settings(server.settings)
    for first, said in (
        ([administrator("Власов", ADMIN[1])], "surname and given name"),
        ([administrator(ADMIN[0], "vlasov")], "no mail address"),
        ([administrator(*ADMIN), security(SECURITY[0], ADMIN[1].upper())], "of their own"),
    ):
        with pytest.raises(BootstrapRefusedError, match=said):
            await bootstrap_database(database, server.settings, first)
    async with database.work() as session:
        assert (await session.exec(select(Person.id))).all() == []
        assert (await session.exec(select(Unit.id))).all() == []
    await database.close()


async def test_people_are_managed_from_the_command_line(server: Server) -> None:
    """Each command says in a line what it did, or why not; the last administrator stays (I8)."""
    first = re.findall(r"/invitation/(\S+)", await server.typed(*FIRST))
    database = Database.from_settings(server.settings)
    for secret in first:
        await invitations.accept(database, secret, PASSWORD, visitor_at(), now())
    why = "--reason=Проверка команды"
    admin, other = ADMIN[1], SECURITY[1].lower()
    ahead = (now() + timedelta(days=9)).date().isoformat()
    for command, said in (
        (["lock", other], "Locked"),
        (["unlock", other], "Unlocked"),
        (["end-sessions", other], "All sessions"),
        (["leave", other, f"--last-day={ahead}"], "Nothing is open"),
        (["stay", other], "taken back"),
    ):
        assert said in await server.typed("people", *command, why)
    for command, said in (
        (["leave", admin], "last administrator"),
        (["lock", "x@example.org"], "Nobody has this address"),
        (["transfer", other, "--to=nowhere"], "no unit"),
        (["transfer", other, "--to=institution"], "works in this unit"),
        (["leave", other, "--last-day=2020-01-01"], "is over"),
    ):
        told = await server.typed("people", *command, why, code=1)
        assert said in told
        assert len(told.strip().splitlines()) == 1
    assert "Nothing is open" in await server.typed("people", "leave", other, why)
    async with database.work() as session:
        person = (await session.exec(select(Person).where(col(Person.left_at).is_not(None)))).one()
        by = await session.exec(
            select(JournalEntry.by_system).where(
                JournalEntry.chain == person.id, JournalEntry.kind == "person.leaving"
            )
        )
        assert set(by.all()) == {"command"}
        assert person.departed_at is not None
    await database.close()
