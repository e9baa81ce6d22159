"""Which appointments an absence displaces, and which it does not any more.

Rows of appointments are changed before rows of displaced ones, here as in the acts of people, so
that none of the two waits for the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, update
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.absences import AbsencePlan, DisplacedAppointment
from models.tables.schedule import Appointment
from rules.absences import AbsenceState, DisplacedOutcome, PatientTelling
from rules.ids import new_id
from rules.schedule.states import AppointmentState, looks_at
from services.absences import rows

AT_ONCE = 500
"""So many appointments are taken in by one look; the next one follows at once."""
_BOOKED = AppointmentState.BOOKED.value


@dataclass(frozen=True)
class Gathered:
    """What a look at the days found: how many more, how many that stay, how many elsewhere."""

    added: int = 0
    stays: int = 0
    elsewhere: int = 0


async def follow(session: AsyncSession, plan: AbsencePlan) -> None:
    """Take over the days of the absence or departure; one that is gone was withdrawn."""
    away = rows.away().c
    wanted: Any = choose(away.first_day, away.last_day).where(
        away.id == plan.id, away.person_id == plan.person_id
    )
    days = (await session.exec(wanted)).one_or_none()
    if days is None:
        plan.state = AbsenceState.WITHDRAWN.value
    else:
        plan.first_day, plan.last_day = days
        if plan.state == AbsenceState.WITHDRAWN:
            plan.state = AbsenceState.OPEN.value
    session.add(plan)
    await session.flush()


async def gather(session: AsyncSession, plan: AbsencePlan, now: datetime) -> Gathered:
    """Let the list agree with the schedule: close what needs nobody, take in what is new."""
    withdrawn = plan.state == AbsenceState.WITHDRAWN
    stays = await _stay(session, plan, now, everything=withdrawn)
    elsewhere = await _close(
        session, plan, DisplacedOutcome.ELSEWHERE, col(Appointment.state) != _BOOKED, now
    )
    added = 0 if withdrawn else await _take_in(session, plan)
    return Gathered(added, stays, elsewhere)


async def _stay(
    session: AsyncSession, plan: AbsencePlan, now: datetime, *, everything: bool
) -> int:
    """Appointments outside of the days stay as they are: the clock looks at them again."""
    stay = col(Appointment.state) == _BOOKED
    if not everything:
        stay = stay & ~rows.is_displaced(plan.person_id, plan.first_day, plan.last_day)
    found = await session.exec(
        select(Appointment)
        .join(
            DisplacedAppointment,
            col(DisplacedAppointment.appointment_id) == col(Appointment.id),
        )
        .where(
            DisplacedAppointment.absence_id == plan.id,
            col(DisplacedAppointment.outcome).is_(None),
            stay,
        )
        .order_by(col(Appointment.id))
        .with_for_update(of=Appointment)
        .execution_options(populate_existing=True)
    )
    staying = found.all()
    for one in staying:
        state = AppointmentState(one.state)
        one.looks_at = looks_at(state, one.starts_at, one.ends_at, one.held_until, now)
        session.add(one)
    await session.flush()
    ids = [one.id for one in staying]
    return await _close(session, plan, DisplacedOutcome.STAYS, col(Appointment.id).in_(ids), now)


async def _close(
    session: AsyncSession,
    plan: AbsencePlan,
    outcome: DisplacedOutcome,
    which: ColumnElement[bool],
    now: datetime,
) -> int:
    """Close what nobody has to decide; the patient need not be told."""
    done = await session.exec(
        update(DisplacedAppointment)
        .where(
            col(DisplacedAppointment.absence_id) == plan.id,
            col(DisplacedAppointment.outcome).is_(None),
            col(DisplacedAppointment.appointment_id) == col(Appointment.id),
            which,
        )
        .values(
            outcome=outcome.value,
            settled_at=now,
            telling=PatientTelling.NOT_NEEDED.value,
            done_at=now,
            to_clinician_id=None,
            to_starts_at=None,
            version=DisplacedAppointment.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    return done.rowcount


async def _take_in(session: AsyncSession, plan: AbsencePlan) -> int:
    """Take in what is booked on the days. The clock of the clinic leaves it alone from now on.

    Nobody is reminded of a day they are absent on, and no patient «did not come» to nobody.
    """
    known = select(DisplacedAppointment.appointment_id).where(
        col(DisplacedAppointment.outcome).is_(None),
        col(DisplacedAppointment.appointment_id) == col(Appointment.id),
    )
    found = await session.exec(
        select(Appointment.id, Appointment.unit_id, Appointment.starts_at)
        .where(
            rows.is_displaced(plan.person_id, plan.first_day, plan.last_day),
            ~known.exists(),
        )
        .order_by(col(Appointment.starts_at), col(Appointment.id))
        .limit(AT_ONCE)
        .with_for_update(of=Appointment)
    )
    new: Sequence[tuple[UUID, UUID, datetime]] = found.all()
    if not new:
        return 0
    await session.exec(
        update(Appointment)
        .where(col(Appointment.id).in_([one[0] for one in new]))
        .values(looks_at=None)
        .execution_options(synchronize_session=False)
    )
    table = SQLModel.metadata.tables["displaced_appointment"]
    values = [
        {
            "id": new_id(),
            "absence_id": plan.id,
            "appointment_id": appointment_id,
            "unit_id": unit_id,
            "starts_at": starts_at,
            "version": 1,
        }
        for appointment_id, unit_id, starts_at in new
    ]
    done = await session.exec(insert(table).values(values).on_conflict_do_nothing())
    return done.rowcount
