"""Figures of today's appointments in the units where somebody books or plans, without names."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.schedule import Appointment, WaitingWish
from rules.access import Actor, Permission
from rules.refusals import forbidden
from rules.schedule.states import AppointmentState
from services.schedule.seen import units_seen


@dataclass(frozen=True)
class AppointmentsToday:
    """`expected` have not come yet, `arrived` wait at the door, `wishes` have no time at all."""

    expected: int
    arrived: int
    wishes: int


async def appointments_today(
    session: AsyncSession, actor: Actor, now: datetime
) -> AppointmentsToday:
    """Of today by the clock of each appointment: one statement. Raises Refusal 403."""
    units = units_seen(actor)
    if not units:
        raise forbidden()
    wishes = (
        select(func.count())
        .where(
            col(WaitingWish.unit_id).in_(actor.units_with(Permission.BOOK)),
            col(WaitingWish.closed_at).is_(None),
        )
        .scalar_subquery()
    )
    day = func.date(func.timezone(col(Appointment.zone), col(Appointment.starts_at)))
    around = timedelta(days=1)
    connection = await session.connection()
    found = await connection.execute(
        select(
            func.count().filter(col(Appointment.state) == AppointmentState.BOOKED.value),
            func.count().filter(col(Appointment.state) == AppointmentState.ARRIVED.value),
            wishes,
        ).where(
            col(Appointment.unit_id).in_(units),
            col(Appointment.starts_at).between(now - around, now + around),
            day == func.date(func.timezone(col(Appointment.zone), now)),
        )
    )
    return AppointmentsToday(*found.one())
