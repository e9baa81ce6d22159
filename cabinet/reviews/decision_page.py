"""The page on which reviewers decide on a case: approve, send back, reject (A3, A4)."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.http.entrance import CleanRoute
from cabinet.frame.views import ErrorItem
from cabinet.frame.visits import Inside, Visit
from cabinet.reviews.context import Known, known, page_after
from cabinet.reviews.decision_form import (
    DecisionInput,
    decision_form,
    decision_of,
    error_items,
    typed_of,
)
from cabinet.reviews.desks import DeskPage, own_page
from cabinet.reviews.lines import desk_case
from cabinet.reviews.views import DeskCase
from models.messages import PresentState
from rules.cases.kinds import process_of
from rules.cases.limits import INTEGER
from rules.cases.process import DECISIONS, Moved
from rules.clock import now
from rules.refusals import FieldError, Refusal, not_found
from services.cases.acts import Act
from words.translation import gettext as _

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/desk")

SHOWN_AGAIN = frozenset({403, 409, 422})
"""Refusals after which the page is drawn again with all that was typed."""
TEMPLATE = "reviews/case.html"


def draw(
    visit: Visit,
    here: Known,
    *,
    typed: DecisionInput | None = None,
    errors: tuple[FieldError, ...] = (),
    answer: PresentState | None = None,
    number: int = 0,
    compare: bool = True,
    moved_on: Moved = Moved.NO,
) -> DeskCase:
    """The view of the page, with what was typed for a decision."""
    page, case = here.page, here.page.case
    typed = typed or DecisionInput()
    decides = page.reviews and bool(page.may & DECISIONS)
    decision = decision_form(
        f"/desk/cases/{case.id}/decision{here.asked.suffix}",
        page.definition,
        page.attachment_rules,
        page.checklist,
        here.stock,
        typed,
        step=case.step,
        errors=errors,
        offered=page.may & DECISIONS,
    )
    return desk_case(
        here,
        visit.actor,
        decision if decides else None,
        answer=answer,
        number=number,
        compare=compare,
        moved_on=moved_on,
        kept="" if decides else typed.words,
    )


@router.post("/cases/{case_id}/decision")
async def decide(
    case_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    at_step: Annotated[int, Form(ge=0, le=INTEGER)],
) -> Response:
    """Decide, or draw the form anew with what was typed (`redraw`)."""
    form = await visit.request.form()
    typed = typed_of(form)
    before = await known(visit, case_id)
    if not process_of(before.page.case.kind).is_reviewed:
        raise not_found()
    if process_of(before.page.case.kind).needs_fresh_code:
        visit.signed_in.demand_fresh(now())
    if form.get("redraw") == "stock":
        typed = typed.with_stock(str(form.get("stock", "")), before.stock)
    elif form.get("redraw") == "fits":
        typed = typed.all_fits(before.page.checklist, before.stock)
    if form.get("redraw"):
        return visit.page(TEMPLATE, case=draw(visit, before, typed=typed))
    try:
        decision = decision_of(typed, before.page.checklist)
        act, fresh = Act(act_id, at_step), visit.signed_in.is_fresh(now())
        await visit.container.reviews.decide(visit.actor, case_id, act, decision, fresh=fresh)
    except Refusal as refusal:
        if refusal.status not in SHOWN_AGAIN:
            raise
        return refused(visit, await known(visit, case_id), refusal, form)
    return visit.go(page_after(visit, case_id, before.around[1], decision.outcome))


def refused(visit: Visit, here: Known, refusal: Refusal, form: Mapping[str, Any]) -> Response:
    """The page as it is now, with all that was typed and what to do next."""
    case = draw(visit, here, typed=typed_of(form), errors=tuple(refusal.fields))
    errors = error_items(refusal, case.decision)
    if refusal.code in ("stale", "not_now"):
        words = (
            _(
                "Заявка изменилась, пока вы готовили решение. Посмотрите изменения и примите "
                "решение ещё раз."
            )
            if case.decision
            else _(
                "Пока вы готовили решение, оно перестало требоваться: посмотрите историю заявки."
            )
        )
        errors = [ErrorItem(words, "#decision" if case.decision else "#live-timeline")]
    return visit.page(TEMPLATE, status=refusal.status, case=case, errors=errors)


PAGE = DeskPage(template=TEMPLATE, live="reviews/live_parts.html", draw=draw, refused=refused)
"""For every kind that registers no page of its own."""


def desk_page(here: Known) -> DeskPage:
    """The desk's page for the kind of this case."""
    return own_page(here) or PAGE
