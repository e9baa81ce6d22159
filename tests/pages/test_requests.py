"""A request in a real browser: from the choice of its type to its number, corrected, taken back."""

import pytest
from playwright.async_api import Browser, Page, expect
from sqlmodel import select

from models.tables.cases import Case, CaseAct
from tests.office import Office
from tests.pages.conftest import Site, faults_of, signed_in, watch
from tests.pages.test_story import fill

pytestmark = pytest.mark.browser

POLICY = "7700 0000 0000 0016"
"""The number of a compulsory insurance policy whose last digit is right."""


async def begin(page: Page, site: Site, title: str) -> None:
    """Choose a type of request."""
    await page.goto(f"{site.url}/requests/new")
    card = page.locator(".card").filter(has=page.get_by_role("heading", name=title, exact=True))
    await card.get_by_role("button", name="Заполнить").click()
    await expect(page.locator("h1")).to_have_text(title)


async def go_on(page: Page) -> None:
    """Keep the section and go on."""
    await page.get_by_role("button", name="Сохранить и продолжить").click()


async def test_from_the_choice_to_a_number(browser: Browser, site: Site, office: Office) -> None:
    """Choose, fill in, be told while typing, check, send: a number and a term (S1, S2, S3)."""
    context = await signed_in(browser, site, office, office.clinician)
    page = await context.new_page()
    wrong = watch(page)
    await page.goto(site.url)
    await page.get_by_role("link", name="Мои запросы").click()
    await page.get_by_role("link", name="Выбрать запрос").click()
    assert not await faults_of(page)
    card = page.locator(".card").filter(has_text="Справка о прививках")
    await expect(card).to_contain_text("Федеральный регистр вакцинированных")
    await expect(card).to_contain_text("3 рабочих дня")
    await begin(page, site, "Справка о прививках")
    await expect(page.locator("#progress-words")).to_have_text("Готово 0 из 3")
    assert not await faults_of(page)

    await page.get_by_role("link", name="О ком справка").click()
    await expect(page.locator("[name=full_name]")).to_have_value("Соколова Анна Сергеевна")
    await fill(page, patient_id="7700 0000 0000 0015")
    await page.locator("h1").click()
    await expect(page.locator("#error-patient_id")).to_contain_text("контрольная цифра")
    await expect(page.locator("#saved-note")).to_contain_text("Сохранено в")
    await go_on(page)
    await expect(page.locator(".govuk-error-summary")).to_be_focused()
    await expect(page.locator("#error-birth_date")).to_contain_text("Заполните поле")
    assert not await faults_of(page)
    await fill(page, patient_id=POLICY, birth_date="04.12.1985")
    await go_on(page)

    await expect(page.locator("h1")).to_have_text("Что указать")
    await page.get_by_label("Грипп", exact=True).check()
    await fill(page, purpose="В отдел кадров")
    await go_on(page)
    await expect(page.locator("h1")).to_have_text("Согласия")
    await page.goto(page.url.replace("/consents", "/check"))
    await page.get_by_role("button", name="Отправить запрос").click()
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Согласен(на)")
    await page.locator(".govuk-error-summary a").click()
    await page.get_by_role("checkbox").check()
    await go_on(page)

    await expect(page.locator("h1")).to_have_text("Проверьте ответы")
    await expect(page.locator("main")).to_contain_text("Федеральный регистр вакцинированных")
    assert not await faults_of(page)
    await page.get_by_role("button", name="Отправить запрос").dblclick()
    await expect(page.locator(".big-number")).to_contain_text("ЗС-")
    number = await page.locator(".big-number").inner_text()
    await expect(page.locator(".steps")).to_contain_text("Федеральный регистр вакцинированных, до")
    assert not await faults_of(page)
    await page.get_by_role("link", name="Следить за запросом").click()
    await expect(page.locator(".waits-word")).to_have_text("Принят")
    await expect(page.locator(".timeline li").first).to_contain_text("Вы отправили запрос")
    assert not await faults_of(page)
    async with office.database.work() as session:
        acts = (
            await session.exec(
                select(CaseAct).join(Case).where(Case.number == number.replace("\u2011", "-"))
            )
        ).all()
    assert [act.transition for act in acts] == ["submit"]
    await page.get_by_label("Найти по номеру").first.fill(number.lower().replace("-", " "))
    await page.keyboard.press("Enter")
    await expect(page.locator(".page-head .number")).to_have_text(number)
    assert not [line for line in wrong if "422" not in line]
    await context.close()
