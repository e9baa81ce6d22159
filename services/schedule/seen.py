"""The schedule as people see it: a clinician's day and week, a unit, the journal of visits.

Names of patients are shown to their clinician and to those who book in the unit; whoever only plans
sees that a time is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Uuid, bindparam, func
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectRows
from models.tables.base import UtcDateTime
from models.tables.patients import Patient
from models.tables.people import Person, Unit
from models.tables.schedule import Appointment, TreatmentRoom, WaitingWish, WorkingHours
from rules.access import Actor, Permission
from rules.journal.tags import ViewCode
from rules.refusals import forbidden, not_found
from rules.schedule.hours import parted
from rules.schedule.states import FREES, AppointmentState, steps_from
from services import access
from services.journal import entries as journal
from services.patients import ways
from services.schedule import free

MOST_SHOWN = 1000
LOOKED_AHEAD = timedelta(days=31)
"""So far ahead appointments are looked through for those that cannot take place as booked."""
_SHOWN = [one.value for one in AppointmentState if one not in FREES]


class AppointmentTrouble(StrEnum):
    """Why an appointment needs somebody to look after it."""

    PARTED = "parted"
    """The clock shows another time at its moment than was agreed on."""
    OUTSIDE = "outside"
    """The clinician does not work then: hours have changed, or the clinician is absent."""


TROUBLE_WORDS: dict[AppointmentTrouble, str] = {
    AppointmentTrouble.PARTED: "время на часах изменилось",
    AppointmentTrouble.OUTSIDE: "врач в это время не принимает",
}


@dataclass(frozen=True)
class AppointmentSeen:
    """An appointment for whoever may see it; `patient` is empty where the name is not theirs."""

    id: UUID
    version: int
    state: AppointmentState
    clinician_id: UUID
    clinician: str
    position: str
    patient_id: UUID | None
    patient: str
    room: str
    unit_id: UUID
    starts_at: datetime
    ends_at: datetime
    zone: str
    wall: datetime
    overbooked: bool
    moved_to: UUID | None
    reason: str
    changed_at: datetime
    trouble: AppointmentTrouble | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that its state allows."""
        return tuple(one.value for one in steps_from(self.state))


@dataclass(frozen=True)
class Clinician:
    """Somebody who has hours in a unit."""

    id: UUID
    name: str
    position: str
    unit_id: UUID
    zone: str = ""
    """By whose clock their days begin."""


def _query(*wanted: Any) -> Any:
    return (
        choose(
            Appointment,
            col(Person.name),
            col(Person.position),
            col(Patient.name),
            col(TreatmentRoom.name),
        )
        .join(Person, col(Person.id) == col(Appointment.clinician_id))
        .join(Patient, col(Patient.id) == col(Appointment.patient_id))
        .outerjoin(TreatmentRoom, col(TreatmentRoom.id) == col(Appointment.room_id))
        .where(*wanted)
    )


@lru_cache
def _days_of_clinician(*, own: bool) -> DirectRows:
    """What stands between two moments; of others only in the units that are seen."""
    begins, ends = (bindparam(name, type_=UtcDateTime()) for name in ("begins", "ends"))
    wanted = [
        col(Appointment.clinician_id) == bindparam("clinician_id"),
        col(Appointment.starts_at) >= begins,
        col(Appointment.starts_at) < ends,
        col(Appointment.state).in_(_SHOWN),
    ]
    if not own:
        units = bindparam("units", type_=ARRAY(Uuid()))
        wanted.append(col(Appointment.unit_id) == func.any(units))
    return DirectRows(_in_order(_query(*wanted)))


def _seen(row: Any, actor: Actor, trouble: AppointmentTrouble | None = None) -> AppointmentSeen:
    one, clinician, position, patient, room = row
    own = one.clinician_id == actor.person_id and actor.may(Permission.TREAT)
    named = own or actor.may(Permission.BOOK, one.unit_id)
    if trouble is None and parted(one.starts_at, one.wall, one.zone):
        trouble = AppointmentTrouble.PARTED
    return AppointmentSeen(
        id=one.id,
        version=one.version,
        state=AppointmentState(one.state),
        clinician_id=one.clinician_id,
        clinician=clinician,
        position=position,
        patient_id=one.patient_id if named else None,
        patient=patient if named else "",
        room=room or "",
        unit_id=one.unit_id,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        zone=one.zone,
        wall=one.wall,
        overbooked=one.overbooked,
        moved_to=one.moved_to,
        reason=(one.reason or "") if named else "",
        changed_at=one.changed_at,
        trouble=trouble,
    )


def units_seen(actor: Actor) -> frozenset[UUID]:
    """The units whose schedule the person sees."""
    return actor.units_with(Permission.BOOK) | actor.units_with(Permission.PLAN_SCHEDULE)


