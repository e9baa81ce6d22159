"""The reviewers' desk: the queue, and a case with its decision (A3, A4, A6, A8, A11).

Several cases at once and the team stand in `cabinet.reviews.bulk` and `cabinet.reviews.team`.
"""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Path, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.cases.live import asked_now
from cabinet.frame.views import ErrorItem, Flash, Pages
from cabinet.frame.visits import Inside, Visit, uuid_of
from cabinet.reviews import decision_page, filters
from cabinet.reviews.bulk import lines_of
from cabinet.reviews.context import known as known_case
from cabinet.reviews.context import page_within, reviewers_of, tag_of
from cabinet.reviews.decision_form import typed_of
from cabinet.reviews.decision_page import SHOWN_AGAIN, desk_page
from cabinet.reviews.filters import asked_of
from cabinet.reviews.lines import made, passing, queue_row
from cabinet.reviews.views import Queue
from rules.access import Permission
from rules.cases.kinds import decides_anywhere
from rules.cases.limits import INTEGER
from rules.cases.process import DECISIONS, Status, Transition
from rules.clock import now
from rules.refusals import FieldError, Refusal
from services import conversation
from services.accounts import people
from services.cases import lists as case_lists
from services.cases.lists import Order
from services.cases.transitions import see
from services.catalogue import lookup as catalogue
from services.dossier import page as dossier
from services.notices import inbox
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/desk")

PAGE = 50
Cursor = Annotated[str | None, Query(max_length=300)]
Text = Annotated[str, Form()]
Step = Annotated[int, Form(ge=0, le=INTEGER)]


@router.get("")
async def queue(visit: Inside, session: Work, after: Cursor = None) -> Response:
    """The queue, narrowed by the filters in the address; overdue cases come first."""
    actor = visit.actor
    asked = asked_of(visit.request.url.query, actor, visit.presentation.tzinfo)
    found = await case_lists.desk(session, actor, asked.filters, after, PAGE, asked.order)
    reviews = decides_anywhere(actor)
    readers = await case_lists.readers(session, actor, [line.id for line in found.lines])
    new = await conversation.unread(session, actor, [line.id for line in found.lines])
    calendar = await catalogue.calendar(session)
    units = await people.units(session)
    hr = await catalogue.unit_id(session, "hr")
    reviewers = [
        filters.PersonOption(reviewer.id, reviewer.name)
        for reviewer in await reviewers_of(session, visit, hr)
    ]
    at = now()
    shown = Queue(
        rows=[
            queue_row(
                line,
                actor,
                at,
                calendar,
                reading=readers.get(line.id, ()),
                suffix=asked.suffix,
                selectable=reviews and line.status == Status.IN_REVIEW,
                unread=new.get(line.id, 0),
            )
            for line in found.lines
        ],
        tabs=filters.tabs(asked, await case_lists.counts(session, actor, at)) if reviews else (),
        fields=filters.fields(asked, units, reviewers),
        active=filters.active(asked, units, reviewers),
        pages=Pages(
            before=asked.address() if after else None,
            after=asked.address(after=found.after) if found.after else None,
            shown=len(found.lines),
        ),
        order="newest" if asked.order is Order.NEWEST else "due",
        due_url=asked.address(sort=""),
        newest_url=asked.address(sort="newest"),
        reset_url=filters.DESK,
        here=asked.query,
        reviews=reviews,
        oversees=actor.may(Permission.OVERSEE_REVIEWS),
        team=actor.may(Permission.REVIEW, hr),
    )
    errors = [ErrorItem(text, f"#field-{name}") for name, text in asked.errors.items()]
    status = 422 if errors else 200
    return visit.page("reviews/queue.html", status=status, queue=shown, errors=errors)


@router.get("/cases/{case_id}")
async def show(
    case_id: UUID,
    visit: Inside,
    version: Annotated[int, Query(ge=0, le=10_000)] = 0,
    compare: bool | None = None,
    asked: bool = False,
    decided: str = "",
    of: str = "",
) -> Response:
    """A case on the desk: papers, check, questions, decision.

    A later version opens with what is new in it. `decided` is the act that led here, on the case
    `of` where that is another one.
    """
    async with visit.container.database.work() as session:
        # Before the page is read, so that messages since the visit before are marked as new.
        await see(session, visit.actor, case_id)
        await conversation.visited(session, visit.actor, case_id)
    known = await known_case(visit, case_id)
    async with visit.container.database.work() as session:
        await inbox.mark_read(session, visit.actor, now(), case_id=case_id)
    answer = await asked_now(visit, known.page) if asked else None
    flash = await _said(visit, decided, uuid_of(of))
    compares = not version if compare is None else compare
    page = desk_page(known)
    case = page.draw(visit, known, answer=answer, number=version, compare=compares)
    return visit.page(page.template, case=case, flash=flash)


