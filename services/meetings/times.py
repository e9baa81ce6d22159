"""The times at which operators can meet people: opened, offered, withdrawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Date, bindparam, func
from sqlalchemy import cast as sql_cast
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.base import UtcDateTime
from models.tables.meetings import Meeting, MeetingSlot
from models.tables.people import Absence, Person
from rules.access import Actor, Permission
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.meetings import (
    LATEST_BOOKING,
    MOST_AHEAD,
    MOST_SHOWN,
    MeetingState,
    slots_between,
)
from rules.refusals import Refusal, not_found
from services import access
from services.journal import entries as journal


@dataclass(frozen=True)
class Offered:
    """A time that somebody can book."""

    slot_id: UUID
    operator_id: UUID
    starts_at: datetime


async def open_times(
    session: AsyncSession, actor: Actor, day: date, first: time, last: time, now: datetime
) -> int:
    """Offer all meetings between two times of a day, by the clock of the operator's unit.

    Times that are offered already stay; withdrawn ones are offered again. Returns how many there
    are. Raises Refusal 403, 422.
    """
    actor.demand(Permission.MEET_PEOPLE)
    zone = await access.zone_of(session, actor.unit_id)
    starts = slots_between(day, first, last, zone, now)
    await session.exec(select(Person.id).where(Person.id == actor.person_id).with_for_update())
    ahead = await session.exec(
        select(func.count())
        .select_from(MeetingSlot)
        .where(
            MeetingSlot.operator_id == actor.person_id,
            MeetingSlot.starts_at > now,
            col(MeetingSlot.withdrawn_at).is_(None),
        )
    )
    if ahead.one() + len(starts) > MOST_AHEAD:
        raise Refusal("too_many", "Открыто слишком много времени. Закройте лишнее.", 409)
    table = SQLModel.metadata.tables["meeting_slot"]
    await session.exec(
        insert(table)
        .values(
            [{"id": new_id(), "operator_id": actor.person_id, "starts_at": at} for at in starts]
        )
        .on_conflict_do_update(
            index_elements=["operator_id", "starts_at"], set_={"withdrawn_at": None}
        )
    )
    await journal.append(
        session,
        chain=actor.person_id,
        kind=JournalKind.MEETING_TIMES_OPENED,
        at=now,
        by=actor.person_id,
        facts={"from": starts[0].isoformat(), "count": len(starts)},
        lock=True,
    )
    return len(starts)


@lru_cache
def _free() -> Any:
    """Times of operators of the unit `unit_id` that `person_id` can book from `earliest` on."""
    held = access.holding(Permission.MEET_PEOPLE)
    day = sql_cast(func.timezone(held.c.time_zone, col(MeetingSlot.starts_at)), Date)
    away = select(Absence.id).where(
        col(Absence.person_id) == col(MeetingSlot.operator_id),
        col(Absence.first_day) <= day,
        col(Absence.last_day) >= day,
    )
    taken = select(Meeting.id).where(
        col(Meeting.slot_id) == col(MeetingSlot.id),
        col(Meeting.state) != MeetingState.CANCELLED.value,
    )
    return (
        choose(col(MeetingSlot.id), col(MeetingSlot.operator_id), col(MeetingSlot.starts_at))
        .join(held, held.c.person_id == col(MeetingSlot.operator_id))
        .where(
            col(MeetingSlot.withdrawn_at).is_(None),
            col(MeetingSlot.starts_at) >= bindparam("earliest", type_=UtcDateTime()),
            col(MeetingSlot.operator_id) != bindparam("person_id"),
            ~taken.exists(),
            ~away.exists(),
        )
        .order_by(col(MeetingSlot.starts_at), col(MeetingSlot.id))
    )


async def offered(session: AsyncSession, person_id: UUID, now: datetime) -> Sequence[Offered]:
    """The free times for a person, the next ones first, each time once."""
    found = await session.exec(
        _free().limit(MOST_SHOWN), params=await _asked(session, person_id, now)
    )
    by_time: dict[datetime, Offered] = {}
    for row in found.all():
        by_time.setdefault(row.starts_at, Offered(*row))
    return list(by_time.values())


async def one_offered(
    session: AsyncSession, person_id: UUID, slot_id: UUID, now: datetime
) -> Offered | None:
    """The time with this id, locked, if the person can book it; None otherwise."""
    await session.exec(select(MeetingSlot.id).where(MeetingSlot.id == slot_id).with_for_update())
    asked = await _asked(session, person_id, now)
    found = await session.exec(_free().where(col(MeetingSlot.id) == slot_id), params=asked)
    row = found.first()
    return Offered(*row) if row is not None else None


async def _asked(session: AsyncSession, person_id: UUID, now: datetime) -> dict[str, Any]:
    person = await session.get_one(Person, person_id)
    return {
        "unit_id": person.unit_id,
        "person_id": person_id,
        "now": now,
        "earliest": now + LATEST_BOOKING,
    }


async def locked_own(session: AsyncSession, actor: Actor, slot_id: UUID) -> MeetingSlot:
    """A time of the operator's own, locked. Raises Refusal 403, 404."""
    actor.demand(Permission.MEET_PEOPLE)
    found = await session.exec(
        select(MeetingSlot).where(MeetingSlot.id == slot_id).with_for_update()
    )
    slot = found.one_or_none()
    if slot is None or slot.operator_id != actor.person_id:
        raise not_found()
    return slot