def bounds(first: date, days: int, zone: str) -> tuple[datetime, datetime]:
    """The moments between which days lie by the clock of a zone."""
    here = ZoneInfo(zone)
    last = first + timedelta(days=days)
    return datetime.combine(first, time(), here), datetime.combine(last, time(), here)


async def zone_of_unit(session: AsyncSession, unit_id: UUID) -> str:
    """The zone by whose clock a unit works. Raises Refusal 404."""
    if await session.get(Unit, unit_id) is None:
        raise not_found()
    return (await access.zone_of(session, unit_id)).key


def day_in(zone: str, at: datetime) -> date:
    """The day of a moment by the clock of a zone."""
    return at.astimezone(ZoneInfo(zone)).date()


async def clinician(session: AsyncSession, clinician_id: UUID) -> Clinician:
    """A person by name, post and zone. Raises Refusal 404."""
    found = await _CLINICIAN.one_or_none(session, {"clinician_id": clinician_id})
    if found is None:
        raise not_found()
    return Clinician(*found)


_CLINICIAN = DirectRows(
    choose(
        col(Person.id),
        col(Person.name),
        col(Person.position),
        col(Person.unit_id),
        col(Unit.time_zone),
    )
    .join(Unit, col(Unit.id) == col(Person.unit_id))
    .where(col(Person.id) == bindparam("clinician_id"))
)


async def of_clinician(
    session: AsyncSession, actor: Actor, clinician_id: UUID, first: date, days: int, zone: str
) -> Sequence[AppointmentSeen]:
    """What a clinician has on some days, of what the actor may see; that it was seen is recorded.

    Raises Refusal 403.
    """
    own = clinician_id == actor.person_id and actor.may(Permission.TREAT)
    if not own and not units_seen(actor):
        raise forbidden()
    begins, ends = bounds(first, days, zone)
    values: dict[str, Any] = {"clinician_id": clinician_id, "begins": begins, "ends": ends}
    if not own:
        values["units"] = list(units_seen(actor))
        await journal.record_view(session, actor, clinician_id, ViewCode.SCHEDULE)
    rows = await _days_of_clinician(own=own).all(session, values)
    return [_seen(row, actor) for row in rows]


async def of_unit(
    session: AsyncSession,
    actor: Actor,
    unit_id: UUID,
    first: date,
    days: int,
    states: Sequence[AppointmentState] = (),
) -> Sequence[AppointmentSeen]:
    """What a unit has on some days, by its own clock; that it was seen is recorded.

    Raises Refusal 403, 404.
    """
    _demand_unit(actor, unit_id)
    zone = (await access.zone_of(session, unit_id)).key
    begins, ends = bounds(first, days, zone)
    wanted = _query().where(
        Appointment.unit_id == unit_id,
        Appointment.starts_at >= begins,
        Appointment.starts_at < ends,
        col(Appointment.state).in_([one.value for one in states] or _SHOWN),
    )
    await journal.record_view(session, actor, unit_id, ViewCode.SCHEDULE)
    return await _all(session, actor, wanted)


def _demand_unit(actor: Actor, unit_id: UUID) -> None:
    seen = units_seen(actor)
    if unit_id not in seen:
        raise not_found() if seen else forbidden()


async def one(session: AsyncSession, actor: Actor, appointment_id: UUID) -> AppointmentSeen:
    """One appointment. Raises Refusal 403, 404."""
    if not (actor.may(Permission.TREAT) or units_seen(actor)):
        raise forbidden()
    found = await session.exec(_query().where(Appointment.id == appointment_id))
    row = found.one_or_none()
    if row is None or not (
        row[0].clinician_id == actor.person_id or row[0].unit_id in units_seen(actor)
    ):
        raise not_found()
    seen = _seen(row, actor)
    if seen.patient_id is not None and seen.clinician_id != actor.person_id:
        await journal.record_view(session, actor, appointment_id, ViewCode.SCHEDULE)
    return seen


async def to_settle(
    session: AsyncSession, actor: Actor, unit_id: UUID, now: datetime
) -> Sequence[AppointmentSeen]:
    """What is booked in a unit and cannot take place so: shown until somebody has settled it.

    Raises Refusal 403, 404.
    """
    _demand_unit(actor, unit_id)
    found = await session.exec(
        _query()
        .where(
            Appointment.unit_id == unit_id,
            Appointment.state == AppointmentState.BOOKED.value,
            Appointment.ends_at > now,
            Appointment.starts_at < now + LOOKED_AHEAD,
        )
        .order_by(col(Appointment.starts_at))
        .limit(MOST_SHOWN)
    )
    rows = found.all()
    if not rows:
        return []
    first, last = now.date() - timedelta(days=1), (now + LOOKED_AHEAD).date() + timedelta(days=1)
    plan = await free.plan(session, {row[0].clinician_id for row in rows}, first, last)
    by_clinician = plan.by_clinician()
    settled = []
    for row in rows:
        booked = row[0]
        hours = by_clinician[booked.clinician_id].hours_at(booked.starts_at, booked.ends_at)
        if parted(booked.starts_at, booked.wall, booked.zone):
            settled.append(_seen(row, actor, AppointmentTrouble.PARTED))
        elif hours is None and not booked.overbooked:
            settled.append(_seen(row, actor, AppointmentTrouble.OUTSIDE))
    return settled


