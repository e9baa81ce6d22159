"""Which other time each displaced appointment could have; proposals that were taken are renewed.

A proposal keeps nobody's time: whoever accepts one that was taken meanwhile is told so, and the
next look proposes another.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.absences import AbsencePlan, DisplacedAppointment
from models.tables.people import Person
from models.tables.schedule import Appointment
from rules.absences import AHEAD, Displaced, FreeBoard
from rules.schedule.hours import FreeSlot, Span
from services.schedule import free, seen

AT_ONCE = 200
"""So many appointments of one unit are proposed other times by one look."""
_STRIDE = timedelta(days=14)
"""Appointments of so many days are looked after with one search, which goes `AHEAD` days."""

Undecided = tuple[DisplacedAppointment, Appointment]


async def propose(session: AsyncSession, plan: AbsencePlan, now: datetime) -> int:
    """Propose a time for what has none, or one that is no longer free. Returns how many changed."""
    found = await session.exec(
        select(DisplacedAppointment, Appointment)
        .join(Appointment, col(Appointment.id) == col(DisplacedAppointment.appointment_id))
        .where(
            DisplacedAppointment.absence_id == plan.id,
            col(DisplacedAppointment.outcome).is_(None),
        )
        .order_by(col(DisplacedAppointment.starts_at), col(DisplacedAppointment.id))
        .limit(AT_ONCE)
        .execution_options(populate_existing=True)
    )
    by_unit: dict[UUID, list[Undecided]] = defaultdict(list)
    for row, appointment in found.all():
        by_unit[row.unit_id].append((row, appointment))
    changed = 0
    for unit_id, lines in by_unit.items():
        while lines:
            until = lines[0][0].starts_at + _STRIDE
            together = [one for one in lines if one[0].starts_at < until]
            lines = lines[len(together) :]
            changed += await _propose(session, plan.person_id, unit_id, together, now)
    return changed


async def _propose(
    session: AsyncSession, absentee: UUID, unit_id: UUID, lines: Sequence[Undecided], now: datetime
) -> int:
    board = await board_of(session, absentee, unit_id, [one for _, one in lines], now)
    wanting = []
    for row, appointment in lines:
        one = displaced(row.id, appointment)
        stands = (
            row.to_clinician_id is not None
            and row.to_starts_at is not None
            and board.take(one, row.to_clinician_id, row.to_starts_at)
        )
        if not stands:
            wanting.append((row, one))
    changed = 0
    for row, one in wanting:
        slot = board.propose(one)
        now_is = (slot.clinician_id, slot.starts_at) if slot else (None, None)
        if now_is == (row.to_clinician_id, row.to_starts_at):
            continue
        done = await session.exec(
            update(DisplacedAppointment)
            .where(
                col(DisplacedAppointment.id) == row.id,
                col(DisplacedAppointment.version) == row.version,
                col(DisplacedAppointment.outcome).is_(None),
            )
            .values(to_clinician_id=now_is[0], to_starts_at=now_is[1], version=row.version + 1)
            .execution_options(synchronize_session=False)
        )
        changed += done.rowcount
    return changed


async def board_of(
    session: AsyncSession,
    absentee: UUID,
    unit_id: UUID,
    appointments: Sequence[Appointment],
    now: datetime,
) -> FreeBoard:
    """The free times of colleagues of one post, and of the absentee after the return."""
    zone = await seen.zone_of_unit(session, unit_id)
    earliest = max(min(one.starts_at for one in appointments), now)
    first = seen.day_in(zone, earliest)
    position = (await session.get_one(Person, absentee)).position
    people = await seen.clinicians(session, frozenset({unit_id}), first)
    able = {one.id for one in people if one.position == position} - {absentee}
    chosen = [absentee, *sorted(able)][: free.MOST_CLINICIANS]
    slots: Sequence[FreeSlot] = [
        slot
        for slot in await free.free_times(session, chosen, first, AHEAD, now)
        if slot.unit_id == unit_id
    ]
    return FreeBoard(slots, await _busy(session, appointments, slots), zone)


async def _busy(
    session: AsyncSession, appointments: Sequence[Appointment], slots: Sequence[FreeSlot]
) -> dict[UUID, list[Span]]:
    """When the patients have other appointments; those that are displaced do not count."""
    if not slots:
        return {}
    own = {(one.patient_id, one.starts_at, one.ends_at) for one in appointments}
    patients = sorted({one.patient_id for one in appointments})
    begins, ends = slots[0].starts_at, max(one.ends_at for one in slots)
    busy: dict[UUID, list[Span]] = defaultdict(list)
    for claim in await free.taken(session, patients, begins, ends):
        if claim not in own:
            busy[claim[0]].append((claim[1], claim[2]))
    return busy


def displaced(row_id: UUID, one: Appointment) -> Displaced:
    """An appointment as the rules know it."""
    return Displaced(row_id, one.clinician_id, one.patient_id, one.starts_at, one.ends_at)
