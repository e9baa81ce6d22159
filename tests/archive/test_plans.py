"""A page of the archive costs the same among many cases as among few: counted in blocks read."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import event
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from rules.access import Actor, Role
from rules.cases.process import CaseKind, Status
from services.archive import search as archive
from services.archive.search import ArchiveFilters
from services.cases.lists import PAGE
from services.catalogue import lookup as catalogue
from settings import Settings
from tests.archive.many import copied, own_department
from tests.shared.office import Office
from tests.shared.servers import Servers

BEGAN = datetime(2025, 3, 1, tzinfo=UTC)
FEW, MANY = 1_000, 50_000

FILTERS = {
    "all": {},
    "a status": {"status": (Status.REJECTED,)},
    "a rare status": {"status": (Status.LAPSED,)},
    "two statuses": {"status": (Status.REJECTED, Status.LAPSED)},
    "a type": {"type": "qualification"},
    "a kind that no case has": {"kind": CaseKind.REQUEST},
    "words that all cases have": {"text": "диагностика"},
    "words of a title that no case has": {"text": "сосудов"},
    "words that all cases have and a rare status": {
        "text": "диагностика",
        "status": (Status.LAPSED,),
    },
    "words of no title": {"text": "ничего такого"},
    "words of many titles": {"text": "а"},
    "words of a type's title, whose cases all have programmes": {"text": "повышение квалификации"},
    "a kind of programme that no case has": {"programme_kind": "seminar"},
    "a day": {"submitted_until": BEGAN},
}


Asking = Callable[[AsyncSession, Actor, ArchiveFilters], Awaitable[object]]


async def blocks(
    office: Office, actor: Actor, filters: ArchiveFilters, ask: Asking = archive.page
) -> int:
    """Blocks that the statement over cases reads, as PostgreSQL counts them."""
    asked: list[tuple[str, Any]] = []
    engine = office.database.engine.sync_engine

    def remember(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "LATERAL" in statement:
            asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", remember)
    try:
        async with office.database.work() as session:
            await ask(session, actor, filters)
    finally:
        event.remove(engine, "before_cursor_execute", remember)
    if not asked:
        return 0
    async with office.database.work() as session:
        connection = await session.connection()
        told = await connection.exec_driver_sql(
            "explain (analyze, buffers, format json) " + asked[0][0], asked[0][1]
        )
        plan = told.scalar_one()
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"]) + int(top["Shared Read Blocks"])


@pytest.fixture(scope="module")
async def departments(
    settings: Settings, servers: Servers
) -> AsyncIterator[tuple[Office, list[Actor]]]:
    """Two departments in a database of these tests' own, and who reviews in each."""
    name = f"medcab_{uuid4().hex}"
    urls = servers.new_database(name)
    database = Database(urls["DATABASE_URL"])
    office = await Office.open(database)
    template = await office.in_review()
    reviewers = []
    for number in (FEW, MANY):
        hr = await own_department(office)
        reviewers.append(await office.person("Кадровик", Role.HR_REVIEWER, hr.id))
        await copied(office, template, number, unit=hr.id, began=BEGAN)
        await copied(office, template, 10, unit=hr.id, began=BEGAN, status="lapsed")
    # Only the owner may: of anybody else it is passed over, with no more than a warning.
    with psycopg.connect(urls["DATABASE_OWNER_URL"]) as owner:
        owner.execute('analyze "case"')
    yield office, reviewers
    await database.close()
    servers.drop_database(name)


@pytest.mark.parametrize("ask", [archive.page, archive.count])
@pytest.mark.parametrize("name", FILTERS)
async def test_a_page_and_its_count_read_as_little_of_many_as_of_few(
    departments: tuple[Office, list[Actor]], name: str, ask: Asking
) -> None:
    """P7: whatever the filter, a longer archive is not a slower one."""
    office, reviewers = departments
    filters = ArchiveFilters.model_validate(FILTERS[name])
    few, many = [await blocks(office, reviewer, filters, ask) for reviewer in reviewers]
    assert many <= few * 1.5 + 60, (few, many)


async def test_words_that_all_cases_have_read_no_more_than_a_page(
    departments: tuple[Office, list[Actor]],
) -> None:
    """P7: the title of the programme of fifty thousand cases fills a page from the newest ones."""
    office, (_, reviewer) = departments
    async with office.database.work() as session:
        title = (await catalogue.programme(session, office.programme_id)).title
        filters = ArchiveFilters(text=title)
        found = await archive.page(session, reviewer, filters)
    assert len(found.rows) == PAGE
    assert (
        await blocks(office, reviewer, filters)
        <= await blocks(office, reviewer, ArchiveFilters()) * 1.5 + 60
    )


@pytest.mark.parametrize("words", ["сосудов", "повышение квалификации"])
async def test_who_heads_the_unit_of_many_cases_hears_as_soon_that_none_has_the_words(
    departments: tuple[Office, list[Actor]], words: str
) -> None:
    """P7: the unit of the applicant has indexes for words as the unit that reviews has."""
    office, reviewers = departments
    head = await office.person("Заведующий", Role.UNIT_HEAD, office.ward)
    filters = ArchiveFilters(text=words)
    async with office.database.work() as session:
        assert len((await archive.page(session, head, ArchiveFilters())).rows) == PAGE
        assert not (await archive.page(session, head, filters)).rows
    assert await blocks(office, head, filters) <= 60
    narrowed = ArchiveFilters(text=words, unit_id=office.ward)
    assert await blocks(office, reviewers[1], narrowed) <= 60
