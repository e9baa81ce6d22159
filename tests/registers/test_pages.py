"""From «Проверить в реестре» to an accepted and a disputed difference, as people meet them (Q7)."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page
from sqlmodel import select

from models.tables.people import Person
from models.tables.registers import RegisterCheck
from rules.access import Role
from rules.clock import now
from rules.registers.kinds import RegisterName
from services.registers import syncing
from tests.credentials.conftest import Keeping, keeping
from tests.registers.said import ACCREDITATION, COURSE, has_said
from tests.shared.cabinet import Site, at, watch, well_made
from tests.shared.office import Office

__all__ = ["keeping"]
pytestmark = pytest.mark.browser


async def looked_at(page: Page, name: str) -> None:
    """The page is well made; a picture of each look, where somebody wants some."""

    async def picture(look: str) -> None:
        if folder := os.environ.get("MEDCAB_SHOTS"):
            await page.screenshot(path=Path(folder) / f"{name}-{look}.png", full_page=True)

    await well_made(page, picture)


async def test_what_a_register_says_is_accepted_or_disputed(
    browser: Browser, site: Site, office: Office, keeping: Keeping
) -> None:
    """The check waits for a worker; differences are answered by keyboard; HR reads the words."""
    doctor = office.clinician
    hr = await office.person("Кадрова Ирина Львовна", Role.HR_HEAD, office.institution)
    await keeping.add(valid_until="25.11.2028")
    for register, said in (
        (RegisterName.ACCREDITATION, ACCREDITATION),
        (RegisterName.EDUCATION, COURSE),
    ):
        await has_said(office.database, doctor.person_id, register, 1, said)
    context, page = await at(browser, site, office, doctor, "/registers")
    said_wrong = watch(page)
    await looked_at(page, "own")
    await page.get_by_role("button", name="Проверить в реестре").click()
    await page.get_by_text("Спрашиваем реестры").wait_for()
    await looked_at(page, "checking")
    async with office.database.work() as session:
        found = await session.exec(
            select(RegisterCheck).where(RegisterCheck.person_id == doctor.person_id)
        )
        check = found.one()
        assert len(check.waits_for) == len(RegisterName)
        check.tries, check.next_try_at = 1, now()
        check.ended_at, check.waits_for = now(), []
        session.add(check)
    await page.goto(f"{site.url}/registers")
    course = page.locator("article", has_text="Повышение квалификации")
    await course.locator("summary").focus()
    await page.keyboard.press("Enter")
    await course.get_by_label("Что неверно").fill("")
    await course.get_by_role("button", name="Оспорить").press("Enter")
    await page.get_by_text("Укажите причину").first.wait_for()
    await looked_at(page, "refused")
    await course.get_by_label("Что неверно").fill("Этот курс проходил однофамилец")
    await course.get_by_role("button", name="Оспорить").press("Enter")
    await page.get_by_text("Отдел кадров получит ваши слова").wait_for()
    await page.get_by_role("button", name="Принять сведения реестра").press("Enter")
    await page.get_by_text("Сведения реестра приняты").wait_for()
    assert "25.11.2029" in await page.content()
    # The browser itself names the refused form.
    assert [one for one in said_wrong if "422" not in one] == []
    await context.close()
    context, page = await at(browser, site, office, hr, "/registers/disputes")
    mine = page.locator("article", has_text="однофамилец")
    await looked_at(page, "disputes")
    await mine.get_by_label("Ответ").fill("Запись уберут")
    await mine.get_by_role("button", name="Ответить").press("Enter")
    await page.get_by_text("Сотрудник получит ваш ответ").wait_for()
    await context.close()


async def test_ops_see_how_far_the_comparison_is(
    browser: Browser, site: Site, office: Office
) -> None:
    """Each register with its progress."""
    async with office.database.work() as session:
        person = await session.get_one(Person, office.clinician.person_id)
        assert person.snils
    await syncing.begin(office.database, RegisterName.WORKERS)
    ops = await office.person("Дежурный Олег Ильич", Role.OPS, office.institution)
    context, page = await at(browser, site, office, ops, "/registers/runs")
    await page.get_by_role("progressbar").first.wait_for()
    await looked_at(page, "runs")
    await context.close()
