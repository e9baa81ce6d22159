"""«Сведения из реестров»: what they say, what differs and is accepted or disputed, the check; the
disputes for the personnel department; the runs for ops (Q7, Q8)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.frame.views import ErrorItem
from cabinet.frame.visits import Inside, Visit
from cabinet.registers.lines import (
    cards_of,
    check_words,
    difference_view,
    dispute_row,
    run_view,
)
from cabinet.registers.views import OwnRegisters
from clients.database import DatabaseSession
from rules.access import Permission
from rules.refusals import Refusal
from services.registers import checks, differences, disputes, seen
from services.registers import runs as register_runs
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/registers")

HOME = "/registers"
Key = Annotated[str, Form(min_length=1, max_length=200)]
Act = Annotated[UUID, Form()]
Said = Annotated[str, Form(max_length=5000)]


@router.get("")
async def own(visit: Inside, session: Work) -> Response:
    """What each register says, since when, what differs, and how far a check is."""
    return visit.page("registers/own.html", registers=await _own(visit, session))


@router.get("/live")
async def live(visit: Inside, session: Work) -> Response:
    """The part of the page that changes while a check goes on."""
    return visit.part("registers/cards.html", registers=await _own(visit, session))


@router.post("/check")
async def check(visit: Inside) -> Response:
    """«Проверить в реестре»: ask now, wait some seconds, and go on without the page."""
    await visit.container.register_checks.ask(visit.actor)
    return visit.go(HOME)


@router.post("/accept")
async def accept(visit: Inside, key: Key, act_id: Act) -> Response:
    """Take over what a register says: a new version, or a new credential.

    What is new and lacks something that our form asks for is described first.
    """
    acts = visit.container.register_differences
    try:
        made = await acts.accept(visit.actor, act_id, key)
    except Refusal as refusal:
        if refusal.code != "incomplete":
            raise
        draft = await acts.complete(visit.actor, act_id, key)
        return visit.go(f"/credentials/drafts/{draft}", "register_to_complete")
    return visit.go(f"/credentials/{made}", "register_accepted")


@router.post("/dispute")
async def dispute(
    visit: Inside, session: Work, key: Key, act_id: Act, reason: Said = ""
) -> Response:
    """Say that the register is wrong, and why."""
    try:
        await visit.container.register_disputes.dispute(visit.actor, act_id, key, reason)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        message = in_words(refusal.fields[0].message)
        return visit.page(
            "registers/own.html",
            status=422,
            registers=await _own(visit, session),
            wrong={"key": key, "value": reason, "message": message},
            errors=[ErrorItem(message, f"#reason-{key}")],
        )
    return visit.go(HOME, "register_disputed")


@router.get("/disputes")
async def disputes_page(visit: Inside, session: Work) -> Response:
    """What people of one's units dispute, the oldest first."""
    found = await disputes.waiting(session, visit.actor)
    return visit.page("registers/disputes.html", disputes=[dispute_row(one) for one in found])


@router.post("/disputes/{dispute_id}/answer")
async def answer(dispute_id: UUID, visit: Inside, session: Work, reason: Said = "") -> Response:
    """Answer a dispute."""
    try:
        await visit.container.register_disputes.answer(visit.actor, dispute_id, reason)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        message = in_words(refusal.fields[0].message)
        found = await disputes.waiting(session, visit.actor)
        return visit.page(
            "registers/disputes.html",
            status=422,
            disputes=[dispute_row(one) for one in found],
            wrong={"key": str(dispute_id), "value": reason, "message": message},
            errors=[ErrorItem(message, f"#reason-{dispute_id}")],
        )
    return visit.go(f"{HOME}/disputes", "register_answered")


@router.get("/runs")
async def runs(visit: Inside, session: Work) -> Response:
    """How far the comparison of everybody is, for ops."""
    lines = await register_runs.runs(session, visit.actor)
    return visit.page("registers/runs.html", runs=[run_view(one) for one in lines])


@router.get("/runs/live")
async def runs_live(visit: Inside, session: Work) -> Response:
    """The part of that page that changes."""
    lines = await register_runs.runs(session, visit.actor)
    return visit.part("registers/run_rows.html", runs=[run_view(one) for one in lines])


async def _own(visit: Visit, session: DatabaseSession) -> OwnRegisters:
    person = visit.actor.person_id
    said = await seen.of_person(session, person)
    today = datetime.now(visit.presentation.tzinfo).date()
    found = await differences.of_person(session, person, today)
    disputed = await disputes.own(session, person)
    newest = await checks.newest(session, person)
    words, tone, icon = check_words(newest)
    return OwnRegisters(
        differences=[difference_view(one, disputed.get(one.subject)) for one in found.differences],
        cards=cards_of(said),
        checking=newest is not None and newest.ended_at is None,
        words=words,
        tone=tone,
        icon=icon,
        keeps=visit.actor.may(Permission.KEEP_DOCUMENTS),
    )
