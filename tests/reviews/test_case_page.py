"""A case on the reviewers' desk in a real browser: papers, keys, decisions, colleagues."""

from io import BytesIO
from uuid import UUID, uuid4

import pikepdf
import pytest
from playwright.async_api import Browser, BrowserContext, Page, Request, expect
from sqlmodel import col, select

from models.tables.cases import CaseDecision
from rules.access import Role
from rules.cases.process import Status, Transition
from services.cases.acts import Act
from tests.shared.cabinet import PHONE, Site, faults_of, press, signed_in, watch
from tests.shared.office import Office

pytestmark = pytest.mark.browser


async def on_the_desk(office: Office) -> UUID:
    """A case in review that lies with the reviewer of this test."""
    case_id = await office.in_review()
    await office.take(case_id)
    return case_id


async def opened(
    browser: Browser, site: Site, office: Office, case_id: UUID, **options: object
) -> tuple[BrowserContext, Page]:
    """The reviewer's browser with the case open, come from the list of own cases."""
    context = await signed_in(browser, site, office, office.reviewer, **options)
    page = await context.new_page()
    await page.goto(f"{site.url}/desk/cases/{case_id}?reviewer=me")
    return context, page


def unexpected(said: list[str]) -> list[str]:
    """What went wrong in the browser, but for answers that refuse and papers never stored."""
    return [line for line in said if "status of 4" not in line]


async def test_keys_lead_to_the_decision_and_never_decide(
    browser: Browser, site: Site, office: Office
) -> None:
    """`a`, `c`, `r` choose an outcome and wait; in a field they are letters; `?` shows them all."""
    case_id = await on_the_desk(office)
    context, page = await opened(browser, site, office, case_id)
    wrong = watch(page)
    for key, outcome in (("a", "approve"), ("r", "reject"), ("c", "clarify")):
        await page.locator("body").press(key)
        await expect(page.locator(f"#outcome-{outcome}")).to_be_checked()
        await page.locator("h1").click()
    await page.locator("#field-reason").focus()
    await page.keyboard.type("arc")
    await expect(page.locator("#field-reason")).to_have_value("arc")
    await expect(page.locator("#outcome-clarify")).to_be_checked()
    await page.locator("h1").click()
    await press(page, "?")
    await expect(page.locator("#keys")).to_be_visible()
    await page.get_by_label("Включить однобуквенные клавиши").uncheck()
    await page.keyboard.press("Escape")
    await press(page, "a")
    await expect(page.locator("#outcome-clarify")).to_be_checked()
    assert (await office.case(case_id)).status == Status.IN_REVIEW
    assert not unexpected(wrong)
    await context.close()


async def test_an_incomplete_decision_loses_nothing(
    browser: Browser, site: Site, office: Office
) -> None:
    """What is missing is named with links, what was typed stays, and then it works (A3, A4).

    The usual approval is one act; whoever takes a confirmation back approves no longer.
    """
    case_id = await on_the_desk(office)
    context, page = await opened(browser, site, office, case_id)
    await press(page, "a")
    await page.locator("#stock").select_option("approve_fits")
    stocked = "Документы и сведения соответствуют требованиям программы."
    await expect(page.locator("#field-reason")).to_have_value(stocked)
    await page.get_by_role("button", name="Принять решение").click()
    summary = page.locator(".govuk-error-summary")
    await expect(summary).to_contain_text("Чтобы одобрить, подтвердите: Специальность")
    await expect(page.locator("#field-reason")).to_have_value(stocked)
    await expect(page.locator("#outcome-approve")).to_be_checked()
    assert not await faults_of(page)
    assert (await office.case(case_id)).status == Status.IN_REVIEW
    await page.locator("#field-reason").fill("")
    await page.get_by_role("button", name="Всё соответствует").click()
    await expect(page.locator("#field-reason")).to_have_value(stocked)
    await expect(page.locator(".check .tick:not(:checked)")).to_have_count(0)
    await expect(page.get_by_role("button", name="Принять решение")).to_be_focused()
    await page.locator(".check .tick").last.uncheck()
    await expect(page.locator("#outcome-approve")).not_to_be_checked()
    await expect(page.locator("#field-reason")).to_have_value("")
    await page.get_by_role("button", name="Всё соответствует").click()
    await page.get_by_role("button", name="Принять решение").click()
    await expect(page.locator(".flash, .notice-good").first).to_contain_text("Одобрено")
    assert (await office.case(case_id)).status == Status.APPROVED
    async with office.database.work() as session:
        decided = (
            await session.exec(select(CaseDecision).where(CaseDecision.case_id == case_id))
        ).one()
    assert decided.reason == stocked
    assert decided.checklist
    assert all(decided.checklist.values())
    await context.close()


