"""A draft of a request: its task list, discarding it, submitting it, also as a correction (S6)."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.http.entrance import CleanRoute
from cabinet.cases import filling
from cabinet.cases.draft_pages import add_pages, not_sent
from cabinet.cases.filling import Editing
from cabinet.cases.sent import draft_page
from cabinet.frame.visits import Inside, Visit
from cabinet.requests.kind import REQUESTS
from cabinet.requests.lines import type_view
from cabinet.requests.views import RequestDraft
from rules.cases.limits import INTEGER
from rules.refusals import Refusal
from services.cases.acts import Act

router = APIRouter(
    route_class=CleanRoute, include_in_schema=False, prefix="/requests/{case_id}/draft"
)


async def editing(visit: Visit, case_id: UUID) -> Editing:
    """The draft of a request that the person may change. Raises Refusal 404 or 409."""
    return await filling.editing(visit, case_id, REQUESTS)


def draft_view(edited: Editing) -> RequestDraft:
    """The task list."""
    page = edited.page
    return RequestDraft(
        url=edited.url,
        type=type_view(page.definition, page.responsible_unit),
        tasks=filling.tasks_of(edited),
        saved_at=page.case.draft_saved_at,
        number=page.case.number,
        mode="correction" if page.newest else "draft",
        case_url=edited.case_url,
        answered=page.case.closed_at is not None,
        takes_files=bool(page.attachment_rules),
        changed=edited.changed,
    )


@router.get("")
async def show(case_id: UUID, visit: Inside) -> Response:
    """The task list."""
    edited = await editing(visit, case_id)
    return draft_page(visit, edited, "requests/draft.html", draft=draft_view(edited))


@router.post("/discard")
async def discard(case_id: UUID, visit: Inside) -> Response:
    """Delete the draft, or an unfinished correction."""
    edited = await editing(visit, case_id)
    await visit.medcab.requests.discard_draft(visit.actor, case_id)
    if edited.page.newest is None:
        return visit.go("/requests", "request_discarded")
    return visit.go(edited.case_url, "correction_discarded")


@router.post("/submit")
async def submit(
    case_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    at_step: Annotated[int, Form(ge=0, le=INTEGER)],
    mode: Annotated[Literal["draft", "correction"], Form()],
) -> Response:
    """Submit the draft as what its page said it is: a new request or a correction.

    So a second click repeats the same act, whatever the case has become meanwhile.
    """
    requests = visit.medcab.requests
    send = requests.submit if mode == "draft" else requests.correct
    try:
        await send(visit.actor, case_id, Act(act_id, at_step))
    except Refusal as refusal:
        return await not_sent(visit, case_id, REQUESTS, draft_view, refusal, at_step)
    return visit.go(f"/requests/{case_id}/sent")


add_pages(router, REQUESTS, draft_view)
