"""The ops desk in a real browser: a sentence first, what is wrong, the remedy, and live again."""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from playwright.async_api import Browser, Page, expect
from sqlmodel import select

from models.tables.cases import Case, Outage
from models.tables.journal import JournalEntry
from rules.access import Actor, Role
from rules.cases.process import CaseKind
from rules.clock import now
from rules.journal.entries import JournalKind
from services.cases import wakeups
from tests.shared.cabinet import LOOKS, Site, faults_of, signed_in, watch, well_made
from tests.shared.office import Office

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("MEDCAB_PICTURES")


async def trouble(office: Office) -> str:
    """A stuck case, an overdue one, and a register that is down; the number of the first."""
    stuck, late = await office.in_review(), await office.in_review()
    await wakeups.report_stuck(office.database, stuck, "issue_act", "SealError")
    await office.set_times(late, due_at=now() - timedelta(days=2))
    async with office.database.work() as session:
        down = await session.exec(select(Outage).where(Outage.system == "register"))
        if down.first() is None:
            session.add(Outage(system="register", since=now() - timedelta(hours=3)))
    number = (await office.case(stuck)).number
    assert number
    return number


async def ops_of(office: Office, role: Role = Role.OPS) -> Actor:
    """Somebody who watches the whole institution."""
    return await office.person("Дежурный Сергей Ильич", role, office.institution)


async def picture(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for them."""
    if PICTURES:
        await page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


A_LONG_NAME = """() => { for (const one of document.querySelectorAll("th .number"))
  one.firstChild.data = "application-01a22d67-1b64-7294-ad1e-41553a33dc76" }"""
"""Workflows that cannot go on are named by their ids."""
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.body.querySelectorAll("*")]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
    .map(one => one.outerHTML.slice(0, 200))"""
"""What makes a page scroll sideways."""


async def test_desk_can_be_read_by_everybody(site: Site, office: Office, browser: Browser) -> None:
    """Nothing for axe to find, no error of a script, no sideways scrolling, in both themes."""
    number = await trouble(office)
    context = await signed_in(browser, site, office, await ops_of(office))
    page = await context.new_page()
    said = watch(page)
    for path, name in (("/operation", "desk"), ("", "remedy")):
        if path:
            await page.goto(f"{site.url}{path}")
            await expect(page.get_by_text("внимания:").first).to_be_visible()
            await expect(page.get_by_role("row").filter(has_text=number)).to_have_count(1)
        else:
            await (
                page.get_by_role("row")
                .filter(has_text=number)
                .get_by_role("link", name="Повторить сейчас")
                .click()
            )
            await expect(page.get_by_role("heading", level=1)).to_have_text("Повторить сейчас")
        await well_made(page)
        await page.evaluate(A_LONG_NAME)
        for scheme, viewport in LOOKS:
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type,unused-ignore]
            await page.set_viewport_size(viewport)  # type: ignore[arg-type]
            assert await page.evaluate(TOO_WIDE) == [], name
            await picture(page, f"operation-{name}-{scheme}")
    assert said == []
    await context.close()


async def test_remedy_is_done_by_keyboard_and_said_afterwards(
    site: Site, office: Office, browser: Browser
) -> None:
    """A reason is asked for; without one the page says so; with one it is done and journaled."""
    number = await trouble(office)
    ops = await ops_of(office)
    context = await signed_in(browser, site, office, ops)
    page = await context.new_page()
    await page.goto(f"{site.url}/operation")
    link = page.get_by_role("row").filter(has_text=number).get_by_role("link")
    await link.nth(1).focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Повторить сейчас").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Укажите причину")
    assert await faults_of(page) == []
    await page.get_by_label("Причина действия").fill("Печать продлена.")
    await page.get_by_role("button", name="Повторить сейчас").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Процессу передано")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text=number)).to_have_count(0)
    async with office.database.work() as session:
        found = await session.exec(
            select(JournalEntry).where(
                JournalEntry.kind == JournalKind.OPERATION_RETRIED.value,
                JournalEntry.by_person == ops.person_id,
            )
        )
        assert found.one().contents == {"reason": "Печать продлена."}
    await context.close()


async def test_desk_that_is_open_shows_what_happens_meanwhile(
    site: Site, office: Office, browser: Browser
) -> None:
    """A case that stops appears without a reload; its runs are found by its number, and those of
    all open cases by one link."""
    context = await signed_in(browser, site, office, await ops_of(office))
    page = await context.new_page()
    await page.goto(f"{site.url}/operation")
    number = await trouble(office)
    row = page.get_by_role("row").filter(has_text=number)
    await expect(row).to_have_count(1)
    await expect(row.get_by_role("link").first).to_have_attribute(
        "href",
        f"{site.url}/temporal/namespaces/default/workflows/application-"
        f"{await _case_of(office, number)}",
    )
    led = await context.request.get(f"{site.url}/search?number={number.lower()}", max_redirects=0)
    listed = f"{site.url}/temporal/namespaces/default/workflows?query="
    assert (led.status, led.headers["location"]) == (
        303,
        listed + quote_plus(f'CaseNumber="{number}"'),
    )
    kinds = ", ".join(f"'{kind.value}'" for kind in CaseKind)
    by_kind = quote_plus(f"MedcabKind IN ({kinds}) AND ExecutionStatus = 'Running'")
    await expect(page.locator(f'a[href="{listed}{by_kind}"]')).to_have_count(1)
    await context.close()


async def _case_of(office: Office, number: str) -> str:
    async with office.database.work() as session:
        found = await session.exec(select(Case.id).where(Case.number == number))
        return str(found.one())


async def test_whoever_only_watches_gets_no_buttons(
    site: Site, office: Office, browser: Browser
) -> None:
    """A technician sees the same without remedies; a clinician does not get in."""
    number = await trouble(office)
    context = await signed_in(browser, site, office, await ops_of(office, Role.TECHNICIAN))
    page = await context.new_page()
    await page.goto(f"{site.url}/operation")
    row = page.get_by_role("row").filter(has_text=number)
    await expect(row).to_have_count(1)
    await expect(row.get_by_role("link")).to_have_count(1)
    await context.close()
    context = await signed_in(browser, site, office, office.clinician)
    page = await context.new_page()
    answer = await page.goto(f"{site.url}/operation")
    assert answer is not None
    assert answer.status == 403
    await context.close()


async def test_desk_speaks_english(site: Site, office: Office, browser: Browser) -> None:
    """All of its words."""
    await trouble(office)
    ops = await office.person("Duty", Role.OPS, office.institution, language="en")
    context = await signed_in(browser, site, office, ops, locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{site.url}/operation")
    await expect(page.get_by_role("heading", level=1)).to_have_text("State of the system")
    words = await page.locator("#live-case_stuck").inner_text()
    assert "Stuck" in words
    assert "Retry now" in words
    await context.close()
