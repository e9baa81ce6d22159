"""A realistic institution to try Medcab with: units, people, roles, accounts, and the catalogue.

The catalogue is entered in every installation. Accounts whose passwords stand in a file belong to
a demo only (`MEDCAB_DEMO`), and never into a database where others work.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pyotp
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto import passwords
from crypto.key_ring import key_ring
from models.encrypted_columns import bound
from models.tables.accounts import Account
from models.tables.cases import Case
from models.tables.people import Absence, Person, RoleGrant, Unit
from ops.data.demo_clinic import ClinicSeeded, ClinicSize, is_of_clinic, seed_clinic
from ops.data.demo_patients import seed_patients
from ops.data.demo_people import DESKS, INSTITUTION, PEOPLE, UNITS, DemoPerson
from ops.local.home import write_private
from rules.access import Right, Role
from rules.accounts import AccountState
from rules.clock import now as present
from rules.ids import new_id
from rules.journal.entries import JournalKind
from services import access
from services.accounts.sign_in import create_account, login_of
from services.catalogue_admin.shipped import load_shipped
from services.journal import entries as journal
from services.records import icd10
from settings import Settings

CATALOGUE = Path(__file__).parent
Changed = TypeVar("Changed")


class SeedRefusedError(RuntimeError):
    """The database holds people or cases that are not the demo's. Nothing was changed."""


@dataclass(frozen=True)
class DemoAccount:
    """An account to try Medcab with; `secret` is the seed of its second factor."""

    name: str
    position: str
    roles: tuple[Role, ...]
    email: str
    password: str
    secret: str
    person_id: UUID | None = None
    """Known from the second start on: the account is found although its address was changed."""

    def code(self, at: datetime | None = None) -> str:
        """The code that an authenticator app shows at this moment."""
        return pyotp.TOTP(self.secret).at(at or present())

    def __str__(self) -> str:
        roles = ", ".join(self.roles)
        return (
            f"{self.name} ({roles})\n"
            f"    e-mail {self.email}   password {self.password}\n"
            f"    second factor {self.secret}"
        )


def seed(
    settings: Settings, tell: Callable[[str], None] | None = None, clinic: int | None = None
) -> list[DemoAccount]:
    """Enter the catalogue, and in a demo its people; safe to repeat.

    With `clinic`, a demo gets besides the clinic of that seed (`ops.data.demo_clinic`). What
    administrators have changed in the pages stays as it is, and is named to `tell`. Raises
    SeedRefusedError where the database holds other people or cases, or is no demo's and a clinic is
    asked for; CatalogueError for a faulty catalogue.
    """

    async def run() -> list[DemoAccount]:
        database = Database.from_settings(settings)
        try:
            if clinic is not None and not settings.demo:
                raise SeedRefusedError("a demo clinic is entered into a demo only (MEDCAB_DEMO)")
            accounts = await seed_database(database, settings, tell)
            if clinic is not None:
                entered = await enter_clinic(database, settings, clinic, ClinicSize())
                if tell is not None:
                    tell(
                        f"Clinic {clinic}: {entered.clinicians} clinicians, "
                        f"{entered.patients} patients, {entered.appointments} appointments"
                    )
            return accounts
        finally:
            await database.close()

    return asyncio.run(run())


async def seed_database(
    database: Database, settings: Settings, tell: Callable[[str], None] | None = None
) -> list[DemoAccount]:
    """`seed`, over an open database, with the key ring in use."""
    file = settings.home / "demo.json"
    accounts, fresh = _demo_accounts(file) if settings.demo else ({}, set())
    before = {login: account.person_id for login, account in accounts.items()}
    async with database.work() as session:
        if settings.demo:
            accounts = await _seed_people(session, settings, accounts, fresh)
        files = sorted(CATALOGUE.glob("*.yaml"))
        loaded = await load_shipped(session, files, settings.time_zone)
        await enter_diagnoses(session, settings)
    if loaded.left and tell is not None:
        tell(f"Left as administrators have changed it: {', '.join(loaded.left)}")
    if fresh or any(before[login] != one.person_id for login, one in accounts.items()):
        settings.home.mkdir(parents=True, exist_ok=True)
        kept = {p.email: _kept(accounts[p.login]) for p in PEOPLE if p.login in accounts}
        write_private(file, kept)
    return list(accounts.values())


