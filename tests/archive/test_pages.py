"""The archive in a real browser: filters, kept views, exports with their progress, terms (S7)."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from models.tables.archive import CaseRetention, Export
from rules.access import Actor, Role
from rules.cases.process import Transition
from rules.clock import now
from rules.ids import new_id
from services.archive import search as archive
from services.archive.saved_views import keep
from services.archive.search import ArchiveFilters
from tests.archive.many import copied, own_department
from tests.shared.cabinet import PHONE, Site, at, faults_of, watch
from tests.shared.office import Office

pytestmark = pytest.mark.browser

BEGAN = datetime(2025, 3, 1, tzinfo=UTC)
SHOTS = os.environ.get("MEDCAB_SHOTS")
"""A folder for pictures of what was tested, for whoever wants to look."""


async def shoot(page: Page, name: str) -> None:
    """A picture of the whole page, where somebody asked for it."""
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def reviewer_of_many(office: Office, number: int) -> Actor:
    """A reviewer of a department with so many cases."""
    hr = await own_department(office)
    reviewer = await office.person("Иванова Мария Петровна", Role.HR_REVIEWER, hr.id)
    template = await office.in_review()
    await copied(office, template, number, unit=hr.id, began=BEGAN)
    await copied(office, template, 3, unit=hr.id, began=BEGAN, status="lapsed")
    return reviewer


async def test_filters_stand_in_the_address_and_can_be_kept(
    browser: Browser, site: Site, office: Office
) -> None:
    """Narrow the list, keep it under a name, come back to it by one click, rename and remove it."""
    reviewer = await reviewer_of_many(office, 260)
    context, page = await at(browser, site, office, reviewer, "/archive")
    wrong = watch(page)
    await expect(page.get_by_text("Найдено: 263 дела")).to_be_visible()
    await shoot(page, "archive-list")
    await page.locator(".desk-filters summary").click()
    await page.locator("#field-status").select_option("lapsed")
    await page.get_by_role("button", name="Показать", exact=True).click()
    assert page.url.endswith("/archive?status=lapsed")
    await expect(page.locator("tbody tr")).to_have_count(3)
    await page.locator("#view-name").fill("Без ответа")
    await page.get_by_role("button", name="Сохранить эти условия").click()
    await expect(page.get_by_text("Подборка сохранена.")).to_be_visible()
    await page.goto(f"{site.url}/archive")
    await page.get_by_role("link", name="Без ответа", exact=True).click()
    await expect(page.locator("tbody tr")).to_have_count(3)
    await shoot(page, "archive-view")
    await page.locator(".view-list input.govuk-input").fill("Закрытые без ответа")
    await page.get_by_role("button", name="Переименовать").click()
    await expect(page.get_by_role("link", name="Закрытые без ответа", exact=True)).to_be_visible()
    assert not await faults_of(page)
    await page.get_by_role("button", name="Удалить").click()
    await expect(page.get_by_text("Подборка удалена.")).to_be_visible()
    assert not wrong
    await context.close()


async def test_pages_follow_one_another(browser: Browser, site: Site, office: Office) -> None:
    """Fifty rows a page; onward and back to the beginning, with the filters kept."""
    reviewer = await reviewer_of_many(office, 70)
    context, page = await at(browser, site, office, reviewer, "/archive?status=rejected")
    first = await page.locator("tbody .row-link").all_inner_texts()
    await page.get_by_role("link", name="Дальше").click()
    second = await page.locator("tbody .row-link").all_inner_texts()
    assert (len(first), len(second)) == (50, 20)
    assert not set(first) & set(second)
    await page.get_by_role("link", name="К началу").click()
    assert page.url.endswith("/archive?status=rejected")
    await context.close()


async def test_a_short_list_downloads_and_a_long_one_is_prepared(
    browser: Browser, site: Site, office: Office
) -> None:
    """Both from the same button; the page says beforehand which it will be."""
    reviewer = await reviewer_of_many(office, 260)
    context, page = await at(browser, site, office, reviewer, "/archive?status=lapsed")
    await expect(page.get_by_text("Файл скачается сразу.")).to_be_visible()
    async with page.expect_download() as coming:
        await page.get_by_role("button", name="XLSX").click()
    assert (await coming.value).suggested_filename.endswith(".xlsx")
    await page.goto(f"{site.url}/archive")
    await page.get_by_role("button", name="PDF").click()
    await expect(page.get_by_role("heading", name="Выгрузки")).to_be_visible()
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await page.get_by_role("button", name="Отменить").click()
    await expect(page.get_by_text("Отменена", exact=True)).to_be_visible()
    await context.close()


async def test_progress_runs_and_the_ready_file_has_a_link(
    browser: Browser, site: Site, office: Office
) -> None:
    """The list of exports draws itself anew while one is under way."""
    reviewer = await reviewer_of_many(office, 5)
    export_id = new_id()
    async with office.database.work() as session:
        export = Export(
            id=export_id,
            person_id=reviewer.person_id,
            kind="xlsx",
            filters=archive.as_stored(ArchiveFilters(text="сердце", submitted_until=now())),
            scope={"own": False, "reviews": [], "views": []},
            zone="Europe/Moscow",
            state="running",
            total=9000,
            done=3500,
            folder=f"exports/{export_id.hex}",
            asked_at=now(),
            beat_at=now() + timedelta(hours=1),
            ends_at=now() + timedelta(days=7),
        )
        session.add(export)
    context, page = await at(browser, site, office, reviewer, "/archive/exports")
    wrong = watch(page)
    await expect(page.get_by_text("3500 из 9000")).to_be_visible()
    assert not await faults_of(page)
    await shoot(page, "exports-running")
    async with office.database.work() as session:
        export = await session.get_one(Export, export_id)
        export.state, export.done, export.size = "ready", 9000, 412_000
        export.object_key = f"{export.folder}/file.xlsx"
        session.add(export)
    await expect(page.get_by_role("link", name="Скачать")).to_be_visible()
    await shoot(page, "exports-ready")
    assert not wrong
    await context.close()


async def test_the_keeper_decides_how_long_a_case_is_kept(
    browser: Browser, site: Site, office: Office
) -> None:
    """A reason is asked for; the hold is said on the page and in the list."""
    case_id = await office.in_review()
    await office.decide(case_id, Transition.REJECT)
    async with office.database.work() as session:
        closed_at = (await office.case(case_id)).closed_at or now()
        until = now() + timedelta(days=20)
        session.add(CaseRetention(case_id=case_id, closed_at=closed_at, retain_until=until))
    context, page = await at(browser, site, office, office.head, "/archive/retention")
    number = (await office.case(case_id)).number or ""
    await shoot(page, "retention")
    assert not await faults_of(page)
    await page.get_by_role("link", name=number).click()
    await page.get_by_role("button", name="Запретить удаление").click()
    await expect(page.locator("#group-reason")).to_contain_text("Напишите причину")
    assert not await faults_of(page)
    await page.get_by_label("Причина").fill("Запрос суда")
    await page.get_by_role("button", name="Запретить удаление").click()
    await expect(page.get_by_role("button", name="Снять запрет удаления")).to_be_visible()
    await shoot(page, "keeping")
    await context.close()


async def test_on_a_phone(browser: Browser, site: Site, office: Office) -> None:
    """Nothing is wider than the screen, and axe finds nothing in the other theme."""
    reviewer = await reviewer_of_many(office, 4)
    async with office.database.work() as session:
        await keep(session, reviewer, "Отказы этого года", "status=rejected")
    for path in ("/archive?status=rejected", "/archive/exports"):
        context, page = await at(
            browser, site, office, reviewer, path, viewport=PHONE, color_scheme="dark"
        )
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], path
        assert not await faults_of(page)
        await shoot(page, f"phone-dark-{path.split('?')[0].strip('/').replace('/', '-')}")
        await context.close()


async def test_the_way_to_the_whole_case(browser: Browser, site: Site, office: Office) -> None:
    """The applicant's page and the desk lead to the whole case, and it downloads."""
    case_id = await office.in_review()
    number = (await office.case(case_id)).number
    for actor, path in (
        (office.clinician, f"/applications/{case_id}"),
        (office.reviewer, f"/desk/cases/{case_id}"),
    ):
        context, page = await at(browser, site, office, actor, path)
        async with page.expect_download() as coming:
            await page.get_by_role("link", name="Скачать дело целиком").click()
        assert (await coming.value).suggested_filename == f"Дело-{number}.zip"
        await context.close()


async def test_an_empty_archive_says_what_to_do(
    browser: Browser, site: Site, office: Office
) -> None:
    """Nothing yet, or nothing under these filters: each with its one action."""
    context, page = await at(browser, site, office, office.clinician, "/archive")
    await expect(page.get_by_text("В архиве пока пусто")).to_be_visible()
    await page.goto(f"{site.url}/archive?text=нет+такого")
    await expect(page.get_by_role("link", name="Показать архив")).to_be_visible()
    assert not await faults_of(page)
    await context.close()
