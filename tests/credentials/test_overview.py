"""Who in one's units has what, ending when (Q9); and how many, without names."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.people import Unit
from rules.access import Actor, Role
from rules.clock import now
from rules.credentials.reminders import reminder_at
from rules.refusals import Refusal
from services.credentials import life, overview
from services.credentials.acts import Credentials
from services.credentials.overview import StaffQuery, StaffStanding
from tests.archive.test_plans import blocks
from tests.credentials.conftest import Keeping
from tests.credentials.test_life import Clock, clock, nothing, typed  # noqa: F401 - a fixture
from tests.shared.office import Office
from tests.shared.statements import statements

MOSCOW = ZoneInfo("Europe/Moscow")
_PEOPLE = """
insert into person (id, unit_id, position, name, email, language, created_at)
select gen_random_uuid(), unit_id, position, name, email, language, created_at
from person, generate_series(1, 1000) n where id = %s
"""
_CREDENTIALS = """
insert into credential (id, owner_id, category, version, valid_until, created_at, step)
select gen_random_uuid(), person.id, 'accreditation', 1, current_date + 1000 + n, created_at, 0
from person, generate_series(1, %s) n
"""


async def ward(office: Office) -> tuple[Unit, Actor, Actor]:
    """A ward of this test's own with its head and a doctor."""
    async with office.database.work() as session:
        unit = Unit(code=uuid4().hex, name="Своё отделение", parent_id=office.institution)
        session.add(unit)
    head = await office.person("Заведующая Ирина", Role.UNIT_HEAD, unit.id)
    return unit, head, await office.person("Врачова Анна", Role.DOCTOR, unit.id)


async def test_a_head_sees_what_ends_when_and_nobody_elses(
    keeping: Keeping,
    clock: Clock,  # noqa: F811
) -> None:
    """Soonest first, narrowed by filters, with what was told; other units stay unknown."""
    office = keeping.office
    unit, head, doctor = await ward(office)
    today = clock.at.astimezone(MOSCOW).date()
    last = today + timedelta(days=91)
    first = await keeping.add(actor=doctor, number="1", valid_until=typed(last))
    second = await keeping.add(
        actor=doctor,
        number="2",
        specialty="Терапия",
        valid_until=typed(today + timedelta(days=900)),
    )
    third = await keeping.add("diploma", doctor)
    await keeping.add(number="3")
    await life.look(office.database, first, nothing)
    clock.at = reminder_at(last, 90, MOSCOW)
    await life.look(office.database, first, nothing)
    async with office.database.work() as session:

        async def ids(**narrowed: Any) -> list[Any]:
            found = await overview.page(session, head, StaffQuery(**narrowed), clock.at)
            return [line.id for line in found.lines]

        with statements(office.database) as sent:
            found = await overview.page(session, head, StaffQuery(), clock.at)
        assert len(sent) == 2, "one for the list, one for the audit"
        assert [line.id for line in found.lines] == [first, second, third]
        assert found.lines[0].name == "Врачова Анна"
        assert (found.lines[0].sent, found.lines[0].answered) == (1, None)
        assert found.lines[0].about == "Кардиология"
        assert await ids(standing=StaffStanding.SOON) == [first]
        assert await ids(standing=StaffStanding.ENDLESS) == [third]
        assert await ids(category="accreditation", unit_id=unit.id) == [first, second]
        assert await ids(month=last) == [first]
        assert await ids(unit_id=office.hr) == []
        small = await overview.page(session, head, StaffQuery(), clock.at, size=2)
        assert small.after is not None
        rest = await overview.page(session, head, StaffQuery(), clock.at, small.after)
        assert [line.id for line in rest.lines] == [third]
        months = dict(await overview.coming(session, head, StaffQuery(), clock.at, today))
        assert len(months) == 12
        assert months[last.replace(day=1)] == 1
        assert sum(months.values()) == 1
        with pytest.raises(Refusal):
            await overview.page(session, doctor, StaffQuery(), clock.at)


async def test_a_day_lasts_to_its_end_in_the_zone_of_the_unit(
    keeping: Keeping,
    clock: Clock,  # noqa: F811
) -> None:
    """In Kamchatka noon in Greenwich is the next day: list and months agree all the same."""
    office = keeping.office
    unit, head, doctor = await ward(office)
    zone = ZoneInfo("Asia/Kamchatka")
    async with office.database.work() as session:
        (await session.get_one(Unit, unit.id)).time_zone = zone.key
    last = clock.at.astimezone(zone).date()
    made = await keeping.add(actor=doctor, number="9", valid_until=typed(last))
    morning = datetime.combine(last, time(9), zone)
    query = StaffQuery(standing=StaffStanding.SOON)
    async with office.database.work() as session:
        listed = await overview.page(session, head, query, morning)
        assert [line.id for line in listed.lines] == [made]
        months = dict(await overview.coming(session, head, query, morning, last))
    assert months[last.replace(day=1)] == 1


async def test_statistics_name_nobody(keeping: Keeping, clock: Clock) -> None:  # noqa: F811
    """Few people in a cell would be known by it; the sums do not give them away."""
    office = keeping.office
    _, head, doctor = await ward(office)
    for n in range(6):
        await keeping.add(actor=doctor, number=f"5{n}")
    await keeping.add("diploma", doctor)
    async with office.database.work() as session:
        found = await overview.statistics(session, head, clock.at)
    assert found.units == ["Своё отделение"]
    assert all(cell is None or cell == 0 or cell >= 5 for line in found.cells for cell in line)
    assert any(cell is None for line in found.cells for cell in line)


async def page_of(session: AsyncSession, actor: Actor, query: Any) -> object:
    """The first page, asked as the archive's are."""
    return await overview.page(session, actor, query, now())


async def test_a_page_costs_the_same_among_many(
    new_database: Callable[[], dict[str, str]],
) -> None:
    """P4: the page walks along the index and ends after its last line: counted in blocks read."""
    urls = new_database()
    database = Database(urls["DATABASE_URL"], 5)
    office = await Office.open(database)
    personnel = await office.person("Кадрова Мария", Role.HR_HEAD, office.institution)
    keeping = Keeping(office, Credentials(database), [])
    for n in range(overview.PAGE + 2):
        await keeping.add(number=str(n))
    with psycopg.connect(urls["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(_PEOPLE, [office.clinician.person_id])
        owner.execute(_CREDENTIALS, [20])
        owner.execute("analyze")
    read = await blocks(office, personnel, cast(Any, StaffQuery()), page_of)
    assert 0 < read < 8 * (overview.PAGE + 1), "of twenty thousand none is read in vain"
    await database.close()
