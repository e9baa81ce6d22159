"""The cabinet as people meet it: a served application, a real browser, people who can sign in."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pyotp
import pytest
import uvicorn
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page
from sqlmodel import col, select

from clients.database import Database
from crypto.key_ring import KeyRing, use_key_ring
from models.tables.accounts import Account
from models.tables.people import Person
from rules.access import Actor
from rules.accounts import Device, DeviceKind, Stage
from rules.clock import now
from server import create_app
from services.accounts.sessions import Visitor, open_session
from settings import Settings
from tests.accounts.conftest import account_with_password
from tests.clients.waiting import PATIENCE
from tests.office import Office

AXE = Axe().axe_script + "; null"
FAULTS = """axe.run({resultTypes: ["violations"]}).then(({violations}) => violations.map(
  ({id, nodes}) => `${id}: ${nodes.map(({html}) => html.slice(0, 160)).join("; ")}`
))"""
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}


@asynccontextmanager
async def served(app: FastAPI, port: int) -> AsyncIterator[str]:
    """The application behind a port of loopback, for as long as the block lasts."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none")
    )
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@dataclass(frozen=True)
class Site:
    """The running cabinet."""

    url: str
    settings: Settings


@pytest.fixture(scope="session")
async def site(settings: Settings) -> AsyncIterator[Site]:
    """The cabinet over the servers of the run."""
    port = free_port()
    chosen = settings.model_copy(
        update={
            "public_url": f"http://127.0.0.1:{port}",
            "cookie_secure": False,
            "demo": True,
        }
    )
    async with served(create_app(chosen), port) as url:
        yield Site(url, chosen)


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """The database of this process of the run."""
    use_key_ring(KeyRing.parse(settings.keys.get_secret_value()))
    made = Database.from_settings(settings)
    yield made
    await made.close()


@pytest.fixture
async def office(database: Database) -> Office:
    """People of this test's own."""
    return await Office.open(database)


@dataclass(frozen=True)
class Key:
    """What only the person knows: the seed of the second factor."""

    email: str
    secret: str


async def account_of(office: Office, actor: Actor, *, set_up: bool = True) -> Key:
    """Give a person of the office an account."""
    secret = pyotp.random_base32()
    async with office.database.work() as session:
        person = await session.get_one(Person, actor.person_id)
        account = account_with_password(person, now())
        if set_up:
            account.totp_secret, account.totp_confirmed_at = secret, now()
        session.add(account)
    return Key(person.email, secret)


async def signed_in(
    browser: Browser, site: Site, office: Office, actor: Actor, **options: object
) -> BrowserContext:
    """A browser in which a person has signed in, without the steps of signing in."""
    async with office.database.work() as session:
        held = (
            await session.exec(
                select(Account.person_id).where(col(Account.person_id) == actor.person_id)
            )
        ).first()
    if held is None:
        await account_of(office, actor)
    context = await browser.new_context(**{"viewport": DESKTOP, "locale": "ru-RU", **options})  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE * 1000)
    async with office.database.work() as session:
        visitor = Visitor(
            "127.0.0.1", Device(DeviceKind.COMPUTER, "Chromium, Linux"), f"device-{actor.person_id}"
        )
        opened = await open_session(
            session, actor.person_id, Stage.OPEN, visitor, now(), second_factor_at=now()
        )
    await context.add_cookies(
        [
            {"name": "medcab", "value": opened.token, "url": site.url},
            {"name": "medcab-device", "value": opened.device_token, "url": site.url},
        ]
    )
    return context


async def press(page: Page, *keys: str) -> None:
    """Press keys of the desk one after another, as soon as the page listens to them."""
    await page.locator("html[data-keys=ready]").wait_for(state="attached")
    for key in keys:
        await page.keyboard.press(key)


async def faults_of(page: Page) -> list[str]:
    """What axe finds wrong on a page: rule, and the elements it means."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    found: list[str] = await page.evaluate(FAULTS)
    return found


def watch(page: Page) -> list[str]:
    """Collect what goes wrong in the browser: errors of scripts, and what the policy blocked."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console",
        lambda line: said.append(line.text) if line.type == "error" else None,
    )
    return said
