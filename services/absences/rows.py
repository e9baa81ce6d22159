"""What services of absences share: conditions, journal, who is told."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, func
from sqlalchemy import cast as sql_cast
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.absences import AbsencePlan
from models.tables.schedule import Appointment
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.schedule.states import AppointmentState
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent

SYSTEM = "absences"


def day_of_appointment() -> ColumnElement[date]:
    """The day of an appointment by its own clock."""
    return sql_cast(func.timezone(col(Appointment.zone), col(Appointment.starts_at)), Date)


def is_displaced(person_id: Any, first_day: Any, last_day: Any) -> ColumnElement[bool]:
    """The condition that an appointment is booked with somebody on days of an absence."""
    day = day_of_appointment()
    displaced: ColumnElement[bool] = (
        (col(Appointment.clinician_id) == person_id)
        & (col(Appointment.state) == AppointmentState.BOOKED.value)
        & (day >= first_day)
        & (day <= last_day)
    )
    return displaced


async def note(
    session: AsyncSession,
    plan_id: UUID,
    kind: JournalKind,
    now: datetime,
    by: UUID | None,
    facts: Mapping[str, Any],
    contents: Mapping[str, str] | None = None,
) -> None:
    """Journal something in the chain of an absence."""
    await journal.append(
        session,
        chain=plan_id,
        kind=kind,
        at=now,
        by=by,
        system=None if by else SYSTEM,
        facts=facts,
        contents=contents,
        lock=True,
    )


async def tell(
    session: AsyncSession,
    plan: AbsencePlan,
    people: Iterable[UUID],
    kind: NoticeKind,
    more: str,
    now: datetime,
) -> None:
    """Tell people of an absence; the notice names its page and no more."""
    events = [
        NoticeEvent(one, kind, f"{plan.id}:{kind}:{more}", facts={"absence": str(plan.id)})
        for one in people
    ]
    await outbox.enqueue_all(session, events, now)
