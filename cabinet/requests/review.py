"""A request on the desk: people of its unit answer it, or refuse with a reason (S1, S4, W8)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response

from api.http.auth import FORM_FIELD, demand_form_token
from api.http.bodies import Form as StreamedForm
from api.http.bodies import is_form
from api.http.entrance import CleanRoute
from cabinet.cases.lines import answer_sections, applicant_facts, case_timeline, cited_files
from cabinet.conversation.pages import talk_of
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Inside, Visit, uuid_of
from cabinet.requests.lines import answer_views, paper_views, request_waits
from cabinet.requests.views import AnswerForm, DeskRequest
from cabinet.reviews.context import Known, known, page_after
from cabinet.reviews.desks import DeskPage, register
from cabinet.reviews.lines import other_cases, passing
from models.messages import PresentState
from rules.cases.process import CaseKind, Moved, Status, Transition
from rules.forms.definitions import AnswerKind
from rules.ids import new_id
from rules.refusals import FieldError, Refusal
from rules.texts.identifiers import whole
from rules.texts.names import short_name
from services.cases.acts import Act
from services.files.intake import Incoming
from services.requests.acts import Answer
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

ANSWERS = frozenset({Transition.ANSWER, Transition.REFUSE})
SHOWN_AGAIN = frozenset({403, 409, 422, 429, 503})
"""Refusals after which the page is drawn again with all that was typed."""


@dataclass(frozen=True)
class AnswerInput:
    """What a person of the unit has typed so far, valid or not."""

    outcome: str = ""
    message: str = ""
    act_id: UUID | None = None
    step: int = -1


def typed_of(fields: Mapping[str, Any]) -> AnswerInput:
    """Read the form."""
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    step = whole(texts.get("at_step", ""))
    return AnswerInput(
        outcome=texts.get("outcome", ""),
        message=texts.get("message", "").strip(),
        act_id=uuid_of(texts.get("act_id")),
        step=-1 if step is None else step,
    )


@router.post("/requests/{case_id}/answer")
async def answer(case_id: UUID, visit: Inside) -> Response:
    """Answer with a text, a file or both, or refuse with the reason."""
    typed, following = AnswerInput(), (await known(visit, case_id)).around[1]
    try:
        if is_form(visit.request):
            typed = await _streamed(visit, case_id)
        else:
            typed = typed_of(await visit.request.form())
            await _act(visit, case_id, typed, None)
    except _Refused as refused_:
        if refused_.refusal.status not in SHOWN_AGAIN:
            raise refused_.refusal from refused_
        here = await known(visit, case_id)
        return _drawn_again(visit, here, refused_.refusal, refused_.typed)
    return visit.go(page_after(visit, case_id, following, typed.outcome))


class _Refused(Exception):
    """A refusal, together with what was typed."""

    def __init__(self, refusal: Refusal, typed: AnswerInput) -> None:
        self.refusal, self.typed = refusal, typed


async def _streamed(visit: Visit, case_id: UUID) -> AnswerInput:
    """Read the form as a stream, the file last. Its token is checked before the file is read."""
    form, typed = StreamedForm(visit.request), None
    async for incoming in form.files():
        if typed is None:
            demand_form_token(visit.request, form.fields.get(FORM_FIELD))
            typed = typed_of(form.fields)
            await _act(visit, case_id, typed, incoming)
    if typed is None:
        demand_form_token(visit.request, form.fields.get(FORM_FIELD))
        typed = typed_of(form.fields)
        await _act(visit, case_id, typed, None)
    return typed


async def _act(visit: Visit, case_id: UUID, typed: AnswerInput, file: Incoming | None) -> None:
    requests = visit.container.requests
    try:
        if typed.outcome not in ANSWERS or typed.act_id is None:
            raise Refusal(
                "incomplete",
                "Ответ пока нельзя отправить: исправьте отмеченные поля.",
                422,
                [FieldError("outcome", "Выберите, что ответить.")],
            )
        act = Act(typed.act_id, typed.step)
        if typed.outcome == Transition.ANSWER:
            await requests.answer(visit.actor, case_id, act, Answer(typed.message, file))
        else:
            await requests.refuse(visit.actor, case_id, act, typed.message)
    except Refusal as refusal:
        raise _Refused(refusal, typed) from refusal


def refused(visit: Visit, here: Known, refusal: Refusal, form: Mapping[str, Any]) -> Response:
    """The page as it is now, with all that was typed and what to do next."""
    return _drawn_again(visit, here, refusal, typed_of(form))


def _drawn_again(visit: Visit, here: Known, refusal: Refusal, typed: AnswerInput) -> Response:
    case = draw(visit, here, typed=typed, errors=tuple(refusal.fields))
    places = {
        "outcome": "#outcome-answer",
        "message": "#field-message",
        "file": "#field-answer-file",
    }
    places["reason"] = places["message"]
    errors = [
        ErrorItem(in_words(fault.message), places.get(fault.path, "#answer"))
        for fault in refusal.fields
    ] or [ErrorItem(in_words(refusal.message))]
    if refusal.code in ("stale", "not_now"):
        words = (
            _("Запрос изменился, пока вы готовили ответ. Посмотрите изменения и ответьте ещё раз.")
            if case.form
            else _("Пока вы готовили ответ, он перестал требоваться: посмотрите историю запроса.")
        )
        errors = [ErrorItem(words, "#answer" if case.form else "#live-timeline")]
    visit = replace(visit, frame=replace(visit.frame, path="/desk"))
    return visit.page(PAGE.template, status=refusal.status, case=case, errors=errors)


def draw(
    visit: Visit,
    here: Known,
    *,
    typed: AnswerInput | None = None,
    errors: tuple[FieldError, ...] = (),
    answer: PresentState | None = None,
    number: int = 0,
    compare: bool = True,
    moved_on: Moved = Moved.NO,
) -> DeskRequest:
    """The view of the page, with what was typed for an answer."""
    page, case = here.page, here.page.case
    typed = typed or AnswerInput()
    suffix = here.asked.suffix
    chosen, earlier_version = page.version(number)
    before = earlier_version if compare else None
    answers_here = page.reviews and bool(page.may & ANSWERS)
    mine = case.reviewer_id == visit.actor.person_id
    earlier, following = here.around
    url = f"/desk/cases/{case.id}"
    return DeskRequest(
        url=url,
        query=suffix,
        queue_url=f"/desk{suffix}",
        number=case.number or "",
        title=_(page.definition.title),
        applicant=page.applicant,
        facts=applicant_facts(page),
        step=case.step,
        version=chosen.number,
        versions=[(v.number, v.submitted_at) for v in page.versions],
        compared=before is not None,
        against=before.number if before else 0,
        waits=request_waits(page, here.calendar, answer),
        sections=answer_sections(page.definition, chosen.data, before.data if before else None),
        files=cited_files(chosen, page.attachment_rules),
        papers=paper_views(page, chosen.number),
        answers=answer_views(page),
        form=_form(here, typed, errors) if answers_here else None,
        why_not="" if answers_here else _why_not(here),
        kept="" if answers_here else typed.message,
        reviewer=short_name(page.reviewer) if page.reviewer else "",
        mine=mine,
        had=str(case.reviewer_id or ""),
        take_url=f"{url}/take{suffix}" if answers_here and not mine else None,
        hand_over=passing(here, visit.actor),
        reading=[short_name(name) for name in page.reading],
        happenings=case_timeline(page),
        talk=talk_of(page, f"{url}{suffix}"),
        history=other_cases(here.history),
        before_url=f"/desk/cases/{earlier}{suffix}" if earlier else None,
        next_url=f"/desk/cases/{following}{suffix}" if following else None,
        tag=here.tag,
        moved_on=moved_on,
    )


def _form(here: Known, typed: AnswerInput, errors: tuple[FieldError, ...]) -> AnswerForm:
    told = {error.path: in_words(error.message) for error in errors}
    case = here.page.case
    wants_file = here.page.definition.answer is AnswerKind.DOCUMENT
    return AnswerForm(
        url=f"/requests/{case.id}/answer{here.asked.suffix}",
        act_id=str(new_id()),
        step=case.step,
        outcome=typed.outcome,
        message=FieldView(
            "message",
            _("Текст ответа или причина отказа"),
            "long_text",
            typed.message,
            hint=_("Его увидит заявитель"),
            error=told.get("message", "") or told.get("reason", ""),
            required=not wants_file,
            max_length=4000,
        ),
        outcome_error=told.get("outcome", ""),
        file_error=told.get("file", ""),
        wants_file=wants_file,
    )


_NOT_NOW: Mapping[Status, str] = {
    Status.ACCEPTED: "Запрос ещё передаётся. Ответить можно будет через минуту.",
    Status.READY: "На запрос уже ответили.",
    Status.REFUSED: "По запросу отказано, отвечать больше не нужно.",
    Status.WITHDRAWN: "Заявитель отозвал запрос.",
}


def _why_not(here: Known) -> str:
    """Why this person has nothing to answer here now."""
    page = here.page
    if page.own:
        return _("Это ваш запрос. На него ответит другой сотрудник.")
    if not page.definition.answered_by_people:
        return _("На этот запрос отвечает внешняя система.")
    return _(_NOT_NOW.get(Status(page.case.status), "Отвечать на запрос сейчас не нужно."))


PAGE = DeskPage(
    template="requests/review.html",
    live="requests/review_live_parts.html",
    draw=draw,
    refused=refused,
)
register(CaseKind.REQUEST, PAGE)
