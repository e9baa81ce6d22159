"""People with accounts, and a door to knock at: the application over a real database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from ipaddress import IPv6Address
from uuid import UUID, uuid4

import httpx
import pyotp
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import update
from sqlmodel import col

from api.container import Container
from crypto import passwords
from models.tables.accounts import Account
from models.tables.people import Person, RoleGrant, Unit
from ops.local.system import settings_from
from rules.access import Actor, Role
from rules.accounts import AccountState, Device, DeviceKind, Limit, SignInLimits, Stage
from rules.clock import now
from server import create_app
from services.accounts.recognising import Cookies
from services.accounts.sessions import OpenedSession, Visitor, open_session
from services.accounts.sign_in import login_of
from settings import Settings
from tests.shared.office import held
from tests.shared.servers import KEYS, Servers
from tests.shared.waiting import PATIENCE

PASSWORD = "четыре слова подряд, не секрет"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"
BOUNDLESS = SignInLimits(
    *(Limit(name, 10_000, timedelta(minutes=1)) for name in ("password", "address", "code"))
)
HALF_MINUTE = 30
ENOUGH = 10
"""Seconds that must be left of a half minute: a busy machine is no fault."""


FULL_STRENGTH = passwords._HASHER
"""How passwords are hashed outside of tests."""


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Hashing is slow by intent; here it is as quick as it gets, unless its strength is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(1, 8, 1))
        yield


@dataclass(frozen=True)
class Someone:
    """A person who can sign in, with what only that person knows."""

    person_id: UUID
    unit_id: UUID
    email: str
    secret: str

    def code(self, at: datetime) -> str:
        """The code that the person's app shows at a moment."""
        return pyotp.TOTP(self.secret).at(at)


