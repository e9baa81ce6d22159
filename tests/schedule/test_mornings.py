"""Mornings of the clinic in a real browser: a clinician, a registrar, an invited patient (W1, W2).

Each of them goes by the links and buttons of the pages alone. No page is too wide, axe finds
nothing, and no script fails.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from rules.clock import now
from rules.records.entries import OpenedFor
from services.patients import openings, ways
from services.records.acts import Records
from services.records.drafts import RecordDrafts
from services.schedule.acts import Appointments, TimeWish
from services.schedule.planning import HoursWish, Planning
from tests.patients.people import codes, fresh_snils, identity, patient
from tests.records.conftest import NOTE
from tests.results.clinic import Clinic
from tests.schedule.clinic import EVERY_DAY
from tests.shared.cabinet import LOOKS, Site, account_of, at, confirmed, faults_of, watch
from tests.shared.office import Office

pytestmark = pytest.mark.browser
STEP = 30


@dataclass
class Morning:
    """A unit whose doctor has hours and a patient now, and the browser of one of its people."""

    clinic: Clinic
    appointment: UUID
    page: Page
    context: BrowserContext
    said: list[str]

    @classmethod
    async def open(
        cls, browser: Browser, site: Site, office: Office, who: str, path: str, **look: Any
    ) -> "Morning":
        """Let the day begin, and open somebody's first page."""
        clinic = await Clinic.open(office)
        planning = Planning(office.database)
        hours = HoursWish(clinic.doctor.person_id, clinic.unit, None, 0, 1440, STEP)
        await planning.add_hours(clinic.registrar, hours, EVERY_DAY, date(2020, 1, 1), None)
        moment = now().replace(second=0, microsecond=0)
        begun = moment - timedelta(minutes=moment.minute % STEP)
        wish = TimeWish(clinic.doctor.person_id, clinic.patient, begun, 60, "Острая боль")
        made = await Appointments(office.database).book(clinic.registrar, uuid4(), wish)
        actor = getattr(clinic, who)
        await account_of(office, actor)
        await confirmed(office, actor)
        context, page = await at(browser, site, office, actor, path, **look)
        return cls(clinic, made.id, page, context, watch(page))

    async def look(self, heading: str) -> None:
        """The page of this heading is sound."""
        await expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)
        await sound(self.page)

    async def press(self, role: Any, name: str) -> None:
        """Go on by the keyboard: what has the focus is pressed, and found by its name."""
        what = self.page.get_by_role("main").get_by_role(role, name=re.compile(f"^{name}")).first
        await what.press("Enter")

    async def close(self) -> None:
        """The morning is over: no script has failed."""
        assert [one for one in self.said if not re.search("status of 409", one)] == []
        await self.context.close()


async def sound(page: Page) -> None:
    """Not too wide, and axe finds nothing."""
    assert await faults_of(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("scheme", "size"), LOOKS)
async def test_a_clinicians_morning(
    browser: Browser, site: Site, office: Office, scheme: str, size: dict[str, int]
) -> None:
    """From the first page to the confirmed result: the day, the patient, what is new, a note."""
    look = {"viewport": size, "color_scheme": scheme}
    one = await Morning.open(browser, site, office, "doctor", "/", **look)
    clinic, page = one.clinic, one.page
    drafts, opened = RecordDrafts(office.database), OpenedFor(clinic.patient)
    draft = await drafts.begin(clinic.doctor, opened, uuid4(), "note")
    await drafts.save(clinic.doctor, draft, opened, NOTE, {})
    await Records(office.database).sign(clinic.doctor, draft, opened, 0)
    await clinic.take(clinic.said())
    await page.reload()
    await one.look("Сегодня ждём 1 пациента")
    main = page.get_by_role("main")
    await main.get_by_role("link", name=clinic.who.name).click()
    await one.look(clinic.who.name)
    for step in ("Пришёл", "Начать приём"):
        await main.get_by_role("button", name=re.compile(f"^{step}")).click()
    await expect(main).to_contain_text("на приёме")
    await main.get_by_role("link", name="Карта пациента").click()
    news = page.get_by_role("region", name="С прошлого приёма")
    await expect(news).to_contain_text("Калий")
    await one.look(clinic.who.name)
    await main.get_by_role("button", name="Заметка", exact=True).click()
    for name, value in NOTE.items():
        await page.fill(f"#field-{name}", value)
    await expect(page.locator("#saved-note")).to_contain_text("Сохранено")
    await page.reload()
    await expect(page.locator("#field-text")).to_have_value(NOTE["text"])
    await sound(page)
    await main.get_by_role("button", name="Подписать").click()
    await one.look("Заметка")
    await main.get_by_role("link", name=clinic.who.name).first.click()
    await main.get_by_role("link", name="Калий").first.click()
    await one.look("Калий")
    await main.get_by_label("Ничего", exact=False).first.check()
    await main.get_by_role("button", name="Подтвердить версию 1").click()
    await expect(main).to_contain_text("Результат подтверждён")
    await sound(page)
    await one.close()


