"""Absences as people see them: the list, one with its appointments, times to choose from, figures.

Whoever plans a unit sees its absences and its appointments. Names of patients are shown to those
who book in the unit, and telephone numbers where somebody has to be called.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as choose
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.absences import AbsencePlan, DisplacedAppointment
from models.tables.patients import Patient
from models.tables.people import Person, Unit
from models.tables.schedule import Appointment
from rules.absences import (
    FOR_GOOD,
    AbsenceReason,
    AbsenceState,
    DisplacedOutcome,
    PatientTelling,
)
from rules.access import Actor, Permission
from rules.journal.tags import ViewCode
from rules.refusals import not_found
from rules.schedule.hours import FreeSlot
from services.absences import proposing
from services.journal import entries as journal

PLAN = Permission.PLAN_SCHEDULE
MOST_SHOWN = 500
MOST_CHOICES = 60


@dataclass(frozen=True)
class AbsenceSeen:
    """An absence; `waits` counts appointments of the actor's units that somebody has to see to."""

    id: UUID
    version: int
    person_id: UUID
    person: str
    position: str
    unit_id: UUID
    unit: str
    zone: str
    first_day: date
    last_day: date
    reason: AbsenceReason
    state: AbsenceState
    changeable: bool
    waits: int
    all: int
    earliest: datetime | None


@dataclass(frozen=True)
class DisplacedSeen:
    """A displaced appointment. `patient` is empty where the name is not the actor's to see."""

    id: UUID
    version: int
    appointment_id: UUID
    unit_id: UUID
    zone: str
    starts_at: datetime
    ends_at: datetime
    patient: str
    phone: str
    to_clinician: str
    to_position: str
    to_starts_at: datetime | None
    same_clinician: bool
    outcome: DisplacedOutcome | None
    telling: PatientTelling | None
    moved_to: UUID | None
    settled_by: str
    done: bool


@dataclass(frozen=True)
class AbsencePage:
    """One absence with the appointments of the actor's units, those that wait first."""

    absence: AbsenceSeen
    waiting: Sequence[DisplacedSeen]
    done: Sequence[DisplacedSeen]


@dataclass(frozen=True)
class OtherTime:
    """A free time to choose in place of the one proposed."""

    clinician_id: UUID
    clinician: str
    starts_at: datetime
    ends_at: datetime


async def listed(session: AsyncSession, actor: Actor, today: date) -> Sequence[AbsenceSeen]:
    """Absences that last or are to come, or for which somebody waits. Raises Refusal 403.

    Those for which most urgently somebody waits come first. Of people who leave for good only those
    for whom somebody waits.
    """
    actor.demand(PLAN)
    open_one = choose(col(DisplacedAppointment.id)).where(
        col(DisplacedAppointment.absence_id) == col(AbsencePlan.id),
        col(DisplacedAppointment.done_at).is_(None),
    )
    lasts = col(AbsencePlan.last_day).between(today, FOR_GOOD - timedelta(days=1)) & (
        col(AbsencePlan.state) != AbsenceState.WITHDRAWN.value
    )
    found = await _absences(session, actor, lasts | open_one.exists())
    waiting = [one for one in found if one.earliest is not None]
    waiting.sort(key=lambda one: (one.earliest, one.person))
    return waiting + [one for one in found if one.earliest is None]


async def page(session: AsyncSession, actor: Actor, plan_id: UUID) -> AbsencePage:
    """One absence; that it was seen is recorded. Raises Refusal 403, 404."""
    actor.demand(PLAN)
    found = await _absences(session, actor, col(AbsencePlan.id) == plan_id)
    if not found:
        raise not_found()
    await journal.record_view(session, actor, plan_id, ViewCode.SCHEDULE)
    rows = await _displaced(
        session,
        actor,
        col(DisplacedAppointment.absence_id) == plan_id,
    )
    return AbsencePage(
        found[0],
        waiting=[one for one in rows if not one.done],
        done=[one for one in rows if one.done],
    )


async def one(session: AsyncSession, actor: Actor, displaced_id: UUID) -> DisplacedSeen:
    """One displaced appointment; that it was seen is recorded. Raises Refusal 403, 404."""
    actor.demand(PLAN)
    rows = await _displaced(session, actor, col(DisplacedAppointment.id) == displaced_id)
    if not rows:
        raise not_found()
    await journal.record_view(session, actor, rows[0].appointment_id, ViewCode.SCHEDULE)
    return rows[0]


async def absence_of(session: AsyncSession, actor: Actor, displaced_id: UUID) -> UUID:
    """The absence that displaces an appointment. Raises Refusal 403, 404."""
    actor.demand(PLAN)
    row = await session.get(DisplacedAppointment, displaced_id)
    if row is None or not actor.may(PLAN, row.unit_id):
        raise not_found()
    return row.absence_id


async def choices(
    session: AsyncSession, actor: Actor, displaced_id: UUID, now: datetime
) -> Sequence[OtherTime]:
    """Times that an appointment could have, in order. Raises Refusal 403, 404."""
    await one(session, actor, displaced_id)
    row = await session.get_one(DisplacedAppointment, displaced_id)
    old = await session.get_one(Appointment, row.appointment_id)
    board = await proposing.board_of(session, old.clinician_id, row.unit_id, [old], now)
    slots = board.others(proposing.displaced(row.id, old), MOST_CHOICES)
    return await _named(session, slots)


