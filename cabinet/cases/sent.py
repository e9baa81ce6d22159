"""What the pages of a draft say of a case that was sent, by another tab or before one went back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Response

from cabinet.cases.filling import Editing
from cabinet.cases.lines import ROOMS
from cabinet.frame.views import ErrorPage, Flash
from cabinet.frame.visits import Visit
from rules.cases.process import CaseKind
from services.cases.transitions import sent_since
from words import formats
from words.translation import gettext, marked


@dataclass(frozen=True)
class _Sent:
    """What is said of a case that was sent, as msgids."""

    already: str
    when: str
    open: str
    mend: str


_SENT = {
    CaseKind.APPLICATION: _Sent(
        marked("Заявка уже отправлена"),
        marked("Заявка %(number)s отправлена %(at)s. Вторая отправка ничего не изменила."),
        marked("Открыть заявку"),
        marked(
            "Эта заявка отправлена %(at)s. Если её нужно исправить, измените ответы и отправьте"
            " ещё раз."
        ),
    ),
    CaseKind.REQUEST: _Sent(
        marked("Запрос уже отправлен"),
        marked("Запрос %(number)s отправлен %(at)s. Вторая отправка ничего не изменила."),
        marked("Открыть запрос"),
        marked(
            "Этот запрос отправлен %(at)s. Если его нужно исправить, измените ответы и отправьте"
            " ещё раз."
        ),
    ),
}


def draft_page(visit: Visit, edited: Editing, template: str, **context: Any) -> Response:
    """A page of a draft; where nothing was changed since it was sent, its top says so."""
    page = edited.page
    if page.newest is not None and not edited.changed:
        words = marked("Вы ещё ничего не изменили. Исправьте то, о чём просит отдел кадров.")
        if edited.mode != "answer":
            words = _SENT[CaseKind(page.case.kind)].mend
        said = gettext(words) % {"at": formats.moment(page.newest.submitted_at)}
        context["flash"] = Flash(said, "info", page.case.number or "", edited.case_url)
    return visit.page(template, **context)


async def sent_already(
    visit: Visit, case_id: UUID, kind: CaseKind, at_step: int
) -> Response | None:
    """The answer to a second sending of what was sent at this step or since; None if it was not."""
    async with visit.medcab.database.reading() as session:
        sent = await sent_since(session, visit.actor, case_id, at_step)
    if sent is None:
        return None
    said, (number, at) = _SENT[kind], sent
    return visit.page(
        "errors/error.html",
        status=409,
        error=ErrorPage(
            status=409,
            title=gettext(said.already),
            text=gettext(said.when) % {"number": number, "at": formats.moment(at)},
            action=gettext(said.open),
            url=f"{ROOMS[kind]}/{case_id}",
        ),
    )
