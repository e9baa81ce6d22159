"""A hospital with an administrator, information security and staff, each with an account."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from api.container import Container
from clients.database import Database
from models.tables.people import Person, RoleGrant
from ops.local.system import settings_from
from rules.access import Actor, Role
from rules.clock import now
from server import create_app
from services import access
from settings import Settings
from tests.shared.accounts import account_with_password, browser_of
from tests.shared.office import Office
from tests.shared.servers import KEYS


@dataclass
class Staff:
    """The application over a database of its own, and its people."""

    app: FastAPI
    office: Office
    settings: Settings
    admin: Actor
    security: Actor

    @property
    def container(self) -> Container:
        """The state of the application."""
        container: Container = self.app.state.container
        return container

    @property
    def database(self) -> Database:
        """The database of this test."""
        return self.container.database

    async def person(
        self, name: str, role: Role | None = None, unit: UUID | None = None, *, account: bool = True
    ) -> Actor:
        """Somebody with or without a role and an account."""
        where = unit or self.office.ward
        moment = now()
        async with self.database.work() as session:
            person = Person(
                unit_id=where,
                position="медицинская сестра",
                name=name,
                email=f"{uuid4().hex}@example.org",
                created_at=moment,
            )
            session.add(person)
            await session.flush()
            if role is not None:
                session.add(
                    RoleGrant(
                        person_id=person.id, role=role.value, unit_id=where, valid_from=moment
                    )
                )
            if account:
                made = account_with_password(person, moment)
                made.totp_secret, made.totp_confirmed_at = "A" * 32, moment
                session.add(made)
            await session.flush()
            return await access.actor_for(session, person.id, moment)

    async def browser(self, actor: Actor) -> httpx.AsyncClient:
        """A browser in which the person has just signed in."""
        return await browser_of(self.app, actor)

    def client(self) -> httpx.AsyncClient:
        """A browser or program without cookies."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False),
            base_url=self.settings.public_url,
        )

    async def email(self, actor: Actor) -> str:
        """The person's address."""
        async with self.database.work() as session:
            return (await session.get_one(Person, actor.person_id)).email


@pytest.fixture
async def staff(
    new_database: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Staff]:
    """A hospital of this test's own."""
    settings = settings_from(
        {
            **new_database(),
            "MEDCAB_KEYS": KEYS,
            "MEDCAB_HOME": str(tmp_path_factory.mktemp("home")),
            "S3_SECRET_KEY": "no object store is needed here",
            "MEDCAB_COOKIE_SECURE": "0",
            "MEDCAB_PUBLIC_URL": "http://127.0.0.1:8000",
        }
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        office = await Office.open(app.state.container.database)
        nobody = Actor(uuid4(), "", office.institution)
        made = Staff(app, office, settings, nobody, nobody)
        made.admin = await made.person("Власов Пётр", Role.ADMINISTRATOR, office.institution)
        made.security = await made.person("Ершова Нина", Role.SECURITY, office.institution)
        yield made
