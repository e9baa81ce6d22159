"""The access table of absences, API and pages. See `access.Row`."""

from datetime import date
from uuid import UUID, uuid4

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.absences import AbsencePlan, DisplacedAppointment
from models.tables.schedule import Appointment
from rules.access import Actor
from rules.clock import now
from tests.api.access import Row, act, body, form
from tests.api.schedule_rows import ACT, BOOKED, PLANNED, PLANNERS, REGISTRAR

DAYS = {"first_day": "2030-01-01", "last_day": "2030-01-02", "reason": "illness"}
TYPED = {"first_day": "01.01.2030", "last_day": "02.01.2030", "reason": "illness"}
CHOICE = {"clinician_id": "{clinician_id}", "starts_at": "2030-01-01T09:00:00Z"}
BASE = "/api/v1/schedule/absences"
ONE = f"{BASE}/appointments/{{displaced_id}}"
PAGE = "/schedule/absences/appointments/{displaced_id}"

ABSENCE_ROWS: dict[str, Row] = {
    f"GET {BASE}": Row("plan_schedule", PLANNERS),
    f"POST {BASE}": Row("plan_schedule", *PLANNED, act(**DAYS, person_id="{clinician_id}")),
    f"GET {BASE}/{{plan_id}}": Row("plan_schedule", *PLANNED),
    f"PUT {BASE}/{{plan_id}}": Row("plan_schedule", *PLANNED, body(**DAYS, version=999)),
    f"POST {BASE}/{{plan_id}}/withdraw": Row("plan_schedule", *PLANNED, body(version=999)),
    f"POST {BASE}/{{plan_id}}/accept": Row(
        "plan_schedule", *PLANNED, act(proposals=[{"id": "{displaced_id}", "version": 999}])
    ),
    f"GET {ONE}/times": Row("plan_schedule", *PLANNED),
    f"POST {ONE}/accept": Row("plan_schedule", *PLANNED, act(version=999)),
    f"POST {ONE}/choose": Row("plan_schedule", *PLANNED, act(**CHOICE)),
    f"POST {ONE}/cancel": Row("plan_schedule", *PLANNED, act(reason="")),
    f"POST {ONE}/told": Row("book", *BOOKED),
}
"""The API."""

ABSENCE_PAGES: dict[str, Row] = {
    "GET /schedule/absences": Row("session", PLANNERS),
    "GET /schedule/absences/new": Row("session", PLANNERS),
    "POST /schedule/absences": Row(
        "session", *PLANNED, form(**TYPED, act_id=ACT, person="{clinician_id}")
    ),
    "GET /schedule/absences/{plan_id}": Row("session", *PLANNED),
    "POST /schedule/absences/{plan_id}/days": Row(
        "session", *PLANNED, form(**TYPED, version="999")
    ),
    "POST /schedule/absences/{plan_id}/accept": Row(
        "session", *PLANNED, form(act_id=ACT, displaced="{displaced_id}", version="999")
    ),
    "POST /schedule/absences/{plan_id}/withdraw": Row("session", *PLANNED, form(version="999")),
    f"GET {PAGE}": Row("session", *PLANNED),
    f"POST {PAGE}/accept": Row("session", *PLANNED, form(act_id=ACT, version="999")),
    f"POST {PAGE}/choose": Row(
        "session", *PLANNED, form(act_id=ACT, clinician="{clinician_id}", starts_at="never")
    ),
    f"POST {PAGE}/cancel": Row("session", *PLANNED, form(act_id=ACT, reason="")),
    f"POST {PAGE}/told": Row("session", REGISTRAR, REGISTRAR, REGISTRAR),
}
"""The pages."""


async def give_absence(session: AsyncSession, actor: Actor, appointment_id: UUID) -> dict[str, str]:
    """An absence of the person, which displaces an appointment."""
    appointment = await session.get_one(Appointment, appointment_id)
    plan = AbsencePlan(
        id=uuid4(),
        person_id=actor.person_id,
        unit_id=actor.unit_id,
        first_day=date(2030, 1, 1),
        last_day=date(2030, 1, 2),
        reason="illness",
        state="open",
        planned_by=actor.person_id,
        begun_at=now(),
    )
    session.add(plan)
    await session.flush()
    row = DisplacedAppointment(
        absence_id=plan.id,
        appointment_id=appointment.id,
        unit_id=appointment.unit_id,
        starts_at=appointment.starts_at,
    )
    session.add(row)
    await session.flush()
    return {"plan_id": str(plan.id), "displaced_id": str(row.id)}
