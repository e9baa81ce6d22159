"""The reviewers' queue, several cases at once and the department, in a real browser."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, Route, expect

from cabinet.reviews import queue
from rules.access import Actor, Role
from rules.cases.process import Status
from rules.clock import now
from services.cases.acts import Act
from tests.shared.cabinet import Site, at, faults_of, press, watch
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE

pytestmark = pytest.mark.browser


NOTE_FOCUS = """
  document.addEventListener("focusin", (at) => sessionStorage.setItem("focused", at.target.id));
"""


async def cases_of(office: Office, reviewer: Actor, count: int) -> list[UUID]:
    """Cases in review with this reviewer, the first due first."""
    made = []
    for n in range(count):
        case_id = await office.in_review()
        await office.take(case_id, reviewer)
        await office.set_times(case_id, due_at=now() + timedelta(days=10 + n))
        made.append(case_id)
    return made


async def numbers(office: Office, ids: list[UUID]) -> list[str]:
    """The numbers of cases."""
    return [(await office.case(case_id)).number or "" for case_id in ids]


async def test_what_is_overdue_stands_first_and_says_so(
    browser: Browser, site: Site, office: Office
) -> None:
    """The most overdue case is the first row, in words of working days, and has a tab (A11)."""
    first, second, third = await cases_of(office, office.reviewer, 3)
    await office.set_times(third, due_at=now() - timedelta(days=9))
    context, page = await at(browser, site, office, office.reviewer, "/desk?reviewer=me")
    wrong = watch(page)
    shown = await page.locator("tbody .row-link").all_inner_texts()
    assert shown == await numbers(office, [third, first, second])
    row = page.locator("tbody tr").first
    await expect(row).to_contain_text("просрочено на")
    await expect(row).to_contain_text("рабочих дн")
    heights = await page.locator("tbody tr").evaluate_all("rows => rows.map(r => r.offsetHeight)")
    assert max(heights) <= 56
    await page.get_by_role("link", name="Просроченные").click()
    await expect(page.locator("tbody")).to_contain_text((await numbers(office, [third]))[0])
    await expect(page.locator("tbody")).not_to_contain_text((await numbers(office, [first]))[0])
    assert not await faults_of(page)
    assert not wrong
    await context.close()


async def test_filters_stand_in_the_address(browser: Browser, site: Site, office: Office) -> None:
    """Choosing filters makes an address that can be kept; each can be taken away (A8)."""
    (case_id,) = await cases_of(office, office.reviewer, 1)
    context, page = await at(browser, site, office, office.reviewer, "/desk")
    await page.locator(".desk-filters summary").click()
    await page.locator("#field-reviewer").select_option("me")
    await page.locator("#field-kind").select_option("seminar")
    await page.locator("#field-from").fill("1.11.2026")
    await page.get_by_role("button", name="Показать", exact=True).click()
    assert page.url.endswith("/desk?kind=seminar&reviewer=me&from=1.11.2026")
    await expect(page.get_by_text("По этим условиям ничего не найдено")).to_be_visible()
    assert not await faults_of(page)
    await page.get_by_role("link", name="Семинар").click()
    number = (await numbers(office, [case_id]))[0]
    await expect(page.locator("tbody")).to_contain_text(number)
    await page.goto(f"{site.url}/desk?number={number.lower().replace('-', ' ')}&status=any")
    await expect(page.locator("tbody .row-link")).to_have_text(number)
    answer = await page.goto(f"{site.url}/desk?from=когда-то")
    assert answer is not None
    assert answer.status == 422
    await expect(page.locator("#field-from")).to_have_value("когда-то")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Напишите дату")
    await context.close()


async def test_the_queue_by_keyboard(browser: Browser, site: Site, office: Office) -> None:
    """`j` and `k` walk the rows, Enter opens, and inside a case they follow the same list."""
    first, second, third = await cases_of(office, office.reviewer, 3)
    context, page = await at(browser, site, office, office.reviewer, "/desk?reviewer=me")
    one, two, three = await numbers(office, [first, second, third])
    await press(page, "j", "j", "k", "j")
    await expect(page.get_by_role("link", name=two)).to_be_focused()
    await press(page, "x")
    await expect(page.locator("[data-select-bar]")).to_contain_text("Решить по выбранным (1)")
    await page.get_by_role("link", name=two).press("Enter")
    await expect(page.locator("h1")).to_contain_text(two)
    await press(page, "j")
    await expect(page.locator("h1")).to_contain_text(three)
    await expect(page.locator("[data-next]")).to_have_count(0)
    await press(page, "k")
    await expect(page.locator("h1")).to_contain_text(two)
    await press(page, "k")
    await expect(page.locator("h1")).to_contain_text(one)
    await context.close()


async def test_keys_do_nothing_to_a_case_that_is_being_left(
    browser: Browser, site: Site, office: Office
) -> None:
    """The next case is slow to come: what is pressed meanwhile meant that one, and is not done."""
    first, second = await cases_of(office, office.reviewer, 2)
    context, page = await at(
        browser, site, office, office.reviewer, f"/desk/cases/{first}?reviewer=me"
    )
    asked, release = asyncio.Event(), asyncio.Event()

    async def slowly(route: Route) -> None:
        asked.set()
        await release.wait()
        await route.continue_()

    await page.evaluate(NOTE_FOCUS)
    await page.route(f"**/desk/cases/{second}*", slowly)
    async with asyncio.timeout(PATIENCE):
        await press(page, "j")
        await asked.wait()
        # Whatever asks the page itself would wait for the one that comes.
        for key in ("r", "j"):
            await page.keyboard.press(key)
    release.set()
    await expect(page.locator("h1")).to_contain_text((await numbers(office, [second]))[0])
    assert await page.evaluate("sessionStorage.getItem('focused')") is None
    await press(page, "r")
    await expect(page.locator("#outcome-reject")).to_be_checked()
    await context.close()


async def test_a_long_queue_goes_on(
    browser: Browser, site: Site, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is read in pages that neither skip nor repeat a case; a broken place is told."""
    monkeypatch.setattr(queue, "PAGE", 2)
    made = await numbers(office, await cases_of(office, office.reviewer, 5))
    context, page = await at(browser, site, office, office.reviewer, "/desk?reviewer=me")
    shown: list[str] = []
    for _ in range(3):
        shown += await page.locator("tbody .row-link").all_inner_texts()
        if await page.get_by_role("link", name="Дальше").count():
            await page.get_by_role("link", name="Дальше").click()
    assert shown == made
    await page.get_by_role("link", name="К началу").click()
    await expect(page.locator("tbody .row-link").first).to_have_text(made[0])
    answer = await page.goto(f"{site.url}/desk?reviewer=me&after=wrong")
    assert answer is not None
    assert answer.status == 422
    await context.close()


