"""What people do with appointments: hold, book, move, cancel, and the steps of a visit.

That nobody is booked twice is said by the constraint on claims; that of two who change one
appointment the second is refused, by its version. Every act has an id and takes effect once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.errors import DeadlockDetected, ForeignKeyViolation
from sqlalchemy import Column, bindparam, exists, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.encrypted_columns import bound
from models.tables.people import Person
from models.tables.schedule import Appointment, AppointmentAct
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.ids import hash_of
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import busy, forbidden, not_found
from rules.schedule.hours import wall_of
from rules.schedule.states import (
    FREES,
    HELD_FOR,
    MOVES_FROM,
    TREATING,
    AppointmentState,
    VisitStep,
    absent,
    changed,
    demand_arrow,
    demand_reason,
    demand_time,
    hold_over,
    looks_at,
    not_now,
    not_working,
)
from services import access
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.schedule import claims, free

Along = Callable[[AsyncSession, Appointment | None], Awaitable[None]]
"""What a caller does in the unit of work of an act that is new; it is given the new appointment."""
TRIES = 3
USUAL_MINUTES = 15
"""How long an overbooking lasts where no hours say it."""


@dataclass(frozen=True)
class TimeWish:
    """The time that is wanted. Without `minutes` it lasts as long as the hours say.

    `beside` is the reason for booking in spite of the hours or beside another appointment. With
    `hold` the time is only kept for a few minutes.
    """

    clinician_id: UUID
    patient_id: UUID
    starts_at: datetime
    minutes: int | None = None
    beside: str = ""
    hold: bool = False


@dataclass(frozen=True)
class ChangedAppointment:
    """An appointment as it stands after an act."""

    id: UUID
    version: int
    state: AppointmentState


class Appointments:
    """The acts on appointments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def book(self, actor: Actor, act_id: UUID, wish: TimeWish) -> ChangedAppointment:
        """Book a time for a patient, or hold it. The same act again gives the same appointment.

        Raises Refusal 403, 404, 409 `taken`, `not_working`, 422.
        """
        now = present()
        where, taken = await self._where(actor, wish, now)
        row = Appointment(
            **where,
            patient_id=wish.patient_id,
            state=(AppointmentState.HELD if wish.hold else AppointmentState.BOOKED).value,
            booked_by=actor.person_id,
            changed_at=now,
            held_until=now + HELD_FOR if wish.hold else None,
        )
        _watch(row, now)
        act = _act(act_id, actor, row.id, now, _said(wish))

        async def do() -> ChangedAppointment:
            async with self._database.reading() as session:
                await claims.take(session, act, row, _assigned(row, actor, now))
            return _changed(row)

        return await self._taking(row, act, do, taken=taken)

    async def move(
        self,
        actor: Actor,
        act_id: UUID,
        appointment_id: UUID,
        version: int,
        wish: TimeWish,
        right: Permission = Permission.BOOK,
        along: Along | None = None,
    ) -> ChangedAppointment:
        """Give a booked appointment another time: a new one takes its place, and is returned.

        The patient of `wish` must be the one of the appointment; `right` is what the actor needs
        in both units. Raises Refusal 403, 404, 409 `taken`, `stale`, `not_now`, `not_working`,
        `absent`, 422.
        """
        now = present()
        said = _said(wish) | {"moves": str(appointment_id), "version": version}
        async with self._database.reading() as session:
            old = await readable(session, actor, appointment_id, right)
            if old.patient_id != wish.patient_id:
                raise changed()
        where, _ = await self._where(actor, wish, now, right)
        row = Appointment(
            **where,
            patient_id=old.patient_id,
            state=AppointmentState.BOOKED.value,
            booked_by=actor.person_id,
            changed_at=now,
        )
        _watch(row, now)
        act = _act(act_id, actor, row.id, now, said)

        async def do() -> ChangedAppointment:
            async with self._database.work() as session:
                moved = await session.exec(
                    _conditional(appointment_id, version, MOVES_FROM).values(
                        **_to(AppointmentState.MOVED, now), moved_to=row.id
                    )
                )
                if moved.first() is None:
                    return await _moved_before(session, act, appointment_id, version)
                await claims.free(session, [appointment_id])
                await claims.take(session, act, row, _assigned(row, actor, now))
                await journal.append(
                    session,
                    chain=appointment_id,
                    kind=JournalKind.APPOINTMENT_MOVED,
                    at=now,
                    by=actor.person_id,
                    facts={"to": str(row.id)},
                )
                if old.clinician_id != row.clinician_id:
                    await _tell(session, old, NoticeKind.APPOINTMENT_CANCELLED, actor, now)
                if along is not None:
                    await along(session, row)
                return _changed(row)

        return await self._taking(row, act, do, but=appointment_id)

    async def step(
        self,
        actor: Actor,
        act_id: UUID,
        appointment_id: UUID,
        version: int,
        step: VisitStep,
        reason: str = "",
        right: Permission = Permission.BOOK,
        along: Along | None = None,
    ) -> ChangedAppointment:
        """Take a step of the life of an appointment, seen in this version.

        The same act again gives the same answer. `right` is what the actor needs in the unit.
        Raises Refusal 403, 404, 409 `stale`, `not_now`, `too_early`, `hold_over`, `absent`, 422.
        """
        now = present()
        body = {"step": step.value, "version": version, "reason": reason}
        async with self._database.work() as session:
            row = await readable(session, actor, appointment_id, right)
            if step in TREATING and row.clinician_id != actor.person_id:
                raise forbidden()
            act = _act(act_id, actor, appointment_id, now, body | {"of": str(appointment_id)})
            if row.version != version:
                await _same_answer(session, act)
                return _changed(row)
            state = AppointmentState(row.state)
            arrow = demand_arrow(state, step, reason, row.starts_at, row.zone, now)
            if step is VisitStep.CONFIRM and (row.held_until is None or row.held_until <= now):
                raise hold_over()
            if step is VisitStep.CONFIRM:
                await _demand_present(session, row)
            values = _to(arrow.to, now)
            if arrow.reason:
                values["reason"] = bound(demand_reason(reason), row.id)
            if arrow.to is AppointmentState.BOOKED:
                values["looks_at"] = looks_at(arrow.to, row.starts_at, row.ends_at, None, now)
            claimed = _claiming().cte("act")
            found = await session.exec(
                _conditional(appointment_id, version, state)
                .where(exists(select(claimed.c.id)))
                .values(**values)
                .add_cte(claimed),
                params={f"act_{name}": value for name, value in act.model_dump().items()},
            )
            if found.first() is None:
                # The act was written without the change: what counts is whether it was before.
                await session.rollback()
                await _same_answer(session, act)
                return _changed(await session.get_one(Appointment, appointment_id))
            if arrow.to in FREES:
                await claims.free(session, [appointment_id])
            await self._note_step(session, row, arrow.to, actor, now, reason)
            if along is not None:
                await along(session, None)
            return ChangedAppointment(appointment_id, version + 1, arrow.to)

    async def _where(
        self, actor: Actor, wish: TimeWish, now: datetime, right: Permission = Permission.BOOK
    ) -> tuple[dict[str, Any], bool]:
        """Where and how long an appointment would be, and whether the clinician is taken then.

        Raises Refusal 403, 404, 409, 422.
        """
        actor.demand(right)
        reason = demand_reason(wish.beside) if wish.beside else ""
        day = wish.starts_at.date()
        async with self._database.reading() as session:
            found = await free.plan(
                session,
                [wish.clinician_id],
                day - timedelta(days=1),
                day + timedelta(days=1),
                wish.starts_at,
            )
            probe = timedelta(minutes=wish.minutes or 1)
            hours = found.hours_at(wish.starts_at, wish.starts_at + probe)
            if hours is not None and wish.minutes is None:
                probe = timedelta(minutes=hours.step)
                hours = found.hours_at(wish.starts_at, wish.starts_at + probe)
            if hours is None and not reason:
                raise not_working()
            if hours is None:
                length = timedelta(minutes=wish.minutes or USUAL_MINUTES)
                person = await session.get(Person, wish.clinician_id)
                if person is None or not access.works(person, now):
                    raise not_found()
                unit_id, room_id = person.unit_id, None
                zone = (await access.zone_of(session, unit_id)).key
                if found.is_away_on(wall_of(wish.starts_at, zone).date()):
                    raise absent()
            else:
                length, unit_id, room_id, zone = probe, hours.unit_id, hours.room_id, hours.zone
        if not actor.may(right, unit_id):
            raise not_found()
        demand_time(wish.starts_at, length, now)
        where = {
            "clinician_id": wish.clinician_id,
            "unit_id": unit_id,
            "room_id": room_id,
            "starts_at": wish.starts_at,
            "ends_at": wish.starts_at + length,
            "wall": wall_of(wish.starts_at, zone),
            "zone": zone,
            "overbooked": bool(reason),
            "reason": reason or None,
        }
        return where, found.is_taken and not reason

    async def _taking(
        self,
        row: Appointment,
        act: AppointmentAct,
        do: Callable[[], Awaitable[ChangedAppointment]],
        *,
        taken: bool = False,
        but: UUID | None = None,
    ) -> ChangedAppointment:
        """Do what takes time; once more if only a hold that is over was there.

        Where the time is known to be `taken`, nothing is tried before that is looked into. The
        claims of the appointment `but` are freed by the act itself.

        An act that was done before gets the same answer.

        Two who exchange their times may each wait for the other; the server then ends one of the
        two, who tries again.
        """
        for _ in range(TRIES):
            try:
                if not taken:
                    return await do()
            except claims.NotTaken:
                pass
            except IntegrityError as error:
                if isinstance(error.orig, ForeignKeyViolation):
                    raise not_found() from None
                raise
            except DBAPIError as error:
                if not isinstance(error.orig, DeadlockDetected):
                    raise
            if before := await self._looked_into(row, act, but):
                return before
            taken = False
        raise busy()

    async def _looked_into(
        self, row: Appointment, act: AppointmentAct, but: UUID | None
    ) -> ChangedAppointment | None:
        """The answer of the act if it was done before; None if its time is free now.

        Raises Refusal 409 `taken`, 422.
        """
        now = present()
        async with self._database.reading() as session:
            known = await session.get(AppointmentAct, act.id)
            if known is not None:
                before = await claims.answered_before(session, act.id, act.body_hash)
                return _changed(await session.get_one(Appointment, before))
            is_held = await claims.only_ended_holds(session, row, now, but)
        if is_held:
            async with self._database.work() as session:
                await claims.let_holds_end(session, now, row)
        return None

    async def _note_step(
        self,
        session: AsyncSession,
        row: Appointment,
        to: AppointmentState,
        actor: Actor,
        now: datetime,
        reason: str,
    ) -> None:
        events: list[NoticeEvent] = []
        if to is AppointmentState.BOOKED and row.state == AppointmentState.HELD:
            events = _events(row, NoticeKind.APPOINTMENT_ASSIGNED, actor)
        elif to is AppointmentState.CANCELLED and row.state != AppointmentState.HELD:
            events = _events(row, NoticeKind.APPOINTMENT_CANCELLED, actor)
        await journal.append(
            session,
            chain=row.id,
            kind=JournalKind.APPOINTMENT_CHANGED,
            at=now,
            by=actor.person_id,
            facts={"from": row.state, "to": to.value},
            contents={"reason": reason} if reason else None,
            along=outbox.rows_of(events, now),
        )


