"""From a registered account to a confirmed one, in the browsers of the person and the operator."""

from datetime import timedelta
from uuid import UUID

import pytest
from playwright.async_api import Browser, Locator, Page, expect
from sqlalchemy import update
from sqlmodel import col, select
from temporalio.client import Client

from clients.temporal.client import CaseSignaller
from models.tables.accounts import Account
from models.tables.meetings import Meeting, MeetingSlot
from models.tables.people import Person
from rules.access import Actor, Role
from rules.accounts import AccountState
from rules.clock import now
from rules.meetings import CHECKLIST
from rules.notices.kinds import Channel
from services import access
from services.accounts.proven_contacts import proven
from services.cases.signals import CaseSignals
from services.verifications.acts import Verifications
from tests.shared.cabinet import DESKTOP, PHONE, Site, account_of, faults_of, signed_in
from tests.shared.office import Office
from tests.shared.waiting import until
from tests.verifications.living import FORM, NAME, NEEDED


async def well_made(page: Page) -> None:
    """Axe finds nothing at both widths, and nothing hangs over the edge."""
    for size in (PHONE, DESKTOP):
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        assert await faults_of(page) == [], page.url
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, page.url


@pytest.mark.usefixtures("worker")
async def test_an_account_is_confirmed_by_two_people(
    browser: Browser, site: Site, office: Office, temporal: Client
) -> None:
    """Documents, contacts, a meeting and its outcome; the state changes by itself (I1, I3)."""
    anna = await office.person(NAME, Role.DOCTOR, office.ward)
    vera = await office.person("Орлова Вера Игоревна", Role.OPERATOR, office.institution)
    for actor in (anna, vera):
        await account_of(office, actor)
    await is_registered(office, anna.person_id)
    hers = await (await signed_in(browser, site, office, anna)).new_page()
    theirs = await (await signed_in(browser, site, office, vera)).new_page()

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
    await theirs.get_by_label("До", exact=True).fill("11:00")
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
    for channel in (Channel.MAIL, Channel.SMS):
        await confirms(office, anna.person_id, channel)
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
    for box in await page.locator("input[name^='check.']").all():
        await box.check()
    await page.locator("#outcome-approve").check()
    await page.locator("[name=reason]").fill("Документы сверены.")
    await page.locator("#decision button[data-prevent-double-click]").last.click()
    await expect(page.get_by_text("Документы подтверждены").first).to_be_visible()


def confirmed(page: Page) -> Locator:
    """The state of the account at the head of the page."""
    return page.locator(".page-head .state", has_text="подтверждена")


async def is_registered(office: Office, person_id: UUID) -> None:
    """Nothing is confirmed of the account yet."""
    async with office.database.work() as session:
        await session.exec(
            update(Account)
            .where(col(Account.person_id) == person_id)
            .values(state=AccountState.REGISTERED)
        )


async def as_now(office: Office, person_id: UUID) -> Actor:
    """The person with the state of the account as it is."""
    async with office.database.work() as session:
        return await access.actor_for(session, person_id, now())


async def confirms(office: Office, person_id: UUID, channel: Channel) -> None:
    """A code was entered for this address."""
    async with office.database.work() as session:
        person = await session.get_one(Person, person_id)
        value = person.email if channel is Channel.MAIL else person.phone
        session.add(proven(person, channel, value or "", now()))


async def has_begun(office: Office, person_id: UUID) -> UUID:
    """The meeting of the person, whose time has come."""
    async with office.database.work() as session:
        meeting = (await session.exec(select(Meeting).where(Meeting.person_id == person_id))).one()
        slot = await session.get_one(MeetingSlot, meeting.slot_id)
        slot.starts_at = now() - timedelta(minutes=1)
        session.add(slot)
        return meeting.id