async def test_several_at_once_each_by_itself(browser: Browser, site: Site, office: Office) -> None:
    """One reason decides those that can be decided; one that changed is told and stays (A4)."""
    first, second, third = await cases_of(office, office.reviewer, 3)
    context, page = await at(browser, site, office, office.reviewer, "/desk?reviewer=me")
    for box in await page.locator("tbody .tick").all():
        await box.check()
    await page.get_by_role("button", name="Решить по выбранным (3)").click()
    await expect(page.locator("h1")).to_have_text("Решение по нескольким заявкам")
    assert not await faults_of(page)
    await page.locator("label[for=outcome-clarify]").click()
    await page.locator("#field-reason").fill("Приложите диплом с вкладышем.")
    await page.get_by_role("button", name="Принять решение по всем").click()
    await expect(page.locator("#error-remarks")).to_contain_text("Отметьте хотя бы одно поле")
    await expect(page.locator("#field-reason")).to_have_value("Приложите диплом с вкладышем.")
    await page.locator("#remark-add").select_option("diploma")
    await page.locator("#remark-diploma").fill("Нет вкладыша.")
    step = (await office.case(second)).step
    await office.applications.save_draft(office.clinician, second, {"purpose": "Уточняю сам."})
    await office.applications.correct(office.clinician, second, Act(uuid4(), step))
    await office.check(second)
    await page.get_by_role("button", name="Принять решение по всем").click()
    await expect(page.locator("main").get_by_role("status")).to_contain_text("Готово 2 из 3")
    lines = {
        number: await page.locator(".results li", has_text=number).inner_text()
        for number in await numbers(office, [first, second, third])
    }
    one, two, three = lines.values()
    assert "Запрос на уточнение отправлен" in one
    assert "Запрос на уточнение отправлен" in three
    assert "заявка изменилась" in two
    assert not await faults_of(page)
    statuses = [(await office.case(case_id)).status for case_id in (first, second, third)]
    assert statuses == [Status.CLARIFICATION, Status.IN_REVIEW, Status.CLARIFICATION]
    await context.close()


