"""The task list of an application that is a draft (A1-A3, A6)."""

from fastapi import APIRouter

from api.http.entrance import CleanRoute
from cabinet.applications.kind import APPLICATIONS
from cabinet.applications.lines import programme_view
from cabinet.applications.views import ApplicationDraft
from cabinet.cases import filling
from cabinet.cases.draft_pages import add_pages
from cabinet.cases.filling import Editing
from rules.refusals import not_found

router = APIRouter(
    route_class=CleanRoute, include_in_schema=False, prefix="/applications/{case_id}/draft"
)


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


add_pages(router, APPLICATIONS, draft_view)
