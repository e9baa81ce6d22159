"""The access table of the schedule, API and pages. See `access.Row`."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.schedule import (
    Appointment,
    CalendarFeed,
    HoursException,
    TreatmentRoom,
    WaitingWish,
    WorkingHours,
)
from rules.access import Actor, Role
from rules.clock import now
from rules.schedule.hours import wall_of
from services.patients.entering import enter
from tests.api.access import Roles, Row, act, body, form, mine, public, query
from tests.patients.people import identity

ACT = "0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1f"
ZONE = "Europe/Moscow"
REGISTRAR: Roles = frozenset({Role.REGISTRAR})
TREATING: Roles = frozenset({Role.DOCTOR, Role.NURSE})
BOOKERS: Roles = TREATING | REGISTRAR
PLANNERS: Roles = REGISTRAR | {Role.UNIT_HEAD}
SEERS: Roles = BOOKERS | PLANNERS
BOOKED = (BOOKERS, BOOKERS, REGISTRAR)
PLANNED = (PLANNERS, PLANNERS, REGISTRAR)
SEEN = (SEERS, SEERS, REGISTRAR)
ANYBODYS = (SEERS, SEERS, SEERS)
"""Of a clinician elsewhere one sees what lies in one's own units: nothing."""
FIRST = query(first="2030-01-01")
WISH = {
    "clinician_id": "{clinician_id}",
    "patient_id": "{own_patient_id}",
    "starts_at": "2020-01-01T09:00:00Z",
}
HOURS = {
    "clinician_id": "{clinician_id}",
    "unit_id": "{unit_id}",
    "starts": 540,
    "ends": 600,
    "step": 30,
}
STEP = {"version": 999, "step": "cancel", "reason": "Причина"}
CHOSEN = {
    "act_id": ACT,
    "patient": "{own_patient_id}",
    "clinician": "{clinician_id}",
    "starts_at": (now() + timedelta(days=3)).isoformat(),
}
UNIT = {"unit": "{unit_id}"}

SCHEDULE_ROWS: dict[str, Row] = {
    "GET /api/v1/schedule/clinicians": Row("book", BOOKERS),
    "GET /api/v1/schedule/free": Row(
        "book", BOOKERS, send=query(clinician_id="{clinician_id}", first="2030-01-01")
    ),
    "GET /api/v1/schedule/clinicians/{clinician_id}/appointments": Row(
        "signed_in", *ANYBODYS, FIRST
    ),
    "GET /api/v1/schedule/units/{unit_id}/appointments": Row("signed_in", *SEEN, FIRST),
    "GET /api/v1/schedule/units/{unit_id}/to-settle": Row("signed_in", *SEEN),
    "POST /api/v1/schedule/appointments": Row("signed_in", BOOKERS, send=act(**WISH)),
    "GET /api/v1/schedule/appointments/{appointment_id}": Row("signed_in", *SEEN),
    "POST /api/v1/schedule/appointments/{appointment_id}/move": Row(
        "signed_in", *BOOKED, act(**WISH, version=999)
    ),
    "POST /api/v1/schedule/appointments/{appointment_id}/steps": Row(
        "signed_in", *BOOKED, act(**STEP)
    ),
    "GET /api/v1/schedule/units/{unit_id}/rooms": Row("plan_schedule", *PLANNED),
    "POST /api/v1/schedule/rooms": Row(
        "plan_schedule", *PLANNED, body(unit_id="{unit_id}", name="204")
    ),
    "DELETE /api/v1/schedule/rooms/{room_id}": Row("plan_schedule", *PLANNED),
    "GET /api/v1/schedule/units/{unit_id}/hours": Row("plan_schedule", *PLANNED),
    "POST /api/v1/schedule/hours": Row(
        "plan_schedule", *PLANNED, body(**HOURS, weekdays=[0], valid_from="2030-01-01")
    ),
    "POST /api/v1/schedule/hours/{hours_id}/end": Row(
        "plan_schedule", *PLANNED, body(last_day="2030-01-01")
    ),
    "POST /api/v1/schedule/exceptions": Row(
        "plan_schedule", *PLANNED, body(**HOURS, day="2030-01-01", works=False)
    ),
    "DELETE /api/v1/schedule/exceptions/{exception_id}": Row("plan_schedule", *PLANNED),
    "GET /api/v1/schedule/waiting": Row("book", BOOKERS),
    "POST /api/v1/schedule/waiting": Row(
        "book", *BOOKED, body(patient_id="{own_patient_id}", unit_id="{unit_id}")
    ),
    "DELETE /api/v1/schedule/waiting/{wish_id}": Row("book", *BOOKED),
    "GET /api/v1/schedule/calendars": Row("session", TREATING),
    "POST /api/v1/schedule/calendars": Row("session", TREATING, send=body(name="Телефон")),
    "DELETE /api/v1/schedule/calendars/{feed_id}": mine("session"),
    "GET /calendars/{token}.ics": public(),
}

