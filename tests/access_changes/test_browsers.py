"""Three people in three browsers: a right is asked for, confirmed, approved, and holds at once."""

import pytest
from playwright.async_api import Browser, Page, expect
from sqlmodel import select

from models.tables.cases import Case
from models.tables.people import Person
from rules.access import Actor, Role
from tests.shared.cabinet import PHONE, Site, faults_of, signed_in, watch
from tests.shared.office import Office

pytestmark = pytest.mark.browser


async def test_a_right_reaches_a_live_session(browser: Browser, site: Site, office: Office) -> None:
    """I7: the nurse's page that was refused opens after the approval, in the session she had."""
    nurse = await office.person("Орлова Анна Павловна", Role.NURSE, office.ward)
    head = await office.person("Белова Инна Сергеевна", Role.UNIT_HEAD, office.ward)
    guard = await office.person("Громов Пётр Ильич", Role.SECURITY, office.institution)
    opened: dict[Actor, Page] = {}
    wrong: list[str] = []
    for who in (nurse, head, guard):
        context = await signed_in(browser, site, office, who)
        opened[who] = await context.new_page()
        wrong += watch(opened[who])
    hers, heads, guards = opened[nurse], opened[head], opened[guard]

    refused = await hers.goto(f"{site.url}/desk")
    assert refused is not None
    assert refused.status == 403
    await hers.goto(f"{site.url}/rights")
    assert not await faults_of(hers)
    await hers.get_by_role("link", name="Попросить права").first.click()
    await hers.get_by_role("button", name="Отправить на подтверждение").click()
    await expect(hers.locator(".govuk-error-summary")).to_be_visible()
    assert not await faults_of(hers)
    await choose(hers, "role", Role.CLERK.value)
    await choose(hers, "unit_id", str(office.ward))
    await hers.locator("#field-reason").fill("Отвечаю на запросы отделения.")
    await hers.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert await hers.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await hers.get_by_role("button", name="Отправить на подтверждение").click()
    await expect(hers.locator("#waits-word")).to_contain_text("Подтверждает руководитель")
    assert not await faults_of(hers)

    async with office.database.work() as session:
        found = await session.exec(
            select(Case).where(Case.applicant_id == nurse.person_id, Case.kind == "access_change")
        )
        case = found.one()
    for page, word, outcome in (
        (heads, "Подтвердить", "confirm_access"),
        (guards, "Одобрить", "approve"),
    ):
        await page.goto(f"{site.url}/desk?number={case.number}")
        await page.get_by_role("link", name=case.number or "", exact=True).click()
        await expect(page.locator("main")).to_contain_text("Отвечаю на запросы отделения.")
        await expect(page.locator(f"label[for=outcome-{outcome}]")).to_contain_text(word)
        assert not await faults_of(page)
        await page.locator(f"label[for=outcome-{outcome}]").click()
        await page.locator("#field-reason").fill("Нужно для работы.")
        await page.get_by_role("button", name="Принять решение").click()
        await expect(page.locator(".flash, .notice-good").first).to_be_visible()

    answer = await hers.goto(f"{site.url}/desk")
    assert answer is not None
    assert answer.status == 200, "the same session, without signing in again"
    await guards.goto(f"{site.url}/rights/matrix")
    await expect(guards.locator("main")).to_contain_text("Что может каждая роль")
    assert not await faults_of(guards)
    await guards.goto(f"{site.url}/people/{nurse.person_id}")
    table = guards.locator("main")
    async with office.database.work() as session:
        names = [(await session.get_one(Person, one.person_id)).name for one in (head, guard)]
    await expect(table).to_contain_text(f"подтвердил: {names[0]}")
    await expect(table).to_contain_text(f"одобрил: {names[1]}")
    assert not await faults_of(guards)
    await guards.get_by_role("link", name="Забрать сразу").first.click()
    await guards.locator("#field-reason").fill("Больше не нужно.")
    await guards.get_by_role("button", name="Забрать сразу").click()
    await expect(guards.locator(".flash")).to_contain_text("Роль закончилась")
    ended = await hers.goto(f"{site.url}/desk")
    assert ended is not None
    assert ended.status == 403
    assert not [line for line in wrong if "status of 4" not in line]
    for page in opened.values():
        await page.context.close()


async def choose(page: Page, name: str, value: str) -> None:
    """Choose in a field, whether it is drawn as a list or as radio buttons."""
    field = page.locator(f"#group-{name}")
    if await field.locator("select").count():
        await field.locator("select").select_option(value)
    else:
        await field.locator(f"input[value='{value}']").check()
