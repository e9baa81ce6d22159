"""Who plans a unit's schedule: rooms, hours of the week, and days that differ from them.

Nothing here touches what is booked: appointments that lie outside of the hours now are shown to
whoever plans, until somebody has moved or cancelled them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.people import Person, Unit
from models.tables.schedule import HoursException, TreatmentRoom, WorkingHours
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal, not_found
from rules.schedule.hours import demand_hours, wrong
from rules.texts.cleaning import one_line
from services import access
from services.journal import entries as journal
from services.notices import outbox

LONGEST_NAME = 60
MOST_ROOMS = 200
MOST_PEOPLE = 1000
MOST_HOURS = 200
"""So many lines of hours may stand for one clinician."""


StandingHours = WorkingHours
StandingException = HoursException
"""What `hours_of` finds."""


@dataclass(frozen=True)
class HoursWish:
    """Hours that are to be worked: of days of the week, or of one day."""

    clinician_id: UUID
    unit_id: UUID
    room_id: UUID | None
    starts: int
    ends: int
    step: int


class Planning:
    """The acts of those who plan."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_room(self, actor: Actor, unit_id: UUID, name: str) -> UUID:
        """Name a room of a unit; one that was closed opens again. Raises Refusal 403, 422."""
        actor.demand(Permission.PLAN_SCHEDULE, unit_id)
        said = one_line(name)
        if not 1 <= len(said) <= LONGEST_NAME:
            raise wrong("name", "Назовите кабинет: до 60 знаков.")
        now = present()
        async with self._database.work() as session:
            known = await session.exec(
                select(TreatmentRoom.id).where(TreatmentRoom.unit_id == unit_id)
            )
            if len(known.all()) >= MOST_ROOMS:
                raise Refusal("too_many", "Кабинетов слишком много.", 409)
            table = SQLModel.metadata.tables["room"]
            added = await session.exec(
                insert(table)
                .values(id=new_id(), unit_id=unit_id, name=said, closed_at=None)
                .on_conflict_do_update(index_elements=["unit_id", "name"], set_={"closed_at": None})
                .returning(table.c.id)
            )
            room_id: UUID = added.scalar_one()
            await _note(session, unit_id, actor, now, {"what": "room", "room": str(room_id)})
        return room_id

    async def close_room(self, actor: Actor, room_id: UUID) -> None:
        """Offer a room no longer. Closing it again changes nothing. Raises Refusal 403, 404."""
        now = present()
        async with self._database.work() as session:
            room = await session.get(TreatmentRoom, room_id, with_for_update=True)
            if room is None or not actor.may(Permission.PLAN_SCHEDULE, room.unit_id):
                raise _hidden(actor)
            if room.closed_at is None:
                room.closed_at = now
                session.add(room)
                facts = {"what": "room_closed", "room": str(room_id)}
                await _note(session, room.unit_id, actor, now, facts)

    async def add_hours(
        self,
        actor: Actor,
        wish: HoursWish,
        weekdays: Sequence[int],
        valid_from: date,
        valid_until: date | None,
    ) -> None:
        """Let somebody work on days of the week (0 is Monday), by the clock of the unit.

        Hours that stand already stay. Raises Refusal 403, 409, 422.
        """
        if not weekdays or not all(0 <= one <= 6 for one in weekdays):
            raise wrong("weekdays", "Выберите дни недели.")
        if valid_until is not None and valid_until < valid_from:
            raise wrong("valid_until", "Последний день раньше первого.")
        now = present()
        async with self._database.work() as session:
            common = await self._demanded(session, actor, wish, now)
            rows = [
                {
                    **common,
                    "id": new_id(),
                    "weekday": one,
                    "valid_from": valid_from,
                    "valid_until": valid_until,
                }
                for one in sorted(set(weekdays))
            ]
            table = SQLModel.metadata.tables["working_hours"]
            await session.exec(insert(table).values(rows).on_conflict_do_nothing())
            await self._changed(session, actor, wish.clinician_id, now, {"what": "hours"})

    async def end_hours(self, actor: Actor, hours_id: UUID, last_day: date) -> None:
        """Let hours of the week end with a day. Raises Refusal 403, 404, 422."""
        now = present()
        async with self._database.work() as session:
            row = await session.get(WorkingHours, hours_id, with_for_update=True)
            if row is None or not actor.may(Permission.PLAN_SCHEDULE, row.unit_id):
                raise _hidden(actor)
            if last_day < row.valid_from:
                raise wrong("last_day", "Последний день раньше первого.")
            if row.valid_until != last_day:
                row.valid_until = last_day
                session.add(row)
                await session.flush()
                facts = {"what": "hours_end", "hours": str(hours_id)}
                await self._changed(session, actor, row.clinician_id, now, facts)

    async def add_exception(self, actor: Actor, wish: HoursWish, day: date, *, works: bool) -> None:
        """Let somebody work on one day besides, or not work. Raises Refusal 403, 409, 422."""
        now = present()
        async with self._database.work() as session:
            common = await self._demanded(session, actor, wish, now)
            row = {**common, "id": new_id(), "works": works, "day": day, "taken_back_at": None}
            table = SQLModel.metadata.tables["hours_exception"]
            await session.exec(insert(table).values(row).on_conflict_do_nothing())
            facts = {"what": "exception", "day": day.isoformat(), "works": works}
            await self._changed(session, actor, wish.clinician_id, now, facts, day)

    async def take_back(self, actor: Actor, exception_id: UUID) -> None:
        """Take an exception back. Doing it again changes nothing. Raises Refusal 403, 404."""
        now = present()
        async with self._database.work() as session:
            row = await session.get(HoursException, exception_id, with_for_update=True)
            if row is None or not actor.may(Permission.PLAN_SCHEDULE, row.unit_id):
                raise _hidden(actor)
            if row.taken_back_at is None:
                row.taken_back_at = now
                session.add(row)
                await session.flush()
                facts = {"what": "exception_taken_back", "day": row.day.isoformat()}
                await self._changed(session, actor, row.clinician_id, now, facts, row.day)

    async def _demanded(
        self, session: AsyncSession, actor: Actor, wish: HoursWish, now: datetime
    ) -> dict[str, Any]:
        """What hours of both kinds share. Raises Refusal 403, 409, 422."""
        actor.demand(Permission.PLAN_SCHEDULE, wish.unit_id)
        zone = (await access.zone_of(session, wish.unit_id)).key
        demand_hours(wish.starts, wish.ends, wish.step, zone)
        able = await access.people_with(session, Permission.TREAT, wish.unit_id, now)
        if wish.clinician_id not in able:
            raise wrong("clinician_id", "Этот человек не ведёт приём в подразделении.")
        if wish.room_id is not None:
            room = await session.get(TreatmentRoom, wish.room_id)
            if room is None or room.unit_id != wish.unit_id or room.closed_at is not None:
                raise wrong("room_id", "Выберите кабинет подразделения.")
        standing = await session.exec(
            select(WorkingHours.id).where(WorkingHours.clinician_id == wish.clinician_id)
        )
        if len(standing.all()) >= MOST_HOURS:
            raise Refusal("too_many", "Строк в расписании слишком много.", 409)
        return {
            "clinician_id": wish.clinician_id,
            "unit_id": wish.unit_id,
            "room_id": wish.room_id,
            "starts": wish.starts,
            "ends": wish.ends,
            "step": wish.step,
            "zone": zone,
            "added_by": actor.person_id,
        }

    async def _changed(
        self,
        session: AsyncSession,
        actor: Actor,
        clinician_id: UUID,
        now: datetime,
        facts: Mapping[str, Any],
        day: date | None = None,
    ) -> None:
        """Journal a change of somebody's hours, and tell them."""
        entry = await _note(session, clinician_id, actor, now, facts)
        if clinician_id != actor.person_id:
            event = outbox.NoticeEvent(
                clinician_id,
                NoticeKind.SCHEDULE_CHANGED,
                f"{clinician_id}:hours:{entry}",
                facts={"day": day.isoformat()} if day else {},
            )
            await outbox.enqueue_all(session, [event], now)


