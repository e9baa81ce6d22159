"""The task list of a verification that is a draft."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter

from api.http.entrance import CleanRoute
from cabinet.cases.draft_pages import add_pages
from cabinet.cases.filling import Editing, tasks_of
from cabinet.cases.views import Task, TaskList
from cabinet.verifications.kind import VERIFICATIONS

router = APIRouter(
    route_class=CleanRoute, include_in_schema=False, prefix="/verifications/{case_id}/draft"
)


@dataclass(frozen=True)
class VerificationDraft(TaskList):
    """A draft and how far it is."""

    url: str
    tasks: Sequence[Task]
    mode: str
    changed: bool
    reason: str


def draft_view(edited: Editing) -> VerificationDraft:
    """The task list."""
    page = edited.page
    asked = edited.remarks or edited.mode == "answer"
    return VerificationDraft(
        edited.url,
        tasks_of(edited),
        edited.mode,
        edited.changed,
        page.decisions[-1].reason if asked and page.decisions else "",
    )


add_pages(router, VERIFICATIONS, draft_view)
