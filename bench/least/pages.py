"""The two pages of the least program: one statement for a clinician's day, and the same HTML.

Frame, template and lines are Medcab's, with the buttons of their steps; what is left out is all
that home asks besides, the words of what waits, and the hours from which free times are computed.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from fastapi import FastAPI, Response
from psycopg_pool import AsyncConnectionPool

from cabinet.frame.home_parts import HomeLine, HomeList, short_list
from cabinet.frame.visits import Inside, Visit
from cabinet.home.pages import HomePage
from cabinet.schedule.lines import day_nav, line_of
from cabinet.schedule.views import DayPage, Line
from crypto.key_ring import key_ring
from models.encrypted_columns import decrypt_for
from rules.schedule.states import AppointmentState
from services.schedule.seen import AppointmentSeen

DAY = """
select a.id, a.version, a.state, a.clinician_id, a.patient_id, a.unit_id, a.starts_at, a.ends_at,
  a.zone, a.wall, a.overbooked, a.moved_to, a.changed_at, p.name as patient, d.name as clinician,
  d.position, coalesce(r.name, '') as room
from appointment a join patient p on p.id = a.patient_id join person d on d.id = a.clinician_id
left join room r on r.id = a.room_id
where a.clinician_id = %s and a.starts_at >= %s and a.starts_at < %s
order by a.starts_at, a.id
"""


def add_pages(app: FastAPI, medcabs: AsyncConnectionPool[psycopg.AsyncConnection[Any]]) -> None:
    """Add `/least/home` and `/least/day`."""

    async def day_of(visit: Visit) -> list[Line]:
        zone = ZoneInfo(visit.signed_in.zone)
        begins = datetime.combine(datetime.now(zone).date(), time(), zone)
        values = (visit.actor.person_id, begins, begins + timedelta(days=1))
        async with medcabs.connection() as line:
            rows = await (await line.execute(DAY, values)).fetchall()
        ring = key_ring()
        for row in rows:
            key, state = (row["patient_id"],), AppointmentState(row["state"])
            name = decrypt_for(ring, row["patient"], "patient.name", key).decode()
            clinician = decrypt_for(ring, row["clinician"], "person.name", (row["clinician_id"],))
            row.update(patient=name, clinician=clinician.decode(), state=state, reason="")
        moment = datetime.now(UTC)
        return [line_of(AppointmentSeen(**row), visit, moment) for row in rows]

    @app.get("/least/home")
    async def home(visit: Inside) -> Response:
        lines = [
            HomeLine(one.patient, f"/schedule/appointments/{one.id}", one.starts, "", one.state)
            for one in await day_of(visit)
        ]
        shown = HomeList("day", "Сегодня на приёме", lines[:6], "Весь день", "/schedule")
        page = HomePage("Добрый день", "Сегодня приём", today=[short_list(shown)])
        return visit.page("home/page.html", home=page)

    @app.get("/least/day")
    async def day(visit: Inside) -> Response:
        today = datetime.now(ZoneInfo(visit.signed_in.zone)).date()
        lines, nav = await day_of(visit), day_nav(today, today, "/schedule")
        page = DayPage(
            title="Мой день",
            position="",
            own=True,
            nav=nav,
            lines=lines,
            here=nav.url(today),
            clinician_id=visit.actor.person_id,
            zone=visit.signed_in.zone,
            booked=len(lines),
            free=0,
        )
        return visit.page("schedule/day.html", page=page)
