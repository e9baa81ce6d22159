"""«Мой день», a clinician's day and week, a unit's day, the journal of visits, the day sheet (W1).

All are drawn by the server from links and forms: a keyboard and a phone reach everything.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.container import Reading, Work
from api.http.entrance import CleanRoute
from cabinet.frame.visits import Inside, Visit
from cabinet.schedule.lines import day_nav, day_of, line_of, on, state_tag, together
from cabinet.schedule.views import DayColumn, DayPage, GridPage, Line, VisitJournalPage
from clients.database import DatabaseSession
from rules.access import Permission
from rules.clock import now
from rules.refusals import forbidden
from rules.schedule.hours import FreeSlot
from rules.schedule.states import AppointmentState
from services.schedule import free, seen
from services.schedule.seen import AppointmentSeen
from words.formats import day as in_full
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/schedule")

Day = Annotated[str, Query(max_length=10)]
_WEEK = 7
_JOURNALED = tuple(one for one in AppointmentState if one is not AppointmentState.HELD)


@router.get("")
async def own_day(visit: Inside, session: Reading, day: Day = "") -> Response:
    """A clinician's own day; registrars and planners go to the day of a unit."""
    actor = visit.actor
    if not actor.may(Permission.TREAT):
        unit_id = await seen.unit_to_open(session, actor)
        if unit_id is None:
            for permission in (Permission.TREAT, Permission.BOOK, Permission.PLAN_SCHEDULE):
                if actor.waits_for_state(permission):
                    actor.demand(permission)
            raise forbidden()
        return visit.go(f"/schedule/units/{unit_id}")
    return await _day_page(visit, session, actor.person_id, day, "/schedule")


@router.get("/clinicians/{clinician_id}")
async def clinician_day(
    clinician_id: UUID, visit: Inside, session: Work, day: Day = ""
) -> Response:
    """The day of another clinician."""
    return await _day_page(
        visit, session, clinician_id, day, f"/schedule/clinicians/{clinician_id}"
    )


@router.get("/clinicians/{clinician_id}/sheet")
async def sheet(clinician_id: UUID, visit: Inside, session: Work, day: Day = "") -> Response:
    """The day as a sheet to print."""
    base = f"/schedule/clinicians/{clinician_id}/sheet"
    return await _day_page(visit, session, clinician_id, day, base, template="sheet")


@router.get("/clinicians/{clinician_id}/week")
async def week(clinician_id: UUID, visit: Inside, session: Work, day: Day = "") -> Response:
    """Seven days of a clinician, from a Monday on."""
    whose = await seen.clinician(session, clinician_id)
    zone = whose.zone
    moment, today = now(), seen.day_in(zone, now())
    chosen = day_of(day, today)
    first = chosen - timedelta(days=chosen.weekday())
    found = await seen.of_clinician(session, visit.actor, clinician_id, first, _WEEK, zone)
    times = await _free(session, visit, [clinician_id], first, _WEEK)
    base = f"/schedule/clinicians/{clinician_id}"
    columns = []
    for number in range(_WEEK):
        one = first + timedelta(days=number)
        open_times = [each for each in times if _day_of(each, zone) == one]
        columns.append(
            DayColumn(
                title=in_full(one),
                url=f"{base}?day={one.isoformat()}",
                lines=together(on(one, found), open_times, zone, visit, moment),
                today=one == today,
                day=one,
            )
        )
    nav = day_nav(first, today, f"{base}/week", _WEEK)
    grid = GridPage(
        title=whose.name,
        nav=nav,
        columns=columns,
        here=nav.url(first),
        clinician_id=clinician_id,
        books=visit.actor.may(Permission.BOOK),
    )
    return visit.page("schedule/week.html", grid=grid)


