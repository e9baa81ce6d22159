"""Filling in a request: tasks, sections, documents, check, send; and sending it again (S6)."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Response

from cabinet import filling
from cabinet.attachments import attachments_page, slots_of
from cabinet.case_views import answer_sections
from cabinet.filling import Editing
from cabinet.request_views import type_view
from cabinet.views.requests import RequestDraft
from cabinet.visits import Inside, Visit
from models.tables.base import new_id
from rules.cases import CaseKind
from rules.forms import check_form
from rules.refusals import Refusal
from services.cases import Act

router = APIRouter(include_in_schema=False, prefix="/requests/{case_id}/draft")


async def editing(visit: Visit, case_id: UUID) -> Editing:
    """The draft of a request that the person may change. Raises `not_found` and 409."""
    return await filling.editing(visit, case_id, CaseKind.REQUEST)


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
    )


@router.get("")
async def show(case_id: UUID, visit: Inside) -> Response:
    """The task list."""
    return visit.page("requests/draft.html", draft=draft_view(await editing(visit, case_id)))


@router.post("/discard")
async def discard(case_id: UUID, visit: Inside) -> Response:
    """Throw away the draft, or the correction in the making."""
    edited = await editing(visit, case_id)
    await visit.medcab.requests.discard_draft(visit.actor, case_id)
    if edited.page.newest is None:
        return visit.go("/requests", "request_discarded")
    return visit.go(edited.case_url, "correction_discarded")


@router.get("/attachments")
async def show_attachments(case_id: UUID, visit: Inside) -> Response:
    """The documents: upload, choose among those given before, take away."""
    return await attachments_page(visit, await editing(visit, case_id))


@router.get("/check")
async def check(case_id: UUID, visit: Inside) -> Response:
    """Everything once more, before it is sent."""
    return await _check_page(visit, await editing(visit, case_id))


@router.post("/submit")
async def submit(
    case_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    at_step: Annotated[int, Form()],
    mode: Annotated[Literal["draft", "correction"], Form()],
) -> Response:
    """Send it, for the first time or again; as the page said, so that a second click is the same
    act."""
    requests = visit.medcab.requests
    send = requests.submit if mode == "draft" else requests.correct
    try:
        await send(visit.actor, case_id, Act(act_id, at_step))
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        return await _check_page(visit, await editing(visit, case_id), refusal)
    return visit.go(f"/requests/{case_id}/sent")


async def _check_page(visit: Visit, edited: Editing, refusal: Refusal | None = None) -> Response:
    sent = edited.page.newest.data if edited.page.newest else None
    data, _ = check_form(edited.page.definition, edited.data, complete=False, today=edited.today)
    return visit.page(
        "requests/check.html",
        status=refusal.status if refusal else 200,
        draft=draft_view(edited),
        sections=answer_sections(edited.page.definition, data, sent, change_url=edited.url),
        compared=sent is not None,
        slots=await slots_of(visit, edited, read_only=True),
        act_id=new_id(),
        step=edited.page.case.step,
        errors=filling.error_items(edited, refusal) if refusal else [],
    )


@router.get("/{name}")
async def show_section(case_id: UUID, name: str, visit: Inside) -> Response:
    """One section of the form."""
    return filling.section_page(visit, await editing(visit, case_id), name)


@router.post("/{name}")
async def save_section(case_id: UUID, name: str, visit: Inside) -> Response:
    """Keep the section and go on, or stay where something has to be mended."""
    return await filling.saved_and_on(visit, await editing(visit, case_id), name)


@router.post("/{name}/autosave")
async def autosave(case_id: UUID, name: str, visit: Inside) -> Response:
    """Keep what was typed so far; the answer says so, and what is wrong with the field left."""
    return await filling.autosaved(visit, await editing(visit, case_id), name)