async def test_a_registrars_morning_by_keyboard(
    browser: Browser, site: Site, office: Office
) -> None:
    """A patient who may be there already, a time kept, booked, moved and given back; the day."""
    one = await Morning.open(browser, site, office, "registrar", "/patients")
    clinic, page = one.clinic, one.page
    main = page.get_by_role("main")
    await one.look("Пациенты")
    await one.press("link", "Новый пациент")
    await page.fill("#field-name", clinic.who.name)
    await page.fill("#field-birth_date", clinic.who.birth_date.strftime("%d.%m.%Y"))
    await page.locator("input[name=sex][value=female]").press("Space")
    await one.press("button", "Сохранить")
    await expect(main.get_by_role("region", name="Похожие пациенты")).to_contain_text(
        clinic.who.name
    )
    await sound(page)
    await page.locator("#field-other").press("Space")
    await one.press("button", "Сохранить")
    await one.look(clinic.who.name)
    await one.press("link", "Записать на приём")
    await page.locator("#field-clinician").select_option(str(clinic.doctor.person_id))
    await one.press("button", "Показать время")
    times = main.get_by_role("region", name="Свободное время").get_by_role("button")
    await sound(page)
    kept = await times.nth(1).inner_text()
    await times.nth(1).press("Enter")
    await expect(main).to_contain_text("Время удерживается пять минут")
    await sound(page)
    await one.press("button", "Подтвердить запись")
    await expect(main).to_contain_text("записан")
    await one.press("link", "Перенести")
    await one.look("Перенести запись")
    assert kept not in await times.all_inner_texts(), "a booked time is offered to nobody"
    await times.nth(1).press("Enter")
    await one.look(clinic.who.name)
    await page.get_by_label("Причина").fill("Пациент передумал")
    await one.press("button", "Отменить запись")
    await expect(main).to_contain_text("запись отменена")
    await page.goto(f"{site.url}/schedule/units/{clinic.unit}")
    await sound(page)
    await one.press("button", "Пришёл")
    await expect(main).to_contain_text("пришёл")
    await one.press("link", clinic.doctor.name)
    await one.press("link", "Лист дня")
    await one.look(clinic.doctor.name)
    await expect(main.get_by_role("table")).to_contain_text(clinic.who.name)
    await one.close()


async def test_a_patient_reads_who_looked(browser: Browser, site: Site, office: Office) -> None:
    """By a personal link and a code to the telephone: who opened the record, when and why."""
    one = await Morning.open(browser, site, office, "registrar", "/patients")
    clinic, page = one.clinic, one.page
    phone = f"+7918{uuid4().int % 10**7:07}"
    who = identity("Демидова Ольга Юрьевна", snils=fresh_snils(), phone=phone)
    key = await patient(office.database, clinic.unit, who)
    async with office.database.work() as session:
        await openings.open_at_once(session, clinic.doctor, key, "Без сознания", now())
        await ways.look(session, clinic.doctor, key, now())
    await page.goto(f"{site.url}/patients/{key}/identity")
    await one.press("button", "Дать ссылку")
    link = await page.locator("#patient-link").inner_text()
    await sound(page)
    guest = await browser.new_context(locale="ru-RU")
    theirs = await guest.new_page()
    await theirs.goto(link)
    await theirs.get_by_role("button", name="Получить код").click()
    await expect(theirs.get_by_role("status")).to_be_visible()
    await sound(theirs)
    [code] = await codes(office.database, phone)
    await theirs.get_by_label("Код из SMS").fill(code)
    await theirs.get_by_role("button", name="Войти").click()
    await expect(theirs.get_by_role("heading", level=1)).to_have_text("Кто смотрел мою карту")
    seen = theirs.get_by_role("main")
    await expect(seen).to_contain_text(clinic.registrar.name)
    await expect(seen).to_contain_text("Регистратура: данные о пациенте, без карты")
    await expect(seen).to_contain_text("Без сознания")
    await expect(seen).to_contain_text("ждёт оценки отдела ИБ")
    await sound(theirs)
    await theirs.get_by_role("button", name="Выйти").click()
    await theirs.goto(f"{site.url}/patient")
    await expect(theirs.get_by_role("main")).not_to_contain_text(clinic.registrar.name)
    await guest.close()
    await one.close()
