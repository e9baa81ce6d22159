"""Records of the personnel register that wait for a person (I8)."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.cases.drafts import IdempotencyKey
from api.container import ContainerDep, Work
from api.http.auth import require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.staff.people import REASON
from rules.staff.personnel import RecordTrouble
from services.staff import unmatched

router = APIRouter(route_class=CleanRoute, prefix="/personnel-records", tags=["people"])

Reconciler = Annotated[Actor, require(Permission.RECONCILE_STAFF)]


class RecordOut(BaseModel):
    """An employment of which the register said what could not be carried out."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: str
    name: str
    position: str
    unit: str = Field(description="Its name, or the register's code that nobody knows here.")
    left_on: date | None
    trouble: RecordTrouble
    since: datetime
    person_id: UUID | None


class RetriedOut(BaseModel):
    """Whether the record waits no longer."""

    done: bool


class CloseIn(BaseModel):
    """Why nothing is to be done about it."""

    reason: str = Field(min_length=REASON[0], max_length=REASON[1])


@router.get("", responses=documented(401, 403))
async def waiting(actor: Reconciler, session: Work) -> list[RecordOut]:
    """Those that wait, the longest first."""
    return [RecordOut.model_validate(one) for one in await unmatched.waiting(session, actor)]


@router.post("/{record_id}/retry", responses=documented(403, 404, 422))
async def retry(
    record_id: UUID, actor: Reconciler, container: ContainerDep, idempotency_key: IdempotencyKey
) -> RetriedOut:
    """Try to carry it out again."""
    return RetriedOut(done=await container.unmatched.retry(actor, idempotency_key, record_id))


@router.post("/{record_id}/close", status_code=204, responses=documented(403, 404, 422))
async def close(
    record_id: UUID,
    body: CloseIn,
    actor: Reconciler,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> None:
    """Take it off the list until the register says something new."""
    await container.unmatched.close(actor, idempotency_key, record_id, body.reason)
