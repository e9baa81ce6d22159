"""«Объединения карт»: what was proposed, and the second person's decision."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.frame.visits import Inside
from cabinet.patients.lines import facts
from services.patients import seen

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/patients/links")


@router.get("")
async def links_page(visit: Inside, session: Work) -> Response:
    """What waits for a second person, side by side."""
    found = await seen.waiting_links(session, visit.actor)
    return visit.page(
        "patients/links.html",
        lines=[
            (
                one,
                list(zip(facts(one.from_who), facts(one.to_who), strict=True)),
                one.proposed_by != visit.actor.person_id,
            )
            for one in found
        ],
    )


@router.post("/{link_id}/make")
async def make(link_id: UUID, visit: Inside) -> Response:
    """Join, as the second of two people."""
    await visit.container.patient_links.make(visit.actor, link_id)
    return visit.go("/patients/links", "patients_joined")


@router.post("/{link_id}/end")
async def end(
    link_id: UUID, visit: Inside, reason: Annotated[str, Form(max_length=5000)] = ""
) -> Response:
    """Refuse what was proposed, or part what was joined."""
    await visit.container.patient_links.end(visit.actor, link_id, reason)
    return visit.go("/patients/links", "patients_parted")