async def enter_clinic(
    database: Database, settings: Settings, seed: int, size: ClinicSize
) -> ClinicSeeded:
    """Enter the demo clinic of a seed beside the people of the demo; safe to repeat."""
    async with database.work() as session:
        units = await _units(session, settings)
        zone = settings.time_zone
        return await seed_clinic(session, units, zone, present(), seed, size)


async def enter_diagnoses(session: AsyncSession, settings: Settings) -> None:
    """Enter the dictionary of diagnoses that ships, where there is none."""
    today = present().astimezone(ZoneInfo(settings.time_zone)).date()
    await icd10.begin(session, (CATALOGUE / "icd10.csv").read_bytes(), today)


def _kept(account: DemoAccount) -> dict[str, str]:
    """An account as it stands in the file."""
    return {
        "password": account.password,
        "totp_secret": account.secret,
        "person": str(account.person_id),
    }


def restore_sign_in(settings: Settings, account: DemoAccount) -> None:
    """Set a demo account back to the printed password and second factor, whatever was changed."""
    person_id = _entered(account)

    async def restore(session: AsyncSession) -> None:
        await session.exec(
            update(Account)
            .where(col(Account.person_id) == person_id)
            .values(**await _as_printed(account, person_id), must_change_password=False,
                    locked_at=None, locked_reason=None)
        )  # fmt: skip

    _at_once(settings, restore)


def end_absence(settings: Settings, account: DemoAccount) -> bool:
    """Let somebody of the demo be back today. False where they were not away.

    What waits for somebody who is away goes to a deputy, and the show would look for it in vain.
    """
    person_id = _entered(account)

    async def end(session: AsyncSession) -> bool:
        unit_id = await session.exec(select(Person.unit_id).where(Person.id == person_id))
        today = await access.day_in(session, unit_id.one(), present())
        away = await session.exec(
            select(Absence).where(
                Absence.person_id == person_id,
                Absence.first_day <= today,
                Absence.last_day >= today,
            )
        )
        found = away.all()
        for one in found:
            if one.first_day == today:
                await session.delete(one)
            else:
                one.last_day = today - timedelta(days=1)
        return bool(found)

    return _at_once(settings, end)


def _entered(account: DemoAccount) -> UUID:
    if account.person_id is None:
        raise ValueError("only accounts that `seed` has entered can be set back")
    return account.person_id


def _at_once(settings: Settings, change: Callable[[AsyncSession], Awaitable[Changed]]) -> Changed:
    """Carry out a change in a database connection of its own."""

    async def run() -> Changed:
        database = Database.from_settings(settings)
        try:
            async with database.work() as session:
                return await change(session)
        finally:
            await database.close()

    return asyncio.run(run())


async def _as_printed(account: DemoAccount, person_id: UUID) -> dict[str, Any]:
    """The columns of an account with the printed password and second factor."""
    return {
        "password_hash": await passwords.hashed(account.password),
        "totp_secret": bound(account.secret, person_id),
        "totp_confirmed_at": present(),
        "totp_last_step": 0,
    }


async def _seed_people(
    session: AsyncSession,
    settings: Settings,
    accounts: Mapping[str, DemoAccount],
    fresh: Collection[str],
) -> dict[str, DemoAccount]:
    """Enter the people who are missing. Gives the accounts by login, with their present addresses.

    People whom a newer demo brings are left out where others work already.
    """
    known = dict((await session.exec(select(Account.login, Account.person_id))).all())
    here = set(known.values())
    found: dict[str, UUID] = {}
    for person in PEOPLE:
        before = accounts[person.login].person_id
        owner = before if before in here else known.get(login_of(person.email))
        if owner is not None:
            found[person.login] = owner
    missing = [person for person in PEOPLE if person.login not in found]
    strangers = await _strangers(session, set(found.values())) if missing else None
    if strangers and not found:
        raise SeedRefusedError(
            f"this database holds {strangers} that are not the demo's: demo accounts are not "
            "entered"
        )
    units = await _units(session, settings)
    now = present()
    confirmed = {one.login for one in PEOPLE if one.state is AccountState.CONFIRMED}
    for login, person_id in found.items():
        values: dict[str, Any] = {"password_changed_at": now}
        if login in fresh:
            values |= await _as_printed(accounts[login], person_id)
        await session.exec(
            update(Account).where(col(Account.person_id) == person_id).values(**values)
        )
        if login in confirmed:
            # A demo of before had no clinical work, which needs a confirmed account.
            await session.exec(
                update(Account)
                .where(
                    col(Account.person_id) == person_id,
                    col(Account.state) == AccountState.ACTIVE.value,
                )
                .values(state=AccountState.CONFIRMED.value)
            )
    for person in () if strangers else missing:
        found[person.login] = await _enter(session, person, accounts[person.login], units, now)
    if not strangers:
        await seed_patients(session, units, now)
    people = await session.exec(select(Person).where(col(Person.id).in_(found.values())))
    emails = {one.id: one.email for one in people.all()}
    return {
        person.login: replace(
            accounts[person.login],
            person_id=found[person.login],
            email=emails[found[person.login]],
        )
        for person in PEOPLE
        if person.login in found
    }


