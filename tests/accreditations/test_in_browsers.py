"""From an empty file to a granted accreditation, in the browsers of a doctor and the department."""

import os
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, FilePayload, Page, expect
from temporalio.client import Client

from api.container import Container
from clients.objects import Objects
from clients.temporal.client import CaseSignaller
from crypto.key_ring import key_ring
from rules.access import Role
from services.cases import wakeups
from services.cases.signals import CaseSignals
from tests.accreditations.living import DIPLOMA, OLD_NUMBER, OLD_ONE, Accredited, centre, course
from tests.shared.cabinet import Site, account_of, signed_in, small_pdf, well_made
from tests.shared.desk import Desk
from tests.shared.office import Office
from tests.shared.waiting import until

SHOTS = os.environ.get("MEDCAB_TEST_SHOTS", "")
"""A folder for pictures of the pages; empty: none."""


async def looks_right(page: Page, name: str) -> None:
    """The page is well made; a picture of each look, where somebody wants some."""

    async def picture(look: str) -> None:
        if SHOTS:
            await page.screenshot(path=Path(SHOTS) / f"{name}-{look}.png", full_page=True)

    await well_made(page, picture)


@pytest.mark.usefixtures("worker")
async def test_from_an_empty_file_to_an_accreditation(
    browser: Browser, site: Site, office: Office, temporal: Client
) -> None:
    """What is missing is said first; the draft fills itself; the commission's word is shown."""
    anna = await office.person("Соколова Анна Сергеевна", Role.DOCTOR, office.ward)
    hr = await office.person("Иванова Мария Петровна", Role.HR_REVIEWER, office.hr)
    for actor in (anna, hr):
        await account_of(office, actor)
    signals = CaseSignals(CaseSignaller(temporal, site.settings.task_queue))
    app = FastAPI()
    app.state.container = Container(
        site.settings, key_ring(), office.database, Objects(site.settings), temporal, signals
    )
    someone = Accredited(Desk(app, office), anna)
    hers = await (await signed_in(browser, site, office, anna)).new_page()
    theirs = await (await signed_in(browser, site, office, hr)).new_page()

    await hers.goto(f"{site.url}/applications")
    await hers.get_by_role("link", name="Аккредитация", exact=True).click()
    await expect(hers.get_by_text("Часы обучения: 0 из 144")).to_be_visible()
    await expect(hers.get_by_text("Не хватает: 144")).to_be_visible()
    await looks_right(hers, "empty")
    await someone.has("diploma", DIPLOMA)
    await someone.has("course", course(108, 60))
    old_one = await described(hers, site)
    await hers.goto(f"{site.url}/accreditations")
    await expect(hers.get_by_text("Любая из этих программ")).to_be_visible()
    await hers.get_by_text("Курсы, которые мы посчитали").click()
    await looks_right(hers, "missing")
    await hers.goto(old_one)
    await hers.get_by_role("link", name="Продлить").click()
    await hers.get_by_role("button", name="Начать заявку").press("Enter")
    await expect(hers.get_by_role("heading", level=1)).to_have_text("Документы для аккредитации")
    await expect(hers.get_by_role("link", name=f"№ {OLD_NUMBER}")).to_be_visible()
    await someone.has("course", course(36, 36, "2"))
    await hers.get_by_role("button", name="Дополнить из дела о квалификации").click()
    await expect(hers.get_by_text("Черновик дополнен")).to_be_visible()
    await looks_right(hers, "draft")
    case_url = hers.url.split("?")[0].removesuffix("/draft")
    await hers.goto(f"{case_url}/draft/specialty")
    await expect(hers.locator("#field-previous_number")).to_have_value(OLD_NUMBER)
    await expect(hers.locator("#source-previous_number")).to_contain_text("внесено вами")
    await expect(hers.locator("#source-specialty")).to_contain_text(OLD_NUMBER)
    await looks_right(hers, "filled")
    await hers.goto(f"{case_url}/draft/work")
    await hers.locator("[name=experience]").fill("12")
    await hers.locator("[name=report]").fill("Приём и диагностика, школа пациентов.")
    await looks_right(hers, "section")
    await hers.keyboard.press("Tab")
    await hers.get_by_role("button", name="Сохранить и продолжить").press("Enter")
    await hers.goto(f"{case_url}/draft/consents")
    await hers.locator("[name=data_consent]").check()
    await hers.get_by_role("button", name="Сохранить и продолжить").press("Enter")
    await hers.goto(f"{case_url}/draft/check")
    await expect(hers.get_by_text("144").first).to_be_visible()
    await looks_right(hers, "check")
    await hers.get_by_role("button", name="Отправить документы").press("Enter")
    await expect(hers.locator("#live-waits")).to_contain_text("отдел кадров")
    await looks_right(hers, "sent")

    async with centre(site.settings.accreditation_centre_url, answer="remarks") as switches:
        await theirs.goto(f"{site.url}/desk/cases/{case_url.rsplit('/', 1)[-1]}")
        await expect(theirs.get_by_text("Часов обучения достаточно.").first).to_be_visible()
        await looks_right(theirs, "desk")
        for box in await theirs.locator("input[name^='check.']").all():
            await box.check()
        await theirs.locator("#outcome-approve").check()
        await theirs.locator("[name=reason]").fill("Документы сверены.")
        await theirs.locator("#decision button[data-prevent-double-click]").last.click()
        await reached(office, signals, hers, "Федеральный центр просит исправить")
        await looks_right(hers, "asked")
        await switches.put("/behaviour", json={"delay": 0})
    await theirs.reload()
    await looks_right(theirs, "desk-asked")


async def described(page: Page, site: Site) -> str:
    """Upload a copy and describe the old accreditation on the pages. Returns its address."""
    await page.goto(f"{site.url}/credentials/new")
    copy = FilePayload(name="Свидетельство.pdf", mimeType="application/pdf", buffer=small_pdf())
    await page.set_input_files("#several", [copy])
    await page.get_by_role("link", name="Описать первый").press("Enter")
    await page.select_option("#category", "accreditation")
    await page.get_by_role("button", name="Выбрать", exact=True).press("Enter")
    await page.get_by_label("Периодическая").check()
    for name in ("specialty", "number", "issuer", "issued_on", "valid_until"):
        await page.fill(f"#field-{name}", OLD_ONE[name])
    await page.get_by_role("button", name="Добавить в дело").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Аккредитация специалиста")
    return page.url


async def reached(office: Office, signals: CaseSignals, page: Page, words: str) -> None:
    """Wait until the page says this; what is due is woken as the sweeper would."""

    async def says() -> bool:
        await wakeups.sweep(office.database, signals, 0)
        await page.reload()
        return words in await page.content()

    await until(says)
