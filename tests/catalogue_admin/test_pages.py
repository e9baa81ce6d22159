"""The administrator's screens in the browser: by keyboard, previewed, refused without loss."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, expect
from pydantic import SecretStr

from rules.catalogue.entries import Subject
from server import create_app
from services.catalogue_admin.changes import Wish
from services.catalogue_admin.types import as_file
from settings import Settings
from tests.catalogue_admin.test_changes import TYPE, code_of_programme, newest
from tests.shared.administration import SHIPPED, Admins
from tests.shared.cabinet import Site, faults_of, signed_in, watch, well_made
from tests.shared.served import at_port, free_port


@dataclass
class Screens:
    """The cabinet over this test's database, with the administrator in front of it."""

    admins: Admins
    site: Site
    page: Page
    wrong: list[str]

    async def open(self, path: str) -> Page:
        """Go to one of the screens."""
        await self.page.goto(f"{self.site.url}/administration{path}")
        return self.page


@pytest.fixture
async def screens(settings: Settings, admins: Admins, browser: Browser) -> AsyncIterator[Screens]:
    """The screens of an administrator who has signed in."""
    port = free_port()
    chosen = settings.model_copy(
        update={
            "public_url": f"http://127.0.0.1:{port}",
            "cookie_secure": False,
            "database_url": SecretStr(admins.url),
        }
    )
    async with at_port(create_app(chosen), port) as url:
        site = Site(url, chosen)
        context = await signed_in(browser, site, admins.office, admins.admin)
        page = await context.new_page()
        yield Screens(admins, site, page, watch(page))
        await context.close()


async def test_every_screen_is_sound(screens: Screens) -> None:
    """Each list, each form, on a desktop and on a phone: axe finds nothing, scripts are quiet."""
    code = await code_of_programme(screens.admins)
    for path in (
        "",
        "/programmes",
        f"/programmes/{code}",
        "/programmes/new",
        "/types",
        f"/types/{TYPE}",
        "/types/new",
        f"/types/{TYPE}/file",
        "/terms",
        f"/terms/{TYPE}",
        "/credentials",
        "/credentials/accreditation",
        "/credentials/new",
        "/reasons",
        "/reasons/new",
        "/units",
        "/units/hr",
        "/units/new",
        "/calendar",
        "/calendar/new",
    ):
        page = await screens.open(path)
        await expect(page.locator("h1")).to_be_visible()
        if path in ("", "/programmes", f"/programmes/{code}", f"/types/{TYPE}"):
            await well_made(page)
        else:
            assert not await faults_of(page), path
    assert not screens.wrong


async def test_terms_are_changed_by_keyboard_after_a_look(screens: Screens) -> None:
    """Look, see what it means for open cases, save, move them: without a mouse (O6)."""
    case_id = await screens.admins.office.in_review()
    number = (await screens.admins.office.case(case_id)).number
    page = await screens.open(f"/terms/{TYPE}")
    await page.locator("#field-review").fill("3")
    await page.locator("#field-review_reminders").fill("1")
    await page.get_by_role("button", name="Посмотреть, что изменится").press("Enter")
    await expect(page.locator("#look")).to_contain_text("Рассмотрение, рабочих дней")
    await expect(page.locator("main")).to_contain_text("срок закончится раньше")
    await expect(page.locator("main")).to_contain_text(number or "")
    await expect(page.locator("#field-review")).to_have_value("3")
    assert not await faults_of(page)
    assert (await newest(screens.admins, Subject.TYPE, TYPE)).version == SHIPPED
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(page.locator(".flash")).to_contain_text("Сохранено")
    assert (await newest(screens.admins, Subject.TYPE, TYPE)).version == SHIPPED + 1
    await expect(page.locator("main")).to_contain_text("Админов Пётр")
    await page.get_by_role("button", name="Перевести 1 дело").press("Enter")
    await expect(page.locator(".flash")).to_contain_text("Переведено: 1")
    assert (await screens.admins.office.case(case_id)).type_version == SHIPPED + 1
    assert not screens.wrong