async def _named(session: AsyncSession, slots: Sequence[FreeSlot]) -> Sequence[OtherTime]:
    people = {one.clinician_id for one in slots}
    found = await session.exec(select(Person.id, Person.name).where(col(Person.id).in_(people)))
    names = dict(found.all())
    return [
        OtherTime(one.clinician_id, names[one.clinician_id], one.starts_at, one.ends_at)
        for one in slots
    ]


async def figures(session: AsyncSession, actor: Actor) -> tuple[int, int, datetime | None]:
    """How many appointments wait, how many patients are to be called, and when the first would be.

    One statement, without names. Raises Refusal 403.
    """
    actor.demand(PLAN)
    calls = col(DisplacedAppointment.telling) == PatientTelling.CALL.value
    undecided = col(DisplacedAppointment.outcome).is_(None)
    connection = await session.connection()
    found = await connection.execute(
        choose(
            func.count().filter(undecided),
            func.count().filter(calls),
            func.min(col(DisplacedAppointment.starts_at)).filter(undecided),
        ).where(
            col(DisplacedAppointment.unit_id).in_(actor.units_with(PLAN)),
            col(DisplacedAppointment.done_at).is_(None),
        )
    )
    waits, to_call, earliest = found.one()
    return waits, to_call, earliest


async def _absences(
    session: AsyncSession, actor: Actor, which: ColumnElement[bool]
) -> list[AbsenceSeen]:
    units = actor.units_with(PLAN)
    theirs = col(DisplacedAppointment.absence_id) == col(AbsencePlan.id)
    theirs = theirs & col(DisplacedAppointment.unit_id).in_(units)
    open_ones = col(DisplacedAppointment.done_at).is_(None)
    counted: Any = (
        choose(
            func.count().filter(open_ones).label("waits"),
            func.count().label("total"),
            func.min(col(DisplacedAppointment.starts_at)).filter(open_ones).label("earliest"),
        )
        .where(theirs)
        .lateral("counted")
    )
    wanted: Any = (
        choose(
            AbsencePlan,
            col(Person.name).label("person"),
            col(Person.position),
            col(Unit.name).label("unit"),
            col(Unit.time_zone),
            counted.c.waits,
            counted.c.total,
            counted.c.earliest,
        )
        .join(Person, col(Person.id) == col(AbsencePlan.person_id))
        .join(Unit, col(Unit.id) == col(AbsencePlan.unit_id))
        .join(counted, counted.c.total >= 0)
        .where(which, col(AbsencePlan.unit_id).in_(units) | (counted.c.total > 0))
        .order_by(col(AbsencePlan.first_day))
        .limit(MOST_SHOWN)
    )
    found = await session.exec(wanted)
    return [_absence(row, units) for row in found.all()]


def _absence(row: Any, units: frozenset[UUID]) -> AbsenceSeen:
    plan: AbsencePlan = row[0]
    return AbsenceSeen(
        id=plan.id,
        version=plan.version,
        person_id=plan.person_id,
        person=row.person,
        position=row.position,
        unit_id=plan.unit_id,
        unit=row.unit,
        zone=row.time_zone,
        first_day=plan.first_day,
        last_day=plan.last_day,
        reason=AbsenceReason(plan.reason),
        state=AbsenceState(plan.state),
        changeable=plan.planned_by is not None
        and plan.unit_id in units
        and plan.state != AbsenceState.WITHDRAWN,
        waits=row.waits,
        all=row.total,
        earliest=row.earliest,
    )


async def _displaced(
    session: AsyncSession, actor: Actor, which: ColumnElement[bool]
) -> list[DisplacedSeen]:
    """Displaced appointments of the actor's units, by time."""
    to, by = aliased(Person), aliased(Person)
    wanted: Any = (
        choose(
            DisplacedAppointment,
            Appointment,
            col(Patient.name).label("patient"),
            col(Patient.phone).label("phone"),
            col(to.name).label("to_name"),
            col(to.position).label("to_position"),
            col(by.name).label("by_name"),
        )
        .join(Appointment, col(Appointment.id) == col(DisplacedAppointment.appointment_id))
        .join(Patient, col(Patient.id) == col(Appointment.patient_id))
        .outerjoin(to, col(to.id) == col(DisplacedAppointment.to_clinician_id))
        .outerjoin(by, col(by.id) == col(DisplacedAppointment.settled_by))
        .where(which, col(DisplacedAppointment.unit_id).in_(actor.units_with(PLAN)))
        .order_by(
            col(DisplacedAppointment.done_at).is_not(None),
            col(DisplacedAppointment.starts_at),
            col(DisplacedAppointment.id),
        )
        .limit(MOST_SHOWN)
    )
    found = await session.exec(wanted)
    return [_line(row, actor) for row in found.all()]


def _line(row: Any, actor: Actor) -> DisplacedSeen:
    one: DisplacedAppointment = row[0]
    appointment: Appointment = row[1]
    named = actor.may(Permission.BOOK, one.unit_id)
    telling = PatientTelling(one.telling) if one.telling else None
    return DisplacedSeen(
        id=one.id,
        version=one.version,
        appointment_id=one.appointment_id,
        unit_id=one.unit_id,
        zone=appointment.zone,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        patient=row.patient if named else "",
        phone=(row.phone or "") if named and telling is PatientTelling.CALL else "",
        to_clinician=row.to_name or "",
        to_position=row.to_position or "",
        to_starts_at=one.to_starts_at,
        same_clinician=one.to_clinician_id == appointment.clinician_id,
        outcome=DisplacedOutcome(one.outcome) if one.outcome else None,
        telling=telling,
        moved_to=appointment.moved_to,
        settled_by=row.by_name or "",
        done=one.done_at is not None,
    )
