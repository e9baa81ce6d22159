"""Who gets a new case, and who has it."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from models.tables.people import Unit
from rules.cases import Transition
from rules.permissions import Actor, Role
from tests.office import Office


@dataclass
class Desk:
    """A unit with reviewers of its own, which tests of others do not crowd."""

    office: Office
    unit: UUID
    reviewers: list[Actor]

    async def submitted(self) -> UUID:
        """A case that will be laid on this desk."""
        case_id = await self.office.submitted()
        await self.office.set_times(case_id, responsible_unit_id=self.unit)
        return case_id

    async def opened(self) -> UUID:
        """A case that lies on this desk."""
        case_id = await self.submitted()
        await self.office.check(case_id)
        return case_id

    async def holder(self, case_id: UUID) -> UUID | None:
        """Who has the case."""
        return (await self.office.case(case_id)).reviewer_id


@pytest.fixture
async def desk(office: Office) -> Desk:
    """Three reviewers in a unit of their own."""
    async with office.database.work() as session:
        unit = Unit(code=f"desk-{uuid4()}", name="Отдел кадров филиала", parent_id=None)
        session.add(unit)
    people = [await office.person(f"Кадровик {n}", Role.HR_REVIEWER, unit.id) for n in range(3)]
    return Desk(office, unit.id, people)


async def test_new_cases_go_to_the_least_laden(desk: Desk) -> None:
    """A11: nine cases are three for each of three reviewers, not nine for the first."""
    holders = Counter([await desk.holder(await desk.opened()) for _ in range(9)])
    assert holders == {one.person_id: 3 for one in desk.reviewers}
    busy = desk.reviewers[0]
    for _ in range(2):
        case_id = await desk.opened()
        case = await desk.office.case(case_id)
        await desk.office.reviews.take(busy, case_id, case.step)
    holders = Counter([await desk.holder(await desk.opened()) for _ in range(2)])
    assert busy.person_id not in holders


async def test_cases_that_open_at_once_are_spread_too(desk: Desk) -> None:
    """A11: whoever counts the load sees what was given a moment before."""
    cases = [await desk.submitted() for _ in range(9)]
    await asyncio.gather(*(desk.office.check(case_id) for case_id in cases))
    holders = Counter([await desk.holder(case_id) for case_id in cases])
    assert holders == {one.person_id: 3 for one in desk.reviewers}


async def test_whoever_decides_at_once_does_not_get_everything(desk: Desk) -> None:
    """A11: of people with equally much, the one who waited longest for a new case gets it."""
    holders = []
    for _ in range(6):
        case_id = await desk.opened()
        holders.append(await desk.holder(case_id))
        by = next(one for one in desk.reviewers if one.person_id == holders[-1])
        await desk.office.decide(case_id, Transition.REJECT, by=by)
    assert set(holders[:3]) == {one.person_id for one in desk.reviewers}
    assert holders[3:] == holders[:3]
