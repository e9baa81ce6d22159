"""The conversation on a case: its part of a page, a page of its own, writing and reading (A8).

A message comes as a form that may hold files, so its address stands among those of uploads.
"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.http.auth import FORM_FIELD, FORM_HEADER, demand_form_token
from api.http.bodies import Form as StreamedForm
from api.http.bodies import is_form
from api.http.entrance import CleanRoute
from cabinet.cases.attachments import refused_row, version_row
from cabinet.conversation.views import MessageView, Talk
from cabinet.frame.views import ErrorItem, FieldView, FileRow
from cabinet.frame.visits import Inside, Visit, own_path, uuid_of
from rules.cases.conversation import LONGEST, MOST_FILES, checked_text, is_over, over
from rules.cases.kinds import process_of
from rules.clock import now
from rules.files.categories import Category
from rules.ids import new_id
from rules.refusals import FieldError, Refusal
from services import conversation
from services.dossier import page as dossier
from services.dossier.page import CasePage
from services.notices import inbox
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

SHOWN_AGAIN = frozenset({409, 422, 429})
_KEPT = "kept-"


def is_heard(page: CasePage) -> bool:
    """Whether anybody reads what is written here.

    A request that the gov service answers has no reader, until somebody of the unit writes on it.
    """
    has_addressee = process_of(page.case.kind).has_addressee
    by_module = has_addressee and not page.definition.answered_by_people
    return page.reviews or not by_module or bool(page.comments)


def talk_of(
    page: CasePage,
    back: str,
    *,
    text: str = "",
    error: str = "",
    to: str = "applicant",
    kept: Sequence[FileRow] = (),
    refused: Sequence[FileRow] = (),
) -> Talk:
    """The conversation of a case.

    `text` and what follows it are those of a message that was refused.
    """
    case = page.case
    over_now = is_over(case.closed_at, now())
    writes = (page.own or page.reviews) and bool(case.number) and is_heard(page)
    return Talk(
        url=f"/documents/files/messages/{case.id}",
        read_url=f"/cases/{case.id}/messages/read",
        back=back,
        number=case.number or "",
        messages=[_spoken(page, said) for said in page.comments],
        field=FieldView(
            "text",
            gettext("Ваше сообщение"),
            "long_text",
            text,
            error=error,
            max_length=LONGEST,
        ),
        message_id=str(new_id()),
        writes=writes and not over_now,
        silent=in_words(over().message) if writes and over_now else "",
        internal=page.reviews,
        to=to,
        kept=kept,
        refused=refused,
        empty=gettext("Сообщений пока нет. Здесь можно задать вопрос тем, кто рассматривает.")
        if page.own and is_heard(page)
        else gettext("Сообщений пока нет."),
    )


def _spoken(page: CasePage, said: conversation.Message) -> MessageView:
    if said.own:
        role = gettext("вы")
    elif page.own:
        role = page.responsible_unit
    else:
        role = gettext("заявитель") if said.of_applicant else ""
    return MessageView(
        id=str(said.id),
        who=said.by,
        role=role,
        at=said.at,
        text=said.text,
        staff=not said.of_applicant,
        internal=said.internal,
        new=said.new,
        files=[
            FileRow(
                id=str(file.document_version_id),
                name=file.file_name,
                size=file.size,
                state="good",
                view_url=f"/documents/versions/{file.document_version_id}",
                download_url=f"/documents/versions/{file.document_version_id}/file",
            )
            for file in said.files
        ],
    )


@router.get("/cases/{case_id}/conversation")
async def show(case_id: UUID, visit: Inside) -> Response:
    """The conversation alone, for a small screen."""
    async with visit.container.database.work() as session:
        await conversation.visited(session, visit.actor, case_id)
        page = await dossier.page(session, visit.actor, case_id)
        await inbox.mark_read(session, visit.actor, now(), case_id=case_id)
    return visit.page("conversation/page.html", talk=talk_of(page, f"/cases/{case_id}"))


@router.post("/cases/{case_id}/messages/read", status_code=204)
async def read(case_id: UUID, visit: Inside, message_id: Annotated[UUID, Form()]) -> None:
    """Mark the messages up to this one as read, by a person who is at the page."""
    await visit.container.conversations.read(visit.actor, case_id, message_id)


@router.post("/documents/files/messages/{case_id}")
async def say(case_id: UUID, visit: Inside) -> Response:
    """Write a message with its files. A script of the page gets the conversation as the answer.

    A refused message is shown again as it was typed, with the files that were accepted.
    """
    await visit.container.conversations.demand(visit.actor, case_id)
    fields, kept, refused, many, halted = await _taken(visit)
    text, to = fields.get("text", ""), fields.get("to", "applicant")
    back = own_path(fields.get("back"), f"/cases/{case_id}")
    scripted = visit.request.headers.get("x-requested-with") == "conversation"
    try:
        checked_text(text, max(many, len(kept)))
        if halted is not None:
            raise halted
        if refused:
            words = "Файл не принят. Уберите его или замените и отправьте ещё раз."
            raise Refusal("file_refused", words, 422, [FieldError("file", words)])
        await visit.container.conversations.say(
            visit.actor,
            case_id,
            text,
            files=[UUID(row.id) for row in kept],
            internal=to == "internal",
            message_id=uuid_of(fields.get("message_id")),
        )
    except Refusal as refusal:
        if refusal.status not in SHOWN_AGAIN:
            raise
        words = in_words(refusal.message)
        if scripted:
            told = [f"{row.name}: {v.problem} {v.remedy}" for row in refused for v in row.verdicts]
            return Response("\n".join(told or [words]), refusal.status, media_type="text/plain")
        about = refusal.fields[0].path if refusal.fields else ""
        talk = talk_of(
            await _page(visit, case_id),
            back,
            text=text,
            error=words if about == "text" else "",
            to=to,
            kept=kept,
            refused=refused,
        )
        place = {"text": "#field-text", "file": "#field-message-file"}.get(about, "")
        return visit.page(
            "conversation/page.html",
            status=refusal.status,
            talk=talk,
            errors=[ErrorItem(words, place if talk.writes else "")],
        )
    if not scripted:
        return visit.go(back, "comment")
    talk = talk_of(await _page(visit, case_id), back)
    return visit.part("conversation/part.html", talk=talk)


async def _page(visit: Visit, case_id: UUID) -> CasePage:
    async with visit.container.database.work() as session:
        return await dossier.page(session, visit.actor, case_id)


async def _taken(
    visit: Visit,
) -> tuple[dict[str, str], list[FileRow], list[FileRow], int, Refusal | None]:
    """Read the form: its fields, accepted files, refused files, how many were sent, and the refusal
    at which taking files in stopped.

    `guard` has checked the token of a form without files; that of a streamed form is checked here.
    Files beyond what one message may carry are not taken in.
    """
    request = visit.request
    kept: list[FileRow] = []
    refused: list[FileRow] = []
    if not is_form(request):
        form = await request.form()
        return {name: str(value) for name, value in form.items()}, kept, refused, 0, None
    streamed, known = StreamedForm(request), False

    def demand() -> None:
        sent = request.headers.get(FORM_HEADER, streamed.fields.get(FORM_FIELD))
        demand_form_token(request, sent)

    many = 0
    halted: Refusal | None = None
    async for incoming in streamed.files():
        if not known:
            demand()
            known = True
        many += 1
        if many > MOST_FILES or halted is not None:
            continue
        try:
            given = await visit.container.documents.give(visit.actor, incoming, Category.MESSAGE)
        except Refusal as refusal:
            if refusal.status not in SHOWN_AGAIN:
                raise
            halted = refusal
            continue
        if given.document is None:
            refused.append(refused_row(given.file_name, given.size, given.findings))
        else:
            kept.append(version_row(given.document.version))
    if not known:
        demand()
    before = [uuid_of(name.removeprefix(_KEPT)) for name in streamed.fields if _KEPT in name]
    for version_id in before:
        if version_id is not None and str(version_id) not in {row.id for row in kept}:
            kept.append(
                version_row(await visit.container.documents.version(visit.actor, version_id))
            )
    return streamed.fields, kept, refused, many, halted
