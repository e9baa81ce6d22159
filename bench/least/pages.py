"""The two pages of the least program: one statement for a clinician's day, and the same HTML.

Frame, template and lines are Medcab's; what is left out is all that home asks besides, the words of
what waits, and the hours from which free times are computed.
"""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from fastapi import FastAPI, Response
from psycopg_pool import AsyncConnectionPool

from cabinet.frame.home_parts import HomeLine, HomeList, short_list
from cabinet.frame.visits import Inside, Visit
from cabinet.home.pages import HomePage
from cabinet.schedule.lines import day_nav, state_tag
from cabinet.schedule.views import DayPage, Line
from crypto.key_ring import key_ring
from models.encrypted_columns import decrypt_for
from rules.schedule.states import AppointmentState

DAY = """
select a.id, a.version, a.starts_at, a.ends_at, a.state, p.id as patient_id, p.name
from appointment a join patient p on p.id = a.patient_id
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
        return [
            Line(
                starts=f"{row['starts_at'].astimezone(zone):%H:%M}",
                ends=f"{row['ends_at'].astimezone(zone):%H:%M}",
                id=row["id"],
                version=row["version"],
                patient=decrypt_for(
                    ring, row["name"], "patient.name", (row["patient_id"],)
                ).decode(),
                state=state_tag(AppointmentState(row["state"])),
            )
            for row in rows
        ]

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
