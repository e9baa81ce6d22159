"""People of every role, and what belongs to each, to a colleague and to a stranger."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

import httpx
from fastapi import FastAPI
from sqlalchemy import update

from api.container import Container
from models.tables.accounts import Account
from models.tables.people import RoleGrant, Unit
from ops.local.system import settings_from
from rules.access import Actor, Permission, Right, Role
from rules.accounts import Stage
from rules.clock import now
from rules.journal.entries import GENESIS, SYSTEM_CHAIN, JournalKind, canonical
from services import access
from services.accounts.sessions import open_session
from services.journal import declarations
from services.journal import entries as journal
from settings import Settings
from tests.api.things import give
from tests.shared.accounts import carry, visitor_at
from tests.shared.office import Office, held
from tests.shared.servers import KEYS, NOWHERE

BASE = "http://127.0.0.1:8000"


class Whose(StrEnum):
    """To whom belongs what a request is about."""

    OWN = "own"
    COLLEAGUE = "colleague"
    STRANGER = "stranger"


IN_UNIT: Mapping[Right, str] = {
    Role.HR_REVIEWER: "hr",
    Role.HR_HEAD: "hr",
    Role.CLERK: "hr",
    Role.DOCTOR: "cardiology",
    Role.NURSE: "cardiology",
    Role.UNIT_HEAD: "cardiology",
}
"""Where the roles are held; all others in the whole institution."""


@dataclass(frozen=True)
class Holder:
    """Somebody who holds roles, at a browser, with something of every kind."""

    actor: Actor
    client: httpx.AsyncClient
    things: Mapping[str, str]


@dataclass
class World:
    """A hospital with a colleague and a stranger, and with whoever a test asks for."""

    app: FastAPI
    base_url: str
    office: Office
    template: UUID
    reviewer: Actor
    digest: str
    others: dict[Whose, Mapping[str, str]] = field(default_factory=dict)
    holders: dict[tuple[frozenset[Right], str | None], Holder] = field(default_factory=dict)

    @classmethod
    async def populate(cls, app: FastAPI, base_url: str) -> "World":
        """Make the units, a colleague and a stranger, and give each something of every kind."""
        container: Container = app.state.container
        # No worker will ever answer.
        container.register_checks.patience = 0
        office = await Office.open(container.database)
        async with container.database.work() as session:
            surgery = Unit(code="surgery", name="Хирургия", parent_id=office.institution)
            session.add(surgery)
        template = await office.in_review(office.clinician)
        reviewer = await office.person("Иной кадровик", Role.HR_REVIEWER, office.hr)
        world = cls(app, base_url, office, template, reviewer, await declare_loss(container))
        for whose, name, unit in (
            (Whose.COLLEAGUE, "Коллега", office.ward),
            (Whose.STRANGER, "Чужой", surgery.id),
        ):
            world.others[whose] = await world.given(
                await office.person(name, Role.DOCTOR, unit), reviewer
            )
        return world

    async def holder(self, *roles: Right, within: str | None = None) -> Holder:
        """The person who holds these roles or permissions and no others, always the same one.

        Permissions are held in the unit of this code, or in the whole institution.
        """
        narrow = within if any(isinstance(each, Permission) for each in roles) else None
        known = (frozenset(roles), narrow)
        if known not in self.holders:
            units = {role: self._unit_of(role, narrow) for role in roles}
            home = next(
                unit
                for unit in (self.office.ward, self.office.hr, self.office.institution)
                if unit in units.values()
            )
            first, *more = sorted(roles, key=lambda role: units[role] != home)
            actor = await self.office.person(f"Человек {first}", first, home)
            async with self.office.database.work() as session:
                session.add_all(self.grants(actor.person_id, more, narrow))
                await session.flush()
                actor = await access.actor_for(session, actor.person_id, now())
            things = await self.given(actor, actor)
            self.holders[known] = Holder(actor, await self.sign_in(actor), things)
        return self.holders[known]

    def grants(
        self, person_id: UUID, roles: Iterable[Right], within: str | None = None
    ) -> list[RoleGrant]:
        """These roles for a person, each where it is held."""
        since = now() - timedelta(days=1)
        return [
            RoleGrant(
                person_id=person_id,
                role=role.value,
                unit_id=self._unit_of(role, within),
                **held(role, since),
            )
            for role in roles
        ]

    def _unit_of(self, right: Right, within: str | None) -> UUID:
        units = {"hr": self.office.hr, "cardiology": self.office.ward}
        code = IN_UNIT.get(right) if isinstance(right, Role) else within
        return units.get(code or "", self.office.institution)

    async def given(self, actor: Actor, away: Actor) -> Mapping[str, str]:
        """Give somebody something of every kind; `away` is whose absences are made up."""
        async with self.office.database.work() as session:
            given = await give(session, self.office, actor, self.template, away)
        return given | {"digest": self.digest}

    async def sign_in(self, actor: Actor, stage: Stage = Stage.OPEN) -> httpx.AsyncClient:
        """A browser in which the person has just signed in; the code stays fresh for an hour."""
        fresh_until = now() + timedelta(hours=1)
        async with self.office.database.work() as session:
            opened = await open_session(
                session,
                actor.person_id,
                stage,
                visitor_at(),
                now(),
                second_factor_at=fresh_until,
                checked_at=fresh_until,
            )
        client = self.anonymous()
        carry(client, opened)
        return client

    async def unlock(self) -> None:
        """Open all accounts that were locked."""
        async with self.office.database.work() as session:
            await session.exec(update(Account).values(locked_at=None, locked_reason=None))

    def anonymous(self) -> httpx.AsyncClient:
        """A browser in which nobody has signed in."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url=self.base_url,
            headers={"Accept": "text/html, */*", "Accept-Encoding": "identity"},
        )

    def things(self, holder: Holder, whose: Whose) -> dict[str, str]:
        """Ids of what is the person's own, or of a colleague or a stranger."""
        return dict(holder.things if whose is Whose.OWN else self.others[whose])


def table_settings(database: dict[str, str], home: str) -> Settings:
    """An installation whose other servers are all down: rights must not depend on them."""
    return settings_from(
        {
            **database,
            "MEDCAB_OIDC_ISSUER": "http://127.0.0.1:9",
            "MEDCAB_REGISTRATION": "1",
            "MEDCAB_KEYS": KEYS,
            "MEDCAB_HOME": home,
            "MEDCAB_DEMO": "1",
            "MEDCAB_COOKIE_SECURE": "0",
            "MEDCAB_PUBLIC_URL": BASE,
            "MEDCAB_TEMPORAL_UI_URL": f"http://{NOWHERE}",
            "TEMPORAL_ADDRESS": NOWHERE,
            "S3_ENDPOINT": f"http://{NOWHERE}",
            "S3_SECRET_KEY": "nobody listens",
        }
    )


async def declare_loss(container: Container) -> str:
    """Declare a loss under the seal of the installation; the name of the declaration."""
    body = declarations.loss_body(1, 1, GENESIS, GENESIS, (), now())
    async with container.database.work() as session:
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.INSTALLATION_RESTORED,
            system="restore",
            facts=declarations.signed(body, container.seal),
        )
    return sha256(canonical(body)).hexdigest()