async def _said(visit: Visit, decided: str, case_id: UUID | None) -> Flash | None:
    """The message about the act that led here; about another case, with the way back to it."""
    if decided in {outcome.value for outcome in DECISIONS}:
        said = f"{made(Transition(decided))} {_('Заявитель получит уведомление.')}"
    elif decided == Transition.ANSWER:
        said = _("Ответ отправлен. Заявитель получит уведомление.")
    elif decided == Transition.REFUSE:
        said = _("Отказ отправлен. Заявитель получит уведомление с причиной в кабинете.")
    else:
        return None
    line = (await lines_of(visit, [case_id])).get(case_id) if case_id else None
    if line is None:
        return Flash(said)
    return Flash(said, about=line.number or "", url=page_within(visit, line.id))


@router.get("/cases/{case_id}/live/{step}")
async def show_live(
    case_id: UUID,
    step: Annotated[int, Path(ge=0, le=INTEGER)],
    visit: Inside,
    ask: bool = False,
) -> Response:
    """The parts that change, for an open page that was drawn at `step`; 304 while none has
    changed."""
    async with visit.container.database.work() as session:
        tag = await tag_of(session, visit, case_id)
        if not ask and visit.has(tag):
            return visit.unchanged(tag)
        moved_on = await dossier.moved_since(session, visit.actor, case_id, step)
    known = await known_case(visit, case_id)
    answer = await asked_now(visit, known.page) if ask else None
    page = desk_page(known)
    case = page.draw(visit, known, answer=answer, moved_on=moved_on)
    return visit.part(page.live, tag, case=case)


@router.post("/cases/{case_id}/ask")
async def ask(case_id: UUID, visit: Inside) -> Response:
    """«Получить обновление»: the page that follows asks the running workflow."""
    return visit.go(page_within(visit, case_id, "asked=1"))


@router.post("/cases/{case_id}/reading", status_code=204)
async def reading(case_id: UUID, visit: Inside) -> None:
    """Report that the case is open here. Colleagues are shown this for a minute."""
    await visit.container.reviews.read(visit.actor, case_id)


@router.post("/cases/{case_id}/take")
async def take(case_id: UUID, visit: Inside, at_step: Step, had: Text = "") -> Response:
    """Assign the case to oneself. A decision that was begun stays typed."""
    form = await visit.request.form()
    try:
        await visit.container.reviews.take(visit.actor, case_id, at_step, uuid_of(had))
    except Refusal as refusal:
        if refusal.status not in SHOWN_AGAIN:
            raise
        known = await known_case(visit, case_id)
        return desk_page(known).refused(visit, known, refusal, form)
    typed = typed_of(form)
    if not typed.anything:
        return visit.go(page_within(visit, case_id))
    case = decision_page.draw(visit, await known_case(visit, case_id), typed=typed)
    return visit.page(decision_page.TEMPLATE, case=case, flash=Flash(_("Теперь заявка у вас.")))


@router.post("/cases/{case_id}/hand-over")
async def give(
    case_id: UUID, visit: Inside, at_step: Step, to: Text = "", why: Text = "", had: Text = ""
) -> Response:
    """Assign the case to a colleague. A refused form is shown again as it was typed."""
    chosen = uuid_of(to)
    try:
        if chosen is None:
            words = "Выберите, кому передать."
            raise Refusal("incomplete", words, 422, [FieldError("to", words)])
        await visit.container.reviews.hand_over(
            visit.actor, case_id, at_step, chosen, why, uuid_of(had)
        )
    except Refusal as refusal:
        if refusal.status not in SHOWN_AGAIN:
            raise
        return await _not_given(visit, case_id, refusal, to, why)
    return visit.go(page_within(visit, case_id))


async def _not_given(visit: Visit, case_id: UUID, refusal: Refusal, to: str, why: str) -> Response:
    """The page as it is now, with the form filled in as before, or its text where the form is
    gone."""
    known = await known_case(visit, case_id)
    words = in_words(refusal.message)
    long = any(fault.path == "reason" for fault in refusal.fields)
    told = {"why_error" if long else "error": words}
    moving = passing(known, visit.actor, chosen=to, why=why, **told)
    errors = [ErrorItem(words, ("#field-why" if long else "#field-to") if moving else "")]
    if moving is None and why.strip():
        errors.append(ErrorItem(_("Вы написали: %(text)s") % {"text": why}))
    page = desk_page(known)
    case = replace(page.draw(visit, known), hand_over=moving)
    return visit.page(page.template, status=refusal.status, case=case, errors=errors)
