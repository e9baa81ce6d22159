"""The reviewers' desk: the queue, and a case with its decision (A3, A4, A6, A8, A11).

Several cases at once and the team stand in `cabinet.desk_several` and `cabinet.desk_team`.
"""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response
from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from api.state import Work
from cabinet import desk_filters
from cabinet.desk_decisions import Typed, decision_form, decision_of, error_items, typed_of
from cabinet.desk_filters import Asked, asked_of
from cabinet.desk_views import desk_case, hand_over, queue_row, word_of
from cabinet.rendering import render
from cabinet.translation import gettext as _
from cabinet.translation import in_words
from cabinet.views.desk import DeskCase, Queue
from cabinet.views.frame import ErrorItem, Flash, Pages
from cabinet.visits import Inside, Visit, uuid_of
from models.messages import PresentState
from models.tables.catalogue import Reason
from models.tables.journal import JournalEntry
from models.tables.people import Unit
from rules.applications import DECISIONS
from rules.cases import CaseKind, Transition
from rules.clock import now
from rules.permissions import Permission
from rules.refusals import FieldError, Refusal, not_found
from rules.terms import WorkingCalendar
from services import absences, case_lists, case_pages, catalogue, conversation, live, notices
from services.absences import Reviewer
from services.case_lists import CaseLine, Order
from services.case_pages import CasePage
from services.cases import Act, see

router = APIRouter(include_in_schema=False, prefix="/desk")

PAGE = 50
Cursor = Annotated[str | None, Query(max_length=300)]
Long = Annotated[str, Form(max_length=20_000)]
Short = Annotated[str, Form(max_length=1000)]
Step = Annotated[int, Form(ge=0)]

SHOWN_AGAIN = frozenset({403, 409, 422})
"""Refusals after which the page is drawn again with all that was typed."""


@router.get("")
async def queue(visit: Inside, session: Work, after: Cursor = None) -> Response:
    """The queue, narrowed by what stands in the address; overdue cases come first."""
    actor = visit.actor
    asked = asked_of(visit.request.url.query, actor, visit.presentation.tzinfo)
    found = await case_lists.desk(session, actor, asked.filters, after, PAGE, asked.order)
    reviews = actor.may(Permission.REVIEW)
    readers = await case_lists.readers(session, actor, [line.id for line in found.lines])
    new = await conversation.unread(session, actor, [line.id for line in found.lines])
    calendar = await catalogue.calendar(session)
    units = await _units(session)
    people = [
        desk_filters.Person(reviewer.id, reviewer.name)
        for reviewer in await reviewers_of(session, visit)
    ]
    at, zone = now(), visit.presentation.zone
    shown = Queue(
        rows=[
            queue_row(
                line,
                actor,
                at,
                zone,
                calendar,
                reading=readers.get(line.id, ()),
                suffix=asked.suffix,
                selectable=reviews,
                unread=new.get(line.id, 0),
            )
            for line in found.lines
        ],
        tabs=desk_filters.tabs(asked, await case_lists.counts(session, actor, at))
        if reviews
        else (),
        fields=desk_filters.fields(asked, units, people),
        active=desk_filters.active(asked, units, people),
        pages=Pages(
            before=asked.address() if after else None,
            after=asked.address(after=found.after) if found.after else None,
            shown=len(found.lines),
        ),
        order="newest" if asked.order is Order.NEWEST else "due",
        due_url=asked.address(sort=""),
        newest_url=asked.address(sort="newest"),
        reset_url=desk_filters.DESK,
        here=asked.query,
        reviews=reviews,
        oversees=actor.may(Permission.OVERSEE_REVIEWS),
    )
    errors = [ErrorItem(text, f"#field-{name}") for name, text in asked.errors.items()]
    status = 422 if errors else 200
    return visit.page("desk/queue.html", status=status, queue=shown, errors=errors)


@dataclass(frozen=True)
class _Known:
    """A case as the database knows it, with what its page needs besides."""

    page: CasePage
    asked: Asked
    calendar: WorkingCalendar
    stock: list[Reason]
    reviewers: list[Reviewer]
    history: list[CaseLine]
    around: tuple[UUID | None, UUID | None]
    tag: str


async def _known(visit: Visit, case_id: UUID) -> _Known:
    async with visit.medcab.database.work() as session:
        page = await case_pages.page(session, visit.actor, case_id)
        if page.newest is None:
            raise not_found()
        asked = asked_of(visit.request.url.query, visit.actor, visit.presentation.tzinfo)
        return _Known(
            page=page,
            asked=asked,
            calendar=await catalogue.calendar(session),
            stock=list(await catalogue.reasons(session)),
            reviewers=await reviewers_of(session, visit),
            history=list(await case_pages.history_of(session, visit.actor, case_id)),
            around=await _around(session, visit, page, asked),
            tag=await _tag(session, visit, case_id),
        )


