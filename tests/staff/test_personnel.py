"""The personnel register: pushes in any order, twice, late or lost; what waits for HR (I8)."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Browser, expect
from sqlmodel import col, select

from clients.personnel import Leave, PersonnelClient, StaffRecord
from clients.registers import RegisterDown
from crypto.key_ring import key_ring
from models.tables.cases import Outage
from models.tables.journal import JournalEntry
from models.tables.people import Absence, Person, PersonnelRecord, RoleGrant
from rules.access import Actor, Role
from rules.clock import now
from rules.refusals import Refusal
from services import access
from services.staff import personnel, unmatched
from tests.accounts.test_sessions import lives
from tests.shared.cabinet import PHONE, Site, faults_of, signed_in, watch
from tests.shared.office import Office
from tests.shared.servers import Simulators
from tests.shared.waiting import until
from tests.staff.hospital import Staff, staff
from tests.staff.test_acts import grants, told

__all__ = ["staff"]
SNILS = "112-233-445 95"
OTHER = "141-592-653 61"
THIRD = "125-663-706 64"


async def known(office: Office, who: Actor, snils: str = SNILS) -> None:
    """Let the person have this SNILS here too, and nobody else."""
    async with office.database.work() as session:
        blind = key_ring().blind(snils)
        found = await session.exec(select(Person).where(Person.snils_blind == blind))
        for before in found.all():
            before.snils, before.snils_blind = None, None
            session.add(before)
        await session.flush()
        person = await session.get_one(Person, who.person_id)
        person.snils, person.snils_blind = snils, blind
        session.add(person)


def record(number: str = "К-1", version: int = 1, **fields: Any) -> StaffRecord:
    """An employment."""
    usual = {"snils": SNILS, "name": "Орлова Анна", "position": "врач-хирург", "unit": "cardiology"}
    return StaffRecord.model_validate({"number": number, "version": version, **usual, **fields})


async def take(staff: Staff, *said: StaffRecord) -> None:
    """Take these, one after another."""
    for one in said:
        await personnel.take(staff.database, one)


async def troubles(staff: Staff, by: Actor | None = None) -> list[str]:
    """What waits for a person."""
    async with staff.database.work() as session:
        found = await unmatched.waiting(session, by or staff.admin)
        return [one.trouble.value for one in found]


async def absences(staff: Staff, person: Actor) -> Sequence[Absence]:
    """The days on which the person is away."""
    async with staff.database.work() as session:
        found = await session.exec(select(Absence).where(Absence.person_id == person.person_id))
        return found.all()


async def test_the_newest_version_counts_whatever_the_order(staff: Staff) -> None:
    """Hired, on leave, transferred, dismissed: in every order and twice it ends as it should."""
    today = now().date()
    away = Leave(first_day=today, last_day=today + timedelta(days=5))
    lived = [
        record(version=1),
        record(version=2, leave=away),
        record(version=3, unit="hr"),
        record(version=4, unit="hr", left_on=today, at_once=True),
    ]
    for n, order in enumerate(list(permutations(lived))[::5]):
        nurse = await staff.person("Орлова Анна", Role.NURSE)
        await known(staff.office, nurse)
        theirs = await staff.browser(nurse)
        of_this = [one.model_copy(update={"number": f"К-{n}"}) for one in order]
        await take(staff, *of_this, *reversed(of_this), *of_this)
        assert None not in (await grants(staff, nurse)).values()
        assert not await lives(theirs)
        notices = await told(staff, nurse)
        assert notices.count("leaving") == 1
        async with staff.database.work() as session:
            left = (await session.get_one(Person, nurse.person_id)).departed_at
            entries = await session.exec(
                select(JournalEntry.by_system).where(
                    JournalEntry.chain == nurse.person_id, JournalEntry.kind == "person.leaving"
                )
            )
            assert entries.all() == ["personnel_register"]
        assert left is not None
    assert await troubles(staff) == []


async def test_transfer_leave_and_a_departure_taken_back(staff: Staff) -> None:
    """Each version is what stands: leave that moves or ends, a last day that moves or goes."""
    nurse = await staff.person("Орлова Анна", Role.HR_REVIEWER, staff.office.hr)
    await known(staff.office, nurse)
    today = now().date()
    first = Leave(first_day=today, last_day=today + timedelta(days=5))
    await take(staff, record(version=1, unit="hr", leave=first))
    [away] = await absences(staff, nurse)
    assert (away.first_day, away.last_day) == (first.first_day, first.last_day)
    later = Leave(first_day=today, last_day=today + timedelta(days=9))
    await take(staff, record(version=2, unit="hr", leave=later))
    [moved] = await absences(staff, nurse)
    assert (moved.id, moved.last_day) == (away.id, later.last_day)
    await take(staff, record(version=3, unit="hr"))
    assert await absences(staff, nurse) == []
    theirs = await staff.browser(nurse)
    for version, day in ((4, today + timedelta(days=3)), (5, today + timedelta(days=8))):
        await take(staff, record(version=version, unit="hr", left_on=day))
        async with staff.database.work() as session:
            left_at = (await session.get_one(Person, nurse.person_id)).left_at
        assert left_at is not None
        assert (left_at.date() - day) <= timedelta(days=1)
    assert await lives(theirs), "the day is ahead"
    await take(staff, record(version=6, unit="hr"))
    async with staff.database.work() as session:
        assert (await session.get_one(Person, nurse.person_id)).left_at is None
    await take(staff, record(version=7, unit="cardiology"))
    assert not await lives(theirs)
    assert None not in (await grants(staff, nurse)).values()
    async with staff.database.work() as session:
        moved_to = await session.get_one(Person, nurse.person_id)
        assert (moved_to.unit_id, moved_to.position) == (staff.office.ward, "врач-хирург")
    # Of two employments the main one says where, and the last one that ends says when.
    await take(staff, record("К-2", unit="hr", main=False), record(version=8, left_on=today))
    assert await troubles(staff) == []
    async with staff.database.work() as session:
        stays = await session.get_one(Person, nurse.person_id)
        assert (stays.left_at, stays.unit_id) == (None, staff.office.ward)


async def leaves(staff: Staff, person: Actor) -> date | None:
    """The last day of somebody who is to leave."""
    async with staff.database.work() as session:
        left_at = (await session.get_one(Person, person.person_id)).left_at
        zone = await access.zone_of(session, person.unit_id)
    return (left_at.astimezone(zone) - timedelta(seconds=1)).date() if left_at else None


async def test_of_several_employments_the_last_to_end_counts(staff: Staff) -> None:
    """In every order; and one begun anew, under another number, keeps the person here."""
    today = now().date()
    soon, later = today + timedelta(days=5), today + timedelta(days=30)
    ended = [record("К-1", left_on=later), record("К-2", left_on=soon, main=False)]
    for n, order in enumerate(permutations(ended)):
        nurse = await staff.person("Орлова Анна", Role.NURSE)
        await known(staff.office, nurse)
        await take(
            staff, *(one.model_copy(update={"number": f"{one.number}-{n}"}) for one in order)
        )
        assert await leaves(staff, nurse) == later
        await take(staff, record(f"К-2-{n}", 2, left_on=soon, at_once=True, main=False))
        assert await leaves(staff, nurse) == later, "the other one lasts"
        await take(staff, record(f"К-3-{n}"))
        assert await leaves(staff, nurse) is None
        await take(staff, record(f"К-3-{n}", 2, left_on=soon))
        assert await leaves(staff, nurse) == later
    assert await troubles(staff) == []


async def test_a_mended_snils_takes_back_what_befell_the_wrong_person(staff: Staff) -> None:
    """Departure and leave go to whom the record is about, and leave the other one alone."""
    wrong = await staff.person("Орлова Анна", Role.NURSE)
    right = await staff.person("Орлова Алла", Role.NURSE)
    await known(staff.office, wrong)
    await known(staff.office, right, OTHER)
    today = now().date()
    away = Leave(first_day=today, last_day=today + timedelta(days=5))
    await take(staff, record(leave=away), record("К-2", left_on=away.last_day, main=False))
    await take(staff, record(version=2, left_on=away.last_day))
    assert await leaves(staff, wrong) == away.last_day
    assert len(await absences(staff, wrong)) == 1
    await take(staff, record("К-2", 2, snils=THIRD, main=False), record(version=3, snils=OTHER))
    assert await leaves(staff, wrong) is None
    assert await absences(staff, wrong) == []
    await take(staff, record(version=4, snils=OTHER, leave=away, left_on=away.last_day))
    assert await leaves(staff, right) == away.last_day


async def test_what_cannot_be_done_waits_and_is_told_once_a_day(staff: Staff) -> None:
    """Nobody, no such unit, gone already, the last administrator: with the way out of each."""
    head = await staff.person("Громова Ольга", Role.HR_HEAD, staff.office.hr)
    nurse = await staff.person("Орлова Анна", Role.NURSE)
    await take(staff, record(), record("К-2", snils=OTHER, unit="nowhere"))
    assert await troubles(staff, head) == ["unknown_person"] * 2
    assert await told(staff, head) == ["staff_unmatched"]
    await known(staff.office, nurse)
    async with staff.database.work() as session:
        [first, second] = await unmatched.waiting(session, head)
    acts = staff.container.unmatched
    act = uuid4()
    assert await acts.retry(head, act, first.id)
    assert await acts.retry(head, act, first.id)
    await known(staff.office, staff.admin, OTHER)
    assert not await acts.retry(head, uuid4(), second.id)
    assert await troubles(staff, head) == ["unknown_unit"]
    with pytest.raises(Refusal, match="incomplete"):
        await acts.close(head, uuid4(), second.id, " ")
    with pytest.raises(Refusal, match="forbidden"):
        await acts.close(nurse, uuid4(), second.id, "Не моё")
    await acts.close(head, uuid4(), second.id, "Такого подразделения не будет")
    assert await troubles(staff) == []
    # Whoever was dismissed has no access, but the last administrator of a unit is not moved away.
    local = await staff.person("Местный", Role.ADMINISTRATOR, staff.office.ward)
    admin = await staff.browser(staff.admin)
    await take(staff, record("К-2", 3, snils=OTHER, left_on=now().date(), at_once=True))
    assert not await lives(admin)
    assert await troubles(staff, head) == ["nobody_manages"]
    await take(staff, record("К-2", 4, snils=OTHER))
    assert await troubles(staff, head) == ["has_left"]
    await known(staff.office, local, THIRD)
    await take(staff, record("К-3", snils=THIRD, unit="hr"))
    assert await troubles(staff, head) == ["has_left", "last_manager"]
    assert None in (await grants(staff, local)).values()
    assert (await told(staff, head)).count("staff_unmatched") == 1
    async with staff.database.work() as session:
        rows = (await session.exec(select(PersonnelRecord.record))).all()
        assert {one["snils"] for one in rows} == {SNILS, OTHER, THIRD}


async def test_lost_pushes_are_made_up_for_by_the_list(
    staff: Staff, simulators: Simulators
) -> None:
    """The comparison does what they would have brought, once; a register that is down is seen."""
    address, token = simulators.personnel.address, simulators.secrets["MEDCAB_PERSONNEL_TOKEN"]
    nurse = await staff.person("Соколова Анна", Role.NURSE)
    await known(staff.office, nurse)
    async with PersonnelClient(address, token) as register:
        first = await register.page()
        assert len(first.records()) == 5
        theirs = next(one for one in first.records() if one.snils == SNILS)
        async with httpx.AsyncClient(trust_env=False) as played:
            await played.put(f"{address}/behaviour", json={"pushes": "lost"})
            ended = theirs.model_copy(update={"left_on": date(2020, 1, 1)}).model_dump(mode="json")
            await played.put(f"{address}/v1/staff", json={"kind": "dismissed", "record": ended})
            browser = await staff.browser(nurse)
            compared = await personnel.compare(staff.database, register)
            assert (compared.read, compared.unreadable) == (5, 0)
            assert not await lives(browser)
            assert await troubles(staff) == ["unknown_person"] * 4
            await played.put(f"{address}/faults", json={"mode": "fail"})
            with pytest.raises(RegisterDown):
                await personnel.compare(staff.database, register)
            async with staff.database.work() as session:
                assert (await session.exec(select(Outage.system))).all() == ["personnel"]
            await played.put(f"{address}/faults", json={"mode": "ok"})
            await known(staff.office, staff.security, OTHER)
            assert (await personnel.compare(staff.database, register)).done == 4, "tried again"
            async with staff.database.work() as session:
                assert (await session.exec(select(Outage.until))).one() is not None
            await played.put(f"{address}/behaviour", json={"pushes": "sent"})
    async with PersonnelClient(address, "wrong") as stranger:
        with pytest.raises(RegisterDown, match="401"):
            await stranger.page()


@pytest.mark.browser
async def test_a_dismissal_closes_an_open_page_within_seconds(
    browser: Browser, site: Site, office: Office, simulators: Simulators
) -> None:
    """Pushed by the register: the page that was open asks to sign in; HR sees what was unknown."""
    address, snils = simulators.personnel.address, "087-654-303 00"
    nurse = await office.person("Смирнова Ольга Николаевна", Role.NURSE, office.ward)
    head = await office.person("Громова Ольга Ильинична", Role.HR_HEAD, office.hr)
    await known(office, nurse, snils)
    contexts = [await signed_in(browser, site, office, one) for one in (nurse, head)]
    hers, desk = [await one.new_page() for one in contexts]
    wrong = watch(desk)
    await hers.goto(f"{site.url}/documents")
    await expect(hers.locator("h1")).to_contain_text("Мои документы")
    callback = f"{site.url}/api/v1/callbacks/personnel"
    async with httpx.AsyncClient(trust_env=False) as played:
        unsigned = await played.post(callback, json={"kind": "hired", "record": {}})
        assert unsigned.status_code == 403
        await played.put(f"{address}/subscription", json={"url": callback})
        await played.put(f"{address}/behaviour", json={"pushes": "twice"})
        for number, whose, name in (("К-9", snils, "Смирнова О. Н."), ("К-8", OTHER, "Чужая")):
            said = record(number, snils=whose, name=name, at_once=number == "К-9")
            kind = "dismissed" if said.at_once else "hired"
            body = {"kind": kind, "record": said.model_dump(mode="json")}
            await played.put(f"{address}/v1/staff", json=body)

        async def is_out() -> bool:
            answer = await hers.goto(f"{site.url}/documents")
            return answer is not None and "/sign-in" in hers.url

        await until(is_out)
        await played.put(f"{address}/behaviour", json={"pushes": "sent"})
    async with office.database.work() as session:
        held = select(RoleGrant.id).where(
            RoleGrant.person_id == nurse.person_id, col(RoleGrant.valid_until).is_(None)
        )
        assert (await session.exec(held)).all() == []
    await desk.goto(f"{site.url}/desk/team")
    await desk.get_by_role("link", name="Кадровый учёт").click()
    card = desk.locator("section", has_text="Чужая")

    async def is_told() -> bool:
        await desk.reload()
        return await card.count() == 1

    await until(is_told)
    await expect(card).to_contain_text("Такого сотрудника в кабинете нет")
    await desk.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert not await faults_of(desk)
    assert await desk.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await card.get_by_role("button", name="Проверить снова").click()
    await expect(desk.locator(".flash")).to_contain_text("Пока не получается")
    await card.get_by_text("Отметить как разобранное").click()
    await card.get_by_label("Что вы решили").fill("Примет другой филиал.")
    await card.get_by_role("button", name="Убрать из списка").click()
    await expect(desk.locator(".flash")).to_contain_text("убрана")
    await expect(desk.locator("section", has_text="Чужая")).to_have_count(0)
    assert not wrong
    for one in contexts:
        await one.close()
