"""A request that asks for documents, of a type that came by a file alone, in a real browser."""

from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect

from clients.temporal.client import connect
from crypto.key_ring import KeyRing
from services.catalogue import loading
from settings import Settings
from tests.applications.test_story import fill, paper
from tests.requests.test_pages import begin, go_on
from tests.shared.cabinet import PHONE, Site, faults_of, signed_in, watch
from tests.shared.counter import Counter
from worker import build

pytestmark = pytest.mark.browser

TITLE = "Пропуск во двор"
TYPE = """
types:
  - key: {key}
    version: 1
    kind: request
    title: {title}
    channel: desk
    addressee: supply
    answer: message
    terms: {{review: 2, review_reminders: []}}
    attachments:
      - kind: other
        title: Свидетельство о регистрации автомобиля
      - kind: workplace_reference
        title: Ходатайство заведующего
        required: false
    sections:
      - name: car
        title: Об автомобиле
        fields:
          - name: car
            label: Номер автомобиля
"""


async def test_documents_go_with_a_request(
    browser: Browser, site: Site, settings: Settings, counter: Counter, tmp_path: Path
) -> None:
    """S1, S2, Q10: asked for, refused without, uploaded, chosen again; read by those who answer."""
    file = tmp_path / "type.yaml"
    file.write_text(TYPE.format(key=f"yard_{uuid4().hex[:8]}", title=TITLE), "utf-8")
    async with counter.database.work() as session:
        await loading.load(session, [file])
    context = await signed_in(browser, site, counter.office, counter.clinician, viewport=PHONE)
    page = await context.new_page()
    wrong = watch(page)
    await page.goto(f"{site.url}/requests/new")
    card = page.locator(".card").filter(has=page.get_by_role("heading", name=TITLE, exact=True))
    await expect(card).to_contain_text("свидетельство о регистрации автомобиля")
    await expect(card).not_to_contain_text("ходатайство")
    await begin(page, site, TITLE)
    await expect(page.locator("#progress-words")).to_have_text("Готово 0 из 2")
    await expect(page.locator(".tasks li").last).to_contain_text("Приложено 0 из 1")
    await page.get_by_role("link", name="Об автомобиле").click()
    await fill(page, car="А123ВС77")
    await go_on(page)

    await expect(page.locator("h1")).to_have_text("Документы")
    await expect(page.locator("main")).to_contain_text("Раздел 2 из 2")
    await page.get_by_role("link", name="Продолжить").click()
    await expect(page.locator(".slot-line").first).to_contain_text("не приложено")
    await page.get_by_role("button", name="Отправить запрос").click()
    await page.locator(".govuk-error-summary").get_by_role("link", name="Приложите").click()
    slot = page.locator("#slot-other")
    broken = tmp_path / "не документ.pdf"
    broken.write_bytes(b"%PDF-1.7\nthis is not a document")
    await slot.locator("input[type=file]").set_input_files(broken)
    await expect(slot.locator(".file-bad")).to_contain_text("Отсканируйте документ заново")
    await slot.locator("input[type=file]").set_input_files(paper(tmp_path, "СТС.pdf"))
    await expect(slot.locator(".file-good")).to_contain_text("Файл прошёл проверку")
    await expect(slot.locator(".file-bad")).to_have_count(0)
    assert not await faults_of(page)
    await slot.get_by_role("button", name="Убрать").click()
    await expect(slot).to_contain_text("Нужен файл")
    await slot.get_by_text("Выбрать из моих документов").click()
    await slot.get_by_role("button", name="Приложить выбранный").click()
    await expect(slot.locator(".file-good")).to_contain_text("СТС.pdf")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.get_by_role("link", name="К списку разделов").click()
    await expect(page.locator("#progress-words")).to_have_text("Готово 2 из 2")
    await page.get_by_role("link", name="Проверить и отправить").click()
    await expect(page.locator(".slot-line").first).to_contain_text("СТС.pdf")
    assert not await faults_of(page)
    await page.get_by_role("button", name="Отправить запрос").click()
    number = await page.locator(".big-number").inner_text()
    await page.get_by_role("link", name="Следить за запросом").click()
    client = await connect(settings, KeyRing.parse(settings.keys.get_secret_value()))
    async with build(settings, client, counter.database):
        await expect(page.locator(".waits-word")).to_have_text("В обработке")
    await expect(page.locator("main .file-good")).to_contain_text("СТС.pdf")
    assert not await faults_of(page)

    desk = await signed_in(browser, site, counter.office, counter.clerk)
    reading = await desk.new_page()
    await reading.goto(f"{site.url}/desk?number={number}")
    await reading.locator(".row-link").first.click()
    async with desk.expect_page() as opening:
        await reading.locator(".file-good a", has_text="СТС.pdf").first.click()
    await expect((await opening.value).locator(".sheet img").first).to_be_visible()

    await page.get_by_role("link", name="Исправить и отправить снова").click()
    await page.get_by_role("link", name="Документы").last.click()
    letter = page.locator("#slot-workplace_reference")
    await letter.locator("input[type=file]").set_input_files(paper(tmp_path, "Письмо.pdf"))
    await expect(letter.locator(".file-good")).to_contain_text("Письмо.pdf")
    await page.get_by_role("link", name="Продолжить").click()
    await page.get_by_role("button", name="Отправить исправление").click()
    await page.get_by_role("link", name="Следить за запросом").click()
    await expect(page.locator("main .file-good")).to_have_count(2)
    await page.get_by_role("heading", name="Что вы отправили").click()
    await page.get_by_role("link", name="Версия 1").click()
    await expect(page.locator("main .file-good")).to_have_count(1)
    assert not [line for line in wrong if "422" not in line]
    await context.close()
    await desk.close()
