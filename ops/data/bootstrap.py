"""`medcab bootstrap`: an empty installation gets its institution, and the first two people.

An administrator invites everybody else, and information security looks on. Neither gets a password
here: each gets a link that is valid once, for 72 hours, by which they choose one.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.people import Person, RoleGrant, Unit
from ops.data.demo_people import INSTITUTION
from ops.data.seed import CATALOGUE, enter_diagnoses
from rules.access import Role
from rules.clock import now as present
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.texts import mail_addresses
from rules.texts.cleaning import plain
from rules.texts.identifiers import IdentifierError
from rules.texts.names import Name
from services.catalogue_admin.shipped import load_shipped
from services.journal import entries as journal
from services.staff import invitations
from services.staff.acting import take_turn
from settings import Settings


class BootstrapRefusedError(RuntimeError):
    """The installation is not empty, or a name or address will not do. Nothing was changed."""


@dataclass(frozen=True)
class First:
    """One of the first people: role and post, and name and address as they were typed."""

    role: Role
    position: str
    name: str
    email: str


@dataclass(frozen=True)
class InvitedFirst:
    """One of the first people, with the secret of the link; it can be seen only now."""

    name: str
    email: str
    secret: str


def administrator(name: str, email: str) -> First:
    """The first administrator."""
    return First(Role.ADMINISTRATOR, "администратор кабинета", name, email)


def security(name: str, email: str) -> First:
    """The first who does information security."""
    return First(Role.SECURITY, "специалист по информационной безопасности", name, email)


def bootstrap(settings: Settings, people: list[First]) -> list[InvitedFirst]:
    """Start an installation. Raises BootstrapRefusedError, CatalogueError."""

    async def run() -> list[InvitedFirst]:
        database = Database.from_settings(settings)
        try:
            return await bootstrap_database(database, settings, people)
        finally:
            await database.close()

    return asyncio.run(run())


async def bootstrap_database(
    database: Database, settings: Settings, people: list[First]
) -> list[InvitedFirst]:
    """`bootstrap`, over an open database, with the key ring in use."""
    known = [_read(one) for one in people]
    if len({mail_addresses.folded(one.email) for one in known}) < len(known):
        raise BootstrapRefusedError("Each of the first people needs a mail address of their own.")
    now = present()
    async with database.work() as session:
        await take_turn(session)
        if (await session.exec(select(func.count()).select_from(Person))).one():
            raise BootstrapRefusedError(
                "There are people already: only an empty installation is bootstrapped."
                " `medcab people invite` renews a link."
            )
        unit_id = await _institution(session, settings)
        await load_shipped(session, sorted(CATALOGUE.glob("*.yaml")), settings.time_zone)
        await enter_diagnoses(session, settings)
        made = []
        for one in known:
            person = Person(
                unit_id=unit_id,
                position=one.position,
                name=one.name,
                email=one.email,
                created_at=now,
            )
            session.add(person)
            await session.flush()
            session.add(
                RoleGrant(
                    person_id=person.id,
                    role=one.role.value,
                    unit_id=unit_id,
                    valid_from=now - timedelta(seconds=1),
                )
            )
            secret = await invitations.invite(session, person, None, now)
            for kind, facts in (
                (JournalKind.ROLE_GRANTED, {"role": one.role.value, "unit": str(unit_id)}),
                (JournalKind.PERSON_INVITED, {}),
            ):
                await journal.append(
                    session,
                    chain=person.id,
                    kind=kind,
                    at=now,
                    system="bootstrap",
                    facts=facts,
                    lock=True,
                )
            made.append(InvitedFirst(one.name, one.email, secret))
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.INSTALLATION_BEGUN,
            at=now,
            system="bootstrap",
            facts={"people": len(made), "unit": str(unit_id)},
        )
    return made


def _read(one: First) -> First:
    """The same with name and address as they are stored. Raises BootstrapRefusedError."""
    name = Name.of(plain(one.name))
    if not name.given:
        raise BootstrapRefusedError(f"Write surname and given name, not {one.name!r}.")
    try:
        email = mail_addresses.read(one.email)
    except IdentifierError:
        raise BootstrapRefusedError(f"{one.email!r} is no mail address.") from None
    return First(one.role, one.position, name.full, email)


async def _institution(session: AsyncSession, settings: Settings) -> UUID:
    """The unit above all others, made if it is not there."""
    found = await session.exec(select(Unit).where(col(Unit.parent_id).is_(None)))
    unit = found.first()
    if unit is None:
        unit = Unit(
            code=INSTITUTION,
            name=settings.institution,
            parent_id=None,
            time_zone=settings.time_zone,
        )
        session.add(unit)
        await session.flush()
    return unit.id