@dataclass
class House:
    """The application of one test, its database and its people."""

    app: FastAPI
    settings: Settings
    container: Container
    institution: UUID
    ward: UUID

    async def someone(
        self, role: Role = Role.DOCTOR, unit: UUID | None = None, *, set_up: bool = True
    ) -> Someone:
        """A person with an account; `set_up` says whether the second factor is."""
        moment, secret = now(), pyotp.random_base32()
        async with self.container.database.work() as session:
            person = Person(
                unit_id=unit or self.ward,
                position="врач",
                name="Соколова Анна Сергеевна",
                email=f"{uuid4().hex}@example.org",
                created_at=moment,
            )
            session.add(person)
            await session.flush()
            session.add(
                RoleGrant(
                    person_id=person.id,
                    role=role,
                    unit_id=unit or self.ward,
                    **held(role, moment - timedelta(days=1)),
                )
            )
            account = account_with_password(person, moment)
            if set_up:
                account.totp_secret, account.totp_confirmed_at = secret, moment
            session.add(account)
        return Someone(person.id, person.unit_id, person.email, secret)

    def client(self, address: str | None = None) -> httpx.AsyncClient:
        """A browser without cookies, at this address or at one of its own."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(
                self.app, client=(address or own_address(), 40000), raise_app_exceptions=False
            ),
            base_url=self.settings.public_url,
            headers={"User-Agent": FIREFOX},
        )

    async def signed_in(
        self, someone: Someone, at: datetime | None = None, *, checked: bool = False
    ) -> httpx.AsyncClient:
        """A browser in which the person has signed in, without going through both steps.

        `checked` says whether a factor was entered since, so that another one may be set up.
        """
        client, visitor = self.client(), visitor_at()
        async with self.container.database.work() as session:
            opened = await open_session(
                session,
                someone.person_id,
                Stage.OPEN,
                visitor,
                at or now(),
                second_factor_at=at or now(),
                checked_at=now() if checked else None,
            )
        carry(client, opened)
        return client

    async def change_account(self, someone: Someone, **values: object) -> None:
        """Change columns of the account."""
        async with self.container.database.work() as session:
            await session.exec(
                update(Account).where(col(Account.person_id) == someone.person_id).values(**values)
            )


@cache
def hash_of_password() -> str:
    """The hash of `PASSWORD`, which is made once: it is meant to be slow."""
    return passwords.hash_now(PASSWORD)


def account_with_password(person: Person, moment: datetime) -> Account:
    """An account whose owner knows `PASSWORD` and chose it at this moment."""
    return Account(
        person_id=person.id,
        login=login_of(person.email),
        password_hash=hash_of_password(),
        password_changed_at=moment,
        state=AccountState.ACTIVE,
        created_at=moment,
    )


def carry(client: httpx.AsyncClient, opened: OpenedSession) -> None:
    """Give a browser the cookies of a session, and its pages the form token."""
    client.cookies.set("medcab", opened.token, domain="127.0.0.1")
    client.cookies.set("medcab-device", opened.device_token, domain="127.0.0.1")
    client.cookies.set("medcab-account", opened.account_token, domain="127.0.0.1")
    client.headers["X-CSRF-Token"] = opened.form_token


def cookies_of(opened: OpenedSession) -> Cookies:
    """What a browser shows from then on."""
    return Cookies(opened.token, opened.device_token, opened.account_token)


async def session_of(container: Container, person_id: UUID) -> OpenedSession:
    """A session of a person who has just signed in; an account comes with the first one."""
    moment = now()
    async with container.database.work() as session:
        if await session.get(Account, person_id) is None:
            session.add(
                Account(
                    person_id=person_id,
                    login=uuid4().hex,
                    password_hash="none",
                    password_changed_at=moment,
                    totp_secret=pyotp.random_base32(),
                    totp_confirmed_at=moment,
                    state=AccountState.ACTIVE,
                    created_at=moment,
                )
            )
            await session.flush()
        return await open_session(
            session,
            person_id,
            Stage.OPEN,
            visitor_at(),
            moment,
            second_factor_at=moment,
            checked_at=moment,
        )


async def browser_of(app: FastAPI, actor: Actor) -> httpx.AsyncClient:
    """A browser in which a person has just signed in."""
    container: Container = app.state.container
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    base_url = container.settings.public_url
    browser = httpx.AsyncClient(transport=transport, base_url=base_url, timeout=PATIENCE)
    carry(browser, await session_of(container, actor.person_id))
    return browser


async def units_of(container: Container) -> tuple[UUID, UUID]:
    """An institution and a ward, made in an empty database."""
    async with container.database.work() as session:
        institution = Unit(code="hospital", name="Больница № 7")
        session.add(institution)
        await session.flush()
        ward = Unit(code="cardio", name="Кардиология", parent_id=institution.id)
        session.add(ward)
        await session.flush()
    return institution.id, ward.id


def own_address() -> str:
    """An address that no other test uses."""
    return str(IPv6Address(uuid4().int))


def visitor_at(address: str | None = None, device: str | None = None) -> Visitor:
    """Somebody at a computer."""
    return Visitor(
        address or own_address(),
        Device(DeviceKind.COMPUTER, "Firefox, Linux"),
        device or uuid4().hex,
    )


async def fresh_code(secret: str) -> str:
    """The code that an app with a secret shows, at the latest in the next half minute."""
    left = HALF_MINUTE - now().timestamp() % HALF_MINUTE
    if left < ENOUGH:
        await asyncio.sleep(left + 0.2)
    return pyotp.TOTP(secret).at(now())


@pytest.fixture(scope="module")
async def house(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """The application over a database of its own, with an institution and a ward.

    Shared by the tests of a file: each has people of its own, at addresses of their own.
    """
    name = f"medcab_accounts_{uuid4().hex}"
    settings = settings_from(
        {
            **servers.new_database(name),
            "MEDCAB_KEYS": KEYS,
            "MEDCAB_HOME": str(tmp_path_factory.mktemp("home")),
            "S3_SECRET_KEY": "no object store is needed here",
            "MEDCAB_COOKIE_SECURE": "0",
            "MEDCAB_PUBLIC_URL": "http://127.0.0.1:8000",
        }
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        container: Container = app.state.container
        yield House(app, settings, container, *await units_of(container))
    servers.drop_database(name)
