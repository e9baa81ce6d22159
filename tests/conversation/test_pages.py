"""The conversation in the browser: live, with files, by keyboard, and without scripts."""

import asyncio
import re
from pathlib import Path
from uuid import UUID

import httpx
from playwright.async_api import Browser, FilePayload, Page, Route, expect

from clients.database import Database
from rules.access import Actor
from services.conversation import Conversations
from tests.conversation.test_conversation import heard, unread
from tests.files.samples import born_digital
from tests.shared.cabinet import PHONE, TOKEN, Site, account_of, faults_of, let_in, signed_in, watch
from tests.shared.counter import Counter
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE


async def opened(
    browser: Browser, site: Site, office: Office, actor: Actor, path: str, **options: object
) -> Page:
    """A page of the cabinet in which a person has signed in."""
    context = await signed_in(browser, site, office, actor, **options)
    page = await context.new_page()
    await page.goto(site.url + path)
    return page


async def on_the_desk(office: Office) -> UUID:
    """A case of the reviewer's."""
    case_id = await office.in_review()
    await office.set_times(case_id, reviewer_id=office.reviewer.person_id)
    return case_id


async def test_both_sides_talk_without_a_reload(
    browser: Browser, site: Site, office: Office, tmp_path: Path
) -> None:
    """A message with a file appears at the other side while the page is open, and is read (A8)."""
    case_id = await on_the_desk(office)
    file = tmp_path / "Справка.pdf"
    file.write_bytes(born_digital())
    theirs = await opened(browser, site, office, office.clinician, f"/applications/{case_id}")
    desk = await opened(browser, site, office, office.reviewer, f"/desk/cases/{case_id}")
    wrong = [*watch(theirs), *watch(desk)]
    await desk.locator("#field-reason").fill("Думаю.")
    await theirs.locator("#field-text").fill("Вот справка")
    await theirs.locator("#field-message-file").set_input_files(file)
    typed = asyncio.Event()

    async def held(route: Route) -> None:
        await typed.wait()
        await route.continue_()

    await theirs.route("**/documents/files/messages/*", held)
    async with theirs.expect_request("**/documents/files/messages/*"):
        await theirs.get_by_role("button", name="Отправить сообщение").press("Enter")
    await theirs.locator("#field-text").fill("Вот справка\nи ещё")
    typed.set()
    await expect(theirs.locator("#live-comments")).to_contain_text("Вот справка")
    await expect(theirs.locator("#live-comments")).not_to_contain_text("и ещё")
    await expect(theirs.locator("#field-text")).to_have_value("и ещё")
    await expect(desk.locator("#live-comments")).to_contain_text("Вот справка")
    await expect(desk.locator("#live-comments")).to_contain_text("Новое")
    await expect(desk.locator("#field-reason")).to_have_value("Думаю.")
    assert (await unread(office, office.reviewer))[case_id] == 1
    await desk.locator("#comments").scroll_into_view_if_needed()
    async with desk.expect_response(re.compile("messages/read")):
        await desk.locator("#field-text").press("End")
    assert case_id not in await unread(office, office.reviewer)
    link = desk.locator("#live-comments").get_by_role("link", name="Справка.pdf").first
    async with desk.expect_popup() as popup:
        await link.click()
    await expect((await popup.value).locator("h1")).to_contain_text("Справка.pdf")
    assert not await faults_of(desk)
    assert not await faults_of(theirs)
    assert not wrong
    await theirs.context.close()
    await desk.context.close()


async def test_what_is_new_shows_in_the_lists(
    browser: Browser, site: Site, office: Office, talk: Conversations
) -> None:
    """«Мои заявки» and the queue say how many messages wait; opening the case reads them."""
    case_id = await on_the_desk(office)
    for text in ("Раз", "Два"):
        await talk.say(office.clinician, case_id, text)
        await talk.say(office.reviewer, case_id, text)
    await talk.say(office.clinician, case_id, "Три")
    page = await opened(browser, site, office, office.clinician, "/applications", viewport=PHONE)
    await expect(page.locator(".unread")).to_have_text("2 новых сообщения")
    assert not await faults_of(page)
    await page.goto(f"{site.url}/applications/{case_id}")
    await expect(page.locator(".comment-new")).to_have_count(2)
    await page.goto(f"{site.url}/applications")
    await expect(page.locator(".unread")).to_have_count(0)
    await page.context.close()
    desk = await opened(browser, site, office, office.reviewer, "/desk?reviewer=me")
    await expect(desk.locator(".unread").first).to_have_text("1 новое сообщение")
    assert not await faults_of(desk)
    await desk.context.close()


