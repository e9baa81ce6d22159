"""A page of the archive costs the same among many cases as among few: counted in blocks read."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, text

from clients.database import Database
from models.encryption import KeyRing, use_key_ring
from rules.cases import CaseKind, Status
from rules.permissions import Actor, Role
from services import archive
from services.archive import ArchiveFilters
from settings import Settings
from tests.archive.many import copied, own_department
from tests.office import Office
from tests.servers import Servers

BEGAN = datetime(2025, 3, 1, tzinfo=UTC)
FEW, MANY = 1_000, 50_000

FILTERS = {
    "all": {},
    "a status": {"status": (Status.REJECTED,)},
    "a rare status": {"status": (Status.LAPSED,)},
    "two statuses": {"status": (Status.REJECTED, Status.LAPSED)},
    "a type": {"type": "qualification"},
    "a kind that no case has": {"kind": CaseKind.REQUEST},
    "words of a title": {"text": "диагностика"},
    "words of no title": {"text": "ничего такого"},
    "a day": {"created_until": BEGAN},
}


async def blocks(office: Office, actor: Actor, filters: ArchiveFilters) -> int:
    """Blocks that the list's statement reads, as PostgreSQL counts them."""
    asked: list[tuple[str, Any]] = []
    engine = office.database.engine.sync_engine

    def remember(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "LATERAL" in statement:
            asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", remember)
    try:
        async with office.database.work() as session:
            await archive.page(session, actor, filters)
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
    use_key_ring(KeyRing.parse(settings.keys.get_secret_value()))
    name = f"medcab_{uuid4().hex}"
    database = Database(servers.new_database(name)["DATABASE_URL"])
    office = await Office.open(database)
    template = await office.in_review()
    reviewers = []
    for number in (FEW, MANY):
        hr = await own_department(office)
        reviewers.append(await office.person("Кадровик", Role.HR_REVIEWER, hr.id))
        await copied(office, template, number, unit=hr.id, began=BEGAN)
        await copied(office, template, 10, unit=hr.id, began=BEGAN, status="lapsed")
    async with database.work() as session:
        await (await session.connection()).execute(text('analyze "case"'))
    yield office, reviewers
    await database.close()
    servers.drop_database(name)


@pytest.mark.parametrize("name", FILTERS)
async def test_a_page_reads_as_little_of_many_as_of_few(
    departments: tuple[Office, list[Actor]], name: str
) -> None:
    """P7: whatever the filter, a longer archive is not a slower one."""
    office, reviewers = departments
    filters = ArchiveFilters.model_validate(FILTERS[name])
    few, many = [await blocks(office, reviewer, filters) for reviewer in reviewers]
    assert many <= few * 1.5 + 60, (few, many)
