"""A unit with its head, information security, an administrator and somebody who wants rights."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import col, select

from models.messages import CaseState
from models.tables.cases import Case
from models.tables.notices import Notice
from models.tables.people import RoleChange, RoleGrant
from rules.access import Actor, Permission, Role
from rules.cases.process import Transition
from rules.clock import now
from services import access
from services.access_changes.asking import RightsWish
from services.cases.acts import Act
from services.reviews.decisions import Decision
from tests.staff.hospital import Staff

WHY = "Нужно для работы в отделении."


@dataclass
class Story:
    """The people, and what they do."""

    staff: Staff
    nurse: Actor
    head: Actor

    @classmethod
    async def begin(cls, staff: Staff) -> "Story":
        """A nurse of a ward with a head; the hospital has its administrator and security."""
        nurse = await staff.person("Орлова Анна Павловна", Role.NURSE)
        head = await staff.person("Белова Инна Сергеевна", Role.UNIT_HEAD)
        return cls(staff, nurse, head)

    @property
    def ward(self) -> UUID:
        """Where they work."""
        return self.staff.office.ward

    async def ask(self, by: Actor | None = None, act: UUID | None = None, **wish: Any) -> CaseState:
        """Ask that the nurse be a clerk of the ward."""
        wished = {"role": Role.CLERK, "unit_id": self.ward, "reason": WHY, **wish}
        return await self.staff.container.access_changes.ask(
            by or self.nurse, act or uuid4(), self.nurse.person_id, RightsWish(**wished)
        )

    async def decide(
        self, state: CaseState, outcome: Transition, by: Actor, act: UUID | None = None
    ) -> CaseState:
        """Confirm, approve or refuse."""
        return await self.staff.container.reviews.decide(
            await self.fresh(by),
            state.case_id,
            Act(act or uuid4(), state.step),
            Decision(outcome, WHY),
            fresh=True,
        )

    async def given(self, by: Actor | None = None, **wish: Any) -> CaseState:
        """A change that went all the way."""
        asked = await self.ask(by, **wish)
        confirmed = await self.decide(asked, Transition.CONFIRM_ACCESS, self.head)
        return await self.decide(confirmed, Transition.APPROVE, self.staff.security)

    async def fresh(self, person: Actor) -> Actor:
        """The person with the rights of this moment, as the next request of a session has them."""
        async with self.staff.database.work() as session:
            return await access.actor_for(session, person.person_id, now())

    async def may(self, person: Actor, permission: Permission) -> bool:
        """Whether the person may do something in the ward now."""
        return (await self.fresh(person)).may(permission, self.ward)

    async def grants(self, person: Actor | None = None) -> list[RoleGrant]:
        """The grants of the nurse that a change made, the oldest first."""
        whose = (person or self.nurse).person_id
        async with self.staff.database.work() as session:
            found = await session.exec(
                select(RoleGrant)
                .where(RoleGrant.person_id == whose, col(RoleGrant.case_id).is_not(None))
                .order_by(col(RoleGrant.id))
            )
            return list(found.all())

    async def change(self, state: CaseState) -> tuple[Case, RoleChange]:
        """The rows of a change."""
        async with self.staff.database.work() as session:
            return (
                await session.get_one(Case, state.case_id),
                await session.get_one(RoleChange, state.case_id),
            )

    async def told(self, person: Actor) -> list[str]:
        """The kinds of notices in the person's cabinet, oldest first."""
        async with self.staff.database.work() as session:
            found = await session.exec(
                select(Notice.kind)
                .where(Notice.person_id == person.person_id, Notice.channel == "cabinet")
                .order_by(col(Notice.created_at), col(Notice.id))
            )
            return list(found.all())
