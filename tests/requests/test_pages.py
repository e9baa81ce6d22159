"""A request in a real browser: from the choice of its type to its number, corrected, taken back."""

from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, expect
from sqlmodel import select

from clients.database import Database
from models.tables.cases import Case, CaseAct
from rules.cases.process import Status
from tests.applications.test_story import fill
from tests.shared.cabinet import Site, faults_of, signed_in, watch
from tests.shared.counter import Counter
from tests.shared.office import Office

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

    await expect(page.locator("h1")).to_have_text("Что указать в справке")
    await page.get_by_label("Грипп", exact=True).check()
    await fill(page, purpose="В отдел кадров")
    await go_on(page)
    await expect(page.locator("h1")).to_have_text("Согласия")
    await page.goto(page.url.replace("/consents", "/check"))
    await page.get_by_role("button", name="Отправить запрос").click()
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Даю согласие")
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


async def test_by_the_keyboard_alone_then_withdrawn_and_copied(
    browser: Browser, site: Site, database: Database
) -> None:
    """Without a mouse from the choice to the number; taken back, and begun again from it (S6)."""
    counter = await Counter.open(database)
    context = await signed_in(browser, site, counter.office, counter.clinician)
    page = await context.new_page()
    await page.goto(f"{site.url}/requests/new")
    await reach(page, "Заполнить: Оборудование")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Оборудование и расходные материалы")
    await reach(page, "Предмет запроса")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Предмет запроса")
    await page.locator("[name=equipment_kind]").first.focus()
    await page.keyboard.press("Space")
    for text in ("Электрокардиограф", "2", "01.12.2030", "Кабинет 12", "Прежний сломан."):
        await page.keyboard.press("Tab")
        await page.keyboard.type(text)
    await reach(page, "Сохранить и продолжить")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Проверьте ответы")
    await reach(page, "Отправить запрос")
    await page.keyboard.press("Enter")
    number = await page.locator(".big-number").inner_text()
    await page.get_by_role("link", name="Следить за запросом").click()
    await page.get_by_role("link", name="Отозвать запрос").click()
    await expect(page.locator("h1")).to_contain_text(number)
    assert not await faults_of(page)
    await page.locator("[name=reason]").fill("Уже привезли.")
    await page.get_by_role("button", name="Отозвать").click()
    await expect(page.locator(".waits-word")).to_have_text("Отозван")
    await expect(page.locator(".flash")).to_have_text("Запрос отозван.")
    await page.get_by_role("button", name="Отправить заново").click()
    await expect(page.locator("#progress-words")).to_have_text("Готово 1 из 1")
    await page.get_by_role("button", name="Удалить черновик").click()
    await expect(page.locator("h1")).to_have_text("Мои запросы")
    await expect(page.locator(".case-list > li")).to_have_count(1)
    await page.goto(f"{site.url}/requests?type=laboratory_results")
    await expect(page.locator(".empty")).to_contain_text("ничего не найдено")
    await page.locator("#filter-type").select_option("equipment")
    await page.get_by_role("button", name="Показать").click()
    await expect(page.locator(".case-list > li")).to_have_count(1)
    await expect(page.locator("#filter-type")).to_have_value("equipment")
    await page.goto(f"{site.url}/requests?status=ready&from=вчера")
    await expect(page.locator("#filter-error")).to_be_visible()
    await context.close()


async def reach(page: Page, name: str) -> None:
    """Go on by Tab until the focus is on what is called so."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        words = await page.evaluate("document.activeElement.textContent")
        if " ".join(words.split()).startswith(name):
            return
    raise AssertionError(f"no way to {name} by the keyboard")


async def test_only_those_concerned_see_and_answer(
    browser: Browser, site: Site, database: Database
) -> None:
    """Beside a case a reviewer sees only cases of the own unit; a foreign form answers nothing."""
    counter = await Counter.open(database)
    seen = await counter.laid_on_the_desk("equipment")
    hidden = await counter.sent("laboratory_results")
    context = await signed_in(browser, site, counter.office, counter.clerk)
    page = await context.new_page()
    await page.goto(f"{site.url}/desk/cases/{seen}")
    await expect(page.locator("h1")).to_contain_text("Оборудование")
    await expect(page.locator("main")).not_to_contain_text("лабораторных")
    for address in (f"desk/cases/{hidden}", f"requests/{hidden}", f"requests/{hidden}/papers/1"):
        answer = await page.goto(f"{site.url}/{address}")
        assert answer is not None
        assert answer.status == 404
    step = (await counter.office.case(seen)).step
    fields = {"act_id": str(uuid4()), "at_step": str(step), "outcome": "answer", "message": "Да"}
    reply = await context.request.post(
        f"{site.url}/requests/{seen}/answer", multipart={**fields, "csrf_token": "guessed"}
    )
    assert reply.status == 403
    assert (await counter.office.case(seen)).status == Status.PROCESSING
    await context.close()