async def test_polling_reads_nothing(
    browser: Browser, site: Site, office: Office, talk: Conversations
) -> None:
    """A page left open alone shows what came, and it stays unread (N2)."""
    case_id = await on_the_desk(office)
    page = await opened(browser, site, office, office.clinician, f"/applications/{case_id}")
    await talk.say(office.reviewer, case_id, "Вы здесь?")
    await expect(page.locator("#live-comments")).to_contain_text("Вы здесь?")
    assert await unread(office, office.clinician) == {case_id: 1}
    await page.context.close()


async def test_a_refused_message_stays_typed(browser: Browser, site: Site, office: Office) -> None:
    """What is wrong with a file or text is said at the form, and nothing typed is lost."""
    case_id = await on_the_desk(office)
    page = await opened(browser, site, office, office.clinician, f"/applications/{case_id}")
    await page.get_by_role("button", name="Отправить сообщение").click()
    await expect(page.locator(".comment-refused")).to_contain_text("Напишите сообщение")
    await page.locator("#field-text").fill("Смотрите")
    broken: FilePayload = {
        "name": "Скан.pdf",
        "mimeType": "application/pdf",
        "buffer": b"%PDF-1.7 torn",
    }
    await page.locator("#field-message-file").set_input_files(broken)
    await page.get_by_role("button", name="Отправить сообщение").click()
    await expect(page.locator(".comment-refused")).to_contain_text("Скан.pdf")
    await expect(page.locator("#field-text")).to_have_value("Смотрите")
    assert await heard(office, case_id, office.clinician) == []
    await page.context.close()


async def test_without_scripts_the_form_does_the_same(site: Site, office: Office) -> None:
    """A plain form sends text and files; a refused file keeps the text and the good file (Q3)."""
    case_id = await on_the_desk(office)
    await account_of(office, office.clinician)
    here = f"/documents/files/messages/{case_id}"
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Accept-Language": "ru"}, timeout=PATIENCE
    ) as client:
        await let_in(client, office, office.clinician)
        page = await client.get(f"/cases/{case_id}/conversation")
        found = TOKEN.search(page.text)
        assert found
        fields = {"csrf_token": found[1], "text": "Два файла", "back": f"/applications/{case_id}"}
        good = ("file", ("Диплом.pdf", born_digital(), "application/pdf"))
        bad = ("file", ("Плохой.pdf", b"%PDF-1.7 torn", "application/pdf"))
        refused = await client.post(here, data=fields, files=[good, bad])
        assert refused.status_code == 422
        assert "Плохой.pdf" in refused.text
        assert "Два файла" in refused.text
        kept = re.search(r'name="(kept-[0-9a-f-]+)"', refused.text)
        assert kept
        nothing = ("file", ("", b"", "application/octet-stream"))
        sent = await client.post(here, data={**fields, kept[1]: "1"}, files=[nothing])
        assert sent.status_code == 303
        assert sent.headers["location"].startswith(f"/applications/{case_id}?done=comment")
        forged = await client.post(here, data={**fields, "csrf_token": "x"}, files=[good])
        assert forged.status_code == 403
        many = [("file", (f"{n}.pdf", born_digital(str(n)), "application/pdf")) for n in range(6)]
        loaded = await client.post(here, data=fields, files=many)
        assert loaded.status_code == 422
        assert "не больше пяти файлов" in loaded.text
    said = await heard(office, case_id, office.clinician)
    assert [(m.text, [f.file_name for f in m.files]) for m in said] == [
        ("Два файла", ["Диплом.pdf"])
    ]


async def test_a_module_is_not_talked_to_until_the_unit_writes(
    site: Site, database: Database, talk: Conversations
) -> None:
    """Nobody reads what is said to a module; what the unit wrote is seen, and can be answered."""
    counter = await Counter.open(database)
    case_id = await counter.sent("qualification_confirmation")
    asked_of_people = await counter.sent("equipment")
    await account_of(counter.office, counter.clinician)
    here, form = f"/requests/{case_id}", f"/documents/files/messages/{case_id}"
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Accept-Language": "ru"}, timeout=PATIENCE
    ) as client:
        await let_in(client, counter.office, counter.clinician)
        assert "Ваше сообщение" in (await client.get(f"/requests/{asked_of_people}")).text
        assert 'id="comments"' not in (await client.get(here)).text
        assert form not in (await client.get(f"/cases/{case_id}/conversation")).text
        await talk.say(counter.office.reviewer, case_id, "Пришлите номер приказа.")
        page = (await client.get(here)).text
        assert "Пришлите номер приказа." in page
        assert form in page