async def rooms_of(session: AsyncSession, unit_id: UUID) -> Sequence[TreatmentRoom]:
    """The rooms of a unit that are open, by name."""
    found = await session.exec(
        select(TreatmentRoom)
        .where(TreatmentRoom.unit_id == unit_id, col(TreatmentRoom.closed_at).is_(None))
        .order_by(col(TreatmentRoom.name))
    )
    return found.all()


async def unit_of(session: AsyncSession, unit_id: UUID) -> Unit:
    """A unit. Raises Refusal 404."""
    unit = await session.get(Unit, unit_id)
    if unit is None:
        raise not_found()
    return unit


async def people_of(session: AsyncSession, unit_id: UUID, now: datetime) -> Sequence[Person]:
    """Who may see patients in a unit, by name."""
    able = await access.people_with(session, Permission.TREAT, unit_id, now)
    found = await session.exec(select(Person).where(col(Person.id).in_(able)))
    return sorted(found.all(), key=lambda one: one.name)


async def people_of_units(
    session: AsyncSession, units: Collection[UUID], now: datetime
) -> Sequence[Person]:
    """Who sees patients in one of these units, by right or by hours: by post and name."""
    held = access.holding(Permission.TREAT, of_unit=False)
    by_right = select(held.c.person_id).where(held.c.unit_id == col(Person.unit_id))
    by_hours = select(WorkingHours.clinician_id).where(col(WorkingHours.unit_id).in_(units))
    found = await session.exec(
        select(Person)
        .where(
            (col(Person.unit_id).in_(units) & col(Person.id).in_(by_right))
            | col(Person.id).in_(by_hours),
            access.works_here(),
        )
        .limit(MOST_PEOPLE),
        params={"now": now},
    )
    return sorted(found.all(), key=lambda one: (one.position, one.name))


