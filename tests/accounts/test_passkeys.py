"""Passkeys: added after another factor, bound to this site, answered once, never copied."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from playwright.async_api import Browser, expect
from sqlmodel import select

from models.tables.second_factor import Passkey
from rules.accounts import Outcome, Step
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import MOST_PASSKEYS, Method
from server import create_app
from services.accounts.second_factor import entering, passkeys, register
from services.accounts.second_factor.methods import Site as Cabinet
from services.accounts.sessions import Current
from settings import Settings
from tests.accounts.authenticator import ORIGIN, Authenticator
from tests.accounts.steps import half_open, journal_of, notices_of, recognised
from tests.shared.accounts import BOUNDLESS, PASSWORD, House, Someone, fresh_code, visitor_at
from tests.shared.cabinet import Site, account_of, faults_of, signed_in, watch
from tests.shared.office import Office
from tests.shared.served import at_port, free_port

CABINET = Cabinet(ORIGIN, "Больница № 7")


async def open_session_of(house: House, someone: Someone, *, checked: bool = True) -> Current:
    """A session, as a request knows it; `checked`: a factor was entered in it."""
    moment = now()
    half = await half_open(house, someone)
    opened = await entering.enter_code(
        house.container.database, half, someone.code(moment), visitor_at(), moment
    )
    current = await recognised(house, opened)
    return replace(current, checked_at=now()) if checked else current


async def added(house: House, someone: Someone, device: Authenticator) -> None:
    """Let the person have a passkey on the device."""
    current = await open_session_of(house, someone)
    database = house.container.database
    options = await passkeys.begin_setup(database, current, visitor_at(), now(), CABINET)
    answer = device.make(options)
    await passkeys.confirm_setup(database, current, "Ключ", answer, visitor_at(), now(), BOUNDLESS)
    await house.change_account(someone, totp_last_step=0)


async def keys_of(house: House, person_id: UUID) -> Sequence[Passkey]:
    """What is stored of the person's passkeys."""
    async with house.container.database.work() as session:
        return list(await passkeys.passkeys_of(session, person_id))


async def asked(house: House, current: Current, at: datetime | None = None) -> str:
    """A challenge for the session."""
    return await entering.begin(
        house.container.database, current, Method.PASSKEY, visitor_at(), at or now(), CABINET
    )


async def enter(house: House, current: Current, answer: str, at: datetime | None = None) -> str:
    """How entering an answer ends: the code of the refusal, or the stage."""
    try:
        opened = await entering.enter_code(
            house.container.database,
            current,
            answer,
            visitor_at(),
            at or now(),
            BOUNDLESS,
            method=Method.PASSKEY,
        )
    except Refusal as refusal:
        return refusal.code
    return opened.stage


@pytest.mark.parametrize("counts", [True, False])
async def test_a_passkey_signs_in(house: House, counts: bool) -> None:
    """Also one that does not count its signatures, as most of those that are synchronised."""
    someone, device = await house.someone(), Authenticator(counts)
    await added(house, someone, device)
    assert "second_factor_added" in await notices_of(house, someone.person_id)
    for n in (1, 2):
        half = await half_open(house, someone)
        assert await enter(house, half, device.sign(await asked(house, half))) == "open"
        (row,) = await keys_of(house, someone.person_id)
        assert row.sign_count == (n if counts else 0)
        assert row.last_used_at is not None
    assert (Step.CODE, Outcome.PASSED) in await journal_of(house, someone.person_id)


async def test_a_session_just_opened_adds_no_passkey(house: House) -> None:
    """I14: a thief of the session has no factor to enter for it."""
    someone, database = await house.someone(), house.container.database
    current = await open_session_of(house, someone, checked=False)
    with pytest.raises(Refusal, match="second_factor_needed"):
        await passkeys.begin_setup(database, current, visitor_at(), now(), CABINET)
    with pytest.raises(Refusal, match="second_factor_needed"):
        await passkeys.confirm_setup(
            database, current, "Ключ", "{}", visitor_at(), now(), BOUNDLESS
        )


async def test_what_was_signed_elsewhere_or_before_is_refused(house: House) -> None:
    """Another site, another session, another key, an old challenge, a copied key, no answer."""
    someone, device = await house.someone(), Authenticator()
    await added(house, someone, device)
    half, other = await half_open(house, someone), await half_open(house, someone)
    options = await asked(house, half)
    forged = device.sign(options, origin="https://cabinet.example.evil.example")
    assert await enter(house, half, forged) == "wrong_code"
    elsewhere = device.sign(options, rp_id="evil.example")
    assert await enter(house, half, elsewhere) == "wrong_code"
    theirs = device.sign(await asked(house, other))
    assert await enter(house, half, theirs) == "wrong_code"
    stranger = Authenticator(id=device.id)
    assert await enter(house, half, stranger.sign(options)) == "wrong_code"
    for nothing in ("", "{}", "[]", '{"id": 5}', '{"id": "a"}', "null", "123456"):
        assert await enter(house, half, nothing) == "wrong_code", nothing
    copied = Authenticator(key=device.key, id=device.id)
    assert await enter(house, half, device.sign(options)) == "open"
    again = await half_open(house, someone)
    assert await enter(house, again, copied.sign(await asked(house, again))) == "wrong_code"
    moment = now()
    options = await asked(house, again, moment)
    late = moment + timedelta(minutes=5, seconds=1)
    assert await enter(house, again, device.sign(options), late) == "wrong_code"


