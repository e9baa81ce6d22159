"""«Результаты»: what waits for the reader, one result, and what is done with it (W2)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.frame.views import ErrorItem
from cabinet.frame.visits import Inside, Visit
from cabinet.results import record as _registered  # noqa: F401
from cabinet.results.views import (
    Typed,
    call_fields,
    confirm_fields,
    detach_field,
    earlier_rows,
    line_view,
    offer_fields,
    result_view,
    time_of,
)
from rules.access import Permission
from rules.clock import now
from rules.refusals import FieldError, Refusal
from rules.results.life import OFFER_WORDS, NextStep, OfferState
from services.results import seen, unmatched
from services.results.acts import Confirmed, Telling
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/results")

RESULTS = "/results"
Text = Annotated[str, Form(max_length=5000)]
Short = Annotated[str, Form(max_length=40)]
Version = Annotated[int, Form(ge=1, lt=2**31)]


@router.get("")
async def results_page(visit: Inside, session: Work) -> Response:
    """What waits for the reader, the dangerous first; for heads, what is late in their units."""
    actor = visit.actor
    heads = actor.may(Permission.OVERSEE_RESULTS)
    matches = actor.may(Permission.MATCH_RESULTS)
    if not actor.may(Permission.TREAT) and not heads and not matches:
        actor.demand(Permission.TREAT)
    return visit.page(
        "results/list.html",
        mine=[line_view(one) for one in await seen.mine(session, actor)],
        offered=[line_view(one) for one in await seen.offered(session, actor)],
        late=[line_view(one) for one in await seen.late(session, actor)] if heads else [],
        unmatched=await unmatched.waiting(session, actor) if matches else [],
        traces=await unmatched.traces(session, actor),
        heads=heads,
        matches=matches,
    )


@router.get("/{result_id}")
async def result_page(result_id: UUID, visit: Inside, session: Work) -> Response:
    """One result. Its newest version counts as seen."""
    return await _shown(visit, session, result_id)


@router.post("/{result_id}/confirm")
async def confirm(
    result_id: UUID,
    visit: Inside,
    session: Work,
    version: Version,
    patient_id: Annotated[UUID, Form()],
    next_step: Short = "",
    follows: Text = "",
) -> Response:
    """Confirm the version that the page showed, of the patient whom it showed."""
    typed = Typed(next_step=next_step, follows=follows, form="confirm")
    if next_step not in list(NextStep):
        words = "Выберите, что дальше."
        refusal = Refusal("incomplete", words, 422, [FieldError("next_step", words)])
        return await _shown(visit, session, result_id, typed, refusal)
    said = Confirmed(version, patient_id, NextStep(next_step), follows)
    try:
        await visit.container.results.confirm(visit.actor, result_id, said)
    except Refusal as refusal:
        return await _refused(visit, session, result_id, typed, refusal)
    return visit.go(RESULTS, "result_confirmed")


@router.post("/{result_id}/call")
async def call(
    result_id: UUID,
    visit: Inside,
    session: Work,
    version: Version,
    told_at: Short = "",
    words: Text = "",
) -> Response:
    """Record how a critical value was told."""
    typed = Typed(told_at=told_at, words=words, form="call")
    try:
        moment = time_of(told_at, visit.presentation, now())
    except ValueError:
        message = "Напишите время: часы и минуты, например 14:05."
        refusal = Refusal("incomplete", message, 422, [FieldError("told_at", message)])
        return await _shown(visit, session, result_id, typed, refusal)
    try:
        said = Telling(version, moment, words)
        await visit.container.results.record_call(visit.actor, result_id, said)
    except Refusal as refusal:
        return await _refused(visit, session, result_id, typed, refusal)
    return visit.go(f"{RESULTS}/{result_id}", "result_told")


@router.post("/{result_id}/offer")
async def offer(
    result_id: UUID, visit: Inside, session: Work, to: Short = "", reason: Text = ""
) -> Response:
    """Ask a colleague to answer for it instead."""
    typed = Typed(to=to, reason=reason, form="offer")
    try:
        whom = UUID(to)
    except ValueError:
        words = "Выберите сотрудника."
        refusal = Refusal("incomplete", words, 422, [FieldError("to", words)])
        return await _shown(visit, session, result_id, typed, refusal)
    try:
        await visit.container.results.offer(visit.actor, result_id, whom, reason)
    except Refusal as refusal:
        return await _refused(visit, session, result_id, typed, refusal)
    return visit.go(f"{RESULTS}/{result_id}", "result_offered")


@router.post("/{result_id}/offers/{offer_id}")
async def answer_offer(
    result_id: UUID, offer_id: UUID, visit: Inside, answer: Annotated[OfferState, Form()]
) -> Response:
    """Accept, refuse or take back an offer."""
    await visit.container.results.answer_offer(visit.actor, result_id, offer_id, answer)
    kept = answer is not OfferState.REFUSED
    return visit.go(f"{RESULTS}/{result_id}" if kept else RESULTS, f"offer_{answer.value}")


@router.post("/{result_id}/take")
async def take(result_id: UUID, visit: Inside) -> Response:
    """Take a late result of one's unit upon oneself."""
    await visit.container.results.take(visit.actor, result_id)
    return visit.go(f"{RESULTS}/{result_id}", "result_taken")


@router.post("/{result_id}/detach")
async def detach(
    result_id: UUID,
    visit: Inside,
    session: Work,
    patient_id: Annotated[UUID, Form()],
    detach_reason: Text = "",
) -> Response:
    """Take it out of the record of a patient whose it is not."""
    typed = Typed(reason=detach_reason, form="detach")
    try:
        await visit.container.results.detach(visit.actor, result_id, patient_id, detach_reason)
    except Refusal as refusal:
        return await _refused(visit, session, result_id, typed, refusal)
    return visit.go(RESULTS, "result_detached")


async def _refused(
    visit: Visit, session: Work, result_id: UUID, typed: Typed, refusal: Refusal
) -> Response:
    """The page again with what was typed, where the refusal is about that or about the moment."""
    if refusal.status not in (409, 422):
        raise refusal
    return await _shown(visit, session, result_id, typed, refusal)


async def _shown(
    visit: Visit,
    session: Work,
    result_id: UUID,
    typed: Typed | None = None,
    refusal: Refusal | None = None,
) -> Response:
    kept = typed or Typed()
    if refusal is not None:
        kept = Typed(**{**kept.__dict__, "refusal": refusal})
    try:
        found = await seen.one(session, visit.actor, result_id)
    except Refusal:
        # Who may do something with it and not see it is told why that was refused.
        if refusal is not None:
            raise refusal from None
        raise
    people = await seen.colleagues(session, visit.actor, result_id) if found.yours else []
    fields = {"reason": "detach_reason" if kept.form == "detach" else "reason"}
    errors = []
    if refusal is not None:
        field = next((fields.get(one.path, one.path) for one in refusal.fields), "")
        errors = [ErrorItem(in_words(refusal.message), f"#field-{field}" if field else "")]
    asked = next((one for one in found.offers if one.state is OfferState.OFFERED), None)
    return visit.page(
        "results/result.html",
        status=refusal.status if refusal else 200,
        view=result_view(found),
        treats=visit.actor.may(Permission.TREAT),
        earlier=earlier_rows(found),
        offers=[(one, gettext(OFFER_WORDS[one.state])) for one in found.offers],
        asked=asked,
        asked_me=asked is not None and asked.to_id == visit.actor.person_id,
        confirm=confirm_fields(kept),
        call=call_fields(kept),
        offer=offer_fields(kept, people),
        people=people,
        detach=detach_field(kept),
        errors=errors,
    )
