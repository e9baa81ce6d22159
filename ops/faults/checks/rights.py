"""Whether every grant of a change of rights has two other people behind it.

The rule is written here once more over decisions and journal, apart from the product's own columns.
"""

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlmodel import col, select

from clients.database import Database
from models.tables.cases import Case, CaseDecision
from models.tables.people import RoleChange, RoleGrant
from rules.cases.process import CaseKind, Status, Transition

if TYPE_CHECKING:
    from ops.faults.checks import CheckReport

CHECK = 11
_A_DAY = timedelta(hours=24)


async def check(report: "CheckReport", database: Database) -> None:
    """No grant without two other people; one for each approval, none for anything else."""
    async with database.work() as session:
        found = await session.exec(
            select(Case, RoleChange)
            .join(RoleChange, col(RoleChange.case_id) == col(Case.id))
            .where(Case.kind == CaseKind.ACCESS_CHANGE)
        )
        changes = list(found.all())
        made: dict[UUID | None, list[RoleGrant]] = defaultdict(list)
        for grant in (await session.exec(select(RoleGrant))).all():
            made[grant.case_id].append(grant)
        decided: dict[UUID, dict[str, UUID]] = defaultdict(dict)
        ordered = select(CaseDecision).order_by(col(CaseDecision.step))
        for decision in (await session.exec(ordered)).all():
            decided[decision.case_id][decision.outcome] = decision.by
    known = {case.id for case, _ in changes}
    for case_id, grants in made.items():
        for _ in grants:
            # Those of no change were entered with the people of the run.
            report.compare(CHECK, case_id is None or case_id in known, f"{case_id} is no change")
    for case, change in changes:
        lasting = [one for one in made[case.id] if not one.urgent]
        approved = case.status == Status.APPROVED
        wanted = int(approved and change.takes_grant_id is None)
        report.compare(
            CHECK, len(lasting) == wanted, f"{case.number} ({case.status}) made {len(lasting)}"
        )
        said = decided[case.id]
        two = [said.get(Transition.CONFIRM_ACCESS), said.get(Transition.APPROVE)]
        others = {one for one in two if one} - {case.applicant_id, change.subject_id}
        report.compare(
            CHECK, not approved or len(others) == 2, f"{case.number} had not two other people"
        )
        for grant in made[case.id]:
            until = grant.valid_until
            report.compare(
                CHECK,
                not grant.urgent or (until is not None and until - grant.valid_from <= _A_DAY),
                f"{case.number} gave urgently for more than a day",
            )
