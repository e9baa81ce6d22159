"""The task list of a request that is a draft (S6)."""

from fastapi import APIRouter

from api.http.entrance import CleanRoute
from cabinet.cases import filling
from cabinet.cases.draft_pages import add_pages
from cabinet.cases.filling import Editing
from cabinet.requests.kind import REQUESTS
from cabinet.requests.lines import type_view
from cabinet.requests.views import RequestDraft

router = APIRouter(
    route_class=CleanRoute, include_in_schema=False, prefix="/requests/{case_id}/draft"
)


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


add_pages(router, REQUESTS, draft_view)