async def test_approving_several_answers_the_questions_once(
    browser: Browser, site: Site, office: Office
) -> None:
    """Every requirement is confirmed once for all; a reload of the answer decides nothing twice."""
    made = await cases_of(office, office.reviewer, 2)
    query = "&".join(f"case={case_id}" for case_id in made)
    context, page = await at(browser, site, office, office.reviewer, f"/desk/several?{query}")
    await page.locator("label[for=outcome-approve]").click()
    await page.locator("#field-reason").fill("Документы в порядке.")
    await page.get_by_role("button", name="Принять решение по всем").click()
    await expect(page.locator(".govuk-error-summary")).to_contain_text(
        "Чтобы одобрить, подтвердите"
    )
    await page.get_by_role("button", name="Всё соответствует").click()
    await page.get_by_role("button", name="Принять решение по всем").click()
    await expect(page.get_by_role("status")).to_contain_text("Готово: 2 заявки")
    steps = [(await office.case(case_id)).step for case_id in made]
    assert {(await office.case(case_id)).status for case_id in made} == {Status.APPROVED}
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert steps == [(await office.case(case_id)).step for case_id in made]
    await context.close()


async def test_ones_own_application_is_not_selected(
    browser: Browser, site: Site, office: Office
) -> None:
    """The own case has no box in the queue, and is left out with the reason when asked for."""
    own = await office.in_review(office.reviewer)
    (other,) = await cases_of(office, office.reviewer, 1)
    number = (await numbers(office, [own]))[0]
    context, page = await at(
        browser, site, office, office.reviewer, f"/desk?number={number.replace(' ', '')}"
    )
    row = page.locator("tbody tr", has_text=number)
    await expect(row).to_have_count(1)
    await expect(row.locator(".tick")).to_have_count(0)
    await page.goto(f"{site.url}/desk/several?case={own}&case={other}")
    await expect(page.locator(".notice-waiting")).to_contain_text("это ваша заявка")
    await expect(page.locator(".several-list li")).to_have_count(1)
    await context.close()


async def test_the_head_moves_what_is_overdue(browser: Browser, site: Site, office: Office) -> None:
    """The head of HR sees what is overdue and gives it to somebody who is here (A11).

    What a colleague took while the page was open stays with the colleague.
    """
    (case_id,) = await cases_of(office, office.reviewer, 1)
    await office.set_times(case_id, due_at=now() - timedelta(days=400))
    number = (await numbers(office, [case_id]))[0]
    context, page = await at(browser, site, office, office.head, "/desk/team")
    assert not await faults_of(page)
    await page.locator("tbody tr", has_text=number).locator(".tick").check()
    await page.get_by_role("button", name="Передать выбранные").click()
    await expect(page.locator("#error-to")).to_contain_text("Выберите, кому передать")
    await expect(page.locator("tbody tr", has_text=number).locator(".tick")).to_be_checked()
    await page.locator("#field-to").select_option(str(office.head.person_id))
    await page.locator("#field-why").fill("Иванова в отпуске.")
    third = await office.person("Петров Илья Андреевич", Role.HR_REVIEWER, office.hr)
    await office.take(case_id, third)
    await page.get_by_role("button", name="Передать выбранные").click()
    row = page.get_by_text("Заявка теперь у другого сотрудника: Петров Илья Андреевич.")
    await expect(row).to_be_visible()
    await office.take(case_id)
    await page.goto(f"{site.url}/desk/team?case={case_id}")
    await page.locator("tbody tr", has_text=number).locator(".tick").check()
    await page.locator("#field-to").select_option(str(office.head.person_id))
    await page.get_by_role("button", name="Передать выбранные").click()
    await expect(page.get_by_role("status")).to_contain_text("Готово: 1 заявка")
    assert (await office.case(case_id)).reviewer_id == office.head.person_id
    await context.close()


