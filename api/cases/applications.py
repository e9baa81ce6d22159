"""Applications over JSON: what applicants do, beyond what all kinds of case share."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.cases.bodies import CaseOut, CaseStateOut, PresentStateOut, case_out
from api.cases.drafts import DraftOut, HandedIn, ListOut, add_routes, draft_out, list_response
from api.container import ContainerDep, Work
from api.http.auth import CurrentActor
from api.http.entrance import CleanRoute
from api.http.file_routes import download_act, receipt
from api.http.problems import documented
from rules.cases.process import CaseKind
from services.cases import lists as case_lists
from services.cases import running
from services.cases.draft_contents import draft_of
from services.cases.lists import Filters
from services.cases.transitions import see
from services.dossier import page as dossier

router = APIRouter(route_class=CleanRoute, prefix="/applications", tags=["applications"])


class DraftIn(BaseModel):
    """An application for a programme."""

    programme_id: UUID


class CommentIn(BaseModel):
    """A remark on the case."""

    text: str = Field(max_length=4000)
    internal: bool = Field(False, description="Only reviewers see it.")


class CommentOut(BaseModel):
    """A stored remark."""

    id: UUID
    at: datetime
    internal: bool
    text: str


@router.get("", response_model=ListOut)
async def list_mine(
    container: ContainerDep,
    actor: CurrentActor,
    filters: Annotated[Filters, Query()],
    after: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """My applications, newest first, narrowed by status, type, dates or number."""
    if after is None and not filters.model_fields_set:
        return list_response(
            await case_lists.first_of_mine(
                container.database, actor, limit, kind=CaseKind.APPLICATION
            )
        )
    async with container.database.reading() as session:
        own = filters.model_copy(update={"kind": CaseKind.APPLICATION})
        return list_response(await case_lists.mine(session, actor, own, after, limit))


@router.post("", status_code=201)
async def create(body: DraftIn, actor: CurrentActor, container: ContainerDep) -> DraftOut:
    """Begin a draft, filled in with what is already known of the applicant."""
    case = await container.applications.create_draft(actor, body.programme_id)
    return draft_out(draft_of(case))


@router.get("/{case_id}")
async def read(case_id: UUID, session: Work, actor: CurrentActor) -> CaseOut:
    """The whole case: versions, findings, decisions, timeline, comments."""
    return case_out(await dossier.page(session, actor, case_id))


@router.get("/{case_id}/state")
async def present_state(
    case_id: UUID, actor: CurrentActor, container: ContainerDep
) -> PresentStateOut:
    """Ask the running case whom it waits for, until when, and what happens then (A8).

    If the workflow does not answer, `live` is false and the state comes from the database.
    """
    # The transaction ends here: a workflow that answers slowly holds no connection.
    async with container.database.work() as session:
        case = await see(session, actor, case_id)
    live, state = await running.live_or_stored(container.temporal, case)
    return PresentStateOut(live=live, **state.model_dump())


@router.post("/{case_id}/resubmit", responses=documented(429))
async def resubmit(
    case_id: UUID, act: HandedIn, actor: CurrentActor, container: ContainerDep
) -> CaseStateOut:
    """Answer a clarification with the draft as a new version."""
    return CaseStateOut.of(await container.applications.resubmit(actor, case_id, act))


@router.post("/{case_id}/comments", status_code=201)
async def comment(
    case_id: UUID, body: CommentIn, actor: CurrentActor, container: ContainerDep
) -> CommentOut:
    """Write a remark on the case; with files, see `/cases/{case_id}/messages`."""
    kept = await container.conversations.say(actor, case_id, body.text, internal=body.internal)
    return CommentOut(id=kept.id, at=kept.at, internal=kept.internal, text=kept.text)


router.get("/{case_id}/act", response_class=Response)(download_act)


router.get("/{case_id}/receipt", response_class=Response)(receipt)


add_routes(router, "", lambda container: container.applications)
