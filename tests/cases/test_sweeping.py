"""The sweeper asks once for all subjects, and only those have work that have something due."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from sqlalchemy import update
from sqlmodel import col

from clients.database import Database
from models.tables.cases import Case
from models.tables.people import Person
from rules.clock import now
from services import own_workflows, sweeping
from services.cases import assignment, wakeups
from services.cases.signals import CaseSignals
from services.credentials import renewal
from services.meetings import sweep as meetings
from services.staff import departures, registrations
from services.subscribers import delivering as subscribers
from tests.cases.test_assignment import Desk, desk  # noqa: F401 - a fixture
from tests.cases.test_reassignment import role_ends
from tests.shared.office import Office
from tests.shared.statements import statements

SWEEPS = {
    "cases": (wakeups, "sweep"),
    "departures": (departures, "sweep"),
    "assignments": (assignment, "sweep"),
    "meetings": (meetings, "sweep"),
    "registrations": (registrations, "forget"),
    "renewals": (renewal, "close_over"),
    "deliveries": (subscribers, "wake_asleep"),
    "rows": (own_workflows, "wake_late"),
}


@pytest.fixture
async def office(new_database: Callable[[], dict[str, str]]) -> AsyncIterator[Office]:
    """People in a database of this test's own: what others left due would be seen."""
    database = Database(new_database()["DATABASE_URL"], 10)
    yield await Office.open(database)
    await database.close()


@pytest.fixture
def sweeps(monkeypatch: pytest.MonkeyPatch) -> dict[str, AsyncMock]:
    """What each subject would do, which is only noted."""
    made = {name: AsyncMock(return_value=[]) for name in SWEEPS}
    for name, (module, function) in SWEEPS.items():
        monkeypatch.setattr(module, function, made[name])
    return made


async def _sweep(database: Any, heard: Any) -> None:
    await sweeping.sweep(database, CaseSignals(heard), 20.0, Mock())


async def test_one_statement_where_nothing_is_due(
    desk: Desk,  # noqa: F811
    sweeps: dict[str, AsyncMock],
) -> None:
    """The sweeper asks every five seconds for ever; what is then due is found at the next look."""
    database = desk.office.database
    case_id = await desk.opened()
    with statements(database, commits=True) as sent:
        await _sweep(database, desk.office.heard)
    assert len(sent) == 1
    assert [name for name, one in sweeps.items() if one.await_count] == []
    late = now() - timedelta(minutes=1)
    async with database.work() as session:
        await session.exec(update(Case).where(col(Case.id) == case_id).values(wakes_at=late))
        clinician = desk.office.clinician.person_id
        await session.exec(update(Person).where(col(Person.id) == clinician).values(left_at=late))
    await role_ends(desk, await desk.who_has(case_id))
    await _sweep(database, desk.office.heard)
    called = {name for name, one in sweeps.items() if one.await_count}
    assert called == {"cases", "departures", "assignments"}


@pytest.mark.parametrize("subject", SWEEPS)
async def test_what_is_due_is_done_by_its_subject(
    subject: str, sweeps: dict[str, AsyncMock], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every subject has its place in the answer."""
    every: dict[str, Any] = {name: name == subject for name in SWEEPS}
    every["rows"] = [one.name for one in sweeping.ROWS] if subject == "rows" else []
    monkeypatch.setattr(sweeping, "_due", AsyncMock(return_value=sweeping.DueSubjects(**every)))
    await _sweep(None, AsyncMock())
    times = {subject: len(every["rows"]) or 1}
    assert {name: one.await_count for name, one in sweeps.items()} == {
        name: times.get(name, 0) for name in SWEEPS
    }
