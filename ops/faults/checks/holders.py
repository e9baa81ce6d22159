"""Whether every open case is with somebody who may act on it.

The rule is written here once more in plain Python, apart from the query that the product uses.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.accounts import Account
from models.tables.cases import Case
from models.tables.people import Absence, Person, RoleGrant, Unit
from rules.access import permissions_of, right_named
from rules.cases.process import Party, Status
from rules.clock import now

if TYPE_CHECKING:
    from ops.faults.checks import CheckReport

CHECK = 10
_DECIDED = frozenset({Status.APPROVED.value})
"""Still open, but nobody has to act: the certificate is being issued."""


@dataclass(frozen=True)
class House:
    """All that decides who may act: units, people, locked accounts, grants and absences."""

    units: Mapping[UUID, Unit]
    people: Mapping[UUID, Person]
    locked: frozenset[UUID]
    grants: Mapping[UUID, Sequence[RoleGrant]]
    absences: Mapping[UUID, Sequence[Absence]]

    @classmethod
    async def read(cls, session: AsyncSession) -> "House":
        """Read the present state."""
        grants: dict[UUID, list[RoleGrant]] = defaultdict(list)
        for grant in (await session.exec(select(RoleGrant))).all():
            grants[grant.person_id].append(grant)
        absences: dict[UUID, list[Absence]] = defaultdict(list)
        for absence in (await session.exec(select(Absence))).all():
            absences[absence.person_id].append(absence)
        locked = select(Account.person_id).where(col(Account.locked_at).is_not(None))
        return cls(
            {unit.id: unit for unit in (await session.exec(select(Unit))).all()},
            {one.id: one for one in (await session.exec(select(Person))).all()},
            frozenset((await session.exec(locked)).all()),
            grants,
            absences,
        )

    def why_not(self, person_id: UUID, case: Case, at: datetime) -> str:
        """Why somebody may not act on a case; empty where they may."""
        unit_id: UUID | None = case.responsible_unit_id
        today = at.astimezone(ZoneInfo(self.units[case.responsible_unit_id].time_zone)).date()
        above: set[UUID] = set()
        while unit_id is not None:
            above.add(unit_id)
            unit_id = self.units[unit_id].parent_id
        left_at = self.people[person_id].left_at
        if person_id == case.applicant_id:
            return "who applied"
        if person_id == case.subject_id:
            return "whom it is about"
        if person_id in case.earlier_reviewers:
            return "who has decided an earlier step"
        if left_at is not None and left_at <= at:
            return "who has left"
        if person_id in self.locked:
            return "who is locked"
        if not any(
            one.unit_id in above
            and case.review_permission in permissions_of(right_named(one.role))
            and one.valid_from <= at
            and (one.valid_until is None or one.valid_until > at)
            for one in self.grants.get(person_id, ())
        ):
            return "who has no right"
        if any(one.first_day <= today <= one.last_day for one in self.absences.get(person_id, ())):
            return "who is away"
        return ""


async def check(report: "CheckReport", database: Database) -> None:
    """No open case is with somebody who may not act, nor with nobody while somebody could."""
    at = now()
    async with database.work() as session:
        house = await House.read(session)
        cases = (await session.exec(select(Case).where(Case.version > 0))).all()
    for case in cases:
        fault = ""
        if case.closed_at is None and case.status not in _DECIDED:
            if case.reviewer_id is not None:
                why = house.why_not(case.reviewer_id, case, at)
                fault = f"is with one {why}" if why else ""
            elif case.waits_for == Party.REVIEWER and any(
                not house.why_not(person_id, case, at) for person_id in house.grants
            ):
                fault = "is with nobody, and somebody could act"
        report.compare(CHECK, not fault, f"{case.number} ({case.status}) {fault}")
