"""Stories of changes of rights, lived through for their histories. See `recording`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlmodel import col
from temporalio.client import Client

from clients.database import Database
from models.messages import WAKE_UP, ActRef, CaseState, case_workflow_id
from models.tables.people import RoleGrant
from rules.access import Actor, Role
from rules.cases.process import CaseKind, Transition
from rules.clock import now
from services.access_changes.asking import AccessChanges, RightsWish
from services.cases.acts import Act
from services.cases.signals import CaseSignals
from services.cases.transitions import lock
from services.reviews.decisions import Decision
from settings import Settings
from tests.shared.office import Office
from tests.shared.waiting import until
from tests.workflows.recording import Recorder

WHY = "Нужно для работы."


class RightsRecorder(Recorder):
    """Lives through changes of rights with a real worker."""

    kind = CaseKind.ACCESS_CHANGE

    def __init__(
        self, settings: Settings, database: Database, client: Client, office: Office
    ) -> None:
        super().__init__(settings, database, client, office)
        self.changes = AccessChanges(database, CaseSignals(self._signaller), settings.time_zone)

    def stories(self) -> dict[str, Callable[[], Awaitable[UUID]]]:
        """What is lived through, by the name of its file."""
        return {
            "rights-given": self.given,
            "rights-refused": self.refused,
            "rights-withdrawn": self.taken_back,
            "rights-confirmed-anew": self.confirmed_anew,
            "rights-given-out": self.given_out,
        }

    async def asked(self) -> tuple[CaseState, Actor, Actor, Actor]:
        """A nurse asks; with the head and the security officer who may decide."""
        office = self.office
        nurse = await office.person("Орлова Анна", Role.NURSE, office.ward)
        head = await office.person("Белова Инна", Role.UNIT_HEAD, office.ward)
        guard = await office.person("Громов Пётр", Role.SECURITY, office.institution)
        wish = RightsWish(role=Role.CLERK, unit_id=office.ward, reason=WHY)
        state = await self.changes.ask(nurse, uuid4(), nurse.person_id, wish)
        await self._heard(state.case_id)
        return state, nurse, head, guard

    async def given(self) -> UUID:
        """Confirmed and approved."""
        state, _, head, guard = await self.asked()
        await self._decide(state.case_id, Transition.CONFIRM_ACCESS, head)
        await self._decide(state.case_id, Transition.APPROVE, guard)
        return state.case_id

    async def refused(self) -> UUID:
        """Escalated, then refused by the head."""
        state, _, head, _ = await self.asked()
        past = now() - timedelta(days=30)
        due = past + timedelta(days=5)
        await self.office.set_times(state.case_id, since=past, due_at=due, wakes_at=past)
        await self._sweep()
        await self._until_journaled(state.case_id, "case.escalated")
        await self._decide(state.case_id, Transition.REJECT, head)
        return state.case_id

    async def taken_back(self) -> UUID:
        """Withdrawn by whoever asked."""
        state, nurse, _, _ = await self.asked()
        await self.changes.withdraw(nurse, state.case_id, Act(uuid4(), state.step), "")
        return state.case_id

    async def confirmed_anew(self) -> UUID:
        """The head lost the right, and another confirms."""
        state, _, head, guard = await self.asked()
        await self._decide(state.case_id, Transition.CONFIRM_ACCESS, head)
        async with self.database.work() as session:
            await session.exec(
                update(RoleGrant)
                .where(col(RoleGrant.person_id) == head.person_id)
                .values(valid_until=now())
            )
        await self.office.set_times(state.case_id, wakes_at=now() - timedelta(minutes=5))
        await self._sweep()
        await self._until_journaled(state.case_id, "case.confirmation_lapsed")
        other = await self.office.person("Котова Вера", Role.UNIT_HEAD, self.office.ward)
        await self._decide(state.case_id, Transition.CONFIRM_ACCESS, other)
        await self._decide(state.case_id, Transition.APPROVE, guard)
        return state.case_id

    async def given_out(self) -> UUID:
        """The step of the clock takes long, and Temporal gives it out; a signal typed by hand."""
        state, _, head, _ = await self.asked()
        handle = self.client.get_workflow_handle(case_workflow_id(state.case_id, self.kind))
        past = now() - timedelta(days=30)
        due, soon = past + timedelta(days=5), now() + timedelta(seconds=4)
        await self.office.set_times(state.case_id, since=past, due_at=due, wakes_at=soon)
        await handle.signal(WAKE_UP)
        await asyncio.sleep(2)
        async with self.database.work() as session:
            await lock(session, state.case_id)
            await asyncio.sleep(5)
        await self._until_journaled(state.case_id, "case.escalated")
        await handle.signal(Transition.CORRECT, ActRef(act_id=uuid4()))
        await self._until_journaled(state.case_id, "case.signal_without_act")
        await self._decide(state.case_id, Transition.REJECT, head)
        return state.case_id

    async def _decide(self, case_id: UUID, outcome: Transition, by: Actor) -> None:
        case = await self.office.case(case_id)
        act = Act(uuid4(), case.step)
        decision = Decision(outcome, WHY)
        state = await self.office.reviews.decide(by, case_id, act, decision, fresh=True)
        if state.open:
            await self._heard(case_id)

    async def _heard(self, case_id: UUID) -> None:
        """Wait until the workflow has read the case."""

        async def heard() -> bool:
            case = await self.office.case(case_id)
            return case.wakes_at is not None and case.wakes_at > now()

        await until(heard)

    async def _until_journaled(self, case_id: UUID, kind: str) -> None:
        await until(lambda: self._journaled(case_id, kind))
