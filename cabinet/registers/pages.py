"""«Сведения из реестров»: what they say of the person, «Проверить в реестре»; the runs for ops."""

from fastapi import APIRouter, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.frame.visits import Inside, Visit
from cabinet.registers.lines import cards_of, check_words, run_view
from cabinet.registers.views import OwnRegisters
from clients.database import DatabaseSession
from services.registers import checks, seen

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/registers")


@router.get("")
async def own(visit: Inside, session: Work) -> Response:
    """What each register says, since when, and how far a check is."""
    return visit.page("registers/own.html", registers=await _own(visit, session))


@router.get("/live")
async def live(visit: Inside, session: Work) -> Response:
    """The part of the page that changes while a check goes on."""
    return visit.part("registers/cards.html", registers=await _own(visit, session))


@router.post("/check")
async def check(visit: Inside) -> Response:
    """«Проверить в реестре»: ask now, wait some seconds, and go on without the page."""
    await visit.container.register_checks.ask(visit.actor)
    return visit.go("/registers")


@router.get("/runs")
async def runs(visit: Inside, session: Work) -> Response:
    """How far the comparison of everybody is, for ops."""
    lines = await seen.runs(session, visit.actor)
    return visit.page("registers/runs.html", runs=[run_view(one) for one in lines])


@router.get("/runs/live")
async def runs_live(visit: Inside, session: Work) -> Response:
    """The part of that page that changes."""
    lines = await seen.runs(session, visit.actor)
    return visit.part("registers/run_rows.html", runs=[run_view(one) for one in lines])


async def _own(visit: Visit, session: DatabaseSession) -> OwnRegisters:
    said = await seen.of_person(session, visit.actor.person_id)
    newest = await checks.newest(session, visit.actor.person_id)
    words, tone, icon = check_words(newest)
    return OwnRegisters(
        cards=cards_of(said, newest),
        checking=newest is not None and newest.ended_at is None,
        words=words,
        tone=tone,
        icon=icon,
    )