async def names_of(session: AsyncSession, people: Collection[UUID]) -> dict[UUID, str]:
    """The names of people by id, also of those who see no patients here any more."""
    found = await session.exec(select(Person.id, Person.name).where(col(Person.id).in_(people)))
    return dict(found.all())


async def hours_of(
    session: AsyncSession, unit_id: UUID, today: date
) -> tuple[Sequence[WorkingHours], Sequence[HoursException]]:
    """The hours and exceptions of a unit that are not over."""
    weekly = await session.exec(
        select(WorkingHours)
        .where(
            WorkingHours.unit_id == unit_id,
            col(WorkingHours.valid_until).is_(None) | (col(WorkingHours.valid_until) >= today),
        )
        .order_by(
            col(WorkingHours.clinician_id), col(WorkingHours.weekday), col(WorkingHours.starts)
        )
        .limit(MOST_ROOMS * 10)
    )
    days = await session.exec(
        select(HoursException)
        .where(
            HoursException.unit_id == unit_id,
            HoursException.day >= today,
            col(HoursException.taken_back_at).is_(None),
        )
        .order_by(col(HoursException.day), col(HoursException.starts))
        .limit(MOST_ROOMS * 10)
    )
    return weekly.all(), days.all()


async def _note(
    session: AsyncSession, chain: UUID, actor: Actor, now: datetime, facts: Mapping[str, Any]
) -> UUID:
    entry = await journal.append(
        session,
        chain=chain,
        kind=JournalKind.SCHEDULE_PLANNED,
        at=now,
        by=actor.person_id,
        facts=facts,
        lock=True,
    )
    return entry.id


def _hidden(actor: Actor) -> Refusal:
    """404 for whoever plans elsewhere; whoever plans nowhere is refused with 403."""
    actor.demand(Permission.PLAN_SCHEDULE)
    return not_found()
