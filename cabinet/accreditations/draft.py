"""The task list of an accreditation that is a draft."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter

from api.http.entrance import CleanRoute
from cabinet.accreditations.kind import ACCREDITATIONS
from cabinet.accreditations.lines import words_of_answer
from cabinet.cases.draft_pages import add_pages
from cabinet.cases.filling import Editing, tasks_of
from cabinet.cases.views import Task, TaskList

router = APIRouter(
    route_class=CleanRoute, include_in_schema=False, prefix="/accreditations/{case_id}/draft"
)


@dataclass(frozen=True)
class AccreditationDraft(TaskList):
    """A draft and how far it is."""

    url: str
    case_url: str
    tasks: Sequence[Task]
    mode: str
    changed: bool
    reason: str


def draft_view(edited: Editing) -> AccreditationDraft:
    """The task list."""
    asked = edited.mode == "answer"
    return AccreditationDraft(
        edited.url,
        edited.case_url,
        tasks_of(edited),
        edited.mode,
        edited.changed,
        words_of_answer(edited.page) if asked else "",
    )


add_pages(router, ACCREDITATIONS, draft_view)