async def test_a_question_to_the_applicant(browser: Browser, site: Site, office: Office) -> None:
    """Remarks are written beside the answers that they are about."""
    case_id = await on_the_desk(office)
    context, page = await opened(browser, site, office, case_id)
    await page.locator("#answer-purpose").get_by_role("button").click()
    await expect(page.locator("#outcome-clarify")).to_be_checked()
    remark = page.locator("#remark-purpose")
    await expect(remark).to_be_focused()
    await remark.fill("Напишите, какие умения нужны.")
    await expect(page.locator("#remark-snils")).to_be_hidden()
    await page.locator("#field-reason").fill("Обоснование слишком общее.")
    await page.get_by_role("button", name="Принять решение").click()
    await expect(page.locator("#waits-word")).to_contain_text("Требуется уточнение")
    assert (await office.case(case_id)).status == Status.CLARIFICATION
    await context.close()


async def test_two_reviewers_at_once(browser: Browser, site: Site, office: Office) -> None:
    """The second is told while still writing; no text is lost, and nothing is decided twice."""
    case_id = await on_the_desk(office)
    context, page = await opened(browser, site, office, case_id)
    await press(page, "r")
    await page.locator("#field-reason").fill("Набор закрыт, место занято.")
    await office.decide(case_id, Transition.CLARIFY, by=office.head)
    await expect(page.locator("#live-moved")).to_contain_text("заявка изменилась")
    await expect(page.locator("#field-reason")).to_have_value("Набор закрыт, место занято.")
    await page.get_by_role("button", name="Принять решение").click()
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Пока вы готовили решение")
    await expect(page.get_by_text("Набор закрыт, место занято.")).to_be_visible()
    assert not await faults_of(page)
    async with office.database.work() as session:
        decided = await session.exec(
            select(CaseDecision.outcome).where(col(CaseDecision.case_id) == case_id)
        )
        assert list(decided.all()) == ["clarify"]
    await context.close()


async def test_a_decision_on_an_outdated_version(
    browser: Browser, site: Site, office: Office
) -> None:
    """When the applicant has corrected meanwhile, the form comes back filled, at the new step."""
    case_id = await on_the_desk(office)
    context, page = await opened(browser, site, office, case_id)
    await press(page, "r")
    await page.locator("#field-reason").fill("Не та специальность.")
    step = (await office.case(case_id)).step
    await office.applications.save_draft(office.clinician, case_id, {"purpose": "Уточняю сам."})
    await office.applications.correct(office.clinician, case_id, Act(uuid4(), step))
    await office.check(case_id)
    await page.get_by_role("button", name="Принять решение").click()
    await expect(page.locator(".govuk-error-summary")).to_contain_text("примите решение ещё раз")
    await expect(page.locator("#field-reason")).to_have_value("Не та специальность.")
    await expect(page.locator("#outcome-reject")).to_be_checked()
    assert (await office.case(case_id)).status == Status.IN_REVIEW
    await page.get_by_role("button", name="Принять решение").click()
    await expect(page.locator("#waits-word")).to_contain_text("Отклонено")
    await context.close()


async def test_ones_own_application_cannot_be_decided(
    browser: Browser, site: Site, office: Office
) -> None:
    """A reviewer who applies sees the own case without a decision, and a forged form is refused."""
    case_id = await office.in_review(office.reviewer)
    context, page = await opened(browser, site, office, case_id)
    await expect(page.get_by_text("Это отправили вы")).to_be_visible()
    await expect(page.locator("#decision")).to_have_count(0)
    csrf = await page.locator("[data-csrf]").first.get_attribute("data-csrf")
    answer = await page.request.post(
        f"{site.url}/desk/cases/{case_id}/decision",
        form={
            "csrf_token": csrf or "",
            "act_id": str(uuid4()),
            "at_step": str((await office.case(case_id)).step),
            "outcome": "reject",
            "reason": "Решаю сам.",
        },
        headers={"Origin": site.url},
    )
    assert answer.status == 403
    assert "Нельзя решать по собственной заявке" in await answer.text()
    assert (await office.case(case_id)).status == Status.IN_REVIEW
    await context.close()


