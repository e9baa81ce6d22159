"""An absence worked off by a registrar in Chromium, by keyboard (W1)."""

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import update
from sqlmodel import col

from models.tables.accounts import Account
from rules.accounts import AccountState
from tests.absences.test_absences import Ward, ward
from tests.schedule.clinic import clinic
from tests.shared.cabinet import Site, account_of, at

pytestmark = pytest.mark.browser
__all__ = ["clinic", "ward"]


async def test_a_list_is_worked_off_by_one_key(browser: Browser, site: Site, ward: Ward) -> None:
    """Entered by a form; one proposal is accepted by Enter, then all others; people are called."""
    clinic = ward.clinic
    for number in range(3):
        await clinic.book(number, number)
    await account_of(clinic.office, clinic.registrar)
    async with clinic.database.work() as session:
        mine = col(Account.person_id) == clinic.registrar.person_id
        await session.exec(update(Account).where(mine).values(state=AccountState.CONFIRMED))
    context, page = await at(
        browser, site, clinic.office, clinic.registrar, "/schedule/absences/new"
    )
    await page.select_option("#field-person", str(clinic.doctor.person_id))
    for field in ("first_day", "last_day"):
        await page.fill(f"#field-{field}", f"{ward.days.first_day:%d.%m.%Y}")
    await page.get_by_role("button", name="Внести отсутствие").press("Enter")
    undecided = page.locator("#undecided-title")
    await expect(undecided).to_have_text("Нужно другое время: 3")
    accept = page.locator("tbody").get_by_role("button", name="Принять").first
    await expect(accept).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(undecided).to_have_text("Нужно другое время: 2")
    await page.keyboard.press("Shift+Tab")
    everything = page.get_by_role("button", name="Принять все предложения: 2")
    await expect(everything).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(undecided).to_have_count(0)
    for left in (3, 2, 1):
        await expect(page.locator("#tell-title")).to_have_text(f"Пациент ещё не знает: {left}")
        await page.get_by_role("button", name="Сообщили").first.press("Enter")
    await expect(page.get_by_text("Никто не ждёт")).to_be_visible()
    await context.close()
