"""The cabinet as people meet it: a served application, and people who sign in there."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from uuid import uuid4

import httpx
import pyotp
import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from pikepdf import Pdf
from playwright.async_api import Browser, BrowserContext, Page
from sqlalchemy import update
from sqlmodel import col, select

from models.tables.accounts import Account
from models.tables.people import Person
from rules.access import Actor
from rules.accounts import AccountState, Device, DeviceKind, Stage
from rules.clock import now
from server import create_app
from services.accounts.sessions import Visitor, open_session
from settings import Settings
from tests.shared.accounts import account_with_password
from tests.shared.office import Office
from tests.shared.served import at_port, free_port
from tests.shared.waiting import PATIENCE

AXE = Axe().axe_script + "; null"
FAULTS = """(only) => axe.run({
  resultTypes: ["violations"],
  ...(only && {runOnly: {type: "rule", values: only}}),
}).then(({violations}) => violations.map(
  ({id, nodes}) => `${id}: ${nodes.map(({html}) => html.slice(0, 160)).join("; ")}`
))"""
DRAWN = [
    "color-contrast",
    "link-in-text-block",
    "scrollable-region-focusable",
    "aria-hidden-focus",
]
"""The rules of axe whose answer may change with the theme and the width."""
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
LOOKS = [("dark", PHONE), ("light", DESKTOP)]
"""Colours do not depend on the width: two looks show both themes and both widths."""


@dataclass(frozen=True)
class Site:
    """The running cabinet."""

    url: str
    settings: Settings


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Site]:
    """The cabinet behind a port."""
    port = free_port()
    chosen = settings.model_copy(
        update={
            "public_url": f"http://127.0.0.1:{port}",
            "cookie_secure": False,
            "demo": True,
            "registration": True,
            "registration_units": "institution",
        }
    )
    async with at_port(create_app(chosen), port) as url:
        yield Site(url, chosen)


@pytest.fixture(scope="session")
async def site(settings: Settings) -> AsyncIterator[Site]:
    """The cabinet over the servers of the run."""
    async with serving(settings) as served:
        yield served


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


async def confirmed(office: Office, actor: Actor) -> None:
    """Confirm an account: it may work in the clinic."""
    async with office.database.work() as session:
        mine = col(Account.person_id) == actor.person_id
        await session.exec(update(Account).where(mine).values(state=AccountState.CONFIRMED))


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
            {"name": "medcab-account", "value": opened.account_token, "url": site.url},
        ]
    )
    return context


async def at(
    browser: Browser, site: Site, office: Office, actor: Actor, path: str, **options: object
) -> tuple[BrowserContext, Page]:
    """Somebody's browser with a page open."""
    context = await signed_in(browser, site, office, actor, **options)
    page = await context.new_page()
    await page.goto(f"{site.url}{path}")
    return context, page


async def press(page: Page, *keys: str) -> None:
    """Press keys of the desk one after another, as soon as the page listens to them."""
    await page.locator("html[data-keys=ready]").wait_for(state="attached")
    for key in keys:
        await page.keyboard.press(key)


async def faults_of(page: Page, only: list[str] | None = None) -> list[str]:
    """What axe finds wrong on a page, by all its rules or these: rule, and the elements it means.

    A page that was found sound in one look is asked for no more than `DRAWN` in the next one.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    found: list[str] = await page.evaluate(FAULTS, only)
    return found


async def well_made(page: Page, picture: Callable[[str], Awaitable[None]] | None = None) -> None:
    """Axe finds nothing on a dark phone and a light desktop, and nothing hangs over the edge.

    The desktop stays, where axe asks everything. `picture` is called with the name of each look.
    """
    for only, (theme, size) in zip((DRAWN, None), LOOKS, strict=True):
        await page.emulate_media(color_scheme=theme)  # type: ignore[arg-type,unused-ignore]
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        assert await faults_of(page, only) == [], (page.url, theme)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, (page.url, theme)
        if picture:
            await picture(theme)


def watch(page: Page) -> list[str]:
    """Collect what goes wrong in the browser: errors of scripts, and what the policy blocked."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console",
        lambda line: said.append(line.text) if line.type == "error" else None,
    )
    return said


async def let_in(client: httpx.AsyncClient, office: Office, actor: Actor) -> None:
    """Give a browser the cookies of a session."""
    device = Visitor("127.0.0.1", Device(DeviceKind.COMPUTER, "Firefox, Linux"), uuid4().hex)
    async with office.database.work() as session:
        opened = await open_session(
            session, actor.person_id, Stage.OPEN, device, now(), second_factor_at=now()
        )
    client.cookies.set("medcab", opened.token)
    client.cookies.set("medcab-device", opened.device_token)
    client.cookies.set("medcab-account", opened.account_token)


async def token_on(client: httpx.AsyncClient, path: str) -> str:
    """The form token of a page."""
    found = TOKEN.search((await client.get(path)).text)
    assert found is not None
    return found[1]


def small_pdf() -> bytes:
    """A harmless PDF of one page, never the same twice."""
    document, body = Pdf.new(), BytesIO()
    document.add_blank_page(page_size=(595, 842))
    document.docinfo["/Title"] = uuid4().hex
    document.save(body)
    return body.getvalue()


@pytest.fixture
async def client(site: Site, office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts, in which the clinician of this test has signed in."""
    await account_of(office, office.clinician)
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Accept-Language": "ru"}, timeout=PATIENCE
    ) as made:
        await let_in(made, office, office.clinician)
        yield made
