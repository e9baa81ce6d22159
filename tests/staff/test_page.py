"""The import of staff in the browser: looked at, mended, applied (O6)."""

from playwright.async_api import expect

from tests.catalogue_admin.test_pages import Screens, screens
from tests.shared.cabinet import PHONE, faults_of
from tests.staff.test_importing import ANNA, IVAN, person, table

__all__ = ["screens"]


async def test_a_table_is_looked_at_and_applied(screens: Screens) -> None:
    """A wrong line is told with its place; the mended file is previewed and applied."""
    page = await screens.open("")
    await page.get_by_role("link", name="Загрузка сотрудников").click()
    for body in (b"nothing", table(ANNA.replace("998 77", "999 77"))):
        file = {"name": "staff.csv", "mimeType": "text/csv", "buffer": body}
        await page.locator("#field-file").set_input_files(file)  # type: ignore[arg-type]
        await page.get_by_role("button", name="Проверить файл").press("Enter")
        await expect(page.locator("main")).to_contain_text(
            "контрольные цифры не сходятся" if body != b"nothing" else "должен быть столбец"
        )
        assert not await faults_of(page)
    await expect(page.get_by_role("button", name="Применить")).to_have_count(0)
    file = {"name": "staff.csv", "mimeType": "text/csv", "buffer": table(ANNA, IVAN)}
    await page.locator("#field-file").set_input_files(file)  # type: ignore[arg-type]
    await page.get_by_role("button", name="Проверить файл").press("Enter")
    await expect(page.locator("main")).to_contain_text("Орлова Анна Львовна")
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert not await faults_of(page)
    await page.get_by_role("button", name="Применить").press("Enter")
    await expect(page.locator(".flash")).to_contain_text("Список загружен")
    assert (await person(screens.admins, "ivan.kotov@example.org")).name == "Котов Иван"
    assert not [line for line in screens.wrong if "422" not in line]