async def _strangers(session: AsyncSession, ours: set[UUID]) -> str | None:
    """What the database holds of others: people or cases; None if nothing.

    The clinicians of a demo clinic are the demo's too.
    """
    others = await session.exec(select(Person.email).where(col(Person.id).not_in(ours)))
    if not all(map(is_of_clinic, others)):
        return "people"
    theirs = select(Case.id).where(col(Case.applicant_id).not_in(ours)).limit(1)
    return "cases" if (await session.exec(theirs)).first() else None


def _demo_accounts(file: Path) -> tuple[dict[str, DemoAccount], set[str]]:
    """The accounts by login, with the passwords of the file, and the logins that are not in it."""
    try:
        known = json.loads(file.read_text())
    except (OSError, ValueError):
        known = {}
    accounts = {}
    for person in PEOPLE:
        kept = known.get(person.email, {})
        accounts[person.login] = DemoAccount(
            person.name,
            person.position,
            person.roles,
            person.email,
            kept.get("password") or _easy_password(),
            kept.get("totp_secret") or pyotp.random_base32(),
            UUID(kept["person"]) if "person" in kept else None,
        )
    return accounts, {person.login for person in PEOPLE if person.email not in known}


def _easy_password() -> str:
    """A password that is easy to type: four times four letters that can be spoken, 49 bits."""

    def word() -> str:
        return "".join(secrets.choice("bdfgklmnprstvz") + secrets.choice("aeiou") for _ in "ab")

    return "-".join(word() for _ in range(4))


async def _units(session: AsyncSession, settings: Settings) -> dict[str, UUID]:
    units = dict((await session.exec(select(Unit.code, Unit.id))).all())
    if INSTITUTION not in units:
        units[INSTITUTION] = await _add_unit(
            session, INSTITUTION, settings.institution, None, settings.time_zone
        )
    for unit in UNITS:
        if unit.code not in units:
            units[unit.code] = await _add_unit(
                session, unit.code, unit.name, units[INSTITUTION], settings.time_zone
            )
    return units


async def _add_unit(
    session: AsyncSession, code: str, name: str, parent_id: UUID | None, zone: str
) -> UUID:
    unit = Unit(id=new_id(), code=code, name=name, parent_id=parent_id, time_zone=zone)
    session.add(unit)
    await session.flush()
    return unit.id


async def _enter(
    session: AsyncSession,
    person: DemoPerson,
    account: DemoAccount,
    units: dict[str, UUID],
    now: datetime,
) -> UUID:
    row = Person(
        id=new_id(),
        unit_id=units[DESKS.get(person.login, person.unit)],
        position=person.position,
        name=person.name,
        email=person.email,
        phone=person.phone,
        snils=person.snils,
        inn=person.inn,
        snils_blind=key_ring().blind(person.snils) if person.snils else None,
        created_at=now,
    )
    session.add(row)
    await session.flush()
    await _grant(session, row.id, person.roles, units[person.unit], now)
    await _grant(session, row.id, person.rights, units[INSTITUTION], now)
    entered = await create_account(
        session, row, account.password, now, given=False, state=person.state
    )
    entered.totp_secret, entered.totp_confirmed_at = account.secret, now
    return row.id


async def _grant(
    session: AsyncSession, person_id: UUID, roles: Sequence[Right], unit_id: UUID, now: datetime
) -> None:
    for role in roles:
        session.add(
            RoleGrant(
                person_id=person_id,
                role=role.value,
                unit_id=unit_id,
                valid_from=now - timedelta(seconds=1),
            )
        )
        await journal.append(
            session,
            chain=person_id,
            kind=JournalKind.ROLE_GRANTED,
            at=now,
            system="seed",
            facts={"role": role.value, "unit": str(unit_id)},
            lock=True,
        )
