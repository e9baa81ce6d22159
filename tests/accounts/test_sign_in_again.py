"""Signing in again: the right password is taken at once, and leads where it was promised."""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy import update
from sqlmodel import col

from cabinet.frame.visits import safe_next
from models.tables.accounts import AccountSession
from rules.access import Actor
from rules.clock import now
from tests.shared.accounts import PASSWORD, fresh_code
from tests.shared.cabinet import Key, Site, account_of, let_in, signed_in
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE

FIELD = re.compile(r'name="(csrf_token|next)" value="([^"]*)"')
WISH = "/applications?status=open&page=2"


async def end_sessions_of(office: Office, actor: Actor) -> None:
    """All sessions of the person are over, as after their time."""
    async with office.database.work() as session:
        await session.exec(
            update(AccountSession)
            .where(col(AccountSession.person_id) == actor.person_id)
            .values(ends_at=now())
        )


def fields_of(page: httpx.Response) -> dict[str, str]:
    """What the form of a page of signing in sends by itself: the last of each name."""
    return {name: value.replace("&amp;", "&") for name, value in FIELD.findall(page.text)}


@pytest.fixture
async def key(office: Office) -> Key:
    """How the clinician of this test signs in."""
    return await account_of(office, office.clinician)


@pytest.fixture
async def client(site: Site, office: Office, key: Key) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without scripts, in which the clinician has signed in."""
    headers = {"Accept-Language": "ru"}
    async with httpx.AsyncClient(
        base_url=site.url, headers=headers, follow_redirects=True, timeout=PATIENCE
    ) as made:
        await let_in(made, office, office.clinician)
        yield made


async def post(
    client: httpx.AsyncClient, page: httpx.Response, path: str, **typed: str
) -> httpx.Response:
    """Send the form of a page, as a browser does."""
    own = {"Referer": str(page.url), "Sec-Fetch-Site": "same-origin"}
    return await client.post(path, data=fields_of(page) | typed, headers=own)


@pytest.mark.parametrize("expired", ["", "&expired=1"])
async def test_the_right_password_is_taken_at_once(
    client: httpx.AsyncClient, office: Office, key: Key, expired: str
) -> None:
    """A session that is over stands in no way, and the wish comes through all steps whole."""
    await end_sessions_of(office, office.clinician)
    page = await client.get(f"/sign-in?next={quote(WISH)}{expired}")
    page = await post(client, page, "/sign-in", email=key.email, password=PASSWORD)
    assert "Шесть цифр" in page.text
    page = await post(client, page, "/sign-in/code", code=await fresh_code(key.secret))
    assert page.url.raw_path.decode() == WISH
    assert page.status_code == 200


async def test_a_form_of_a_session_that_is_over_leads_to_signing_in_and_back(
    client: httpx.AsyncClient, office: Office, key: Key
) -> None:
    """What is sent after the end asks for the password, and the password leads to the form."""
    page = await client.get("/notices/settings")
    await end_sessions_of(office, office.clinician)
    page = await post(client, page, "/notices/wishes")
    assert "Сеанс завершён" in page.text
    page = await post(client, page, "/sign-in", email=key.email, password=PASSWORD)
    page = await post(client, page, "/sign-in/code", code=await fresh_code(key.secret))
    assert page.url.path == "/notices/settings"


async def test_a_code_that_came_too_late_keeps_the_wish(
    client: httpx.AsyncClient, office: Office, key: Key
) -> None:
    """Between password and code five minutes may pass; after them one begins anew, for the same."""
    await end_sessions_of(office, office.clinician)
    page = await client.get(f"/sign-in?next={quote(WISH)}")
    page = await post(client, page, "/sign-in", email=key.email, password=PASSWORD)
    await end_sessions_of(office, office.clinician)
    page = await post(client, page, "/sign-in/code", code=await fresh_code(key.secret))
    assert fields_of(page)["next"] == WISH
    page = await post(client, page, "/sign-in", email=key.email, password=PASSWORD)
    page = await post(client, page, "/sign-in/code", code=await fresh_code(key.secret))
    assert page.url.raw_path.decode() == WISH


async def test_a_page_of_signing_in_that_stood_open_in_another_tab_is_taken(
    client: httpx.AsyncClient, office: Office, key: Key
) -> None:
    """Two tabs ask for the password; the second is good although the first was used."""
    await end_sessions_of(office, office.clinician)
    first, second = [await client.get("/sign-in?expired=1") for _ in range(2)]
    await post(client, first, "/sign-in", email=key.email, password=PASSWORD)
    page = await post(client, second, "/sign-in", email=key.email, password=PASSWORD)
    assert "Шесть цифр" in page.text


async def test_looking_at_the_page_of_signing_in_ends_no_session(client: httpx.AsyncClient) -> None:
    """A link to it, be it from another site, signs nobody out."""
    page = await client.get("/sign-in?expired=1&next=/profile")
    assert page.url.path == "/profile"
    assert (await client.get("/profile")).url.path == "/profile"


@pytest.mark.parametrize("path", ["/nowhere", "/sign-in", "/verify"])
async def test_a_stranger_may_use_the_forms_of_a_first_page(site: Site, path: str) -> None:
    """Whatever page is the first, a page of a refusal too, its language can be changed."""
    headers = {"Accept-Language": "ru"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=PATIENCE) as stranger:
        page = await stranger.get(path)
        answer = await post(stranger, page, "/preferences", language="en", next=path)
    assert answer.headers["location"] == path


@pytest.mark.parametrize(
    ("wish", "leads"),
    [
        (WISH, WISH),
        ("/sign-in", "/"),
        ("/sign-in?expired=1&next=%2Fdesk%3Funit%3D1%26x%3D2", "/desk?unit=1&x=2"),
        ("/sign-in/code?next=%2Fsign-in%3Fnext%3D%252Fprofile", "/profile"),
        ("/%73ign-in?next=/profile", "/profile"),
        ("/desk/../sign-in?next=/profile", "/profile"),
        ("/sign-in?next=//evil.example", "/"),
        ("/sign-in?next=https://evil.example", "/"),
        ("//evil.example/sign-in?next=/profile", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        (None, "/"),
    ],
)
def test_the_wish_is_a_page_of_ours_and_none_of_signing_in(wish: str | None, leads: str) -> None:
    """Where signing in leads to is a page to work on."""
    assert safe_next(wish) == leads


async def sign_in_on(page: Page, key: Key) -> None:
    """Type password and code, as a person does on a page that asks for them."""
    await page.get_by_label("Электронная почта").fill(key.email)
    await page.locator("#field-password").fill(PASSWORD)
    await page.get_by_role("button", name="Продолжить").click()
    await page.get_by_label("Шесть цифр").fill(await fresh_code(key.secret))
    await page.locator("main form button").click()


@pytest.mark.browser
async def test_whoever_was_away_signs_in_once_and_is_back(
    browser: Browser, site: Site, office: Office, key: Key
) -> None:
    """The page leaves by itself when the time is over; one password and one code lead back."""
    context = await signed_in(browser, site, office, office.clinician)
    try:
        page = await context.new_page()
        await page.clock.install()
        await page.goto(f"{site.url}{WISH}")
        await end_sessions_of(office, office.clinician)
        await page.clock.run_for((site.settings.session_idle + 5) * 1000)
        await expect(page.locator(".notice")).to_contain_text("Сеанс завершён")
        await sign_in_on(page, key)
        await expect(page).to_have_url(f"{site.url}{WISH}")
        await expect(page.locator("h1")).to_have_text("Мои заявки")
    finally:
        await context.close()
