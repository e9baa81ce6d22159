"""A clinician writes a visit in a real browser, on a phone and a desktop (W2)."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.records.conftest import ALLERGY, VISIT, Writing
from tests.shared.cabinet import Site, account_of, at, confirmed, watch, well_made

pytestmark = pytest.mark.browser


async def test_a_visit_is_written_signed_and_corrected(
    browser: Browser, site: Site, writing: Writing
) -> None:
    """By keyboard: the allergy is seen, words become a code, a stale form shows what changed.

    No page is too wide, axe finds nothing, and no script fails.
    """
    allergy = await writing.signed("allergy", ALLERGY)
    here = f"/patients/{writing.first}"
    await account_of(writing.office, writing.doctor)
    await confirmed(writing.office, writing.doctor)
    context, page = await at(browser, site, writing.office, writing.doctor, here)
    said = watch(page)

    async def look() -> None:
        await well_made(page)
        await expect(page.locator(".patient-head .warnings")).to_contain_text("Пенициллин")

    await look()
    await page.get_by_role("button", name="Посещение", exact=True).press("Enter")
    code = page.locator("#field-main_diagnosis")
    await code.press_sequentially("бронхит")
    await expect(page.locator("#suggestions-main_diagnosis option").first).to_be_attached()
    offered = page.locator("#suggestions-main_diagnosis option[value='J20.9']")
    await expect(offered).to_have_text("Острый бронхит неуточненный")
    await code.fill("J20.9")
    await code.press("Tab")
    await expect(page.locator("#hint-main_diagnosis")).to_have_text("Острый бронхит неуточненный")
    await page.get_by_role("button", name="Подписать").press("Enter")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Жалобы")
    await look()
    for name in ("complaints", "objective", "diagnosis_words", "plan"):
        await page.fill(f"#field-{name}", VISIT[name])
    for name in ("character", "place", "purpose", "paid_by", "outcome"):
        await page.locator(f"input[name={name}][value={VISIT[name]}]").check()
    await expect(page.locator("#saved-note")).to_contain_text("Сохранено")
    await page.get_by_role("button", name="Подписать").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Посещение")
    await look()
    await page.goto(f"{site.url}{here}/entries/{allergy}")
    await page.get_by_role("button", name="Исправить").press("Enter")
    await page.fill("#field-reaction", "Отёк Квинке")
    await page.fill("#field-reason", "Уточнил у пациента")
    other, opened, version = await writing.correction(
        writing.colleague, allergy, severity="severe", reason="По выписке"
    )
    await writing.records.sign(writing.colleague, other, opened, version)
    await page.get_by_role("button", name="Подписать исправление").press("Enter")
    await expect(page.locator("#changes-title")).to_have_text("Что изменил другой")
    await expect(page.locator("#field-reaction")).to_have_value("Отёк Квинке")
    await look()
    await page.get_by_role("button", name="Подписать исправление").press("Enter")
    await expect(page.get_by_text("Версия 3")).to_be_visible()
    await page.get_by_role("link", name="Внесено ошибочно").press("Enter")
    await look()
    await page.goto(f"{site.url}{here}")
    await page.get_by_text("Выбрать, что показать").press("Enter")
    await look()
    await expect(page.locator(".timeline li").first).to_contain_text(
        re.compile("Посещение|Аллергия")
    )
    assert [one for one in said if not re.search("status of 4(22|09)", one)] == []
    await context.close()
