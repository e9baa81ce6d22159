"""The list of people and the page of one, over the API and as pages (I6)."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, func, select

from models.tables.accounts import Account, LoginAttempt
from models.tables.journal import RecordView
from models.tables.people import Person, RoleGrant, Unit
from rules.access import Role
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.staff.people import PersonState
from rules.texts.cleaning import in_order
from services.journal import entries as journal
from services.staff import directory
from services.staff.directory import PeopleQuery
from tests.staff.hospital import Staff, staff

__all__ = ["staff"]


async def found(browser: httpx.AsyncClient, **asked: str) -> list[str]:
    """The names in the list."""
    answer = await browser.get("/api/v1/people", params=asked)
    assert answer.status_code == 200, answer.text
    return [line["name"] for line in answer.json()["lines"]]


async def test_people_are_found_by_name_post_unit_state_and_address(staff: Staff) -> None:
    """In any order of words, with or without capitals and ё; the list is in the order of names."""
    fyodor = await staff.person("Фёдоров Илья Андреевич", Role.NURSE)
    await staff.person("Федорова Анна", unit=staff.office.hr, account=False)
    browser = await staff.browser(staff.admin)
    assert await found(browser, text="ИЛЬЯ федоров") == ["Фёдоров Илья Андреевич"]
    assert await found(browser, text="федоров") == ["Фёдоров Илья Андреевич", "Федорова Анна"]
    assert await found(browser, text="федоров сестра", unit_id=str(staff.office.hr)) == [
        "Федорова Анна"
    ]
    assert await found(browser, text=(await staff.email(fyodor)).upper()) == [
        "Фёдоров Илья Андреевич"
    ]
    assert await found(browser, text="федоров", state="none") == ["Федорова Анна"]
    assert await found(browser, unit_id=str(uuid4())) == []
    everybody = await found(browser)
    assert everybody == sorted(everybody, key=in_order)
    async with staff.database.work() as session:
        await session.exec(
            update(Account)
            .where(col(Account.person_id) == fyodor.person_id)
            .values(locked_at=now(), locked_reason="Потерян телефон")
        )
    assert await found(browser, text="федоров", state="locked") == ["Фёдоров Илья Андреевич"]
    async with staff.database.work() as session:
        await session.exec(
            update(Person).where(col(Person.id) == fyodor.person_id).values(left_at=now())
        )
    assert await found(browser, text="федоров") == ["Федорова Анна"]
    assert await found(browser, text="федоров", state="left") == ["Фёдоров Илья Андреевич"]


async def test_a_search_is_bounded_and_paged(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more people than are compared, the list says so; pages hold each person once."""
    for n in range(5):
        await staff.person(f"Иванов Номер {n}", account=False)
    monkeypatch.setattr(directory, "PAGE", 2)
    monkeypatch.setattr(directory, "BATCH", 2)
    async with staff.database.work() as session:
        pages = [
            await directory.page(session, staff.admin, PeopleQuery("номер"), now(), n)
            for n in (1, 2, 3, 99)
        ]
        assert [line.name[-1] for one in pages[:3] for line in one.lines] == list("01234")
        assert pages[3] == pages[2]
        assert (pages[0].found, pages[0].pages, pages[0].more) == (5, 3, False)
        monkeypatch.setattr(directory, "MOST", 4)
        assert (await directory.page(session, staff.admin, PeopleQuery(), now())).more


