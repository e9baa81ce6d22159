"""Requests answered in a real browser, against a real worker, Temporal and the simulated module."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pikepdf import Pdf
from playwright.async_api import Browser, Locator, Page, expect

from clients.database import Database
from clients.gov_service import CALLBACK_PATH
from clients.temporal.client import connect
from crypto.key_ring import KeyRing
from rules.clock import now
from settings import Settings
from tests.applications.test_story import paper
from tests.requests.living import behave
from tests.requests.test_pages import begin, go_on
from tests.shared.cabinet import PHONE, Site, faults_of, press, signed_in, watch
from tests.shared.counter import FORMS, Counter
from tests.shared.office import Office
from worker import build

pytestmark = pytest.mark.browser

CALLED_BACK: dict[str, Any] = {"delay": 1, "callbacks": "sent"}
BY_MODULE = {
    "qualification_confirmation": "Подтверждение квалификации",
    "insurance": "Страхование",
}
BY_PEOPLE = {
    "workplace_certificate": "Справка с места работы",
    "equipment": "Оборудование и расходные материалы",
}


SOON = f"{now() + timedelta(days=30):%d.%m.%Y}"


@pytest.fixture(scope="module")
async def worker(site: Site, settings: Settings, database: Database) -> AsyncIterator[None]:
    """A worker whose requests are called back at the served cabinet."""
    told = settings.model_copy(update={"gov_service_callback_url": site.url + CALLBACK_PATH})
    client = await connect(told, KeyRing.parse(told.keys.get_secret_value()))
    async with build(told, client, database):
        yield


@pytest.fixture
async def module(module: httpx.AsyncClient) -> httpx.AsyncClient:
    """The switches of the module, which answers within a second and calls back."""
    await behave(module, **CALLED_BACK)
    return module


async def fill_in(page: Page, key: str) -> None:
    """Fill in the form of a type, page by page, until the check. (The gallery shows its pages.)"""
    await page.locator(".tasks a").first.click()
    while not (await page.locator("h1").inner_text()).startswith("Проверьте"):
        for name, given in FORMS[key].items():
            value = SOON if given is None else given
            field = page.locator(f"[name={name}]")
            if await field.count():
                await answer_field(page, field, str(value))
        await go_on(page)


async def answer_field(page: Page, field: Locator, value: str) -> None:
    """Type, choose or tick, as the field wants it."""
    kind = await field.first.get_attribute("type")
    if kind == "radio":
        await page.locator(
            f"[name={await field.first.get_attribute('name')}][value={value}]"
        ).check()
    elif kind == "checkbox":
        await field.check()
    elif await field.first.evaluate("(node) => node.tagName") == "SELECT":
        await field.select_option(value)
    else:
        await field.fill(value)


async def send(page: Page, site: Site, key: str, title: str) -> str:
    """Choose the type, fill in, send; the number."""
    await begin(page, site, title)
    await fill_in(page, key)
    await page.get_by_role("button", name="Отправить запрос").click()
    number = await page.locator(".big-number").inner_text()
    await page.get_by_role("link", name="Следить за запросом").click()
    return number


async def pictures_are_drawn(page: Page) -> None:
    """Every picture of a page has been drawn."""
    pictures = page.locator(".sheet img")
    await expect(pictures.first).to_be_visible()
    for place in range(await pictures.count()):
        await pictures.nth(place).scroll_into_view_if_needed()
        await expect(pictures.nth(place)).to_have_js_property("complete", True)
        assert await pictures.nth(place).evaluate("(node) => node.naturalWidth") > 100


@pytest.mark.usefixtures("worker", "module")
async def test_the_module_answers(
    browser: Browser, site: Site, office: Office, tmp_path: Path
) -> None:
    """Sent, followed without a reload, answered: looked at, kept, its signature told (S1-S4).

    `test_every_form_is_filled_in_page_by_page` and `test_every_type_of_the_module_is_answered`
    do it for all types without a browser.
    """
    key = "qualification_confirmation"
    context = await signed_in(browser, site, office, office.clinician)
    page = await context.new_page()
    wrong = watch(page)
    await send(page, site, key, BY_MODULE[key])
    await expect(page.locator(".waits-word")).to_have_text("Готов")
    answer = page.locator(".answer")
    await expect(answer).to_contain_text("Подпись проверена")
    assert not await faults_of(page)
    async with page.expect_download() as keeping:
        await answer.get_by_role("link", name="Скачать").first.click()
    kept = tmp_path / "answer.pdf"
    await (await keeping.value).save_as(kept)
    with Pdf.open(kept) as document:
        assert document.pages
    await answer.get_by_role("link", name="Посмотреть").first.click()
    await pictures_are_drawn(page)
    await page.get_by_role("link", name="Назад").click()
    await page.get_by_role("link", name="Посмотреть запрос").click()
    await pictures_are_drawn(page)
    await page.goto(site.url)
    await expect(page.locator(".case-list li").first).to_contain_text("Готов")
    assert wrong == []
    await context.close()


@pytest.mark.usefixtures("worker")
async def test_corrected_after_the_answer(
    browser: Browser, site: Site, office: Office, module: httpx.AsyncClient
) -> None:
    """Refused, corrected, answered, corrected again: every version and answer stays (S6)."""
    context = await signed_in(browser, site, office, office.clinician)
    page = await context.new_page()
    wrong = watch(page)
    await behave(module, **CALLED_BACK, answer="refused")
    await send(page, site, "insurance", BY_MODULE["insurance"])
    await expect(page.locator(".waits-word")).to_have_text("Отказано")
    await expect(page.locator(".answer-bad")).to_contain_text("Отказано")
    await expect(page.locator(".answer-bad .quote")).not_to_be_empty()
    assert not await faults_of(page)
    await page.goto(site.url)
    await expect(page.locator(".card-call-bad, .case-list").first).to_be_visible()
    await behave(module, **CALLED_BACK)
    await page.locator(".card-call-bad a, .case-list a").first.click()
    for text in ("Нужно письмо с печатью.", "Нужно письмо с печатью и датой."):
        await page.get_by_role("link", name="Исправить и отправить снова").click()
        await expect(page.locator("main")).to_contain_text("Прежний ответ сохранится")
        await page.get_by_role("link", name="Предмет запроса").click()
        await page.locator("[name=description]").fill(text)
        await go_on(page)
        await expect(page.locator("main ins")).to_contain_text(text)
        await page.get_by_role("button", name="Отправить исправление").click()
        await expect(page.locator("h1")).to_have_text("Мы приняли новую версию запроса")
        await page.get_by_role("link", name="Следить за запросом").click()
        await expect(page.locator(".waits-word")).to_have_text("Готов")
    await expect(page.locator(".answer")).to_have_count(3)
    await expect(page.locator(".answer-earlier")).to_have_count(2)
    await expect(page.locator(".answer").first).to_contain_text("Ответ на версию 3")
    await expect(page.locator(".timeline")).to_contain_text("отправили снова: версия 3")
    await page.get_by_role("heading", name="Что вы отправили").click()
    await page.get_by_role("link", name="Что изменилось").click()
    await expect(page.locator("main del")).to_contain_text("с печатью.")
    assert not await faults_of(page)
    assert [line for line in wrong if "422" not in line] == []
    await context.close()


@pytest.mark.usefixtures("worker", "module")
async def test_people_of_the_unit_answer(
    browser: Browser, site: Site, counter: Counter, tmp_path: Path
) -> None:
    """A request for equipment lies in the queue of its unit, and is answered there (W8)."""
    office, key = counter.office, "equipment"
    applicant = await signed_in(browser, site, office, counter.clinician)
    asking = await applicant.new_page()
    number = await send(asking, site, key, BY_PEOPLE[key])
    await expect(asking.locator(".waits-word")).to_have_text("В обработке")
    await expect(asking.locator(".waits")).to_contain_text("Отдел снабжения")

    desk = await signed_in(browser, site, office, counter.clerk)
    page = await desk.new_page()
    wrong = watch(page)
    await page.goto(f"{site.url}/desk?what=request")
    row = page.locator("tbody tr").filter(has_text=number)
    await expect(row).to_contain_text("В обработке")
    assert not await faults_of(page)
    # Of all that waits an answer would lead on to what others asked for.
    await page.goto(f"{site.url}/desk?number={number}")
    await page.locator(".row-link").click()
    await expect(page.locator(".pane-document")).to_contain_text("Электрокардиограф ЭК12Т")
    assert not await faults_of(page)
    await press(page, "a")
    await expect(page.locator("#outcome-answer")).to_be_checked()
    await expect(page.locator("#field-message")).to_be_focused()
    await page.get_by_role("button", name="Отправить заявителю").click()
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Напишите ответ")
    assert not await faults_of(page)
    broken = tmp_path / "счёт.pdf"
    broken.write_bytes(b"%PDF-1.7\nthis is not a document")
    await page.locator("#field-message").fill("Прибор выдадим в четверг.")
    await page.locator("#field-answer-file").set_input_files(broken)
    await page.get_by_role("button", name="Отправить заявителю").click()
    await expect(page.locator("#error-answer-file")).to_be_visible()
    await expect(page.locator("#field-message")).to_have_value("Прибор выдадим в четверг.")
    await page.locator("#field-answer-file").set_input_files(paper(tmp_path))
    await page.get_by_role("button", name="Отправить заявителю").dblclick()
    await expect(page.locator(".flash")).to_contain_text("Ответ отправлен")
    await expect(page.locator(".answer")).to_have_count(1)
    assert not await faults_of(page)
    assert [line for line in wrong if "422" not in line] == []

    await expect(asking.locator(".waits-word")).to_have_text("Готов")
    await expect(asking.locator(".answer")).to_contain_text("Прибор выдадим в четверг.")
    await expect(asking.locator(".answer")).to_contain_text("Панова Вера Юрьевна")
    await asking.locator(".answer").get_by_role("link", name="Посмотреть").click()
    await pictures_are_drawn(asking)
    await applicant.close()
    await desk.close()


@pytest.mark.usefixtures("worker", "module")
async def test_a_certificate_from_the_workplace_is_refused_then_given(
    browser: Browser, site: Site, office: Office, tmp_path: Path
) -> None:
    """HR answers it with a file, or refuses with the reason; a withdrawn one leaves the desk."""
    key = "workplace_certificate"
    applicant = await signed_in(browser, site, office, office.clinician, viewport=PHONE)
    asking = await applicant.new_page()
    number = await send(asking, site, key, BY_PEOPLE[key])
    await expect(asking.locator(".waits-word")).to_have_text("В обработке")
    desk = await signed_in(browser, site, office, office.head)
    page = await desk.new_page()
    await page.goto(f"{site.url}/desk?number={number}")
    await page.locator(".row-link").first.click()
    await page.wait_for_url("**/desk/cases/**")
    await press(page, "r")
    await page.keyboard.type("Укажите номер приказа.")
    await page.get_by_role("button", name="Отправить заявителю").click()
    await expect(page.locator(".flash")).to_contain_text("Отказ отправлен")
    await expect(asking.locator(".waits-word")).to_have_text("Отказано")
    await expect(asking.locator(".answer-bad")).to_contain_text("Укажите номер приказа.")

    await asking.get_by_role("link", name="Исправить и отправить снова").click()
    await asking.locator(".tasks a").first.click()
    await asking.locator("[name=remark]").fill("Приказ № 12-к")
    await go_on(asking)
    await asking.get_by_role("button", name="Отправить исправление").click()
    await asking.get_by_role("link", name="Следить за запросом").click()
    await expect(asking.locator(".waits-word")).to_have_text("В обработке")
    await page.reload()
    await page.get_by_role("link", name="Что изменилось").click()
    await expect(page.locator("main ins").first).to_contain_text("12-к")
    await press(page, "a")
    await page.get_by_role("button", name="Отправить заявителю").click()
    await expect(page.locator("#error-answer-file")).to_contain_text("Приложите файл")
    await page.locator("#field-answer-file").set_input_files(paper(tmp_path))
    await page.get_by_role("button", name="Отправить заявителю").click()
    await expect(asking.locator(".waits-word")).to_have_text("Готов")
    await expect(asking.locator(".answer")).to_have_count(2)
    assert not await faults_of(asking)
    width = await asking.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
    await applicant.close()
    await desk.close()