async def readable(
    session: AsyncSession,
    actor: Actor,
    appointment_id: UUID,
    right: Permission = Permission.BOOK,
) -> Appointment:
    """An appointment that the person may change. Raises Refusal 403, 404."""
    actor.demand(right)
    row = await session.get(Appointment, appointment_id, populate_existing=True)
    if row is None or not may_see(actor, row, right):
        raise not_found()
    return row


def may_see(actor: Actor, row: Appointment, right: Permission = Permission.BOOK) -> bool:
    """Whether an appointment is one's own as a clinician, or of a unit in which one books."""
    own = row.clinician_id == actor.person_id and actor.may(Permission.TREAT)
    return own or actor.may(right, row.unit_id)


async def _demand_present(session: AsyncSession, row: Appointment) -> None:
    """Raise Refusal 409 where the clinician has become absent while the time was held."""
    day = wall_of(row.starts_at, row.zone).date()
    found = await free.plan(session, [row.clinician_id], day, day)
    if found.is_away_on(day):
        raise absent()


def event_of(row: Appointment, kind: NoticeKind, more: str) -> NoticeEvent:
    """A notice to the clinician of an appointment: day and time, and nothing of the patient."""
    here = wall_of(row.starts_at, row.zone)
    facts = {"day": here.date().isoformat(), "time": f"{here:%H:%M}"}
    return NoticeEvent(row.clinician_id, kind, f"{row.id}:{kind}:{more}", facts=facts)


