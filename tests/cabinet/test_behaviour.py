"""What the pages do besides showing: lead, refuse, remember, keep quiet, and warn in time."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from itertools import pairwise
from uuid import uuid4

import httpx
import pytest
from pikepdf import Pdf
from playwright.async_api import Browser, expect
from pydantic import SecretStr
from sqlalchemy import update
from sqlmodel import col, select

from clients.objects import Objects
from models.tables.accounts import AccountSession
from rules.access import Role
from rules.cases.process import Transition
from rules.clock import now
from server import create_app
from services.applications import enrolment
from services.cases.acts import Act
from services.conversation import Conversations
from services.seal import open_seal
from settings import Settings
from tests.shared.cabinet import Site, faults_of, signed_in, small_pdf, token_on
from tests.shared.office import Office
from tests.shared.served import at_port, free_port
from tests.shared.waiting import PATIENCE

NARROW = {"width": 320, "height": 640}


@pytest.fixture
async def visitor(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which nobody has signed in."""
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Accept-Language": "ru"}, timeout=PATIENCE
    ) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/applications?status=open", "/documents", "/profile", "/notices", "/desk"]
)
async def test_strangers_are_led_to_sign_in_and_back(visitor: httpx.AsyncClient, path: str) -> None:
    """A page that needs a person leads to signing in, and remembers where one wanted to go."""
    answer = await visitor.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=" + path.replace("?", "%3F").replace(
        "=", "%3D"
    )


