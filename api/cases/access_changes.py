"""Changes of rights over JSON: asking, reading, withdrawing. Decisions go by those of the desk."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.cases.bodies import CaseOut, CaseStateOut, case_out
from api.cases.drafts import IdempotencyKey, ListOut, WithdrawalIn, list_response
from api.container import ContainerDep, Work
from api.http.auth import CurrentSession
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Permission, Role
from rules.cases.process import CaseKind
from rules.clock import MeantDay, now
from rules.staff.people import REASON
from services.access_changes import reading
from services.access_changes.asking import RightsWish
from services.cases import lists as case_lists
from services.cases.acts import Act
from services.dossier import page as dossier

router = APIRouter(route_class=CleanRoute, tags=["rights"])


class RightsIn(BaseModel):
    """A role or a permission in a unit to be given, or a grant to be taken."""

    person_id: UUID
    role: Role | None = None
    permission: Permission | None = Field(
        None, description="In place of a role: one permission by itself."
    )
    unit_id: UUID | None = None
    takes_grant_id: UUID | None = Field(
        None, description="The grant to be taken; then right and unit are those of the grant."
    )
    first_day: MeantDay | None = None
    last_day: MeantDay | None = None
    urgent: bool = Field(
        False, description="Hold it at once, for a day at most; only where the unit allows it."
    )
    reason: str = Field(min_length=REASON[0], max_length=REASON[1])


class UnitRightsOut(BaseModel):
    """A unit with how many people hold each role in it, and each permission by itself."""

    id: UUID
    name: str
    urgent_access: bool
    holders: dict[Role, int]
    single: dict[Permission, int]


class MatrixOut(BaseModel):
    """Which roles have each permission, and how many people hold the roles in your units."""

    permissions: dict[Permission, list[Role]]
    units: list[UnitRightsOut]


@router.get("/rights", response_model=ListOut)
async def list_mine(
    container: ContainerDep,
    current: CurrentSession,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """The changes of rights that I asked for, newest first."""
    kind = CaseKind.ACCESS_CHANGE
    return list_response(
        await case_lists.first_of_mine(container.database, current.actor, limit, kind=kind)
    )


@router.post("/rights", status_code=201, responses=documented(403, 404, 409, 422))
async def ask(
    body: RightsIn,
    current: CurrentSession,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> CaseStateOut:
    """Ask for a change of rights. Needs a code entered within five minutes."""
    current.demand_fresh(now())
    wish = RightsWish(**body.model_dump(exclude={"person_id"}))
    made = await container.access_changes.ask(current.actor, idempotency_key, body.person_id, wish)
    return CaseStateOut.of(made)


@router.get("/rights/matrix")
async def matrix(session: Work, current: CurrentSession) -> MatrixOut:
    """Role and permission as a whole, and who holds roles in your units."""
    found = await reading.matrix(session, current.actor, now())
    return MatrixOut(
        permissions={right: sorted(roles) for right, roles in found.permissions.items()},
        units=[
            UnitRightsOut(
                id=row.unit.id,
                name=row.unit.name,
                urgent_access=row.unit.urgent,
                holders={one: n for one, n in row.holders.items() if isinstance(one, Role)},
                single={one: n for one, n in row.holders.items() if isinstance(one, Permission)},
            )
            for row in found.units
        ],
    )


@router.get("/rights/{case_id}")
async def read(case_id: UUID, session: Work, current: CurrentSession) -> CaseOut:
    """The whole change."""
    return case_out(await dossier.page(session, current.actor, case_id))


@router.post("/rights/{case_id}/withdraw")
async def withdraw(
    case_id: UUID,
    body: WithdrawalIn,
    current: CurrentSession,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> CaseStateOut:
    """Withdraw it; what was given urgently ends."""
    act = Act(idempotency_key, body.step)
    return CaseStateOut.of(
        await container.access_changes.withdraw(current.actor, case_id, act, body.reason)
    )
