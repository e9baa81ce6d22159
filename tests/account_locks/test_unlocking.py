"""From a notice to an account that is open again: four people, four browsers (I4)."""

from datetime import datetime, time, timedelta
from uuid import UUID

from playwright.async_api import Browser, BrowserContext, Page, expect
from sqlmodel import select

from models.tables.meetings import Meeting, MeetingSlot
from models.tables.notices import Notice
from models.tables.people import Person
from rules.access import Actor, Role
from rules.clock import now
from rules.meetings import LENGTH, OUTCOME_WITHIN
from rules.notices.events import EVENTS
from rules.notices.kinds import NoticeKind
from rules.risks import RiskKind
from services import access
from services.accounts.risks.events import raise_event
from services.accounts.second_factor import inventory
from services.meetings import times
from tests.shared.accounts import visitor_at
from tests.shared.cabinet import Site, account_of, at, faults_of, watch
from tests.shared.office import Office

UNLOCKED = EVENTS[NoticeKind.UNLOCKED_BY_MEETING]
PASSWORD = "река Ока весной шумит"


async def link_of(office: Office, owner: Actor, kind: str) -> str:
    """The path of the link in the mail of a notice."""
    async with office.database.work() as session:
        found = await session.exec(
            select(Notice.contents).where(
                Notice.person_id == owner.person_id,
                Notice.channel == "mail",
                Notice.kind == kind,
            )
        )
        return str((found.one() or {})["path"])


async def mail_of(office: Office, owner: Actor) -> str:
    """The mail address of the owner."""
    async with office.database.work() as session:
        return (await session.get_one(Person, owner.person_id)).email


async def outside(browser: Browser, site: Site, path: str) -> tuple[BrowserContext, Page]:
    """The telephone of somebody who is not signed in, with a page open."""
    context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="ru-RU")
    page = await context.new_page()
    await page.goto(f"{site.url}{path}")
    return context, page


async def offered(office: Office, operator: Actor) -> None:
    """An operator offers two times in three days."""
    async with office.database.work() as session:
        day = await access.day_in(session, operator.unit_id, now()) + timedelta(days=3)
        await times.open_times(session, operator, day, time(9), time(10), now())


async def begun(office: Office, owner: Actor) -> UUID:
    """The owner's meeting, whose time has come."""
    since: datetime = now() - timedelta(minutes=5)
    async with office.database.work() as session:
        found = await session.exec(select(Meeting).where(Meeting.person_id == owner.person_id))
        meeting = found.one()
        slot = await session.get_one(MeetingSlot, meeting.slot_id)
        slot.starts_at, meeting.looks_at = since, since + LENGTH + OUTCOME_WITHIN
        session.add_all([slot, meeting])
        return meeting.id


async def test_from_a_notice_to_an_open_account(
    browser: Browser, site: Site, office: Office
) -> None:
    """The link locks, the next link leads to a meeting, and a third person opens the account."""
    owner = await office.person("Соколова Анна Сергеевна", Role.DOCTOR, office.ward)
    operator = await office.person("Орлова Вера Павловна", Role.OPERATOR, office.institution)
    guard = await office.person("Ершова Нина Олеговна", Role.SECURITY, office.institution)
    await account_of(office, owner)
    await offered(office, operator)
    async with office.database.work() as session:
        await raise_event(session, RiskKind.NEW_PLACE, owner.person_id, visitor_at(), now())

    notice = await link_of(office, owner, "risk_new_place")
    phone, page = await outside(browser, site, notice)
    said = watch(page)
    assert await faults_of(page) == []
    await page.get_by_role("button", name="Это не я — заблокировать").click()
    await expect(page.locator("h1")).to_have_text("Учётная запись заблокирована")
    assert await faults_of(page) == []

    choose = await link_of(office, owner, "locked_by_suspicion")
    await page.goto(f"{site.url}{choose}")
    assert await faults_of(page) == []
    await page.locator("button.number").first.click()
    await expect(page.get_by_role("link", name="Войти в комнату")).to_be_visible()
    assert await faults_of(page) == []

    meeting = await begun(office, owner)
    inside, hold = await at(browser, site, office, operator, f"/meetings/{meeting}")
    for box in await hold.locator("input[name=compared]").all():
        await box.check()
    await hold.locator("input[name=outcome][value=confirmed]").check()
    # The app is not the owner's own: it was set up by whoever took the account over.
    await expect(hold.locator("input[name=marked][value=app]")).not_to_be_checked()
    assert await faults_of(hold) == []
    await hold.get_by_role("button", name="Записать итог").click()
    await hold.get_by_role("button", name="Показать код").click()
    code = (await hold.locator("#spoken-code").inner_text()).strip()
    assert await faults_of(hold) == []
    await page.reload()
    await expect(page.locator("main")).to_contain_text("согласие должен дать ещё один сотрудник")
    assert await faults_of(page) == []

    desk, locks = await at(browser, site, office, guard, "/locks")
    await expect(locks.locator("main")).to_contain_text("Орлова Вера Павловна")
    assert await faults_of(locks) == []
    card = locks.locator("section.card", has_text=owner.name)
    await card.get_by_role("button", name="Снять блокировку").click()
    await expect(locks.locator("section.card", has_text=owner.name)).to_have_count(0)
    await locks.goto(f"{site.url}/risks?state=all")
    await expect(locks.locator("tr", has_text=owner.name)).to_contain_text("заблокирована")
    assert await faults_of(locks) == []

    await page.goto(f"{site.url}{UNLOCKED.path}")
    await page.locator("[name=email]").fill(await mail_of(office, owner))
    await page.locator("main form button").click()
    await expect(page.locator("h1")).to_contain_text("Проверьте почту")
    await page.goto(f"{site.url}{await link_of(office, owner, 'password_reset')}")
    assert await faults_of(page) == []
    await page.locator("#field-code").fill(code)
    await page.locator("#field-new_password").fill(PASSWORD)
    await page.get_by_role("button", name="Сохранить пароль").click()
    await page.wait_for_url("**/sign-in?done=password_reset")
    async with office.database.work() as session:
        assert await inventory.factors_of(session, owner.person_id) == []
    assert said == []
    for context in (phone, inside, desk):
        await context.close()