@router.get("/units/{unit_id}")
async def unit_day(unit_id: UUID, visit: Inside, session: Work, day: Day = "") -> Response:
    """A unit's day: everybody who sees patients, and what cannot take place as booked."""
    actor, moment = visit.actor, now()
    zone = await seen.zone_of_unit(session, unit_id)
    today = seen.day_in(zone, now())
    chosen = day_of(day, today)
    found = await seen.of_unit(session, actor, unit_id, chosen, 1)
    people = await seen.clinicians(session, frozenset({unit_id}), chosen)
    times = await _free(session, visit, [one.id for one in people], chosen, 1)
    columns = []
    for person in people:
        theirs = [one for one in found if one.clinician_id == person.id]
        open_times = [one for one in times if one.clinician_id == person.id]
        columns.append(
            DayColumn(
                title=person.name,
                url=f"/schedule/clinicians/{person.id}?day={chosen.isoformat()}",
                lines=together(theirs, open_times, zone, visit, moment),
            )
        )
    known = {person.id for person in people}
    for whose, rest in groupby(
        sorted((one for one in found if one.clinician_id not in known), key=_by_clinician),
        key=_by_clinician,
    ):
        lines = [line_of(one, visit, moment) for one in rest]
        columns.append(DayColumn(title=whose, url="", lines=lines))
    units = await seen.units(session, actor)
    base = f"/schedule/units/{unit_id}"
    nav = day_nav(chosen, today, base)
    to_settle = await seen.to_settle(session, actor, unit_id, moment)
    grid = GridPage(
        title=next(one.name for one in units if one.id == unit_id),
        nav=nav,
        columns=columns,
        here=nav.url(chosen),
        to_settle=[_dated(one, visit) for one in to_settle],
        units=[
            (f"/schedule/units/{one.id}?day={chosen.isoformat()}", one.name, one.id == unit_id)
            for one in units
        ],
        unit_id=unit_id,
        plans=actor.may(Permission.PLAN_SCHEDULE, unit_id),
        books=actor.may(Permission.BOOK, unit_id),
    )
    return visit.page("schedule/unit.html", grid=grid)


@router.get("/units/{unit_id}/visits")
async def visits(
    unit_id: UUID,
    visit: Inside,
    session: Work,
    day: Day = "",
    state: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The journal of a unit's visits on a day, of all states or of one."""
    zone = await seen.zone_of_unit(session, unit_id)
    today = seen.day_in(zone, now())
    chosen = day_of(day, today)
    states = [one for one in _JOURNALED if one.value == state] or list(_JOURNALED)
    found = await seen.of_unit(session, visit.actor, unit_id, chosen, 1, states)
    base = f"/schedule/units/{unit_id}/visits"
    nav = day_nav(chosen, today, base, asked=[("state", state)] if state else [])
    bare = f"{base}?day={chosen.isoformat()}"
    chips = [(bare, gettext("Все"), not state)]
    chips += [
        (f"{bare}&state={one.value}", state_tag(one).word, one.value == state) for one in _JOURNALED
    ]
    units = await seen.units(session, visit.actor)
    journal = VisitJournalPage(
        title=next(one.name for one in units if one.id == unit_id),
        nav=nav,
        lines=[line_of(one, visit, now()) for one in found],
        chips=chips,
        unit_id=unit_id,
    )
    return visit.page("schedule/journal.html", journal=journal)


async def _day_page(
    visit: Visit,
    session: DatabaseSession,
    clinician_id: UUID,
    day: str,
    base: str,
    template: str = "day",
) -> Response:
    whose = await seen.clinician(session, clinician_id)
    zone = whose.zone
    moment, today = now(), seen.day_in(zone, now())
    chosen = day_of(day, today)
    found = await seen.of_clinician(session, visit.actor, clinician_id, chosen, 1, zone)
    times = await _free(session, visit, [clinician_id], chosen, 1)
    nav = day_nav(chosen, today, base)
    own = clinician_id == visit.actor.person_id
    page = DayPage(
        title=gettext("Мой день") if own and template == "day" else whose.name,
        position=whose.position,
        own=own,
        nav=nav,
        lines=together(found, times if template == "day" else (), zone, visit, moment),
        here=nav.url(chosen),
        clinician_id=clinician_id,
        zone=zone,
        booked=len(found),
        free=len(times),
    )
    return visit.page(f"schedule/{template}.html", page=page)


async def _free(
    session: DatabaseSession, visit: Visit, people: Sequence[UUID], first: date, days: int
) -> Sequence[FreeSlot]:
    """Free times in which the visitor may book."""
    units = visit.actor.units_with(Permission.BOOK)
    found = await free.free_times(session, people[: free.MOST_CLINICIANS], first, days, now())
    return [one for one in found if one.unit_id in units]


def _day_of(one: FreeSlot, zone: str) -> date:
    return seen.day_in(zone, one.starts_at)


def _by_clinician(one: AppointmentSeen) -> str:
    return one.clinician


def _dated(one: AppointmentSeen, visit: Visit) -> Line:
    """A line with its day, for a list of several days."""
    line = line_of(one, visit, now())
    when = f"{one.wall:%d.%m.%Y}, {one.wall:%H:%M}"
    return replace(line, starts=when, steps=())