async def test_taking_handing_over_and_being_read(
    browser: Browser, site: Site, office: Office
) -> None:
    """Colleagues see who reads; a case is taken with the typed text kept, and handed over (A11)."""
    case_id = await on_the_desk(office)
    await office.hand_over(case_id, office.reviewer, office.head)
    await office.reviews.read(office.head, case_id)
    context, page = await opened(browser, site, office, case_id)
    await expect(page.locator("#live-who")).to_contain_text("Сейчас читает Громова О. И.")
    await expect(page.locator("#hand-over")).to_have_count(0)
    await page.locator("#field-reason").fill("Пишу причину.")
    third = await office.person("Петров Илья Андреевич", Role.HR_REVIEWER, office.hr)
    await page.route("**/desk/cases/*/live/*", lambda route: route.abort())
    await office.take(case_id, third)
    await page.get_by_role("button", name="Взять себе").click()
    await expect(page.locator("main")).to_contain_text("у другого сотрудника: Петров Илья")
    await expect(page.locator("#field-reason")).to_have_value("Пишу причину.")
    await page.get_by_role("button", name="Взять себе").click()
    await expect(page.locator("#live-who")).to_contain_text("Рассматривает: вы")
    await expect(page.locator("#field-reason")).to_have_value("Пишу причину.")
    assert (await office.case(case_id)).reviewer_id == office.reviewer.person_id
    page.on("dialog", lambda dialog: dialog.accept())
    await page.locator("#hand-over summary").click()
    await page.get_by_role("button", name="Передать заявку").click()
    await expect(page.locator("#error-to")).to_contain_text("Выберите, кому передать")
    await page.locator("#field-to").select_option(str(office.head.person_id))
    await page.locator("#field-why").fill("Ухожу в отпуск.")
    await page.get_by_role("button", name="Передать заявку").click()
    await expect(page.locator("#live-who")).to_contain_text("Громова О. И.")
    await expect(page.locator("#live-timeline")).to_contain_text("Ухожу в отпуск.")
    assert (await office.case(case_id)).reviewer_id == office.head.person_id
    await context.close()


async def test_comments_do_not_disturb_a_decision(
    browser: Browser, site: Site, office: Office
) -> None:
    """A comment appears without a reload; one for colleagues never reaches the applicant (A8)."""
    case_id = await on_the_desk(office)
    context, page = await opened(browser, site, office, case_id)
    await page.locator("#field-reason").fill("Думаю.")
    await page.get_by_role("button", name="Отправить сообщение").click()
    await expect(page.locator(".comment-refused")).to_contain_text("Напишите сообщение")
    await page.locator("#field-text").fill("Проверьте стаж, коллеги.")
    await page.locator("label[for=to-internal]").click()
    await page.get_by_role("button", name="Отправить сообщение").click()
    await expect(page.locator("#live-comments")).to_contain_text("Только коллегам")
    await expect(page.locator("#field-text")).to_have_value("")
    await expect(page.locator("#field-reason")).to_have_value("Думаю.")
    await page.locator("#field-text").fill("Когда вам удобно учиться?")
    await page.locator("label[for=to-applicant]").click()
    await page.get_by_role("button", name="Отправить сообщение").click()
    await expect(page.locator("#live-comments")).to_contain_text("удобно учиться")
    applicant = await signed_in(browser, site, office, office.clinician)
    theirs = await applicant.new_page()
    await theirs.goto(f"{site.url}/applications/{case_id}")
    await expect(theirs.locator("#comments")).to_contain_text("удобно учиться")
    assert "Проверьте стаж" not in await theirs.content()
    await applicant.close()
    await context.close()


async def test_what_the_page_does_by_itself_is_no_activity(
    browser: Browser, site: Site, office: Office
) -> None:
    """Polls and the reading mark say that nobody did anything, so the session still ends (I5)."""
    case_id = await on_the_desk(office)
    context = await signed_in(browser, site, office, office.reviewer)
    page = await context.new_page()
    asked: dict[str, str | None] = {}

    def note(request: Request) -> None:
        if f"/cases/{case_id}/" in request.url:
            asked[request.url.rpartition("/cases/")[2]] = request.headers.get("x-medcab-background")

    page.on("request", note)
    await page.goto(f"{site.url}/desk/cases/{case_id}")
    async with page.expect_request(f"**/{case_id}/live/*"):
        pass
    assert f"{case_id}/reading" in asked
    assert len(asked) >= 2
    assert set(asked.values()) == {"1"}
    await context.close()