@pytest.mark.parametrize("wish", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_signing_in_never_leads_elsewhere(client: httpx.AsyncClient, wish: str) -> None:
    """What stands in `next` cannot send a person to another site."""
    answer = await client.get("/sign-in", params={"next": wish})
    assert answer.headers["location"] == "/"


async def test_headers_of_a_page(client: httpx.AsyncClient) -> None:
    """A page may run only our own scripts, is framed by nobody, and is not kept."""
    answer = await client.get("/applications", headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.headers["content-encoding"] == "gzip"
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_form_without_its_token_changes_nothing(
    client: httpx.AsyncClient, office: Office
) -> None:
    """A form that did not come from our page is refused (CSRF)."""
    answer = await client.post("/applications", data={"programme_id": str(office.programme_id)})
    assert answer.status_code == 403
    assert "Страница устарела" in answer.text
    forged = await client.post(
        "/documents/files",
        data={"category": "diploma", "csrf_token": "forged"},
        files={"file": ("a.pdf", small_pdf(), "application/pdf")},
    )
    assert forged.status_code == 403
    assert "a.pdf" not in (await client.get("/documents")).text


async def test_upload_without_scripts(client: httpx.AsyncClient, office: Office) -> None:
    """A plain form gives a document, and a bad file gets its verdict with the remedy."""
    csrf = await token_on(client, "/documents")
    given = await client.post(
        "/documents/files",
        data={"csrf_token": csrf, "category": "diploma"},
        files={"file": ("Диплом.pdf", small_pdf(), "application/pdf")},
        follow_redirects=True,
    )
    assert given.status_code == 200
    assert "Документ принят." in given.text
    assert "Диплом.pdf" in given.text
    refused = await client.post(
        "/documents/files",
        data={"csrf_token": csrf, "category": "diploma"},
        files={"file": ("virus.exe", b"MZ", "application/octet-stream")},
    )
    assert refused.status_code == 422
    assert "нужен PDF или JPEG" in refused.text


async def test_a_document_given_before_is_chosen_again(
    client: httpx.AsyncClient, office: Office
) -> None:
    """A document is attached by choosing it, and taken off again; it stays the person's (Q10)."""
    version = await office.document(office.clinician, "diploma")
    case = await office.applications.create_draft(office.clinician, office.programme_id)
    page = f"/applications/{case.id}/draft/attachments"
    csrf = await token_on(client, page)
    chosen = await client.post(
        f"/documents/cases/{case.id}/diploma/choose",
        data={"csrf_token": csrf, "document_version_id": str(version)},
        follow_redirects=True,
    )
    assert f"/documents/cases/{case.id}/diploma/{version}/remove" in chosen.text
    removed = await client.post(
        f"/documents/cases/{case.id}/diploma/{version}/remove",
        data={"csrf_token": csrf},
        follow_redirects=True,
    )
    assert f"{version}/remove" not in removed.text
    assert str(version) in (await client.get("/documents")).text


async def test_a_second_click_is_the_same_act(client: httpx.AsyncClient, office: Office) -> None:
    """Sending the same form twice gives one number (a double click)."""
    case_id = await office.draft()
    page = (await client.get(f"/applications/{case_id}/draft/check")).text
    form = {
        name: re.search(f'name="{name}" value="([^"]+)"', page)[1]  # type: ignore[index]
        for name in ("csrf_token", "act_id", "at_step", "mode")
    }
    answers = [
        await client.post(f"/applications/{case_id}/draft/submit", data=form) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [303, 303]
    kept = await office.case(case_id)
    assert kept.version == 1


@pytest.mark.asvs("2.2.2")
async def test_an_incomplete_application_is_not_sent(
    client: httpx.AsyncClient, office: Office
) -> None:
    """What is missing is named at the top, each with the way to its field; nothing is lost."""
    case = await office.applications.create_draft(office.clinician, office.programme_id)
    page = (await client.get(f"/applications/{case.id}/draft/check")).text
    act = re.search('name="act_id" value="([^"]+)"', page)
    assert act is not None
    answer = await client.post(
        f"/applications/{case.id}/draft/submit",
        data={
            "csrf_token": await token_on(client, "/"),
            "act_id": act[1],
            "at_step": "0",
            "mode": "draft",
        },
    )
    assert answer.status_code == 422
    assert f"/applications/{case.id}/draft/grounds#group-purpose" in answer.text
    assert f"/applications/{case.id}/draft/attachments#slot-diploma" in answer.text


async def test_what_was_sent_is_not_sent_again(client: httpx.AsyncClient, office: Office) -> None:
    """Going back, a second tab, a case that is over: each page says what happened and leads on."""
    case_id = await office.submitted()
    number = (await office.case(case_id)).number
    here = f"/applications/{case_id}"
    for page in ("check", "grounds", "attachments"):
        shown = (await client.get(f"{here}/draft/{page}")).text
        assert "Эта заявка отправлена" in shown
        assert f'href="{here}">{number}' in shown
        assert f"{here}/draft/submit" not in shown
    form = {"csrf_token": await token_on(client, "/"), "act_id": str(uuid4()), "at_step": "0"}
    second = await client.post(f"{here}/draft/submit", data={**form, "mode": "draft"})
    assert second.status_code == 409
    for told in ("Заявка уже отправлена", f"Заявка {number} отправлена", f'href="{here}"'):
        assert told in second.text
    await office.applications.save_draft(office.clinician, case_id, {"purpose": "Иначе."})
    assert f"{here}/draft/submit" in (await client.get(f"{here}/draft/check")).text
    step = (await office.case(case_id)).step
    await office.applications.withdraw(office.clinician, case_id, Act(uuid4(), step), "")
    over = await client.get(f"{here}/draft")
    assert over.status_code == 409
    for told in ("Сейчас это сделать нельзя", "уже нельзя изменить", f'href="{here}"'):
        assert told in over.text
    assert "врач-кардиолог" in over.text
    assert "Данные изменились" not in over.text


async def test_others_cases_do_not_exist(client: httpx.AsyncClient, office: Office) -> None:
    """A case of somebody else answers like one that was never there, on every page of it (I6)."""
    stranger = await office.person("Чужой Пётр Ильич", Role.DOCTOR, office.ward)
    case_id = await office.submitted(stranger)
    for path in ("", "/live", "/draft", "/draft/check", "/withdraw", "/act", "/receipt"):
        answer = await client.get(f"/applications/{case_id}{path}")
        assert answer.status_code == 404, path
    made_up = await client.get(f"/applications/{uuid4()}")
    assert made_up.status_code == 404
    assert "Такой страницы нет" in made_up.text
    assert "введите номер в поиск наверху" in made_up.text


async def test_live_part_says_nothing_while_nothing_happens(
    client: httpx.AsyncClient, office: Office
) -> None:
    """A poll with the tag of what is shown gets 304; a comment of a colleague changes the tag."""
    case_id = await office.in_review()
    first = await client.get(f"/applications/{case_id}/live")
    assert first.status_code == 200
    tag = first.headers["etag"]
    same = await client.get(f"/applications/{case_id}/live", headers={"If-None-Match": tag})
    assert same.status_code == 304
    talk = Conversations(office.database)
    await talk.say(office.reviewer, case_id, "Мы смотрим вашу заявку.")
    changed = await client.get(f"/applications/{case_id}/live", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert "Мы смотрим вашу заявку." in changed.text


async def test_polls_do_not_prolong_the_session(
    client: httpx.AsyncClient, office: Office, site: Site
) -> None:
    """What a page asks by itself is no activity: the session ends although it polls (I5)."""
    case_id = await office.in_review()
    long_ago = now() - timedelta(seconds=site.settings.session_idle - 2)
    async with office.database.work() as session:
        await session.exec(
            update(AccountSession)
            .where(col(AccountSession.person_id) == office.clinician.person_id)
            .values(last_active=long_ago)
        )
    quiet = {"X-Medcab-Background": "1"}
    assert (await client.get(f"/applications/{case_id}/live", headers=quiet)).status_code == 200
    async with office.database.work() as session:
        held = (
            await session.exec(
                select(AccountSession.last_active).where(
                    col(AccountSession.person_id) == office.clinician.person_id
                )
            )
        ).one()
        assert abs((held - long_ago).total_seconds()) < 1
        await session.exec(
            update(AccountSession)
            .where(col(AccountSession.person_id) == office.clinician.person_id)
            .values(last_active=long_ago - timedelta(seconds=10))
        )
    answer = await client.get(f"/applications/{case_id}/live", headers=quiet)
    assert answer.status_code == 401
    page = await client.get(f"/applications/{case_id}")
    assert "expired=1" in page.headers["location"]


async def test_language_and_theme_stay(client: httpx.AsyncClient) -> None:
    """What a person chooses holds on the next page and is kept with the account."""
    csrf = await token_on(client, "/")
    for choice in ({"language": "en"}, {"theme": "dark"}):
        answer = await client.post(
            "/preferences", data={"csrf_token": csrf, "next": "/applications", **choice}
        )
        assert answer.headers["location"] == "/applications"
    page = (await client.get("/applications")).text
    assert '<html lang="en" data-theme="dark"' in page
    assert "My applications" in page


async def test_a_moved_case_is_told_as_such(client: httpx.AsyncClient, office: Office) -> None:
    """An act on a case that has moved on changes nothing, and says what to do."""
    case_id = await office.in_review()
    page = (await client.get(f"/applications/{case_id}/withdraw")).text
    form = {
        name: re.search(f'name="{name}" value="([^"]+)"', page)[1]  # type: ignore[index]
        for name in ("csrf_token", "act_id", "at_step")
    }
    await office.decide(case_id, Transition.CLARIFY)
    answer = await client.post(f"/applications/{case_id}/withdraw", data=form)
    assert answer.status_code == 409
    assert "Пока вы смотрели, заявка изменилась." in answer.text
    assert (await office.case(case_id)).closed_at is None


async def test_the_public_page_needs_no_sign_in_and_says_no_name(
    visitor: httpx.AsyncClient,
) -> None:
    """A code that was never issued is refused in words; nothing is asked of the visitor (A5)."""
    empty = await visitor.get("/verify")
    assert empty.status_code == 200
    wrong = await visitor.get("/verify/AAAAAAAAAAAAAAAAAAAAAAAAAA")
    assert wrong.status_code == 404
    assert "Такой код не выдавался" in wrong.text


async def test_an_address_with_a_stroke_at_its_end_leads_to_the_page(
    visitor: httpx.AsyncClient,
) -> None:
    """As links copied out of a text have it; a page that is not there offers no absent search."""
    for path, query in (("/verify/AAAA", "?a=1"), ("/sign-in", "")):
        answer = await visitor.get(f"{path}/{query}")
        assert (answer.status_code, answer.headers["location"]) == (303, path + query)
    nowhere = await visitor.get("/nowhere")
    assert nowhere.status_code == 404
    assert "поиск" not in nowhere.text


@pytest.mark.browser
async def test_the_end_of_the_session_is_announced(
    browser: Browser, site: Site, office: Office
) -> None:
    """Two minutes before the end comes a warning; staying renews, silence leaves (I5)."""
    context = await signed_in(browser, site, office, office.clinician)
    page = await context.new_page()
    await page.clock.install()
    await page.goto(f"{site.url}/profile")
    warning = page.locator("#expiry")
    await expect(warning).to_be_hidden()
    await page.clock.run_for((site.settings.session_idle - 110) * 1000)
    await expect(warning).to_be_visible()
    await expect(page.get_by_role("button", name="Остаться")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.clock.run_for(2000)
    await expect(warning).to_be_hidden()
    # Only the page's clock runs ahead: on the server the time of silence is over, too.
    async with office.database.work() as session:
        await session.exec(
            update(AccountSession)
            .where(col(AccountSession.person_id) == office.clinician.person_id)
            .values(ended_at=now(), ended_why="idle")
        )
    await page.clock.run_for((site.settings.session_idle + 5) * 1000)
    await expect(page.locator("h1")).to_have_text("Вход в личный кабинет")
    await expect(page.locator(".notice")).to_contain_text("Сеанс завершён")
    await context.close()


async def test_an_outage_is_told_as_a_page(settings: Settings) -> None:
    """While the database is away a person reads what to do, and nobody is signed out (O3)."""
    port = free_port()
    away = settings.model_copy(
        update={
            "database_url": SecretStr(f"postgresql://medcab@127.0.0.1:{free_port()}/medcab"),
            "public_url": f"http://127.0.0.1:{port}",
            "cookie_secure": False,
        }
    )
    async with (
        at_port(create_app(away), port) as url,
        httpx.AsyncClient(base_url=url, timeout=PATIENCE) as client,
    ):
        client.cookies.set("medcab", "a session that stands")
        answer = await client.get("/applications", headers={"Accept-Language": "ru"})
    assert answer.status_code == 503
    assert "Кабинет временно недоступен" in answer.text
    assert "set-cookie" not in answer.headers


async def test_the_act_is_downloaded_and_confirmed(
    client: httpx.AsyncClient, visitor: httpx.AsyncClient, office: Office, site: Site
) -> None:
    """After approval the signed act lies ready, and the code in its QR confirms it (A5)."""
    case_id = await office.in_review()
    await office.decide(case_id, Transition.APPROVE)
    objects = Objects(site.settings)
    await enrolment.issue(
        site.settings, office.database, objects, open_seal(site.settings), case_id
    )
    await objects.close()
    page = await client.get(f"/applications/{case_id}")
    places = [page.text.index(words) for words in ("Скачать акт", "Ход дела", "Что вы отправили")]
    assert places == sorted(places), "the paper stands first, what was sent is folded below"
    assert page.text.count("Скачать акт") == 1
    assert page.text.count('class="way-done"') == 4
    act = await client.get(f"/applications/{case_id}/act")
    assert act.headers["content-type"] == "application/pdf"
    codes = _codes(act.content)
    assert codes
    confirmed = await visitor.get(f"/verify/{codes[0]}")
    assert confirmed.status_code == 200
    assert "Акт подлинный" in confirmed.text
    assert "АЗ-" in confirmed.text
    assert "Соколова" not in confirmed.text


def _codes(content: bytes) -> list[str]:
    """The codes that the links of a PDF lead to."""
    with Pdf.open(BytesIO(content)) as document:
        found = [
            str(note.A.URI)
            for page in document.pages
            for note in page.get("/Annots", [])
            if "/A" in note
        ]
    return [uri.rpartition("/")[2] for uri in found if "/verify/" in uri]


@pytest.mark.browser
async def test_sections_on_a_phone(browser: Browser, site: Site, office: Office) -> None:
    """On a phone no names of sections overlap, and «Ещё» leads to the others by the keyboard."""
    context = await signed_in(browser, site, office, office.clinician, viewport=NARROW)
    try:
        page = await context.new_page()
        await page.goto(f"{site.url}/programmes")
        bar = page.locator(".nav > ul > li:visible")
        await expect(bar).to_have_count(5)
        spans = await bar.locator("> a > .nav-name, summary > span").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect()).map(box => [box.left, box.right])"
        )
        assert len(spans) == 5
        assert all(one[1] <= next_[0] for one, next_ in pairwise(spans)), spans
        await page.locator(".nav-more summary").press("Enter")
        archive = page.get_by_role("link", name="Архив", exact=True)
        await expect(archive).to_be_in_viewport(ratio=1)
        await archive.press("Enter")
        await expect(page).to_have_url(f"{site.url}/archive")
    finally:
        await context.close()


async def test_a_page_of_a_session_that_is_gone_leads_to_signing_in_and_back(
    browser: Browser, site: Site, office: Office
) -> None:
    """Whoever signed out in another tab is led to sign in, not told to have no rights (I5)."""
    context = await signed_in(browser, site, office, office.clinician)
    page = await context.new_page()
    await page.goto(f"{site.url}/notices/settings")
    device = [one for one in await context.cookies() if one["name"] == "medcab-device"]
    await context.clear_cookies()
    await context.add_cookies(device)  # type: ignore[arg-type]
    await page.evaluate("document.querySelector('form[action=\"/notices/wishes\"]').submit()")
    await expect(page.locator("h1")).to_have_text("Вход в личный кабинет")
    assert "next=/notices/settings" in page.url
    await context.close()


async def test_a_page_of_an_earlier_session_says_how_to_save_what_was_typed(
    browser: Browser, site: Site, office: Office
) -> None:
    """Signed in anew in another tab: the old page is refused as old, and can be opened anew."""
    context = await signed_in(browser, site, office, office.clinician)
    page = await context.new_page()
    await page.goto(f"{site.url}/notices/settings")
    again = await signed_in(browser, site, office, office.clinician)
    await context.add_cookies(await again.cookies())  # type: ignore[arg-type]
    await page.evaluate("document.querySelector('form[action=\"/notices/wishes\"]').submit()")
    await expect(page.locator("h1")).to_have_text("Страница устарела")
    assert await faults_of(page) == []
    await page.get_by_role("link", name="Открыть страницу заново").click()
    await expect(page.locator("h1")).to_have_text("Настройки уведомлений")
    await context.close()
    await again.close()
