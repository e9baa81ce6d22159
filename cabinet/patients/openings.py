"""A closed record: on which ground it is opened, or at once; and how emergencies are judged."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside, Visit
from cabinet.patients.identity import demand_same
from cabinet.patients.lines import emergency_tag
from rules.access import Permission
from rules.clock import now
from rules.patients.emergencies import EmergencyState
from rules.patients.grounds import GROUNDS
from rules.refusals import Refusal
from services.patients import seen, ways
from services.patients.openings import LONGEST
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/patients")

Text = Annotated[str, Form(max_length=5000)]


@router.get("/emergencies")
async def emergencies_page(
    visit: Inside, session: Work, state: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """What waits for its judgement, or all of the last ninety days."""
    everything = state == "all"
    found = await seen.to_judge(session, visit.actor, now(), everything=everything)
    return visit.page(
        "patients/emergencies.html",
        everything=everything,
        lines=[(one, emergency_tag(one.state), one.state is EmergencyState.WAITS) for one in found],
        me=visit.actor.person_id,
    )


@router.get("/emergencies/mine")
async def own_page(visit: Inside, session: Work) -> Response:
    """One's own emergencies, and what was found of those whom one heads."""
    found = await seen.own(session, visit.actor, now())
    return visit.page(
        "patients/own_emergencies.html",
        lines=[(one, emergency_tag(one.state)) for one in found],
        me=visit.actor.person_id,
    )


@router.post("/emergencies/{emergency_id}/take")
async def take(emergency_id: UUID, visit: Inside) -> Response:
    """Take it out of the queue."""
    await visit.container.patient_judgements.take(visit.actor, emergency_id)
    return visit.go("/patients/emergencies", "emergency_taken")


@router.post("/emergencies/{emergency_id}/judge")
async def judge(
    emergency_id: UUID,
    visit: Inside,
    verdict: Annotated[str, Form(pattern="^(justified|unjustified)$")],
    reason: Text = "",
) -> Response:
    """Judge, for good. Asks for a code when the last is older than five minutes."""
    visit.signed_in.demand_fresh(now())
    justified = verdict == EmergencyState.JUSTIFIED
    judgements = visit.container.patient_judgements
    await judgements.judge(visit.actor, emergency_id, justified=justified, reason=reason)
    return visit.go("/patients/emergencies", "emergency_judged")


@router.get("/{patient_id}/open")
async def open_page(patient_id: UUID, visit: Inside, session: Work) -> Response:
    """Asks why the record is opened. It says nothing of the patient."""
    visit.actor.demand(Permission.TREAT)
    await ways.exists(session, patient_id)
    return _page(visit, patient_id)


@router.post("/{patient_id}/open")
async def open_for(
    patient_id: UUID,
    visit: Inside,
    about: Annotated[UUID, Form()],
    ground: Annotated[str, Form(max_length=40)] = "",
    words: Text = "",
) -> Response:
    """Open the record for three hours."""
    demand_same(patient_id, about)
    try:
        await visit.container.patient_openings.open_for(visit.actor, patient_id, ground, words)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _page(visit, patient_id, refusal, ground=ground, words=words)
    return visit.go(f"/patients/{patient_id}")


@router.post("/{patient_id}/open-at-once")
async def open_at_once(
    patient_id: UUID,
    visit: Inside,
    about: Annotated[UUID, Form()],
    what: Text = "",
) -> Response:
    """Open the record for two hours, as an emergency."""
    demand_same(patient_id, about)
    try:
        await visit.container.patient_openings.open_at_once(visit.actor, patient_id, what)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _page(visit, patient_id, refusal, what=what)
    return visit.go(f"/patients/{patient_id}")


def _page(
    visit: Visit,
    patient_id: UUID,
    refusal: Refusal | None = None,
    *,
    ground: str = "",
    words: str = "",
    what: str | None = None,
) -> Response:
    wrong = {one.path: in_words(one.message) for one in refusal.fields} if refusal else {}
    if what is not None and "words" in wrong:
        wrong = {"what": wrong["words"]}
    errors = errors_of(refusal) if refusal else []
    if what is not None:
        errors = [type(one)(one.message, "#field-what") for one in errors]
    return visit.page(
        "patients/open.html",
        status=refusal.status if refusal else 200,
        patient_id=patient_id,
        errors=errors,
        ground=FieldView(
            "ground",
            gettext("Основание"),
            "choice",
            ground,
            error=wrong.get("ground", ""),
            options=[
                Option(one.name, gettext(one.words), gettext(one.source))
                for one in GROUNDS.values()
            ],
        ),
        words=FieldView(
            "words",
            gettext("Подробнее: номер запроса или поручения"),
            "long_text",
            words,
            error=wrong.get("words", ""),
            required=False,
            max_length=LONGEST,
        ),
        what=FieldView(
            "what",
            gettext("Что случилось"),
            "long_text",
            what or "",
            gettext("Это прочтут отдел информационной безопасности и пациент"),
            wrong.get("what", ""),
            max_length=LONGEST,
        ),
    )