async def test_an_empty_form_comes_back_once_and_names_its_fields(screens: Screens) -> None:
    """All that is missing is told together; the example of a new type is no type yet."""
    page = await screens.open("/programmes/new")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    told = page.locator(".govuk-error-summary")
    for words in ("Код: Заполните поле", "Название: Заполните поле", "Объём, часов: Напишите"):
        await expect(told).to_contain_text(words)
    page = await screens.open("/types/new")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(told).to_be_focused()
    await expect(told).to_contain_text("Новое поле: Название поля: Заполните поле")
    page = await screens.open("/types/new/file")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(told).to_be_focused()
    await expect(page.locator("#field-text")).to_have_value(re.compile("key: new_type"))


async def test_a_type_is_changed_as_a_form_without_a_mouse(screens: Screens) -> None:
    """A field is added, moved, called and refused at its field, another one is put aside; the
    preview beside follows, a colleague's change is told, and nothing typed is lost."""
    page = await screens.open(f"/types/{TYPE}")
    section = page.locator("#part-s1")
    await section.locator("summary").first.press("Enter")
    await section.get_by_role("button", name="Добавить поле").press("Enter")
    await expect(page.locator("#part-s1f5 > summary")).to_be_focused()
    await page.locator("#field-s1f5-label").fill("Отделение")
    await page.locator("#part-s1f5").get_by_role("button", name="Выше").press("Enter")
    await expect(page.locator("#part-s1f4 > summary")).to_be_focused()
    await expect(page.locator(".preview")).to_contain_text("Отделение")
    await page.locator("#field-s1f4-kind").select_option("choice")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    told = page.locator(".govuk-error-summary")
    await expect(told).to_contain_text("Отделение: Варианты: Перечислите варианты")
    await told.get_by_role("link").press("Enter")
    await expect(page.locator("#field-s1f4-choices")).to_be_focused()
    assert not await faults_of(page)
    await page.locator("#field-s1f4-choices").fill("Терапия\nХирургия")
    await page.locator("#part-s1f1 > summary").press("Enter")
    await page.locator("#part-s1f1").get_by_role("button", name="Убрать").press("Enter")
    await expect(page.locator("#part-s1f1")).to_contain_text("Не войдёт в новую редакцию")
    stands = await newest(screens.admins, Subject.TYPE, TYPE)
    theirs = as_file({**stands.values, "hint": "От коллеги"}, SHIPPED + 1)
    wish = Wish(uuid4(), stands.digest)
    await screens.admins.change_type(TYPE, theirs, wish)
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(told).to_contain_text("изменил кто-то другой")
    await expect(page.locator("#look")).to_contain_text("От коллеги")
    await page.locator("#field-title").press("Enter")
    await expect(page.locator("#look")).to_contain_text("Ещё не сохранено")
    await expect(page.locator("#look")).to_contain_text(": Отделение: Тип значения")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(page.locator(".flash")).to_contain_text("Сохранено")
    saved = await newest(screens.admins, Subject.TYPE, TYPE)
    assert saved.version == SHIPPED + 2
    names = [one["name"] for one in saved.values["sections"][1]["fields"]]
    assert names == ["specialty", "snils", "inn", "otdelenie", "phone"]
    assert not [line for line in screens.wrong if "422" not in line and "409" not in line]


async def test_a_bad_type_is_refused_with_its_line(screens: Screens) -> None:
    """The line is told, the text stays; once it is mended the new version is saved."""
    page = await screens.open(f"/types/{TYPE}/file")
    text = await page.locator("#field-text").input_value()
    await page.locator("#field-text").fill(text.replace("kind: checkbox", "kind: tickbox", 1))
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("Строка")
    assert "tickbox" in await page.locator("#field-text").input_value()
    await page.locator("#field-text").fill(text.replace("Диплом об образовании", "Диплом", 1))
    await page.get_by_role("button", name="Посмотреть, что изменится").press("Enter")
    await expect(page.locator(".preview")).to_contain_text("Диплом")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(page.locator(".flash")).to_contain_text("Сохранено")
    await expect(page.locator("#versions-title + ul")).to_contain_text(f"Редакция {SHIPPED + 1}")


