"""«Запросы ведомств»: what officers decide, and what went out of one's own documents (Q5)."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.frame.states import StatusTag, Tone
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Inside, Visit
from rules.clock import now
from rules.credentials.handovers import HANDOVER_WORDS, MOST_CREDENTIALS, OPEN_STATES, HandoverState
from rules.refusals import Refusal
from services.credentials import seen as credentials
from services.credentials.seen import CredentialSeen
from services.handovers import seen
from services.handovers.seen import HandoverSeen
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/handovers")

HANDOVERS = "/handovers"
_LOOKS: Mapping[HandoverState, tuple[Tone, str]] = {
    HandoverState.ASKED: ("waiting", "clock"),
    HandoverState.REFUSED: ("bad", "circle-x"),
    HandoverState.PACKING: ("waiting", "clock"),
    HandoverState.BROKEN: ("bad", "triangle-alert"),
    HandoverState.READY: ("good", "circle-check"),
    HandoverState.OVER: ("idle", "archive"),
}


@router.get("")
async def requests_page(
    visit: Inside, session: Work, state: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """What waits for a decision, or all."""
    found = await seen.waiting(session, visit.actor, everything=state == "all")
    return visit.page(
        "handovers/requests.html", everything=state == "all", rows=[_line(one) for one in found]
    )


@router.get("/mine")
async def own_page(visit: Inside, session: Work) -> Response:
    """Which of the visitor's documents went where."""
    found = await seen.own(session, visit.actor)
    return visit.page("handovers/mine.html", rows=[_line(one) for one in found])


@router.get("/{handover_id}")
async def request_page(handover_id: UUID, visit: Inside, session: Work) -> Response:
    """One request, with the documents that can be handed over."""
    return await _shown(visit, session, handover_id)


@router.post("/{handover_id}/release")
async def release(
    handover_id: UUID,
    visit: Inside,
    session: Work,
    credentials: Annotated[list[UUID] | None, Form(max_length=MOST_CREDENTIALS)] = None,
) -> Response:
    """Hand the chosen documents over. Asks for a code when the last is older than five minutes."""
    visit.signed_in.demand_fresh(now())
    chosen = credentials or []
    try:
        await visit.container.handovers.release(visit.actor, handover_id, chosen)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return await _shown(visit, session, handover_id, refusal, chosen=chosen)
    return visit.go(HANDOVERS, "handover_released")


@router.post("/{handover_id}/refuse")
async def refuse(
    handover_id: UUID,
    visit: Inside,
    session: Work,
    reason: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """Refuse, with a reason for the authority."""
    try:
        await visit.container.handovers.refuse(visit.actor, handover_id, reason)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return await _shown(visit, session, handover_id, refusal, reason=reason)
    return visit.go(HANDOVERS, "handover_refused")


async def _shown(
    visit: Visit,
    session: Work,
    handover_id: UUID,
    refusal: Refusal | None = None,
    *,
    chosen: Sequence[UUID] = (),
    reason: str = "",
) -> Response:
    found = await seen.one(session, visit.actor, handover_id)
    can: Sequence[CredentialSeen] = ()
    if found.state in OPEN_STATES:
        _, every = await credentials.of_person(session, visit.actor, found.person_id, now())
        can = [one for one in every if not one.standing.withdrawn and one.current.files]
    meant = "reason" if refusal and refusal.fields else "credentials"
    errors = [ErrorItem(in_words(refusal.message), f"#{meant}")] if refusal else []
    return visit.page(
        "handovers/request.html",
        status=refusal.status if refusal else 200,
        one=found,
        line=_line(found),
        choices=[
            (
                each.id,
                ", ".join(filter(None, (gettext(each.category.title), each.current.about))),
                each.number,
                len(each.current.files),
                each.id in chosen if refusal else each.category.key in found.categories,
            )
            for each in can
        ],
        reason=FieldView(
            "reason",
            gettext("Причина, её прочитает ведомство"),
            "text",
            reason,
            error=in_words(refusal.message) if refusal and meant == "reason" else "",
        ),
        errors=errors,
        open=found.state in OPEN_STATES,
    )


def _line(one: HandoverSeen) -> tuple[HandoverSeen, StatusTag, list[str]]:
    """A hand-over with its state as it is drawn, and what went out."""
    titles = [gettext(title) for title in one.released]
    return one, StatusTag(gettext(HANDOVER_WORDS[one.state]), *_LOOKS[one.state]), titles
