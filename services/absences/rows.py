"""What services of absences share: conditions, journal, who is told."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Subquery, Uuid, func, literal, union_all
from sqlalchemy import cast as sql_cast
from sqlalchemy import select as choose
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.absences import AbsencePlan
from models.tables.people import Absence, Person, Unit
from models.tables.schedule import Appointment
from rules.absences import FOR_GOOD
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.schedule.states import AppointmentState
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent

SYSTEM = "absences"


@lru_cache
def away() -> Subquery:
    """Who is away on which days, as `id`, `person_id`, `first_day`, `last_day`.

    That are absences, whoever entered them, and departures: whoever leaves is away for good from
    the first day after. A departure has an id of its person's own, the same at each question.
    """
    own_id = sql_cast(func.md5(func.concat("departure:", col(Person.id))), Uuid())
    first_day = sql_cast(func.timezone(col(Unit.time_zone), col(Person.left_at)), Date)
    return union_all(
        choose(
            col(Absence.id),
            col(Absence.person_id),
            col(Absence.first_day),
            col(Absence.last_day),
        ),
        choose(
            own_id.label("id"),
            col(Person.id).label("person_id"),
            first_day.label("first_day"),
            literal(FOR_GOOD, Date).label("last_day"),
        )
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .where(col(Person.left_at).is_not(None)),
    ).subquery("away")


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
