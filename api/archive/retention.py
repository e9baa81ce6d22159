"""How long closed cases are kept: terms that end soon, and what archive keepers decide (S7)."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.container import ContainerDep, Work
from api.http.auth import CurrentActor
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor
from rules.cases.limits import LONGEST_REASON
from rules.cases.process import CaseKind
from rules.clock import MeantDay
from services.archive import retention
from services.archive.retention import KeptCase
from services.cases.lists import cursor_of

router = APIRouter(route_class=CleanRoute, prefix="/archive/retention", tags=["archive"])

_LAST_DAY = date(9999, 1, 1)


class RetentionOut(BaseModel):
    """How long a case is kept; the times of an open case are null."""

    case_id: UUID
    kind: CaseKind
    number: str = Field(examples=["ПК-2026-000123-0"])
    title: str = Field(examples=["Кардиология: неотложные состояния"])
    closed_at: datetime | None
    until: datetime | None = Field(description="When the case may be erased.")
    held_at: datetime | None = Field(
        description="Since when erasing is forbidden; null: it is not."
    )
    held_by: str = Field(
        description="Who forbade erasing; only for keepers of the archive.",
        examples=["Орлова Мария Павловна"],
    )
    reason: str = Field(description="Why erasing is forbidden; only for keepers of the archive.")
    erased_at: datetime | None

    @classmethod
    def of(cls, kept: KeptCase) -> Self:
        """The answer for one person, from what the service returned."""
        row, case = kept.retention, kept.case
        return cls(
            case_id=case.id,
            kind=CaseKind(case.kind),
            number=case.number or "",
            title=kept.title,
            closed_at=case.closed_at,
            until=row.retain_until if row else None,
            held_at=row.held_at if row else None,
            held_by=kept.held_by,
            reason=kept.hold_reason,
            erased_at=row.erased_at if row else None,
        )


class RetentionListOut(BaseModel):
    """Cases whose term of keeping ends within 90 days, and cases on hold.

    `after` asks for the next page.
    """

    items: list[RetentionOut]
    after: str | None


class ReasonIn(BaseModel):
    """Why; it stays in the journal of the case."""

    reason: str = Field(max_length=LONGEST_REASON, examples=["Запрос суда от 12.03.2026"])


class LongerIn(ReasonIn):
    """The last day on which the case is kept, in the institution's time zone."""

    until: MeantDay = Field(lt=_LAST_DAY, examples=["2035-12-31"])


@router.get("", responses=documented(401, 403, 422))
async def list_ending(
    session: Work,
    actor: CurrentActor,
    after: Annotated[str | None, Query(max_length=300)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> RetentionListOut:
    """Cases of the units whose archive I keep whose term ends soon, and those on hold."""
    found = await retention.ending(session, actor, after, limit + 1)
    shown, following = found[:limit], None
    if len(found) > limit and (last := shown[-1].retention) is not None:
        following = cursor_of(last.retain_until, last.case_id)
    return RetentionListOut(items=[RetentionOut.of(kept) for kept in shown], after=following)


@router.get("/{case_id}", responses=documented(401, 404, 422))
async def read_one(case_id: UUID, session: Work, actor: CurrentActor) -> RetentionOut:
    """How long one case is kept: for those who see it, and for keepers."""
    return RetentionOut.of(await retention.one(session, actor, case_id))


@router.post("/{case_id}/extend", responses=documented(401, 403, 404, 409, 422))
async def extend(
    case_id: UUID, body: LongerIn, actor: CurrentActor, container: ContainerDep
) -> RetentionOut:
    """Keep a case longer, 75 years at most."""
    service = container.retention
    await service.extend(actor, case_id, service.end_of(body.until), body.reason)
    return await _as_it_is(container, actor, case_id)


@router.post("/{case_id}/hold", responses=documented(401, 403, 404, 409, 422))
async def hold(
    case_id: UUID, body: ReasonIn, actor: CurrentActor, container: ContainerDep
) -> RetentionOut:
    """Forbid erasing the case until it is released. Repeating the call changes nothing."""
    await container.retention.hold(actor, case_id, body.reason)
    return await _as_it_is(container, actor, case_id)


@router.post("/{case_id}/release", responses=documented(401, 403, 404, 409, 422))
async def release(
    case_id: UUID, body: ReasonIn, actor: CurrentActor, container: ContainerDep
) -> RetentionOut:
    """Allow erasing the case again, once new notices have announced it.

    Repeating the call changes nothing.
    """
    await container.retention.release(actor, case_id, body.reason)
    return await _as_it_is(container, actor, case_id)


@router.post("/{case_id}/erase", responses=documented(401, 403, 404, 409, 422, 503))
async def erase(case_id: UUID, actor: CurrentActor, container: ContainerDep) -> RetentionOut:
    """Erase the contents of a case whose term is over, before the nightly run does so.

    Its number, states and times stay, and so do the chained entries of its journal. Erasing cannot
    be undone.
    """
    await container.retention.erase(actor, case_id, container.objects)
    return await _as_it_is(container, actor, case_id)


async def _as_it_is(container: ContainerDep, actor: Actor, case_id: UUID) -> RetentionOut:
    async with container.database.reading() as session:
        return RetentionOut.of(await retention.one(session, actor, case_id))