async def test_a_stale_form_is_refused_and_loses_nothing(screens: Screens) -> None:
    """Somebody else saved in between: what was typed stays, with what differs, and can be saved."""
    code = await code_of_programme(screens.admins)
    page = await screens.open(f"/programmes/{code}")
    stands = await newest(screens.admins, Subject.PROGRAMME, code)
    await screens.admins.administration.change(
        screens.admins.admin,
        Subject.PROGRAMME,
        {**stands.values, "description": "Описание от коллеги."},
        Wish(uuid4(), stands.digest),
    )
    await page.locator("#field-title").fill("Моё название программы")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(page.locator(".govuk-error-summary")).to_contain_text("изменил кто-то другой")
    await expect(page.locator("#field-title")).to_have_value("Моё название программы")
    await expect(page.locator("#look")).to_contain_text("Описание от коллеги.")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(page.locator(".flash")).to_contain_text("Сохранено")
    assert (await newest(screens.admins, Subject.PROGRAMME, code)).title == "Моё название программы"


async def test_new_things_are_added(screens: Screens) -> None:
    """A programme, a reason, a unit and a day; what is wrong is told at its field."""
    page = await screens.open("/programmes/new")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(page.locator(".govuk-error-summary a").first).to_be_visible()
    for name, value in {
        "code": "NEW-036",
        "title": "Новая программа",
        "organisation": "Академия",
        "hours": "36",
        "certified_hours": "36",
        "starts_on": "18.01.2027",
        "checklist": "Есть ли стаж",
        "add": "attestation: Свидетельство",
    }.items():
        await page.locator(f"#field-{name}").fill(value)
    await page.locator("input[name=kind][value=course]").check()
    await page.locator("input[name=specialties][value=cardiology]").check()
    await page.get_by_role("button", name="Посмотреть, что изменится").press("Enter")
    await expect(page.locator(".preview")).to_contain_text("Есть ли стаж")
    await expect(page.locator(".preview")).to_contain_text("Свидетельство")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(page.locator(".flash")).to_contain_text("Сохранено")
    page = await screens.open("/reasons/new")
    await page.locator("#field-key").fill("no_seats")
    await page.locator("input[name=outcome][value=reject]").check()
    await page.locator("#field-title").fill("Нет мест")
    await page.locator("#field-text").fill("Свободных мест не осталось.")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(page.locator(".flash")).to_contain_text("Сохранено")
    page = await screens.open("/units/new")
    await page.locator("#field-code").fill("neurology")
    await page.locator("#field-name").fill("Неврология")
    await page.locator("input[name=parent][value=institution]").check()
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(page.locator(".flash")).to_contain_text("Сохранено")
    page = await screens.open("/calendar/new")
    await page.locator("#field-day").fill("11.01.2027")
    await page.locator("input[name=working][value=false]").check()
    await page.locator("#field-source").fill("Постановление 1")
    await page.get_by_role("button", name="Сохранить").press("Enter")
    await expect(page.locator(".flash")).to_contain_text("Сохранено")
    assert not [line for line in screens.wrong if "422" not in line]


async def test_others_find_no_door(screens: Screens, browser: Browser) -> None:
    """A reviewer has no entry in the navigation, and the address refuses (I6)."""
    context = await signed_in(
        browser, screens.site, screens.admins.office, screens.admins.office.reviewer
    )
    page = await context.new_page()
    answer = await page.goto(f"{screens.site.url}/administration")
    assert answer is not None
    assert answer.status == 403
    await expect(page.get_by_role("link", name="Настройка")).to_have_count(0)
    await context.close()
