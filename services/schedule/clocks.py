"""What the clinic does when a time has come: holds run out, days come up, nobody came.

The standing workflow `clinic-clocks` asks every subject that is registered here, again and again.
Each change is one conditional statement, so a second worker that looks at the same moment changes
nothing more.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.schedule import Appointment
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.schedule.hours import wall_of
from rules.schedule.states import MISSED_AFTER, AppointmentState
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.schedule import claims
from services.schedule.acts import event_of

Drain = Callable[[AsyncSession, datetime], Awaitable[int]]
"""Does what is due in one unit of work, a bounded piece of it, and returns how much that was."""

BATCH = 100
_CLOCKS: dict[str, Drain] = {}


def register(name: str, drain: Drain) -> None:
    """Let the clock ask this subject too."""
    _CLOCKS[name] = drain


async def drain_all(database: Database) -> int:
    """Do all that is due of all subjects. Returns how much it was."""
    done = 0
    for drain in _CLOCKS.values():
        while True:
            async with database.work() as session:
                now_done = await drain(session, present())
            done += now_done
            if now_done < BATCH:
                break
    return done


async def _drain(session: AsyncSession, now: datetime) -> int:
    found = await session.exec(
        select(Appointment)
        .where(col(Appointment.looks_at) <= now)
        .order_by(col(Appointment.looks_at))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    due = found.all()
    if any(one.state == AppointmentState.HELD for one in due):
        for ended in await claims.let_holds_end(session, now):
            await _note(session, ended, AppointmentState.HELD, AppointmentState.CANCELLED, now)
    for one in due:
        if one.state == AppointmentState.BOOKED:
            await _look(session, one, now)
    return len(due)


async def _look(session: AsyncSession, row: Appointment, now: datetime) -> None:
    """Remind of the day that comes up, once for all its appointments, or close what nobody came to.

    The row is locked.
    """
    if now < row.ends_at + MISSED_AFTER:
        if now < row.starts_at:
            await outbox.enqueue_all(session, [_coming_up(row)], now)
        await _change(session, row, {"looks_at": row.ends_at + MISSED_AFTER})
        return
    no_show = AppointmentState.NO_SHOW
    values = {
        "state": no_show.value,
        "version": row.version + 1,
        "changed_at": now,
        "looks_at": None,
    }
    await _change(session, row, values)
    await _note(session, row.id, AppointmentState.BOOKED, no_show, now)
    event = event_of(row, NoticeKind.APPOINTMENT_MISSED, str(row.version))
    await outbox.enqueue_all(session, [event], now)


def _coming_up(row: Appointment) -> NoticeEvent:
    """One notice for the day: that of its first appointment."""
    event = event_of(row, NoticeKind.APPOINTMENTS_SOON, "")
    day = wall_of(row.starts_at, row.zone).date()
    return NoticeEvent(
        event.person_id, event.kind, f"{row.clinician_id}:{day}:soon", facts=event.facts
    )


async def _change(session: AsyncSession, row: Appointment, values: Mapping[str, object]) -> None:
    await session.exec(
        update(Appointment)
        .where(col(Appointment.id) == row.id)
        .values(values)
        .execution_options(synchronize_session=False)
    )


async def _note(
    session: AsyncSession,
    chain: UUID,
    was: AppointmentState,
    to: AppointmentState,
    now: datetime,
) -> None:
    await journal.append(
        session,
        chain=chain,
        kind=JournalKind.APPOINTMENT_CHANGED,
        at=now,
        system="clinic-clocks",
        facts={"from": was.value, "to": to.value},
    )


register("schedule", _drain)