SCHEDULE_PAGES: dict[str, Row] = {
    "GET /schedule": Row("session", SEERS),
    "GET /schedule/clinicians/{clinician_id}": Row("session", *ANYBODYS),
    "GET /schedule/clinicians/{clinician_id}/sheet": Row("session", *ANYBODYS),
    "GET /schedule/clinicians/{clinician_id}/week": Row("session", *ANYBODYS),
    "GET /schedule/units/{unit_id}": Row("session", *SEEN),
    "GET /schedule/units/{unit_id}/visits": Row("session", *SEEN),
    "GET /schedule/units/{unit_id}/plan": Row("session", *PLANNED),
    "POST /schedule/units/{unit_id}/hours": Row("session", *PLANNED),
    "POST /schedule/hours/{hours_id}/end": Row(
        "session", *PLANNED, form(**UNIT, last_day="01.01.2030")
    ),
    "POST /schedule/units/{unit_id}/exceptions": Row("session", *PLANNED),
    "POST /schedule/exceptions/{exception_id}/take-back": Row("session", *PLANNED, form(**UNIT)),
    "POST /schedule/units/{unit_id}/rooms": Row("session", *PLANNED, form(name="204")),
    "POST /schedule/rooms/{room_id}/close": Row("session", *PLANNED, form(**UNIT)),
    "GET /schedule/waiting": Row("session", BOOKERS),
    "POST /schedule/waiting": Row("session", *BOOKED, form(**UNIT, patient="{own_patient_id}")),
    "POST /schedule/waiting/{wish_id}/close": Row("session", *BOOKED),
    "GET /schedule/calendars": Row("session", TREATING),
    "POST /schedule/calendars": Row("session", TREATING, send=form(name="Телефон")),
    "POST /schedule/calendars/{feed_id}/revoke": mine("session"),
    "GET /schedule/book": Row("session", BOOKERS),
    "POST /schedule/book/search": Row("session", BOOKERS, send=form(text="Нет Такого")),
    "POST /schedule/book": Row("session", BOOKERS, send=form(**CHOSEN)),
    "POST /schedule/beside": Row(
        "session", BOOKERS, send=form(act_id=ACT, patient="{own_patient_id}")
    ),
    "GET /schedule/appointments/{appointment_id}": Row("session", *SEEN),
    "POST /schedule/appointments/{appointment_id}/step": Row(
        "session", *BOOKED, form(act_id=ACT, **{name: str(one) for name, one in STEP.items()})
    ),
    "POST /schedule/appointments/{appointment_id}/move": Row(
        "session", *BOOKED, form(**CHOSEN, version="999")
    ),
}


async def give_schedule(session: AsyncSession, actor: Actor) -> dict[str, str]:
    """A room, hours and an exception, an appointment, somebody who waits, a calendar."""
    patient = await enter(session, identity(f"Пациент {uuid4().hex}"), actor.unit_id, None, now())
    assert patient is not None
    room = TreatmentRoom(unit_id=actor.unit_id, name=uuid4().hex)
    session.add(room)
    await session.flush()
    common: dict[str, Any] = {
        "clinician_id": actor.person_id,
        "unit_id": actor.unit_id,
        "starts": 540,
        "ends": 600,
        "step": 30,
        "zone": ZONE,
        "added_by": actor.person_id,
    }
    hours = WorkingHours(**common, weekday=0, valid_from=date(2026, 1, 1))
    exception = HoursException(**common, works=True, day=date(2030, 1, 1))
    starts_at = now() + timedelta(days=5)
    appointment = Appointment(
        clinician_id=actor.person_id,
        patient_id=patient.id,
        unit_id=actor.unit_id,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
        wall=wall_of(starts_at, ZONE),
        zone=ZONE,
        state="booked",
        changed_at=now(),
        booked_by=actor.person_id,
    )
    wish = WaitingWish(
        patient_id=patient.id,
        unit_id=actor.unit_id,
        note="",
        added_by=actor.person_id,
        added_at=now(),
    )
    feed = CalendarFeed(
        person_id=actor.person_id, name="Телефон", token_hash=uuid4().hex, made_at=now()
    )
    for one in (hours, exception, appointment, wish, feed):
        session.add(one)
    await session.flush()
    return {
        "clinician_id": str(actor.person_id),
        "own_patient_id": str(patient.id),
        "appointment_id": str(appointment.id),
        "room_id": str(room.id),
        "hours_id": str(hours.id),
        "exception_id": str(exception.id),
        "wish_id": str(wish.id),
        "feed_id": str(feed.id),
        "token": "none",
    }
