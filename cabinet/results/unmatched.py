"""The desk of results for nobody: whose may it be, or back to the laboratory (W2)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Inside, Visit
from cabinet.results.views import urgency_tag
from rules.refusals import Refusal
from services.results import unmatched
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/results/unmatched")

DESK = "/results/unmatched"
Version = Annotated[int, Form(ge=1, lt=2**31)]


@router.get("")
async def desk(visit: Inside, session: Work) -> Response:
    """All that wait in the reader's units."""
    found = await unmatched.waiting(session, visit.actor)
    rows = [(one, urgency_tag(one.urgency)) for one in found]
    return visit.page("results/unmatched.html", rows=rows)


@router.get("/{result_id}")
async def one(result_id: UUID, visit: Inside, session: Work) -> Response:
    """One of them, with the patients it may be of."""
    return await _shown(visit, session, result_id)


@router.post("/{result_id}/match")
async def match(
    result_id: UUID,
    visit: Inside,
    session: Work,
    version: Version,
    patient_id: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Say whose it is."""
    try:
        try:
            patient = UUID(patient_id)
        except ValueError:
            raise Refusal("incomplete", "Выберите пациента.", 422) from None
        await visit.container.results.match(visit.actor, result_id, patient, version)
    except Refusal as refusal:
        if refusal.status != 422 and refusal.code != "superseded":
            raise
        return await _shown(visit, session, result_id, refusal)
    return visit.go(DESK, "result_matched")


@router.post("/{result_id}/return")
async def give_back(
    result_id: UUID,
    visit: Inside,
    session: Work,
    version: Version,
    reason: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """Return it to the laboratory, which reads the reason."""
    try:
        await visit.container.results.give_back(visit.actor, result_id, version, reason)
    except Refusal as refusal:
        if refusal.status != 422 and refusal.code != "superseded":
            raise
        return await _shown(visit, session, result_id, refusal, reason=reason)
    return visit.go(DESK, "result_returned")


async def _shown(
    visit: Visit,
    session: Work,
    result_id: UUID,
    refusal: Refusal | None = None,
    *,
    reason: str = "",
) -> Response:
    found = await unmatched.one(session, visit.actor, result_id)
    of_reason = refusal is not None and bool(refusal.fields)
    message = in_words(refusal.message) if refusal else ""
    href = "#field-reason" if of_reason else "#patients"
    return visit.page(
        "results/unmatched_one.html",
        status=refusal.status if refusal else 200,
        one=found,
        urgency=urgency_tag(found.urgency),
        reason=FieldView(
            "reason",
            gettext("Причина, её прочитает лаборатория"),
            "text",
            reason,
            error=message if of_reason else "",
        ),
        errors=[ErrorItem(message, href)] if refusal else [],
    )
