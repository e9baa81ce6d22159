"""An applicant's way through the cabinet in a real browser: from signing in to the answer."""

from pathlib import Path

import pytest
from pikepdf import Pdf
from playwright.async_api import Browser, Page, expect

from rules.cases.process import Transition
from tests.shared.accounts import PASSWORD, fresh_code
from tests.shared.cabinet import DESKTOP, Site, account_of, faults_of, signed_in, watch
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE

pytestmark = pytest.mark.browser


def paper(folder: Path, name: str = "Диплом.pdf") -> Path:
    """A harmless PDF of one page."""
    document = Pdf.new()
    document.add_blank_page(page_size=(595, 842))
    path = folder / name
    document.save(path)
    return path


async def fill(page: Page, **answers: str) -> None:
    """Type into fields by their names."""
    for name, value in answers.items():
        await page.locator(f"[name={name}]").fill(value)


async def test_first_sign_in_sets_up_the_second_factor(
    browser: Browser, site: Site, office: Office
) -> None:
    """The first sign-in shows a QR and its key, and a code of it opens the cabinet (I5)."""
    key = await account_of(office, office.clinician, set_up=False)
    context = await browser.new_context(viewport=DESKTOP, locale="ru-RU")  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE * 1000)
    page = await context.new_page()
    wrong = watch(page)
    await page.goto(f"{site.url}/applications")
    await expect(page.locator("h1")).to_have_text("Вход в личный кабинет")
    await fill(page, email=key.email, password="не тот пароль")
    await page.get_by_role("button", name="Продолжить").click()
    await expect(page.locator("#field-email")).to_have_value(key.email)
    await expect(page.locator(".govuk-error-summary")).to_be_focused()
    await fill(page, password=PASSWORD)
    await page.get_by_role("button", name="Продолжить").click()
    await expect(page.locator("h1")).to_have_text("Подключите приложение для кодов")
    assert not await faults_of(page)
    secret = (await page.locator("#totp-secret").inner_text()).replace(" ", "")
    await fill(page, code=await fresh_code(secret))
    await page.get_by_role("button", name="Подключить и войти").click()
    await expect(page.locator("h1")).to_have_text("Сохраните коды восстановления")
    assert not await faults_of(page)
    assert len((await page.locator("#recovery-codes").inner_text()).split()) == 10
    await page.get_by_role("link", name="Коды сохранены, продолжить").click()
    await expect(page.locator("h1")).to_have_text("Мои заявки")
    assert not [line for line in wrong if "422" not in line]
    await page.get_by_text("Меню", exact=True).locator("..").click()
    await page.get_by_role("button", name="Выйти").click()
    await expect(page.locator("h1")).to_have_text("Вход в личный кабинет")
    await page.goto(f"{site.url}/applications")
    await expect(page.locator("h1")).to_have_text("Вход в личный кабинет")
    await context.close()


