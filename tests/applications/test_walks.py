"""Random walks of cases through the services, over a real database, held against the rules."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlmodel import select

from clients.database import Database
from clients.objects import Objects
from models.messages import CaseState
from models.tables.cases import CaseDecision
from rules.cases.applications import APPLICATION
from rules.cases.process import DECISIONS, Status, Transition
from rules.clock import now
from rules.journal.entries import verify_chain
from rules.refusals import Refusal
from services.applications import checks, enrolment
from services.cases.acts import Act
from services.cases.transitions import JOURNALED
from services.journal.entries import facts_of
from services.reviews.decisions import Decision
from services.seal import open_seal
from settings import Settings
from tests.shared.office import KnowsAll, Office

T = Transition
REGISTER: Any = KnowsAll()
RINGS_UNTIL_LAPSE = 3
"""Two reminders, then the clarification that nobody answered lapses."""

FAR = (T.SUBMIT, T.OPEN_REVIEW, T.CLARIFY, T.RESUBMIT, T.OPEN_REVIEW, T.APPROVE, T.ISSUE_ACT)
OWN = sorted({transition for _, transition in APPLICATION.transitions})
"""Requests have walks of their own."""
WALKS = st.lists(
    st.tuples(
        # Drawn more often is what leads on, so that walks come far.
        st.sampled_from([*OWN, T.SUBMIT, T.OPEN_REVIEW, T.OPEN_REVIEW, T.CLARIFY, T.RESUBMIT]),
        st.sampled_from(["fresh", "fresh", "fresh", "twice", "stale"]),
    ),
    min_size=4,
    max_size=14,
)


@dataclass
class Walk:
    """One case: what has been done to it, and where the rules say that it stands."""

    office: Office
    settings: Settings
    objects: Objects
    case_id: UUID
    status: Status = Status.DRAFT
    closed: bool = False
    done: list[Transition] = field(default_factory=list)
    _key: UUID = field(default_factory=uuid4)

    async def attempt(self, transition: Transition, how: str) -> None:
        """Try something; what the rules do not allow changes nothing."""
        step = len(self.done) + (how == "stale")
        arrow = (
            None if self.closed or how == "stale" else APPLICATION.rule_for(self.status, transition)
        )
        if transition in (T.RESUBMIT, T.CORRECT):
            await self._write()
        refused: list[str] = []
        for _ in range(1 + (how == "twice")):
            try:
                await self._way(transition)(step, self._key)
            except Refusal as refusal:
                refused.append(refusal.code)
        assert not (arrow and refused), f"{transition} at {self.status}: {refused}"
        if arrow is not None:
            self.status, self.closed = arrow.to, arrow.closes
            self.done.append(transition)
            self._key = uuid4()
        case = await self.office.case(self.case_id)
        assert (case.status, case.step) == (self.status, len(self.done))
        assert (case.closed_at is not None) == self.closed

    def _way(self, transition: Transition) -> Callable[[int, UUID], Awaitable[Any]]:
        """How it comes about: by an act of a person, or by an activity of the workflow."""
        office, case_id = self.office, self.case_id
        applications, applicant = office.applications, office.clinician
        if transition in DECISIONS:
            return lambda step, key: self._decide(transition, Act(key, step))
        ways: dict[Transition, Callable[[int, UUID], Awaitable[Any]]] = {
            T.SUBMIT: lambda step, key: applications.submit(applicant, case_id, Act(key, step)),
            T.RESUBMIT: lambda step, key: applications.resubmit(applicant, case_id, Act(key, step)),
            T.CORRECT: lambda step, key: applications.correct(applicant, case_id, Act(key, step)),
            T.WITHDRAW: lambda step, key: applications.withdraw(
                applicant, case_id, Act(key, step), "Передумала."
            ),
            T.OPEN_REVIEW: lambda step, _: checks.check(
                office.database,
                REGISTER,
                case_id,
                step,
            ),
            T.LAPSE: lambda step, _: self._nobody_answers(step),
            T.ISSUE_ACT: lambda step, _: self._issue(step),
        }
        return ways[transition]

    async def _decide(self, outcome: Transition, act: Act) -> CaseState:
        decision = Decision(
            outcome,
            "По итогам рассмотрения.",
            remarks={"purpose": "Подробнее."} if outcome is T.CLARIFY else {},
            checklist=await self.office.checklist(self.case_id) if outcome is T.APPROVE else {},
        )
        return await self.office.reviews.decide(self.office.reviewer, self.case_id, act, decision)

    async def _write(self) -> None:
        try:
            await self.office.applications.save_draft(
                self.office.clinician, self.case_id, {"purpose": f"Иначе: {uuid4().hex}"}
            )
        except Refusal:
            assert self.closed or self.status is Status.APPROVED

    async def _nobody_answers(self, step: int) -> None:
        """The clock of a case that nobody touched for long."""
        case = await self.office.case(self.case_id)
        if self.status is not Status.CLARIFICATION or case.step != step:
            return
        past = now() - timedelta(days=60)
        await self.office.set_times(
            self.case_id, since=past, due_at=past + timedelta(days=20), wakes_at=past
        )
        for _ in range(RINGS_UNTIL_LAPSE):
            await self.office.wake(self.case_id)

    async def _issue(self, step: int) -> None:
        """The activity looks at the case itself; a stale one is none of its kind."""
        if step == len(self.done):
            await enrolment.issue(
                self.settings,
                self.office.database,
                self.objects,
                open_seal(self.settings),
                self.case_id,
            )


@pytest.mark.asvs("2.3.1")
@hypothesis_settings(
    max_examples=15,
    deadline=None,
    # To find a shorter walk takes longer than to read a long one.
    phases=(Phase.explicit, Phase.generate),
)
@example(walk=[(step, "twice") for step in FAR])
@given(walk=WALKS)
async def test_no_walk_loses_a_case_or_decides_twice(
    settings: Settings, database: Database, objects: Objects, walk: list[tuple[Transition, str]]
) -> None:
    """Whatever is tried in whatever order, the case stands where the rules say, and is journaled.

    Each act may come twice with the same key, or name a step that is over.
    """
    office = await Office.open(database)
    one = Walk(office, settings, objects, await office.draft())
    for transition, how in walk:
        await one.attempt(transition, how)
    entries = await office.journal(one.case_id)
    assert verify_chain(map(facts_of, entries)) == []
    moves = {kind.value for kind in JOURNALED.values()}
    assert [entry.kind for entry in entries if entry.kind in moves] == [
        JOURNALED[transition].value for transition in one.done
    ]
    async with database.work() as session:
        decided = await session.exec(
            select(CaseDecision.outcome)
            .where(CaseDecision.case_id == one.case_id)
            .order_by(CaseDecision.step)  # type: ignore[arg-type]
        )
        assert list(decided.all()) == [t.value for t in one.done if t in DECISIONS]
