"""Periodic accreditations over JSON, beyond what all kinds of case share."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from api.cases.bodies import CaseOut, CaseStateOut, case_out
from api.cases.drafts import DraftOut, HandedIn, ListOut, add_routes, draft_out, list_response
from api.container import ContainerDep, Work
from api.http.auth import CurrentActor
from api.http.entrance import CleanRoute
from api.http.file_routes import portfolio
from api.http.problems import documented
from rules.access import Permission
from rules.accreditations.norms import file_from
from rules.cases.process import CaseKind
from rules.clock import now
from services import access
from services.accreditations.needs import needs_of
from services.cases import lists as case_lists
from services.cases.draft_contents import draft_of
from services.dossier import page as dossier

router = APIRouter(route_class=CleanRoute, prefix="/accreditations", tags=["accreditations"])


@router.get("", response_model=ListOut)
async def list_mine(container: ContainerDep, actor: CurrentActor) -> Response:
    """My accreditations, newest first."""
    return list_response(
        await case_lists.first_of_mine(container.database, actor, kind=CaseKind.ACCREDITATION)
    )


class CourseNeeded(BaseModel):
    """A programme that gives missing hours."""

    id: UUID
    title: str
    hours: int
    certified_hours: int


class NeedsOut(BaseModel):
    """What the norm asks for, what my file gives, what is missing, and what would give it."""

    order: str
    hours: int
    hours_needed: int
    certified_hours: int
    certified_hours_needed: int
    missing: int
    certified_missing: int
    valid_until: date | None = Field(description="Of what is to be renewed, if it is in the file.")
    file_from: date | None
    programmes: Sequence[CourseNeeded]
    alone: bool = Field(description="Whether each programme is enough by itself.")


@router.get("/needs")
async def read_needs(session: Work, actor: CurrentActor, container: ContainerDep) -> NeedsOut:
    """What is missing for my accreditation, and which programmes would give it."""
    actor.demand(Permission.APPLY)
    today = await access.day_in(session, actor.unit_id, now())
    found = await needs_of(session, container.settings, actor.person_id, today)
    known, hours = found.preparation, found.preparation.hours
    until = known.admission.valid_until if known.admission else None
    return NeedsOut(
        order=known.norm.order,
        hours=hours.total,
        hours_needed=hours.needed,
        certified_hours=hours.certified,
        certified_hours_needed=hours.certified_needed,
        missing=hours.missing,
        certified_missing=hours.certified_missing,
        valid_until=until,
        file_from=file_from(until, known.norm) if until else None,
        programmes=[
            CourseNeeded(
                id=one.id, title=one.title, hours=one.hours, certified_hours=one.certified_hours
            )
            for one in found.programmes
        ],
        alone=found.alone,
    )


@router.post("", status_code=201)
async def create(actor: CurrentActor, container: ContainerDep) -> DraftOut:
    """Begin a draft, or go on with the one that is there."""
    return draft_out(draft_of(await container.accreditations.create_draft(actor)))


@router.get("/{case_id}")
async def read(case_id: UUID, session: Work, actor: CurrentActor) -> CaseOut:
    """The whole accreditation."""
    return case_out(await dossier.page(session, actor, case_id))


@router.post("/{case_id}/draft/refresh")
async def refresh(case_id: UUID, actor: CurrentActor, container: ContainerDep) -> DraftOut:
    """Bring into the draft what my qualification file says by now."""
    return draft_out(draft_of(await container.accreditations.refresh(actor, case_id)))


@router.post("/{case_id}/resubmit", responses=documented(429))
async def resubmit(
    case_id: UUID, act: HandedIn, actor: CurrentActor, container: ContainerDep
) -> CaseStateOut:
    """Answer a clarification with the corrected draft."""
    return CaseStateOut.of(await container.accreditations.resubmit(actor, case_id, act))


router.get("/{case_id}/portfolio", response_class=Response)(portfolio)
add_routes(router, "", lambda container: container.accreditations)
