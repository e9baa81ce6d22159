"""Who gets a new case, and who has it."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

import pytest

from models.tables.people import Unit
from rules.access import Actor, Role
from rules.cases.process import Transition
from rules.cases.terms import in_zone
from rules.clock import now
from rules.refusals import Refusal
from tests.shared.office import Office


@dataclass
class Desk:
    """A unit with reviewers of its own, which tests of others do not crowd."""

    office: Office
    unit: UUID
    reviewers: list[Actor]

    @property
    def today(self) -> date:
        """The day that it is in the unit."""
        return in_zone(now(), "Europe/Moscow").date()

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

    async def who_has(self, case_id: UUID) -> Actor:
        """The same as one of the reviewers."""
        holder = await self.holder(case_id)
        return next(one for one in self.reviewers if one.person_id == holder)


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
        await desk.office.take(case_id, busy)
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


async def test_of_two_who_take_a_case_at_once_one_has_it(desk: Desk) -> None:
    """A11: the other is told who has it, and takes it from there only knowingly."""
    case_id = await desk.opened()
    case = await desk.office.case(case_id)
    before = case.reviewer_id
    first, second = [one for one in desk.reviewers if one.person_id != before]

    async def take(by: Actor, had: UUID | None) -> Refusal | None:
        try:
            await desk.office.reviews.take(by, case_id, case.step, had)
        except Refusal as refusal:
            return refusal
        return None

    answers = await asyncio.gather(*(take(one, before) for one in (first, second)))
    (refusal,) = [one for one in answers if one is not None]
    winner, loser = (first, second) if answers[0] is None else (second, first)
    assert await desk.holder(case_id) == winner.person_id
    assert (refusal.code, refusal.status) == ("taken", 409)
    assert winner.name in refusal.message
    assert refusal.facts == {"reviewer_id": str(winner.person_id)}
    assert await take(winner, before) is None
    assert await take(loser, winner.person_id) is None
    assert await desk.holder(case_id) == loser.person_id
    taken = [e for e in await desk.office.journal(case_id) if e.kind == "case.taken"]
    assert len(taken) == 2


async def test_of_two_heads_who_hand_over_at_once_one_moves_it(desk: Desk) -> None:
    """A11: the later one is told who has it now, and nobody is told of a case twice."""
    case_id = await desk.opened()
    case = await desk.office.case(case_id)
    heads = [await desk.office.person(f"Глава {n}", Role.HR_HEAD, desk.unit) for n in range(2)]
    chosen = [one for one in desk.reviewers if one.person_id != case.reviewer_id]
    answers = await asyncio.gather(
        *(
            desk.office.reviews.hand_over(
                head, case_id, case.step, to.person_id, "", case.reviewer_id
            )
            for head, to in zip(heads, chosen, strict=True)
        ),
        return_exceptions=True,
    )
    (refusal,) = [one for one in answers if isinstance(one, Refusal)]
    winner = chosen[1] if answers[0] is refusal else chosen[0]
    assert refusal.code == "taken"
    assert winner.name in refusal.message
    assert await desk.holder(case_id) == winner.person_id


async def test_a_case_of_nobody_is_taken_without_a_word(desk: Desk) -> None:
    """A client that does not say who had the case takes those of nobody, and its own again."""
    case_id = await desk.opened()
    step = (await desk.office.case(case_id)).step
    await desk.office.set_times(case_id, reviewer_id=None)
    taker, other = desk.reviewers[:2]
    for _ in range(2):
        await desk.office.reviews.take(taker, case_id, step)
    with pytest.raises(Refusal, match="taken"):
        await desk.office.reviews.take(other, case_id, step)
    assert await desk.holder(case_id) == taker.person_id
