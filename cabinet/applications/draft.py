"""A draft of an application: its task list, discarding it, submitting it (A1-A3, A6).

The same pages serve a new draft, the answer to a clarification, and a correction nobody asked for.
"""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.http.entrance import CleanRoute
from cabinet.applications.kind import APPLICATIONS
from cabinet.applications.lines import programme_view
from cabinet.applications.views import ApplicationDraft
from cabinet.cases import filling
from cabinet.cases.draft_pages import add_pages, not_sent
from cabinet.cases.filling import Editing
from cabinet.cases.sent import draft_page
from cabinet.frame.visits import Inside, Visit
from rules.cases.limits import INTEGER
from rules.refusals import Refusal, not_found
from services.cases.acts import Act

router = APIRouter(
    route_class=CleanRoute, include_in_schema=False, prefix="/applications/{case_id}/draft"
)


async def editing(visit: Visit, case_id: UUID) -> Editing:
    """The draft of an application that the person may change. Raises Refusal 404 or 409."""
    return await filling.editing(visit, case_id, APPLICATIONS)


def draft_view(edited: Editing) -> ApplicationDraft:
    """The task list."""
    page = edited.page
    if page.programme is None:
        raise not_found()
    return ApplicationDraft(
        url=edited.url,
        title=page.programme.title,
        programme=programme_view(page.programme),
        tasks=filling.tasks_of(edited),
        saved_at=page.case.draft_saved_at,
        number=page.case.number,
        mode=edited.mode,  # type: ignore[arg-type]
        case_url=edited.case_url,
        reason=page.decisions[-1].reason if edited.remarks or edited.mode == "answer" else "",
        changed=edited.changed,
    )


@router.get("")
async def show(case_id: UUID, visit: Inside) -> Response:
    """The task list."""
    edited = await editing(visit, case_id)
    return draft_page(visit, edited, "applications/draft.html", draft=draft_view(edited))


@router.post("/discard")
async def discard(case_id: UUID, visit: Inside) -> Response:
    """Delete the draft, or an unfinished correction."""
    edited = await editing(visit, case_id)
    await visit.medcab.applications.discard_draft(visit.actor, case_id)
    sent = edited.page.newest is not None
    return visit.go(f"/applications/{case_id}" if sent else "/applications", "discarded")


@router.post("/submit")
async def submit(
    case_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    at_step: Annotated[int, Form(ge=0, le=INTEGER)],
    mode: Annotated[Literal["draft", "answer", "correction"], Form()],
) -> Response:
    """Submit the draft as what its page said it is: a new application, an answer or a correction.

    So a second click repeats the same act, whatever the case has become meanwhile.
    """
    applications = visit.medcab.applications
    send = {
        "draft": applications.submit,
        "answer": applications.resubmit,
        "correction": applications.correct,
    }[mode]
    try:
        await send(visit.actor, case_id, Act(act_id, at_step))
    except Refusal as refusal:
        return await not_sent(visit, case_id, APPLICATIONS, draft_view, refusal, at_step)
    return visit.go(f"/applications/{case_id}/submitted")


add_pages(router, APPLICATIONS, draft_view)