async def test_chosen_cases_are_moved_from_the_queue(
    browser: Browser, site: Site, office: Office
) -> None:
    """What the head ticked in the queue is ticked on the page that moves it."""
    first, second = await cases_of(office, office.reviewer, 2)
    path = f"/desk?reviewer={office.reviewer.person_id}"
    context, page = await at(browser, site, office, office.head, path)
    number = (await numbers(office, [second]))[0]
    await page.get_by_label(f"Выбрать {number}").check()
    await page.get_by_role("button", name="Передать").click()
    await expect(page.get_by_role("heading", name="Выбранные заявки")).to_be_visible()
    await expect(page.locator("[data-rows] tbody tr")).to_have_count(1)
    await expect(page.get_by_label(f"Выбрать {number}")).to_be_checked()
    assert (await office.case(first)).reviewer_id == office.reviewer.person_id
    await context.close()


async def test_an_absence_with_a_deputy(browser: Browser, site: Site, office: Office) -> None:
    """The head notes who is away and who stands in; wrong days are told at their fields (A11)."""
    context, page = await at(browser, site, office, office.head, "/desk/team")
    name = office.reviewer.name
    row = page.locator("tbody tr", has=page.locator(f"a[href$='{office.reviewer.person_id}']"))
    await expect(row).to_contain_text(name)
    today = f"{now():%d.%m.%Y}"
    await page.locator("#field-person_id").select_option(str(office.reviewer.person_id))
    await page.locator("#field-deputy_id").select_option(str(office.head.person_id))
    await page.locator("#field-first_day").fill(today)
    await page.locator("#field-last_day").fill("вчера")
    await page.get_by_role("button", name="Добавить").click()
    await expect(page.locator("#error-last_day")).to_contain_text("Напишите дату")
    await expect(page.locator("#field-first_day")).to_have_value(today)
    assert not await faults_of(page)
    await page.locator("#field-last_day").fill(f"{now() + timedelta(days=7):%d.%m.%Y}")
    await page.get_by_role("button", name="Добавить").click()
    await expect(row).to_contain_text("Сегодня отсутствует")
    await expect(row).to_contain_text("замещает Громова О. И.")
    await row.get_by_role("button", name="Отменить").click()
    await expect(row).to_contain_text("на месте")
    await context.close()


async def test_a_reviewer_moves_nobodys_case(browser: Browser, site: Site, office: Office) -> None:
    """Without the head's right there is no list to move, and a forged form moves nothing (I6)."""
    (case_id,) = await cases_of(office, office.head, 1)
    third = await office.person("Петров Илья Андреевич", Role.HR_REVIEWER, office.hr)
    context, page = await at(browser, site, office, office.reviewer, "/desk/team")
    await expect(page.locator("#move")).to_have_count(0)
    await expect(page.locator("#field-person_id")).to_have_count(0)
    csrf = await page.locator("[name=csrf_token]").first.get_attribute("value")
    answer = await page.request.post(
        f"{site.url}/desk/team/move",
        form={
            "csrf_token": csrf or "",
            "case": str(case_id),
            f"step.{case_id}": str((await office.case(case_id)).step),
            "to": str(third.person_id),
        },
        headers={"Origin": site.url},
    )
    assert answer.status == 403
    assert (await office.case(case_id)).reviewer_id == office.head.person_id
    await context.close()


async def test_the_desk_is_not_for_applicants(browser: Browser, site: Site, office: Office) -> None:
    """A clinician has no desk, neither in the navigation nor by its address (I6)."""
    context, page = await at(browser, site, office, office.clinician, "/")
    await expect(page.locator("nav a[href='/desk']")).to_have_count(0)
    for path in ("/desk", "/desk/team", f"/desk/several?case={uuid4()}"):
        answer = await page.goto(f"{site.url}{path}")
        assert answer is not None
        assert answer.status == 403, path
    await context.close()