def _assigned(row: Appointment, actor: Actor, now: datetime) -> journal.Along | None:
    """The notice that somebody has a new appointment; a hold is none."""
    held = row.state == AppointmentState.HELD
    return outbox.rows_of([] if held else _events(row, NoticeKind.APPOINTMENT_ASSIGNED, actor), now)


def _events(row: Appointment, kind: NoticeKind, actor: Actor) -> list[NoticeEvent]:
    """Whoever did it themselves is not told."""
    if row.clinician_id == actor.person_id:
        return []
    return [event_of(row, kind, str(row.version))]


async def _tell(
    session: AsyncSession, row: Appointment, kind: NoticeKind, actor: Actor, now: datetime
) -> None:
    await outbox.enqueue_all(session, _events(row, kind, actor), now)


def _claiming() -> Any:
    """The act, unless it was done before."""
    table = SQLModel.metadata.tables["appointment_act"]
    values = {one.name: bindparam(f"act_{one.name}", type_=one.type) for one in table.c}
    return insert(table).values(values).on_conflict_do_nothing().returning(table.c.id)


def _conditional(appointment_id: UUID, version: int, state: AppointmentState) -> Any:
    """The change of an appointment that is still in this version and state."""
    return (
        update(Appointment)
        .where(
            col(Appointment.id) == appointment_id,
            col(Appointment.version) == version,
            col(Appointment.state) == state.value,
        )
        .returning(col(Appointment.version))
        .execution_options(synchronize_session=False)
    )