async def reviewers_of(session: AsyncSession, visit: Visit) -> list[Reviewer]:
    """The reviewers of the department, for those who review there; nobody for others."""
    unit = await catalogue.unit_id(session, "hr")
    if not visit.actor.may(Permission.REVIEW, unit):
        return []
    return await absences.reviewers(session, visit.actor, unit)


async def _around(
    session: AsyncSession, visit: Visit, page: CasePage, asked: Asked
) -> tuple[UUID | None, UUID | None]:
    """The neighbours in the queue; after a decision the one that it told, as the case has left."""
    case = page.case
    moment = case.due_at if asked.order is Order.DUE else case.created_at
    told = uuid_of(visit.request.query_params.get("next"))
    if told is not None:
        return None, told
    return await case_lists.neighbours(
        session, visit.actor, asked.filters, asked.order, case.id, moment
    )


async def _tag(session: AsyncSession, visit: Visit, case_id: UUID) -> str:
    """Changes with every entry of the case's journal, with those who read it, and with language."""
    state = await case_pages.tag_of(session, visit.actor, case_id)
    entries = (
        await session.exec(
            select(func.count()).select_from(JournalEntry).where(JournalEntry.chain == case_id)
        )
    ).one()
    reading = await case_lists.readers(session, visit.actor, [case_id])
    names = sha256("|".join(reading.get(case_id, ())).encode()).hexdigest()[:8]
    return f'"{state}-{entries}-{names}-{visit.presentation.language}"'


async def _units(session: AsyncSession) -> list[tuple[UUID, str]]:
    units = (await session.exec(select(Unit.id, Unit.name))).all()
    return sorted(units, key=lambda unit: unit[1].casefold())


def _draw(
    visit: Visit,
    known: _Known,
    typed: Typed | None = None,
    *,
    errors: tuple[FieldError, ...] = (),
    answer: PresentState | None = None,
    number: int = 0,
    compare: bool = False,
    drawn_step: int | None = None,
) -> DeskCase:
    """The page in views, with what was typed for a decision."""
    page, case = known.page, known.page.case
    typed = typed or Typed()
    suffix = known.asked.suffix
    decides = page.reviews and bool(page.may & DECISIONS)
    url = f"/desk/cases/{case.id}"
    passes = page.reviews and (page.oversees or case.reviewer_id == visit.actor.person_id)
    without = frozenset({case.applicant_id, *([case.reviewer_id] if case.reviewer_id else [])})
    return desk_case(
        page,
        visit.actor,
        known.calendar,
        known.history,
        answer=answer,
        number=number,
        compare=compare,
        suffix=suffix,
        decision=decision_form(
            f"{url}/decision{suffix}",
            page.definition,
            page.attachment_rules,
            page.checklist,
            known.stock,
            typed,
            step=case.step,
            errors=errors,
        )
        if decides
        else None,
        passing=hand_over(f"{url}/hand-over{suffix}", known.reviewers, without) if passes else None,
        around=known.around,
        tag=known.tag,
        drawn_step=drawn_step,
        kept="" if decides else typed.words,
    )


async def _asked(visit: Visit, page: CasePage) -> PresentState | None:
    """What the running case says; None where it is over or does not answer."""
    if page.case.closed_at is not None:
        return None
    return await live.present_state(visit.medcab.temporal, page.case.id, CaseKind(page.case.kind))


@router.get("/cases/{case_id}")
async def show(
    case_id: UUID,
    visit: Inside,
    version: Annotated[int, Query(ge=0, le=10_000)] = 0,
    compare: bool = False,
    asked: bool = False,
    decided: str = "",
) -> Response:
    """A case on the desk: papers, check, questions, decision."""
    async with visit.medcab.database.work() as session:
        # Before the page is read, so that it shows what is new since the visit before.
        await see(session, visit.actor, case_id)
        await conversation.visited(session, visit.actor, case_id)
    known = await _known(visit, case_id)
    async with visit.medcab.database.work() as session:
        await notices.mark_read(session, visit.actor, now(), case_id=case_id)
    answer = await _asked(visit, known.page) if asked else None
    case = _draw(visit, known, answer=answer, number=version, compare=compare)
    if decided in {outcome.value for outcome in DECISIONS}:
        word = word_of(Transition(decided))
        said = _("Решение принято: %(word)s. Заявитель получит письмо.") % {"word": word}
        return visit.page("desk/case.html", case=case, flash=Flash(said))
    return visit.page("desk/case.html", case=case)