async def test_from_the_catalogue_to_a_number(
    browser: Browser, site: Site, office: Office, tmp_path: Path
) -> None:
    """Choose a programme, fill in, attach, check, send, follow (A1, A2, A3, A8)."""
    context = await signed_in(browser, site, office, office.clinician)
    page = await context.new_page()
    wrong = watch(page)
    await page.goto(f"{site.url}/programmes")
    await page.get_by_label("Название, организация или тема").fill("ЭКГ терапевта")
    await page.get_by_role("button", name="Найти", exact=True).last.click()
    await page.locator("main .cards a").first.click()
    await page.get_by_role("button", name="Подать заявку").click()
    await expect(page.locator("h2").first).to_contain_text("Готово")

    await page.get_by_role("link", name="Программа", exact=True).click()
    await fill(page, starts_on="вчера")
    await page.locator("h1").click()
    await expect(page.locator("#error-starts_on")).to_contain_text("Напишите дату")
    await expect(page.locator("#saved-note")).to_contain_text("Сохранено в")
    await fill(page, starts_on="18.01.2027")
    await page.get_by_role("button", name="Сохранить и продолжить").click()

    await expect(page.locator("h1")).to_have_text("Сведения о заявителе")
    await page.locator("[name=specialty]").select_option("cardiology")
    await page.get_by_role("button", name="Сохранить и продолжить").click()
    await expect(page.locator("h1")).to_have_text("Образование")
    await page.get_by_role("button", name="Сохранить и продолжить").click()
    await expect(page.locator(".govuk-error-summary")).to_be_focused()
    await page.get_by_label("Высшее (специалитет)").check()
    await fill(
        page,
        institution="Первый медицинский университет",
        graduation_year="2012",
        diploma_number="107704 0012345",
    )
    await page.get_by_role("button", name="Сохранить и продолжить").click()
    await expect(page.locator("h1")).to_have_text("Цель и оплата обучения")
    await fill(page, purpose="Нужны умения для работы в новом кабинете.")
    for choice in await page.locator("fieldset").all():
        await choice.locator("label").first.click()
    for box in await page.locator("[type=checkbox]").all():
        await box.check()
    await page.get_by_role("button", name="Сохранить и продолжить").click()
    while not (await page.locator("h1").inner_text()).startswith("Документы"):
        for box in await page.locator("[type=checkbox]").all():
            await box.check()
        await page.get_by_role("button", name="Сохранить и продолжить").click()

    broken = tmp_path / "не документ.pdf"
    broken.write_bytes(b"%PDF-1.7\nthis is not a document")
    slots = page.locator(".slot")
    for place in range(await slots.count()):
        slot = slots.nth(place)
        if not await slot.locator("input[type=file]").count():
            continue
        if place == 0:
            await slot.locator("input[type=file]").set_input_files(broken)
            await expect(slot.locator(".file-bad")).to_contain_text("Отсканируйте документ заново")
        await slot.locator("input[type=file]").set_input_files(paper(tmp_path, f"Файл {place}.pdf"))
        await expect(slot.locator(".file-good")).to_contain_text("Файл прошёл проверку")
    assert not await faults_of(page)
    await page.get_by_role("link", name="Продолжить").click()
    await expect(page.locator("h1")).to_have_text("Проверьте ответы")
    await page.get_by_role("button", name="Отправить заявку").click()
    await expect(page.locator(".big-number")).to_contain_text("ПК-")
    number = await page.locator(".big-number").inner_text()
    assert not await faults_of(page)
    await page.get_by_role("link", name="Следить за заявкой").click()
    await expect(page.locator(".waits-word")).to_have_text("Проверяется")
    await page.get_by_label("Найти по номеру").first.fill(number.lower().replace("-", " "))
    await page.keyboard.press("Enter")
    await expect(page.locator(".page-head .number")).to_have_text(number)
    assert not [line for line in wrong if "422" not in line]
    await context.close()


async def test_answering_a_clarification(browser: Browser, site: Site, office: Office) -> None:
    """What is asked leads to its field; the answer becomes a version, with its difference (A6)."""
    case_id = await office.in_review()
    context = await signed_in(browser, site, office, office.clinician)
    page = await context.new_page()
    await page.goto(f"{site.url}/applications/{case_id}")
    await expect(page.locator(".waits-word")).to_have_text("На рассмотрении")
    await office.decide(case_id, Transition.CLARIFY)
    await expect(page.locator(".waits-word")).to_have_text("Требуется уточнение")
    assert not await faults_of(page)
    await page.get_by_role("link", name="Исправить и ответить").click()
    await expect(page.locator("h1")).to_have_text("Цель и оплата обучения")
    await expect(page.locator("#field-purpose")).to_be_focused()
    label = await page.locator("#group-purpose .govuk-label").bounding_box()
    header = await page.locator(".header").bounding_box()
    assert label
    assert header
    assert label["y"] >= header["height"]
    await expect(page.locator(".remark")).to_contain_text("Напишите подробнее.")
    await fill(page, purpose="Открываем кабинет функциональной диагностики, нужны навыки.")
    await page.get_by_role("button", name="Сохранить и продолжить").click()
    await expect(page.locator("h1")).to_have_text("Проверьте ответы")
    await page.get_by_role("button", name="Отправить ответ").click()
    await expect(page.locator("h1")).to_have_text("Мы приняли новую версию")
    await page.get_by_role("link", name="Следить за заявкой").click()
    await page.get_by_role("heading", name="Что вы отправили").click()
    await page.get_by_role("link", name="Что изменилось").click()
    await expect(page.locator("main ins")).to_contain_text("функциональной диагностики")
    await expect(page.locator("main del")).to_contain_text("новом кабинете")
    assert not await faults_of(page)
    await fill(page, text="Когда будет ответ?")
    await page.get_by_role("button", name="Отправить сообщение").click()
    await expect(page.locator("#live-comments")).to_contain_text("Когда будет ответ?")
    await page.get_by_role("link", name="Отозвать заявку").click()
    await page.get_by_role("button", name="Отозвать").click()
    await expect(page.locator(".waits-word")).to_have_text("Отозвана")
    await page.get_by_role("button", name="Подать заново").click()
    await expect(page.locator("h2").first).to_contain_text("Готово")
    await context.close()