def _to(state: AppointmentState, now: datetime) -> dict[str, Any]:
    version: Column[int] = col(Appointment.version)  # type: ignore[assignment]
    return {
        "state": state.value,
        "version": version + 1,
        "changed_at": now,
        "held_until": None,
        "looks_at": None,
    }


def _watch(row: Appointment, now: datetime) -> None:
    state = AppointmentState(row.state)
    row.looks_at = looks_at(state, row.starts_at, row.ends_at, row.held_until, now)


def _act(
    act_id: UUID, actor: Actor, appointment_id: UUID, now: datetime, said: dict[str, Any]
) -> AppointmentAct:
    body_hash = hash_of({"by": str(actor.person_id), **said})
    return AppointmentAct(
        id=act_id, by=actor.person_id, at=now, body_hash=body_hash, appointment_id=appointment_id
    )


def _said(wish: TimeWish) -> dict[str, Any]:
    return {
        "clinician": str(wish.clinician_id),
        "patient": str(wish.patient_id),
        "starts_at": wish.starts_at.isoformat(),
        "minutes": wish.minutes,
        "beside": wish.beside,
        "hold": wish.hold,
    }


async def _same_answer(session: AsyncSession, act: AppointmentAct) -> None:
    """Return if this very act was done before. Raises Refusal 409 `stale`, 422."""
    if await session.get(AppointmentAct, act.id) is None:
        raise changed()
    await claims.answered_before(session, act.id, act.body_hash)


async def _moved_before(
    session: AsyncSession, act: AppointmentAct, appointment_id: UUID, version: int
) -> ChangedAppointment:
    """The answer of this very act, if it was done before. Raises Refusal 409, 422."""
    if await session.get(AppointmentAct, act.id) is None:
        row = await session.get_one(Appointment, appointment_id)
        raise not_now(AppointmentState(row.state)) if row.version == version else changed()
    made = await claims.answered_before(session, act.id, act.body_hash)
    return _changed(await session.get_one(Appointment, made))


def _changed(row: Appointment) -> ChangedAppointment:
    return ChangedAppointment(row.id, row.version, AppointmentState(row.state))
