"""From an empty file to a described accreditation in a real browser, on a phone and a desktop."""

import pytest
from playwright.async_api import Browser, FilePayload, expect

from tests.credentials.conftest import ACCREDITATION
from tests.shared.cabinet import Site, at, small_pdf, watch, well_made
from tests.shared.office import Office

pytestmark = pytest.mark.browser

PDF = "application/pdf"


async def test_several_files_become_credentials(
    browser: Browser, site: Site, office: Office
) -> None:
    """Dropped together, checked one by one, described in turn; an error is said while typing (Q3).

    No page is too wide, axe finds nothing, and no script fails.
    """
    context, page = await at(browser, site, office, office.clinician, "/credentials/new")
    said = watch(page)

    await page.set_input_files(
        "#several",
        [
            FilePayload(name="Свидетельство.pdf", mimeType=PDF, buffer=small_pdf()),
            FilePayload(name="Плохой.pdf", mimeType=PDF, buffer=b"nothing"),
        ],
    )
    await expect(page.locator("#slot-several .case-list > li")).to_have_count(1)
    await expect(page.locator("#slot-several .file-bad")).to_contain_text("Плохой.pdf")
    await well_made(page)
    await page.get_by_role("link", name="Описать первый").press("Enter")
    await page.select_option("#category", "accreditation")
    await page.get_by_role("button", name="Выбрать", exact=True).press("Enter")
    await page.get_by_label("Периодическая").check()
    for name in ("specialty", "number", "issuer"):
        await page.fill(f"#field-{name}", ACCREDITATION[name])
    await page.fill("#field-issued_on", "32.01.2024")
    await page.locator("#field-issued_on").press("Tab")
    await expect(page.locator("#error-issued_on")).to_contain_text("Такого дня нет")
    await page.fill("#field-valid_until", ACCREDITATION["valid_until"])
    await page.locator("#field-valid_until").press("Tab")
    await expect(page.locator("#saved-note")).to_contain_text("Сохранено")
    await well_made(page)
    await page.reload()
    await expect(page.locator("#field-number")).to_have_value(ACCREDITATION["number"])
    await page.fill("#field-issued_on", ACCREDITATION["issued_on"])
    await page.get_by_role("button", name="Добавить в дело").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Аккредитация специалиста")
    await page.get_by_text("Посмотреть здесь").press("Enter")
    await expect(page.locator(".sheet img")).to_be_visible()
    await well_made(page)
    await page.goto(f"{site.url}/credentials")
    await expect(page.locator(".case-list .state")).to_contain_text(["активен"])
    await well_made(page)
    # The browser reports the refused file as a request that failed.
    assert [one for one in said if "status of 422" not in one] == []
    await context.close()
