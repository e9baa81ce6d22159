"""The audit in a real browser: auditor, security, the own log and the course (I9, I12, I13)."""

import hashlib
import json
import zipfile

import pytest
from playwright.async_api import Browser, Page, expect

from crypto.certificates import from_pem
from crypto.cms_signatures import check_signature
from rules.access import Role
from rules.cases.process import Transition
from services.course.contents import course
from services.dossier import page as dossier
from services.journal.checkpoints import trusted_certificates
from tests.operation.test_pages import picture
from tests.shared.cabinet import Site, at, watch, well_made
from tests.shared.office import Office

pytestmark = pytest.mark.browser


async def reads_well(page: Page, name: str) -> None:
    """The page is well made; a picture of each look, where somebody wants some."""
    await well_made(page, lambda look: picture(page, f"{name}-{look}"))


async def test_an_auditor_looks_back_and_the_applicant_reads_it(
    site: Site, office: Office, browser: Browser
) -> None:
    """By number to the case, by keyboard to its first act; the applicant finds both looks."""
    case_id = await office.in_review()
    await office.decide(case_id, Transition.REJECT)
    number = (await office.case(case_id)).number or ""
    auditor = await office.person("Ревизорова Вера", Role.AUDITOR, office.institution)
    context, page = await at(browser, site, office, auditor, "/audit")
    said = watch(page)
    await reads_well(page, "audit-register")
    field = page.get_by_label("Номер дела")
    await field.fill("нет такого")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()
    await field.fill(number.lower())
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Причина решения.").first).to_be_visible()
    await expect(page.get_by_text("Ещё не было известно")).to_have_count(0)
    await reads_well(page, "audit-case")
    acts = page.get_by_role("region", name="Действия").get_by_role("link")
    await acts.nth(await acts.count() - 2).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Ещё не было известно").first).to_be_visible()
    await expect(page.get_by_text("Решений ещё не было")).to_be_visible()
    await expect(page.get_by_text("Причина решения.")).to_have_count(0)
    await reads_well(page, "audit-moment")
    assert await page.locator("main form").count() == 0
    assert [line for line in said if "422" not in line] == []
    await context.close()

    context, page = await at(browser, site, office, office.clinician, "/profile/log?side=others")
    looks = page.get_by_role("row").filter(has_text="Ревизорова Вера")
    await expect(looks).to_have_count(2)
    await reads_well(page, "own-log")
    await page.get_by_role("link", name="Что делали вы").click()
    await expect(page.get_by_role("row").filter(has_text="Подано")).to_have_count(1)
    await context.close()


async def test_security_searches_and_takes_a_signed_copy(
    site: Site, office: Office, browser: Browser
) -> None:
    """A wrong filter is said at its field; the file is what its signed head says."""
    case_id = await office.in_review()
    number = (await office.case(case_id)).number or ""
    async with office.database.work() as session:
        await dossier.page(session, office.reviewer, case_id)
    security = await office.person("Охранова Вера", Role.SECURITY, office.institution)
    context, page = await at(browser, site, office, security, "/journal/search")
    await page.get_by_label("Номер дела").fill("нет такого")
    await page.get_by_role("main").get_by_role("button", name="Найти").click()
    await expect(page.locator("#error-number")).to_be_visible()
    await page.get_by_label("Номер дела").fill(number)
    await page.get_by_label("Событие").select_option("case")
    await page.get_by_role("main").get_by_role("button", name="Найти").click()
    await expect(page.get_by_role("row").filter(has_text="Просмотрено дело")).to_have_count(1)
    await reads_well(page, "journal-search")
    async with page.expect_download() as taken:
        await page.get_by_role("button", name="Скачать с подписью").click()
    packed = zipfile.ZipFile(await (await taken.value).path())
    head = packed.read("head.json")
    told = json.loads(head)
    assert told["sha256"] == hashlib.sha256(packed.read("journal.xlsx")).hexdigest()
    assert told["asked"] == {"number": number, "tag": "case"}
    assert told["lines"] >= 3
    trusted = trusted_certificates(site.settings)
    check_signature(head, packed.read("head.p7s"), trusted)
    assert from_pem(packed.read("seal.pem")) in trusted
    await page.goto(f"{site.url}/journal/self-check")
    await expect(page.get_by_role("row").filter(has_text="Шифрование соединения")).to_have_count(1)
    await reads_well(page, "self-check")
    await page.goto(f"{site.url}/course/overdue")
    await reads_well(page, "course-overdue")
    await context.close()


async def test_the_course_is_read_and_answered(
    site: Site, office: Office, browser: Browser
) -> None:
    """Without answers each question says so; with the right ones it is passed."""
    context, page = await at(browser, site, office, office.clinician, "/course")
    await page.get_by_role("button", name="Прочитал и соблюдаю").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await reads_well(page, "course")
    for question in course().questions:
        group = page.locator(f"#group-{question.name}")
        await group.get_by_label(question.choices[question.right].ru).check()
    await page.get_by_role("button", name="Прочитал и соблюдаю").click()
    await expect(page.get_by_text("Курс пройден, это записано в журнал.")).to_be_visible()
    await expect(page.get_by_role("button", name="Прочитал и соблюдаю")).to_have_count(0)
    await page.goto(f"{site.url}/people/{office.clinician.person_id}/rights")
    await reads_well(page, "rights")
    await context.close()