async def test_papers_are_looked_at_beside_the_decision(
    browser: Browser, site: Site, office: Office
) -> None:
    """Pages of a document show as pictures, with tabs, paging and zoom, by mouse and by keys."""
    applicant = await signed_in(browser, site, office, office.clinician)
    theirs = await applicant.new_page()
    await theirs.goto(f"{site.url}/documents")
    csrf = await theirs.locator("[name=csrf_token]").first.get_attribute("value")
    document = pikepdf.Pdf.new()
    for _ in range(3):
        document.add_blank_page(page_size=(595, 842))
    document.save(body := BytesIO())
    given = await theirs.request.post(
        f"{site.url}/api/v1/documents?category=diploma",
        data=body.getvalue(),
        headers={
            "Content-Type": "application/pdf",
            "X-CSRF-Token": csrf or "",
            "Origin": site.url,
        },
    )
    assert given.status == 201, await given.text()
    version = (await given.json())["version"]["id"]
    await applicant.close()
    case_id = await office.draft()
    old = next(
        UUID(cited["document_version_id"])
        for cited in (await office.case(case_id)).draft_attachments
        if cited["kind"] == "diploma"
    )
    await office.applications.detach(office.clinician, case_id, "diploma", old)
    await office.applications.attach(office.clinician, case_id, "diploma", UUID(version))
    await office.applications.submit(office.clinician, case_id, Act(uuid4(), 0))
    await office.check(case_id)

    context, page = await opened(browser, site, office, case_id)
    await page.get_by_role("tab", name="Диплом об образовании").click()
    sheets = page.locator(".viewer:not([hidden]) .sheet")
    await expect(sheets).to_have_count(3)
    await expect(sheets.first).to_have_js_property("complete", True)
    assert await sheets.first.evaluate("image => image.naturalWidth") > 500
    await expect(page.locator(".viewer:not([hidden]) [data-sheet-words]")).to_have_text(
        "Страница 1 из 3"
    )
    await page.locator("h1").click()
    await press(page, "]")
    await expect(page.locator(".viewer:not([hidden]) [data-sheet-words]")).to_have_text(
        "Страница 2 из 3"
    )
    before = await sheets.first.evaluate("image => image.clientWidth")
    await press(page, "+")
    assert await sheets.first.evaluate("image => image.clientWidth") > before
    await press(page, "1")
    await expect(page.locator("#tab-form")).to_be_visible()
    assert not await faults_of(page)
    await context.close()


async def test_everything_works_without_scripts(
    browser: Browser, site: Site, office: Office
) -> None:
    """With scripts off the papers, the stock of reasons, remarks and the decision still work."""
    case_id = await on_the_desk(office)
    context, page = await opened(
        browser, site, office, case_id, java_script_enabled=False, viewport=PHONE
    )
    await expect(page.locator("#tab-form")).to_be_visible()
    await expect(page.locator(".viewer").first).to_be_visible()
    await page.locator("label[for=outcome-clarify]").click()
    await page.locator("#remark-diploma").fill("Нет вкладыша.")
    await page.locator("#stock").select_option("clarify_pages")
    await page.get_by_role("button", name="Вставить").click()
    await expect(page.locator("#field-reason")).to_contain_text("не хватает страниц")
    await expect(page.locator("#remark-diploma")).to_have_value("Нет вкладыша.")
    assert (await office.case(case_id)).status == Status.IN_REVIEW
    await page.get_by_role("button", name="Принять решение").click()
    await expect(page.locator("#waits-word")).to_contain_text("Требуется уточнение")
    await context.close()


async def test_the_applicants_history_is_for_reviewers(
    browser: Browser, site: Site, office: Office
) -> None:
    """A reviewer sees the applicant's other cases; a unit head looks but decides nothing (I6)."""
    other = await office.in_review()
    case_id = await on_the_desk(office)
    context, page = await opened(browser, site, office, case_id)
    number = (await office.case(other)).number or ""
    await expect(page.locator(".other-cases")).to_contain_text(number)
    await context.close()
    head = await office.person("Белова Инна Сергеевна", Role.UNIT_HEAD, office.ward)
    context = await signed_in(browser, site, office, head)
    page = await context.new_page()
    await page.goto(f"{site.url}/desk/cases/{case_id}")
    await expect(page.get_by_text("Вы можете только смотреть. Решение принимает:")).to_be_visible()
    await expect(page.locator("#decision, .other-cases, [data-talk-form]")).to_have_count(0)
    await context.close()