@router.get("/cases/{case_id}/live/{step}")
async def show_live(case_id: UUID, step: int, visit: Inside, ask: bool = False) -> Response:
    """The parts that change, for a page drawn at `step` that is still open; 304 while none has."""
    async with visit.medcab.database.work() as session:
        tag = await _tag(session, visit, case_id)
    if not ask and visit.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "no-store"})
    known = await _known(visit, case_id)
    headers = {"ETag": known.tag, "Cache-Control": "no-store"}
    answer = await _asked(visit, known.page) if ask else None
    case = _draw(visit, known, answer=answer, drawn_step=step)
    body = render("desk/live_parts.html", visit.presentation, case=case, frame=visit.frame)
    return Response(body, media_type="text/html", headers=headers)


@router.post("/cases/{case_id}/ask")
async def ask(case_id: UUID, visit: Inside) -> Response:
    """«Получить обновление»: the next page is answered by the running case."""
    return visit.go(_with(visit, case_id, "asked=1"))


@router.post("/cases/{case_id}/reading", status_code=204)
async def reading(case_id: UUID, visit: Inside) -> None:
    """Say that the case is open here; colleagues see it for a minute."""
    await visit.medcab.reviews.read(visit.actor, case_id)


def _with(visit: Visit, case_id: UUID, more: str = "") -> str:
    """The page of the case within the same queue."""
    asked = asked_of(visit.request.url.query, visit.actor, visit.presentation.tzinfo)
    query = "&".join(part for part in (asked.query, more) if part)
    return f"/desk/cases/{case_id}" + (f"?{query}" if query else "")


@router.post("/cases/{case_id}/decision")
async def decide(
    case_id: UUID, visit: Inside, act_id: Annotated[UUID, Form()], at_step: Step
) -> Response:
    """Decide, or draw the form anew with what was typed (`redraw`)."""
    form = await visit.request.form()
    typed = typed_of(form)
    before = await _known(visit, case_id)
    if form.get("redraw") == "stock":
        typed = typed.with_stock(str(form.get("stock", "")), before.stock)
    if form.get("redraw"):
        return visit.page("desk/case.html", case=_draw(visit, before, typed))
    try:
        decision = decision_of(typed)
        await visit.medcab.reviews.decide(visit.actor, case_id, Act(act_id, at_step), decision)
    except Refusal as refusal:
        return await _refused(visit, case_id, refusal, typed)
    following = before.around[1]
    more = f"decided={decision.outcome.value}" + (f"&next={following}" if following else "")
    return visit.go(_with(visit, case_id, more))


async def _refused(visit: Visit, case_id: UUID, refusal: Refusal, typed: Typed) -> Response:
    """The page as it is now with all that was typed, and what to do."""
    if refusal.status not in SHOWN_AGAIN:
        raise refusal
    known = await _known(visit, case_id)
    case = _draw(visit, known, typed, errors=tuple(refusal.fields))
    errors = error_items(refusal, case.decision)
    if refusal.code in ("stale", "not_now"):
        words = (
            _("Пока вы писали, заявка изменилась. Посмотрите, что нового, и решите ещё раз.")
            if case.decision
            else _("Пока вы писали, решение по заявке стало не нужно: посмотрите, что произошло.")
        )
        errors = [ErrorItem(words, "#decision" if case.decision else "#live-timeline")]
    return visit.page("desk/case.html", status=refusal.status, case=case, errors=errors)


@router.post("/cases/{case_id}/take")
async def take(case_id: UUID, visit: Inside, at_step: Step) -> Response:
    """Take the case on one's own desk; a decision that was begun stays typed."""
    typed = typed_of(await visit.request.form())
    try:
        await visit.medcab.reviews.take(visit.actor, case_id, at_step)
    except Refusal as refusal:
        return await _refused(visit, case_id, refusal, typed)
    if not typed.anything:
        return visit.go(_with(visit, case_id))
    case = _draw(visit, await _known(visit, case_id), typed)
    return visit.page("desk/case.html", case=case, flash=Flash(_("Теперь заявка у вас.")))


@router.post("/cases/{case_id}/hand-over")
async def give(
    case_id: UUID, visit: Inside, at_step: Step, to: Short = "", why: Short = ""
) -> Response:
    """Give the case to a colleague."""
    chosen = uuid_of(to)
    try:
        if chosen is None:
            raise Refusal("incomplete", "Выберите, кому передать.", 422)
        await visit.medcab.reviews.hand_over(visit.actor, case_id, at_step, chosen, why)
    except Refusal as refusal:
        if refusal.status not in SHOWN_AGAIN:
            raise
        known = await _known(visit, case_id)
        message = in_words(refusal.message)
        case = _draw(visit, known)
        if case.hand_over is not None:
            case = replace(
                case,
                hand_over=replace(
                    case.hand_over,
                    to=replace(case.hand_over.to, value=to, error=message),
                    reason=replace(case.hand_over.reason, value=why),
                    open=True,
                ),
            )
        errors = [ErrorItem(message, "#field-to" if case.hand_over else "")]
        return visit.page("desk/case.html", status=refusal.status, case=case, errors=errors)
    return visit.go(_with(visit, case_id))
