"""What pages of a draft say once it was submitted, in another tab or before going back."""

from typing import Any
from uuid import UUID

from fastapi import Response

from cabinet.cases.filling import Editing
from cabinet.cases.kinds import KindPages, pages_of
from cabinet.frame.views import ErrorPage, Flash
from cabinet.frame.visits import Visit
from services.cases.acts import sent_since
from words import formats
from words.translation import gettext, marked


def draft_page(visit: Visit, edited: Editing, template: str, **context: Any) -> Response:
    """A page of a draft. When nothing was changed since the submission, its top says so."""
    page = edited.page
    if page.newest is not None and not edited.changed:
        words = marked("Вы ещё ничего не изменили. Исправьте то, о чём просит отдел кадров.")
        if edited.mode != "answer":
            words = pages_of(page.case.kind).phrases.send_again
        said = gettext(words) % {"at": formats.moment(page.newest.submitted_at)}
        context["flash"] = Flash(said, "info", page.case.number or "", edited.case_url)
    return visit.page(template, **context)


async def sent_already(
    visit: Visit, case_id: UUID, kind: KindPages, at_step: int
) -> Response | None:
    """The answer to a second submission of what was sent at this step or later, or None."""
    async with visit.container.database.reading() as session:
        sent = await sent_since(session, visit.actor, case_id, at_step)
    if sent is None:
        return None
    said, (number, at) = kind.phrases, sent
    return visit.page(
        "errors/error.html",
        status=409,
        error=ErrorPage(
            status=409,
            title=gettext(said.already_sent),
            text=gettext(said.sent_at) % {"number": number, "at": formats.moment(at)},
            action=gettext(said.open),
            url=f"{kind.room}/{case_id}",
        ),
    )