async def clinicians(
    session: AsyncSession, units: frozenset[UUID], today: date
) -> Sequence[Clinician]:
    """Who has hours in these units, by post and name; people who have left are not there."""
    found = await session.exec(
        select(Person.id, Person.name, Person.position, WorkingHours.unit_id)
        .join(WorkingHours, col(WorkingHours.clinician_id) == col(Person.id))
        .where(
            col(WorkingHours.unit_id).in_(units),
            col(WorkingHours.valid_until).is_(None) | (col(WorkingHours.valid_until) >= today),
            access.works_here(),
        )
        .distinct()
        .limit(MOST_SHOWN)
    )
    listed = [Clinician(*row) for row in found.all()]
    return sorted(listed, key=lambda one: (one.position, one.name))


async def units(session: AsyncSession, actor: Actor) -> Sequence[Unit]:
    """The units whose schedule the person sees, by name."""
    found = await session.exec(select(Unit).where(col(Unit.id).in_(units_seen(actor))))
    return sorted(found.all(), key=lambda unit: unit.name)


async def unit_to_open(session: AsyncSession, actor: Actor) -> UUID | None:
    """The unit whose day is opened first: one's own, unless patients are seen in others alone.

    None for who sees no unit's schedule.
    """
    seen_units = units_seen(actor)
    found = await session.exec(
        select(WorkingHours.unit_id, func.count())
        .where(col(WorkingHours.unit_id).in_(seen_units))
        .group_by(col(WorkingHours.unit_id))
    )
    worked = dict(found.all())
    if actor.unit_id in seen_units and (not worked or actor.unit_id in worked):
        return actor.unit_id
    return max(worked or seen_units, key=lambda unit: (worked.get(unit, 0), unit), default=None)


async def on_my_list_today(
    session: AsyncSession, actor: Actor, patient_ids: frozenset[UUID], now: datetime
) -> frozenset[UUID]:
    """Which of these patients a clinician sees today, by the clock of the appointment."""
    found = await session.exec(
        select(Appointment.patient_id, Appointment.starts_at, Appointment.zone).where(
            Appointment.clinician_id == actor.person_id,
            col(Appointment.patient_id).in_(patient_ids),
            Appointment.starts_at > now - timedelta(days=1),
            Appointment.starts_at < now + timedelta(days=1),
            col(Appointment.state).in_([s for s in _SHOWN if s != AppointmentState.HELD.value]),
        )
    )
    return frozenset(
        patient_id
        for patient_id, at, zone in found.all()
        if at.astimezone(ZoneInfo(zone)).date() == now.astimezone(ZoneInfo(zone)).date()
    )


async def _all(session: AsyncSession, actor: Actor, wanted: Any) -> Sequence[AppointmentSeen]:
    found = await session.exec(_in_order(wanted))
    return [_seen(row, actor) for row in found.all()]


def _in_order(wanted: Any) -> Any:
    return wanted.order_by(col(Appointment.starts_at), col(Appointment.id)).limit(MOST_SHOWN)


@dataclass(frozen=True)
class WaitingSeen:
    """Somebody who waits for a time."""

    id: UUID
    patient_id: UUID
    patient: str
    unit_id: UUID
    clinician: str
    note: str
    added_at: datetime


async def waiting(session: AsyncSession, actor: Actor) -> Sequence[WaitingSeen]:
    """Who waits for a time in the units where the person books, the longest first.

    Raises Refusal 403.
    """
    actor.demand(Permission.BOOK)
    found = await session.exec(
        select(WaitingWish, Patient.name, Person.name)
        .join(Patient, col(Patient.id) == col(WaitingWish.patient_id))
        .outerjoin(Person, col(Person.id) == col(WaitingWish.clinician_id))
        .where(
            col(WaitingWish.unit_id).in_(actor.units_with(Permission.BOOK)),
            col(WaitingWish.closed_at).is_(None),
        )
        .order_by(col(WaitingWish.added_at))
        .limit(MOST_SHOWN)
    )
    return [
        WaitingSeen(
            id=one.id,
            patient_id=one.patient_id,
            patient=patient,
            unit_id=one.unit_id,
            clinician=clinician or "",
            note=one.note,
            added_at=one.added_at,
        )
        for one, patient, clinician in found.all()
    ]


ways.opens("on_my_list_today", on_my_list_today, "Вы были записаны к этому сотруднику в этот день")