async def test_only_people_of_ones_own_units_are_seen(staff: Staff) -> None:
    """An administrator of one unit sees it and those below; a doctor sees nobody (I6)."""
    async with staff.database.work() as session:
        below = Unit(code="ward-2", name="Палаты", parent_id=staff.office.ward)
        session.add(below)
    local = await staff.person("Местный Администратор", Role.ADMINISTRATOR, staff.office.ward)
    theirs = await staff.person("Палатная Сестра", Role.NURSE, below.id)
    other = await staff.person("Чужая Сестра", Role.NURSE, staff.office.hr)
    browser = await staff.browser(local)
    names = await found(browser)
    assert {"Местный Администратор", "Палатная Сестра"} <= set(names)
    assert "Чужая Сестра" not in names
    for path in ("/api/v1/people", "/people"):
        assert (await browser.get(f"{path}/{theirs.person_id}")).status_code == 200
        assert (await browser.get(f"{path}/{other.person_id}")).status_code == 404
        nurse = await staff.browser(theirs)
        assert (await nurse.get(path)).status_code == 403
        assert (await nurse.get(f"{path}/{theirs.person_id}")).status_code == 403


async def test_the_page_of_a_person_shows_what_there_is(staff: Staff) -> None:
    """Roles with source and end, cases, sessions, attempts; that one looked is recorded (I9)."""
    office = staff.office
    doctor = await staff.person("Соколова Анна Сергеевна", Role.DOCTOR)
    moment = now()
    async with staff.database.work() as session:
        session.add(
            RoleGrant(
                person_id=doctor.person_id,
                role=Role.HR_REVIEWER,
                unit_id=office.hr,
                valid_from=moment - timedelta(days=9),
                valid_until=moment - timedelta(days=1),
            )
        )
        session.add(
            LoginAttempt(
                at=moment,
                person_id=doctor.person_id,
                step="password",
                outcome="wrong",
                address="10.9.8.7",
                device="Firefox, Linux",
                device_kind="computer",
            )
        )
        await journal.append(
            session,
            chain=doctor.person_id,
            kind=JournalKind.ROLE_GRANTED,
            by=staff.admin.person_id,
            facts={"role": "doctor", "unit": str(office.ward)},
            lock=True,
        )
    await staff.browser(doctor)
    case_id = await office.in_review(doctor)
    browser = await staff.browser(staff.security)
    shown = (await browser.get(f"/api/v1/people/{doctor.person_id}")).json()
    assert (shown["state"], shown["manageable"]) == (PersonState.ACTIVE, False)
    assert (shown["own_open"], shown["under_review"], shown["cases"]) == (1, 0, [])
    assert [(one["role"], one["by"]) for one in shown["grants"]] == [
        ("doctor", "Власов Пётр"),
        ("hr_reviewer", None),
    ]
    assert len(shown["sessions"]) == 1
    assert shown["attempts"][0]["address"] == "10.9.8.7"
    page = (await browser.get(f"/people/{doctor.person_id}")).text
    for words in ("Соколова Анна Сергеевна", "закончилась", "10.9.8.7", "Власов Пётр", "Врач"):
        assert words in page
    head = await staff.person("Кадровик Глава", Role.HR_HEAD, office.hr)
    async with staff.database.work() as session:
        session.add(
            RoleGrant(
                person_id=head.person_id,
                role=Role.SECURITY,
                unit_id=office.institution,
                valid_from=moment,
            )
        )
    both = (await (await staff.browser(head)).get(f"/api/v1/people/{doctor.person_id}")).json()
    assert [one["id"] for one in both["cases"]] == [str(case_id)]
    async with staff.database.work() as session:
        views = await session.exec(
            select(func.count())
            .select_from(RecordView)
            .where(RecordView.subject == doctor.person_id, RecordView.what == "person")
        )
        assert views.one() == 3


async def test_nobody_manages_themselves(staff: Staff) -> None:
    """One's own page says so, and is manageable by another administrator only."""
    browser = await staff.browser(staff.admin)
    own = await browser.get(f"/api/v1/people/{staff.admin.person_id}")
    assert own.json()["manageable"] is False
    assert "это вы" in (await browser.get(f"/people/{staff.admin.person_id}")).text
    second = await staff.person(
        "Второй Администратор", Role.ADMINISTRATOR, staff.office.institution
    )
    theirs = await (await staff.browser(second)).get(f"/api/v1/people/{staff.admin.person_id}")
    assert theirs.json()["manageable"] is True