@pytest.mark.asvs("6.5.1")
async def test_an_answer_works_once_under_fifty_parallel_tries(house: House) -> None:
    """Fifty tries of one session with one answer: one of them opens it."""
    someone, device = await house.someone(), Authenticator(counts=False)
    await added(house, someone, device)
    half = await half_open(house, someone)
    answer = device.sign(await asked(house, half))
    done = await asyncio.gather(*(enter(house, half, answer) for _ in range(50)))
    assert done.count("open") == 1
    assert set(done) <= {"open", "wrong_code", "session_ended"}


async def test_passkeys_have_names_and_are_removed_one_by_one(house: House) -> None:
    """Of two the lost one goes; a stranger's is as good as none; the last factor stays."""
    someone, database = await house.someone(), house.container.database
    await added(house, someone, Authenticator())
    await added(house, someone, Authenticator())
    lost, kept = await keys_of(house, someone.person_id)
    client = await house.signed_in(someone, checked=True)
    path = "/api/v1/second-factor/passkeys"
    named = await client.patch(f"{path}/{kept.id}", json={"name": "  Ключ   на столе "})
    assert named.status_code == 204
    gone = await client.delete(f"{path}/{lost.id}")
    assert gone.status_code == 200, gone.text
    client.headers["X-CSRF-Token"] = gone.json()["csrf_token"]
    assert [one["name"] for one in (await client.get(path)).json()] == ["Ключ на столе"]
    stranger = await house.signed_in(await house.someone(), checked=True)
    assert (await stranger.delete(f"{path}/{kept.id}")).status_code == 404
    assert (await stranger.patch(f"{path}/{kept.id}", json={"name": "x"})).status_code == 404
    await house.change_account(someone, totp_secret=None, totp_confirmed_at=None)
    again = await house.signed_in(someone, checked=True)
    last = await again.delete(f"{path}/{kept.id}")
    assert (last.status_code, last.json()["code"]) == (409, "last_factor")
    async with database.work() as session:
        offered = await register.offers(session, someone.person_id)
    assert [offer.method for offer in offered] == [Method.PASSKEY]


async def test_a_person_has_at_most_ten_passkeys(house: House) -> None:
    """The eleventh is refused before the browser makes it."""
    someone, database = await house.someone(), house.container.database
    async with database.work() as session:
        session.add_all(
            Passkey(
                person_id=someone.person_id,
                credential_id=Authenticator().id,
                public_key=b"none",
                sign_count=0,
                name="Ключ",
                created_at=now(),
            )
            for _ in range(MOST_PASSKEYS)
        )
    current = await open_session_of(house, someone)
    with pytest.raises(Refusal, match="too_many_passkeys"):
        await passkeys.begin_setup(database, current, visitor_at(), now(), CABINET)


async def test_a_site_without_a_name_has_no_passkeys(house: House) -> None:
    """Browsers make none for an IP address, and the page says so."""
    client = await house.signed_in(await house.someone(), checked=True)
    refused = await client.post("/api/v1/second-factor/passkeys/begin")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_passkeys_here")
    page = (await client.get("/profile/second-factor")).text
    assert "а не по IP-адресу" in page
    assert "Добавить ключ входа" not in page


@pytest.fixture(scope="module")
async def named_site(settings: Settings) -> AsyncIterator[Site]:
    """The cabinet under a name, as passkeys want it."""
    port = free_port()
    url = f"http://localhost:{port}"
    chosen = settings.model_copy(update={"public_url": url, "cookie_secure": False})
    async with at_port(create_app(chosen), port):
        yield Site(url, chosen)


@pytest.mark.browser
async def test_a_browser_adds_a_passkey_and_signs_in_by_it(
    browser: Browser, named_site: Site, office: Office
) -> None:
    """In Chromium with a virtual authenticator, from the list of methods to the next sign-in."""
    key = await account_of(office, office.clinician)
    context = await signed_in(browser, named_site, office, office.clinician)
    page = await context.new_page()
    wrong = watch(page)
    devtools = await context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    await devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "usb",
                "hasResidentKey": False,
                "hasUserVerification": False,
                "automaticPresenceSimulation": True,
            }
        },
    )
    await page.goto(f"{named_site.url}/profile/second-factor")
    await page.get_by_role("link", name="Добавить ключ входа").click()
    await expect(page.locator("h1")).to_have_text("Подтвердите действие кодом")
    await page.locator("#field-code").fill(await fresh_code(key.secret))
    await page.get_by_role("button", name="Подтвердить").click()
    await expect(page.locator("h1")).to_have_text("Новый ключ входа")
    assert not await faults_of(page)
    await page.locator("#field-name").fill("USB-ключ")
    await page.get_by_role("button", name="Создать ключ входа").click()
    await expect(page.locator("h1")).to_have_text("Подтверждение входа")
    await expect(page.get_by_label("Название ключа")).to_have_value("USB-ключ")

    await context.clear_cookies()
    await page.goto(f"{named_site.url}/sign-in?next=/notices")
    await page.locator("#field-email").fill(key.email)
    await page.locator("#field-password").fill(PASSWORD)
    await page.get_by_role("button", name="Продолжить").click()
    await page.get_by_role("link", name="Войти с ключом входа").click()
    await expect(page.locator("h1")).to_have_text("Ключ входа")
    assert not await faults_of(page)
    await page.get_by_role("button", name="Войти").click()
    await expect(page.locator("h1")).to_have_text("Уведомления")
    assert wrong == []
    async with office.database.work() as session:
        found = await session.exec(
            select(Passkey).where(Passkey.person_id == office.clinician.person_id)
        )
        assert found.one().last_used_at is not None
    await context.close()
