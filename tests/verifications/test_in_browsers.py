"""From the page of registration to a confirmed account, in the browsers of both people."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, Locator, Page, expect
from sqlmodel import col, select
from temporalio.client import Client

from clients.temporal.client import CaseSignaller
from models.tables.accounts import Account
from models.tables.meetings import Meeting, MeetingSlot
from models.tables.notices import Notice
from rules.access import Actor, Role
from rules.accounts import AccountState
from rules.clock import now
from rules.meetings import CHECKLIST
from rules.notices.kinds import Channel, NoticeKind
from services import access
from services.accounts.sign_in import login_of
from services.cases.signals import CaseSignals
from services.verifications.acts import Verifications
from tests.shared.accounts import PASSWORD, fresh_code
from tests.shared.cabinet import DESKTOP, Site, signed_in, well_made
from tests.shared.office import Office
from tests.shared.waiting import until
from tests.verifications.living import FORM, NAME, NEEDED


@pytest.mark.usefixtures("worker")
async def test_somebody_registers_and_is_confirmed_by_two_people(
    browser: Browser,
    site: Site,
    office: Office,
    temporal: Client,
) -> None:
    """Password, app, documents, phone, a meeting; the state changes by itself (I1, I2, I3, I5)."""
    vera = await office.person("Орлова Вера Игоревна", Role.OPERATOR, office.institution)
    theirs = await (await signed_in(browser, site, office, vera)).new_page()
    hers = await (await browser.new_context(viewport=DESKTOP, locale="ru-RU")).new_page()  # type: ignore[arg-type]
    anna = await registered(hers, site, office)

    await hers.goto(f"{site.url}/")
    await hers.get_by_role("link", name="Что осталось").first.click()
    await expect(hers.get_by_role("heading", level=1)).to_have_text("Подтверждение учётной записи")
    await well_made(hers)
    await hers.get_by_role("button", name="Начать").click()
    await expect(hers.get_by_role("heading", level=1)).to_have_text("Документы для подтверждения")
    await well_made(hers)
    case_id = UUID(hers.url.split("/")[-2])
    signals = CaseSignals(CaseSignaller(temporal, site.settings.task_queue))
    acts = Verifications(office.database, signals, site.settings.time_zone)
    given = [
        {"kind": kind, "document_version_id": str(await office.document(anna, kind))}
        for kind in NEEDED
    ]
    anna = await as_now(office, anna.person_id)
    await acts.save_draft(anna, case_id, dict(FORM), given)
    await hers.reload()
    await hers.get_by_role("link", name="Проверить и отправить").click()
    await hers.get_by_role("button", name="Отправить документы").click()
    await expect(hers.locator("#live-waits")).to_contain_text("оператора")
    await well_made(hers)

    await theirs.goto(f"{site.url}/meetings/mine")
    day = (now() + timedelta(days=3)).date()
    await theirs.get_by_label("День").fill(f"{day:%d.%m.%Y}")
    await theirs.get_by_label("С", exact=True).fill("10:00")
    await theirs.get_by_label("До какого времени").fill("11:00")
    await theirs.get_by_role("button", name="Открыть время").click()
    await expect(theirs.get_by_text("свободно").first).to_be_visible()
    await well_made(theirs)

    await hers.goto(f"{site.url}/meetings")
    await well_made(hers)
    await hers.locator("ul.times button").first.click()
    await expect(hers.get_by_text("Вы записаны на встречу.")).to_be_visible()
    await well_made(hers)

    await theirs.goto(f"{site.url}/desk/cases/{case_id}")
    await decide(theirs)
    await confirms_phone(hers, site, office, anna.person_id)

    async def is_active() -> bool:
        return (await as_now(office, anna.person_id)).state is AccountState.ACTIVE

    await until(is_active)
    meeting = await has_begun(office, anna.person_id)
    await theirs.goto(f"{site.url}/meetings/{meeting}")
    await well_made(theirs)
    await theirs.get_by_role("button", name="Записать итог").click()
    await expect(theirs.locator(".govuk-error-summary")).to_be_visible()
    await well_made(theirs)
    for words in CHECKLIST.values():
        await theirs.get_by_label(words).check()
    await theirs.get_by_label("личность подтверждена", exact=True).check()
    await theirs.get_by_role("button", name="Записать итог").click()
    await expect(theirs.get_by_text("Итог встречи записан.")).to_be_visible()

    async def is_confirmed() -> bool:
        return (await as_now(office, anna.person_id)).state is AccountState.CONFIRMED

    await until(is_confirmed)
    await hers.goto(f"{site.url}/verifications")
    await expect(confirmed(hers)).to_be_visible()
    await well_made(hers)


async def decide(page: Page) -> None:
    """Confirm the documents at the desk, every question answered with yes."""
    await expect(page.get_by_text("Подтверждение учётной записи").first).to_be_visible()
    await well_made(page)
    # The stock of reasons speaks of programmes.
    await expect(page.locator("[data-stock]")).to_have_count(0)
    for box in await page.locator("input[name^='check.']").all():
        await box.check()
    await page.locator("#outcome-approve").check()
    await page.locator("[name=reason]").fill("Документы сверены.")
    await page.locator("#decision button[data-prevent-double-click]").last.click()
    await expect(page.get_by_text("Документы подтверждены").first).to_be_visible()


def confirmed(page: Page) -> Locator:
    """The state of the account at the head of the page."""
    return page.locator(".page-head .state", has_text="подтверждена")


async def as_now(office: Office, person_id: UUID) -> Actor:
    """The person with the state of the account as it is."""
    async with office.database.work() as session:
        return await access.actor_for(session, person_id, now())


async def registered(page: Page, site: Site, office: Office) -> Actor:
    """Register from the page of signing in, by the mailed link, until the cabinet is open."""
    email = f"{uuid4().hex}@example.org"
    await page.goto(f"{site.url}/sign-in")
    await page.locator("a[href='/registration']").click()
    await well_made(page)
    await page.get_by_label("Фамилия, имя и отчество").fill(NAME)
    await page.get_by_label("Электронная почта").fill(email)
    await page.get_by_label("Согласен на обработку").check()
    await page.get_by_role("button", name="Отправить ссылку").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Проверьте почту")
    async with office.database.work() as session:
        mails = await session.exec(select(Notice).where(col(Notice.person_id).is_(None)))
        path = next(one.contents["path"] for one in mails if one.contents["to"] == email)
    await page.goto(f"{site.url}{path}")
    await well_made(page)
    await page.locator("#field-new_password").fill(PASSWORD)
    await page.get_by_role("button", name="Продолжить").click()
    secret = (await page.locator("#totp-secret").inner_text()).replace(" ", "")
    await page.locator("#field-code").fill(await fresh_code(secret))
    await page.get_by_role("button", name="Подключить и войти").click()
    await page.get_by_role("link", name="Коды сохранены, продолжить").click()
    async with office.database.work() as session:
        found = select(Account.person_id).where(Account.login == login_of(email))
        return await access.actor_for(session, (await session.exec(found)).one(), now())


async def confirms_phone(page: Page, site: Site, office: Office, person_id: UUID) -> None:
    """Enter the code that an SMS brings to a number."""
    await page.goto(f"{site.url}/notices/contacts")
    await page.locator("#field-sms").fill("+7 916 765-43-21")
    form = page.locator("form", has=page.locator("#field-sms"))
    await form.get_by_role("button", name="Получить код").click()
    await expect(page.get_by_role("heading", name="Введите код")).to_be_visible()
    await well_made(page)
    async with office.database.work() as session:
        found = await session.exec(
            select(Notice.contents).where(
                Notice.person_id == person_id,
                Notice.kind == NoticeKind.CONTACT_CODE.value,
                Notice.channel == Channel.SMS.value,
            )
        )
        code = str((found.one() or {})["code"])
    await page.locator("[name=code_sms]").fill(code)
    await page.get_by_role("button", name="Подтвердить").click()
    await expect(page.locator("main")).to_contain_text("7654321")


async def has_begun(office: Office, person_id: UUID) -> UUID:
    """The meeting of the person, whose time has come."""
    async with office.database.work() as session:
        meeting = (await session.exec(select(Meeting).where(Meeting.person_id == person_id))).one()
        slot = await session.get_one(MeetingSlot, meeting.slot_id)
        slot.starts_at = now() - timedelta(minutes=1)
        session.add(slot)
        return meeting.id
