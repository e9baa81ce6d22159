"""People with their qualification, as FHIR R4 has them; for other systems, read-only (Q6, Q9)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import JSONResponse

from api.container import ContainerDep, Work
from api.fhir.resources import ROOT, SNILS, Resource, capabilities, practitioner, search_result
from api.http.auth import OPEN_TO_ALL, require
from api.http.entrance import CleanRoute
from rules.access import Actor, Permission
from rules.clock import now
from rules.texts.identifiers import IdentifierError, snils
from services.credentials import audience, seen

MEDIA_TYPE = "application/fhir+json"

router = APIRouter(route_class=CleanRoute, prefix=ROOT, include_in_schema=False)

Reader = Annotated[Actor, require(Permission.VIEW_CREDENTIALS)]


class FhirResponse(JSONResponse):
    """A resource. Nothing between us and the reader keeps it."""

    media_type = MEDIA_TYPE

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource, headers={"Cache-Control": "no-store"})


@router.get("/metadata", dependencies=[OPEN_TO_ALL])
async def metadata(container: ContainerDep) -> FhirResponse:
    """What can be asked here."""
    return FhirResponse(capabilities(container.settings.public_url))


@router.get("/Practitioner/{person_id}")
async def read(
    person_id: UUID, session: Work, reader: Reader, container: ContainerDep
) -> FhirResponse:
    """Somebody in the reader's units. That they were looked at is recorded."""
    owner, found = await seen.of_person(session, reader, person_id, now())
    return FhirResponse(practitioner(owner, found, container.settings.public_url))


@router.post("/Practitioner/_search")
async def search(
    identifier: Annotated[str, Form(max_length=200)],
    session: Work,
    reader: Reader,
    container: ContainerDep,
) -> FhirResponse:
    """Who has this SNILS, among those whose qualification the reader may see."""
    found: list[Resource] = []
    if number := _snils(identifier):
        person_id = await audience.with_snils(session, reader, number)
        if person_id is not None:
            owner, credentials = await seen.of_person(session, reader, person_id, now())
            found = [practitioner(owner, credentials, container.settings.public_url)]
    return FhirResponse(search_result(found, container.settings.public_url))


def _snils(token: str) -> str | None:
    """The SNILS of a search token, `system|value` or a bare value; None where it is another's."""
    system, bar, value = token.rpartition("|")
    if bar and system != SNILS:
        return None
    try:
        return snils(value)
    except IdentifierError:
        return None
