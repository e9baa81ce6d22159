"""What was typed and not sent outlives the session, is its owner's alone, and is sent once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect
from sqlmodel import col, select

from models.tables.cases import CaseDecision
from models.tables.catalogue import Reason
from rules.access import Actor, Role
from rules.cases.process import Status
from tests.accounts.test_sign_in_again import end_sessions_of, sign_in_on
from tests.conversation.test_pages import on_the_desk
from tests.shared.cabinet import Key, Site, account_of, faults_of, signed_in, watch
from tests.shared.office import Office
from tests.shared.waiting import until

pytestmark = pytest.mark.browser

TEXT = "Освоить стресс-эхокардиографию,\nчтобы вести приём в новом кабинете."
KEPT = "Object.keys(sessionStorage).filter(name => name.startsWith('medcab-draft')).length"


async def kept(page: Page) -> bool:
    """Something waits in this tab, as soon as it does."""
    return await until(lambda: page.evaluate(f"{KEPT} > 0"))


async def nothing_kept(page: Page) -> bool:
    """Nothing waits in this tab, as soon as that is so."""
    return await until(lambda: page.evaluate(f"{KEPT} === 0"))


@dataclass
class Desk:
    """Somebody at a computer, on a page with a form."""

    office: Office
    site: Site
    who: Actor
    key: Key
    context: BrowserContext
    page: Page
    wrong: list[str]

    async def open(self, path: str) -> Page:
        """Go to a page."""
        await self.page.goto(self.site.url + path)
        return self.page

    async def be_away(self) -> None:
        """The session ends, and the page does not know it."""
        await kept(self.page)
        await end_sessions_of(self.office, self.who)

    async def come_back(self, *, saved: bool = False) -> None:
        """Sign in where the cabinet asks for it; a form that saves by itself has no warning."""
        await expect(self.page.locator(".notice")).to_contain_text("Сеанс завершён")
        await sign_in_on(self.page, self.key)
        if saved:
            return
        told = self.page.locator(".draft-notice").first
        await expect(told).to_contain_text("только в этой вкладке")

    async def all_is_sent(self) -> None:
        """Nothing is kept any more, and the page opened anew shows nothing that waits."""
        await nothing_kept(self.page)
        await self.page.reload()
        await expect(self.page.locator(".draft-notice")).to_have_count(0)


Sit = Callable[[Actor], Awaitable[Desk]]


@pytest.fixture
async def sit(browser: Browser, site: Site, office: Office) -> AsyncIterator[Sit]:
    """Let a person sit down at a computer of their own."""
    contexts: list[BrowserContext] = []

    async def down(who: Actor) -> Desk:
        key = await account_of(office, who)
        context = await signed_in(browser, site, office, who)
        contexts.append(context)
        page = await context.new_page()
        return Desk(office, site, who, key, context, page, watch(page))

    yield down
    for context in contexts:
        await context.close()


async def draft_of(office: Office, case_id: UUID) -> dict[str, object]:
    """The answers of a draft as they are kept."""
    return dict((await office.case(case_id)).draft or {})


async def is_saved(office: Office, case_id: UUID) -> bool:
    """Whether the server has the text."""
    return str((await draft_of(office, case_id)).get("purpose")).splitlines() == TEXT.splitlines()


async def test_a_section(sit: Sit, office: Office) -> None:
    """The text of a section waits through the sign-in, and is then saved."""
    case_id = await office.draft()
    desk = await sit(office.clinician)
    page = await desk.open(f"/applications/{case_id}/draft/grounds")
    await page.locator("#field-purpose").fill(TEXT)
    await desk.be_away()
    await page.get_by_role("button", name="Сохранить и продолжить").click()
    await desk.come_back(saved=True)
    await expect(page.locator("#field-purpose")).to_have_value(TEXT)
    assert await until(lambda: is_saved(office, case_id))
    await expect(page.locator("#saved-note")).to_contain_text("Сохранено")
    await expect(page.locator(".draft-notice")).to_have_count(0)
    assert not await faults_of(page)
    await page.get_by_role("button", name="Сохранить и продолжить").click()
    await expect(page).not_to_have_url(f"{desk.site.url}/applications/{case_id}/draft/grounds")
    assert str((await draft_of(office, case_id))["purpose"]).splitlines() == TEXT.splitlines()
    await desk.all_is_sent()


async def test_a_decision(sit: Sit, office: Office) -> None:
    """Outcome, reason and remarks come back where they were, and decide once."""
    case_id = await on_the_desk(office)
    desk = await sit(office.reviewer)
    page = await desk.open(f"/desk/cases/{case_id}?reviewer=me")
    await page.locator("#answer-purpose").get_by_role("button").click()
    await page.locator("#remark-purpose").fill("Напишите, какие умения нужны.")
    await page.locator("#field-reason").fill(TEXT)
    await desk.be_away()
    await page.get_by_role("button", name="Принять решение").click()
    await desk.come_back()
    assert page.url == f"{desk.site.url}/desk/cases/{case_id}?reviewer=me"
    await expect(page.locator("#outcome-clarify")).to_be_checked()
    await expect(page.locator("#remark-purpose")).to_be_visible()
    await expect(page.locator("#field-reason")).to_have_value(TEXT)
    await page.get_by_role("button", name="Принять решение").click()
    await expect(page.locator("#waits-word")).to_contain_text("Требуется уточнение")
    assert (await office.case(case_id)).status == Status.CLARIFICATION
    async with office.database.work() as session:
        found = await session.exec(select(CaseDecision).where(CaseDecision.case_id == case_id))
        decided = found.one()
    assert decided.reason.splitlines() == TEXT.splitlines()
    await desk.all_is_sent()


async def test_a_decision_that_is_refused_stays_where_the_form_is(sit: Sit, office: Office) -> None:
    """A page that answers a form can be opened anew: it stands under the address of the form."""
    case_id = await on_the_desk(office)
    desk = await sit(office.reviewer)
    page = await desk.open(f"/desk/cases/{case_id}?reviewer=me")
    await page.locator("#field-reason").fill(TEXT)
    await page.get_by_role("button", name="Принять решение").click()
    await expect(page.locator(".govuk-error-summary")).to_be_visible()
    await expect(page).to_have_url(f"{desk.site.url}/desk/cases/{case_id}?reviewer=me")
    await expect(page.locator(".draft-notice")).to_have_count(0)
    await desk.be_away()
    await page.get_by_role("button", name="Принять решение").click()
    await desk.come_back()
    await expect(page.locator("#field-reason")).to_have_value(TEXT)


async def test_a_message(sit: Sit, office: Office) -> None:
    """A message waits through the sign-in, is sent once, and the connection is not blamed."""
    case_id = await on_the_desk(office)
    desk = await sit(office.clinician)
    page = await desk.open(f"/applications/{case_id}")
    await page.locator("#field-text").fill(TEXT)
    await desk.be_away()
    await page.get_by_role("button", name="Отправить сообщение").click()
    await desk.come_back()
    await expect(page.locator("#field-text")).to_have_value(TEXT)
    await page.get_by_role("button", name="Отправить сообщение").click()
    await expect(page.locator("#live-comments .text")).to_have_text([TEXT])
    await expect(page.locator("#field-text")).to_have_value("")
    await desk.all_is_sent()
    await expect(page.locator("#live-comments .text")).to_have_text([TEXT])


async def test_a_form_of_an_administrator(sit: Sit, office: Office) -> None:
    """A new reason of the stock waits through the sign-in and is made once."""
    keeper = await office.person("Власова Ольга Петровна", Role.ADMINISTRATOR, office.institution)
    desk = await sit(keeper)
    page = await desk.open("/administration/reasons/new")
    key = f"r{uuid4().hex[:10]}"
    await page.locator("#field-key").fill(key)
    await page.locator("#field-title").fill("Нет мест")
    await page.locator("#field-text").fill("Свободных мест не осталось.")
    await page.locator("input[name=outcome][value=reject]").check()
    await desk.be_away()
    await page.get_by_role("button", name="Сохранить").click()
    await desk.come_back()
    await expect(page.locator("#field-key")).to_have_value(key)
    await expect(page.locator("input[name=outcome][value=reject]")).to_be_checked()
    await page.get_by_role("button", name="Сохранить").click()
    await expect(page.locator(".flash")).to_contain_text("Сохранено")
    async with office.database.work() as session:
        found = (await session.exec(select(Reason).where(col(Reason.key) == key))).one()
        await session.delete(found)
    assert found.title == "Нет мест"
    await desk.all_is_sent()


async def test_settings_that_hold_at_once(sit: Sit, office: Office) -> None:
    """A setting that met the end of the session is set after it, without being chosen again."""
    desk = await sit(office.clinician)
    page = await desk.open("/notices/settings")
    await end_sessions_of(office, office.clinician)
    await page.locator("#field-quiet_from").fill("21:15")
    await page.locator("#field-quiet_from").blur()
    await desk.come_back(saved=True)
    await expect(page.locator("#field-quiet_from")).to_have_value("21:15")
    await expect(page.locator("#wishes-note")).to_contain_text("Сохранено")
    await expect(page.locator(".draft-notice")).to_have_count(0)
    await desk.all_is_sent()


@pytest.mark.asvs("14.3.3")
async def test_the_next_person_at_the_computer_finds_nothing(sit: Sit, office: Office) -> None:
    """What is kept cannot be read, and the first page of somebody else removes it."""
    case_id = await on_the_desk(office)
    other = await office.person("Громова Нина Ильинична", Role.DOCTOR, office.ward)
    theirs = await account_of(office, other)
    desk = await sit(office.clinician)
    page = await desk.open(f"/applications/{case_id}")
    await page.locator("#field-text").fill(TEXT)
    await desk.be_away()
    await page.get_by_role("button", name="Отправить сообщение").click()
    await expect(page.locator("h1")).to_have_text("Вход в личный кабинет")
    left = await page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert "medcab-draft" in left
    assert "эхокардиографию" not in left
    assert str(office.clinician.person_id) not in left
    await sign_in_on(page, theirs)
    await nothing_kept(page)


@pytest.mark.asvs("14.3.1")
async def test_signing_out_takes_it_along(sit: Sit, office: Office) -> None:
    """Whoever signs out leaves nothing, in no tab of the browser."""
    case_id = await on_the_desk(office)
    desk = await sit(office.clinician)
    page = await desk.open(f"/applications/{case_id}")
    await page.locator("#field-text").fill(TEXT)
    await kept(page)
    second = await desk.context.new_page()
    await second.goto(f"{desk.site.url}/applications/{case_id}")
    await second.locator("#field-text").fill(TEXT)
    await kept(second)
    await second.evaluate("document.querySelector('form[action=\"/sign-out\"]').requestSubmit()")
    await expect(second.locator("h1")).to_have_text("Вход в личный кабинет")
    for one in (page, second):
        await nothing_kept(one)


async def test_what_failed_is_told_by_its_cause(sit: Sit, office: Office) -> None:
    """No connection, a page of another session: each in its own words, and the text stays."""
    case_id = await on_the_desk(office)
    desk = await sit(office.clinician)
    # A script that could not be loaded leaves the others at work.
    await desk.context.route("**/bell.js*", lambda route: route.abort())
    page = await desk.open(f"/applications/{case_id}")
    await page.locator("#field-text").fill(TEXT)
    await kept(page)
    await desk.context.set_offline(True)
    await page.get_by_role("button", name="Отправить сообщение").click()
    await expect(page.locator(".comment-refused")).to_contain_text("Нет связи")
    await desk.context.set_offline(False)
    again = await signed_in(page.context.browser, desk.site, office, desk.who)  # type: ignore[arg-type]
    await desk.context.add_cookies(await again.cookies())  # type: ignore[arg-type]
    await again.close()
    await page.get_by_role("button", name="Отправить сообщение").click()
    await expect(page.locator(".comment-refused")).to_contain_text("Страница устарела")
    await page.reload()
    await expect(page.locator("#field-text")).to_have_value(TEXT)
    await page.get_by_role("button", name="Отправить сообщение").click()
    await expect(page.locator("#live-comments .text")).to_have_text([TEXT])


async def test_a_plain_form_that_never_got_through(sit: Sit, office: Office) -> None:
    """Without a connection the browser shows a page of its own; the form keeps the text."""
    case_id = await on_the_desk(office)
    desk = await sit(office.clinician)
    page = await desk.open(f"/applications/{case_id}/withdraw")
    await page.locator("textarea").fill(TEXT)
    await kept(page)
    await page.route("**/withdraw", lambda route: route.abort())
    await page.locator("main form button").first.click()
    await page.unroute("**/withdraw")
    await desk.open(f"/applications/{case_id}/withdraw")
    await expect(page.locator("textarea")).to_have_value(TEXT)
    assert (await office.case(case_id)).status == Status.IN_REVIEW


async def test_what_others_saved_meanwhile_is_not_passed_over(sit: Sit, office: Office) -> None:
    """The text comes back with a warning and waits; put away, it shows what is saved."""
    case_id = await office.draft()
    desk = await sit(office.clinician)
    path = f"/applications/{case_id}/draft/grounds"
    page = await desk.open(path)
    await page.route("**/autosave", lambda route: route.abort())
    await page.locator("#field-purpose").fill(TEXT)
    await kept(page)
    await office.applications.save_draft(office.clinician, case_id, {"purpose": "Иначе."})
    await page.unroute("**/autosave")
    await page.reload()
    await expect(page.locator(".draft-notice")).to_contain_text("сохранили другой")
    await expect(page.locator("#field-purpose")).to_have_value(TEXT)
    await page.get_by_role("button", name="Удалить этот текст").click()
    await expect(page.locator("#field-purpose")).to_have_value("Иначе.")
    await expect(page.locator(".draft-notice")).to_have_count(0)


async def test_the_warning_leaves_the_focus_to_whoever_types(sit: Sit, office: Office) -> None:
    """The words are read out, the keys still go into the field, and typing keeps the session."""
    case_id = await on_the_desk(office)
    desk = await sit(office.clinician)
    told: list[str] = []
    desk.page.on("request", lambda sent: told.append(sent.url))
    await desk.page.clock.install()
    page = await desk.open(f"/applications/{case_id}")
    await page.locator("#field-text").focus()
    await page.clock.run_for((desk.site.settings.session_idle - 110) * 1000)
    await expect(page.get_by_role("alert").filter(has_text="Сеанс завершится")).to_be_visible()
    await expect(page.locator("#field-text")).to_be_focused()
    async with page.expect_response("**/session") as kept:
        await page.keyboard.type("Да")
    assert (await kept.value).status == 204
    await page.clock.run_for(2000)
    await expect(page.locator("#expiry")).to_be_hidden()
    await expect(page.locator("#field-text")).to_have_value("Да")
    assert told.count(f"{desk.site.url}/session") == 1


async def test_a_form_that_is_sent_is_no_longer_saved(sit: Sit, office: Office) -> None:
    """A saving that waits never begins, one on its way is cut off; a page brought back saves again.

    Otherwise it finds a draft that is no more, and the person reads that something was not saved.
    """
    case_id = await office.draft()
    desk = await sit(office.clinician)
    await desk.page.clock.install()
    page = await desk.open(f"/applications/{case_id}/draft/grounds")
    begun: list[str] = []

    async def never_answered(route: Route) -> None:
        begun.append(route.request.url)

    async def stay(route: Route) -> None:
        await route.fulfill(status=204)

    async def typed(text: str) -> None:
        await page.locator("#field-purpose").fill(text)
        await page.locator("#field-purpose").blur()

    await page.route("**/autosave", never_answered)
    await page.route("**/grounds", stay)
    button = page.get_by_role("button", name="Сохранить и продолжить")
    await typed("На пути")
    async with page.expect_request("**/autosave"):
        await page.clock.run_for(200)
    await typed("Ждёт своей очереди")
    await page.clock.run_for(200)
    await typed("Ещё не начато")
    async with page.expect_event("requestfailed", lambda cut: cut.url.endswith("/autosave")):
        await button.click()
    await page.clock.run_for(1000)
    assert len(begun) == 1
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    await page.unroute("**/autosave")
    await typed(TEXT)
    async with page.expect_response("**/autosave"):
        await page.clock.run_for(200)
    await expect(page.locator("#saved-note")).to_contain_text("Сохранено")
    assert await is_saved(office, case_id)
    assert not desk.wrong
