"""The journal in a real browser: what was declared of it, and its confirmation (I9)."""

import pytest
from playwright.async_api import Browser, expect
from sqlmodel import select

from models.tables.journal import JournalEntry
from rules.access import Role
from rules.clock import now
from rules.journal.entries import GENESIS, SYSTEM_CHAIN, JournalKind
from services.journal import declarations
from services.journal import entries as journal
from services.seal import open_seal
from settings import Settings
from tests.operation.test_pages import picture
from tests.shared.cabinet import Site, signed_in, watch, well_made
from tests.shared.office import Office

pytestmark = pytest.mark.browser


async def declare(office: Office, settings: Settings) -> None:
    """The institution declares a loss of one seal under its own seal."""
    body = declarations.loss_body(1, 1, GENESIS, GENESIS, (), now())
    async with office.database.work() as session:
        await journal.append(
            session,
            chain=SYSTEM_CHAIN,
            kind=JournalKind.INSTALLATION_RESTORED,
            system="restore",
            facts=declarations.signed(body, open_seal(settings)),
        )


async def test_a_declaration_is_read_and_confirmed(
    site: Site,
    office: Office,
    settings: Settings,
    browser: Browser,
) -> None:
    """Told in words, confirmed with a reason, said afterwards; nothing for axe, in both themes."""
    await declare(office, settings)
    security = await office.person("Орлова Инна Петровна", Role.SECURITY, office.institution)
    context = await signed_in(browser, site, office, security)
    page = await context.new_page()
    said = watch(page)
    await page.goto(f"{site.url}/journal")
    card = page.get_by_role("listitem").filter(has_text="При восстановлении из копии")
    await well_made(page, lambda look: picture(page, f"journal-{look}"))
    await card.get_by_role("link", name="Подтвердить").first.click()
    await page.get_by_role("button", name="Подтвердить").click()
    await expect(page.get_by_role("alert")).to_contain_text("от 3 до 500 знаков")
    await well_made(page)
    await page.get_by_label("Что вы выяснили").fill("Авария 12 ноября, акт 7.")
    await page.get_by_role("button", name="Подтвердить").click()
    await expect(page.get_by_text("Подтверждение записано в журнал.")).to_be_visible()
    await expect(page.get_by_text("Подтверждено").first).to_be_visible()
    assert [line for line in said if "422" not in line] == []
    async with office.database.work() as session:
        noted = await session.exec(
            select(JournalEntry.contents).where(
                JournalEntry.kind == JournalKind.JOURNAL_DECLARATION_CONFIRMED,
                JournalEntry.by_person == security.person_id,
            )
        )
        assert noted.all() == [{"reason": "Авария 12 ноября, акт 7."}]
    await context.close()
