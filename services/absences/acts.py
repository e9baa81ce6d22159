"""What people do with absences: enter, change and withdraw the days, and settle each appointment.

Whoever plans the unit's schedule does it. A choice is one act on the appointment itself, so that
the constraint on claims and the version that was seen decide, as everywhere in the schedule.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.absences import AbsencePlan, DisplacedAppointment
from models.tables.people import Absence, Person
from models.tables.schedule import Appointment, AppointmentAct, WorkingHours
from rules.absences import (
    AbsenceReason,
    AbsenceState,
    DisplacedOutcome,
    PatientTelling,
    changed_elsewhere,
    demand_days,
    nothing_proposed,
    settled_already,
)
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal, act_id_reused, not_found
from rules.schedule.states import VisitStep, changed
from services import access
from services.absences import looking, rows, telling
from services.cases import assignment
from services.journal import entries as journal
from services.notices import outbox
from services.own_workflows import Wake
from services.results import looking as results
from services.schedule.acts import Appointments, TimeWish

PLAN = Permission.PLAN_SCHEDULE


@dataclass(frozen=True)
class AbsenceDays:
    """The days of an absence, both included, and why."""

    first_day: date
    last_day: date
    reason: AbsenceReason


@dataclass(frozen=True)
class Settling:
    """A displaced appointment with the version of the appointment that somebody decides on."""

    row: DisplacedAppointment
    old: Appointment
    version: int


@dataclass(frozen=True)
class AcceptedProposals:
    """What became of proposals that were accepted together, by displaced appointment."""

    moved: dict[UUID, UUID]
    """The new appointments."""
    refused: dict[UUID, Refusal]


class Absences:
    """The acts on absences."""

    def __init__(self, database: Database, appointments: Appointments, wake: Wake) -> None:
        self._database = database
        self._appointments = appointments
        self._wake = wake

    async def plan(self, actor: Actor, act_id: UUID, person_id: UUID, days: AbsenceDays) -> UUID:
        """Enter that somebody is absent. The act is the id of the absence: again it is the same.

        Raises Refusal 403, 404, 422.
        """
        actor.demand(PLAN)
        now = present()
        async with self._database.work() as session:
            person = await session.get(Person, person_id)
            unit_id = await _planned_unit(session, actor, person, now) if person else None
            if person is None or unit_id is None:
                raise not_found()
            if await session.get(AbsencePlan, act_id) is not None:
                # The absence itself may be withdrawn meanwhile.
                await _same(session, act_id, person_id, days)
                return act_id
            values: dict[str, Any] = {
                "id": act_id,
                "person_id": person_id,
                "first_day": days.first_day,
                "last_day": days.last_day,
            }
            table = SQLModel.metadata.tables["absence"]
            entered = insert(table).values(values).on_conflict_do_nothing()
            added = await session.exec(entered.returning(table.c.id))
            if added.first() is None:
                await _same(session, act_id, person_id, days)
                return act_id
            today = await access.day_in(session, person.unit_id, now)
            demand_days(days.first_day, days.last_day, today)
            session.add(
                AbsencePlan(
                    **values,
                    unit_id=unit_id,
                    reason=days.reason.value,
                    state=AbsenceState.OPEN.value,
                    planned_by=actor.person_id,
                    begun_at=now,
                    looks_at=now,
                )
            )
            await session.flush()
            await self._changed(session, actor, person_id, act_id, "planned", days, now)
        await self._look(act_id)
        return act_id

    async def change(self, actor: Actor, plan_id: UUID, version: int, days: AbsenceDays) -> None:
        """Let an absence last longer or shorter: also until yesterday, if the person is back.

        Raises Refusal 403, 404, 409 `stale`, 422.
        """
        now = present()
        demand_days(days.first_day, days.last_day)
        async with self._database.work() as session:
            row = await _changeable(session, actor, plan_id, version)
            absence = await session.get(Absence, plan_id, with_for_update=True)
            if absence is None:
                raise changed()
            absence.first_day, absence.last_day = days.first_day, days.last_day
            row.reason, row.version, row.looks_at = days.reason.value, row.version + 1, now
            session.add_all([absence, row])
            await session.flush()
            await self._changed(session, actor, row.person_id, plan_id, "changed", days, now)
        await self._look(plan_id)

    async def withdraw(self, actor: Actor, plan_id: UUID, version: int) -> None:
        """Say that somebody is not absent: what was not moved yet stays as it was booked.

        Raises Refusal 403, 404, 409 `stale`.
        """
        now = present()
        async with self._database.work() as session:
            row = await _changeable(session, actor, plan_id, version)
            absence = await session.get(Absence, plan_id, with_for_update=True)
            if absence is not None:
                await session.delete(absence)
            row.version, row.looks_at = row.version + 1, now
            row.state = AbsenceState.WITHDRAWN.value
            session.add(row)
            await session.flush()
            days = AbsenceDays(row.first_day, row.last_day, AbsenceReason(row.reason))
            await self._changed(session, actor, row.person_id, plan_id, "withdrawn", days, now)
        await self._look(plan_id)

    async def accept(self, actor: Actor, act_id: UUID, displaced_id: UUID, version: int) -> UUID:
        """Give an appointment the time that is proposed, as it was seen. Returns the new one.

        Raises Refusal 403, 404, 409 `stale`, `settled`, `taken`, `nothing_proposed`.
        """
        one = await self._open(actor, act_id, displaced_id)
        try:
            return await self._accept(actor, act_id, one, version)
        finally:
            await self._again(one.row.absence_id)

    async def accept_all(
        self, actor: Actor, act_id: UUID, plan_id: UUID, seen: Mapping[UUID, int]
    ) -> AcceptedProposals:
        """Accept proposals of one absence, each in the version that was seen: one act for each.

        One that is refused is named, and hinders no other. The same act again moves nothing
        twice. Then proposals are looked at anew. Raises Refusal 403, 404.
        """
        actor.demand(PLAN)
        async with self._database.reading() as session:
            theirs = await session.exec(
                select(DisplacedAppointment.id).where(
                    DisplacedAppointment.absence_id == plan_id,
                    col(DisplacedAppointment.unit_id).in_(actor.units_with(PLAN)),
                )
            )
            known = set(theirs.all())
        if not known or not known.issuperset(seen):
            raise not_found()
        answer = AcceptedProposals({}, {})
        for displaced_id, version in seen.items():
            own_act = uuid5(act_id, str(displaced_id))
            try:
                one = await self._open(actor, own_act, displaced_id)
                made = await self._accept(actor, own_act, one, version)
                answer.moved[displaced_id] = made
            except Refusal as refusal:
                answer.refused[displaced_id] = refusal
        await self._look(plan_id)
        return answer

    async def choose(
        self,
        actor: Actor,
        act_id: UUID,
        displaced_id: UUID,
        clinician_id: UUID,
        starts_at: datetime,
    ) -> UUID:
        """Give an appointment another time than the one proposed. Returns the new one.

        Raises Refusal 403, 404, 409 `settled`, `taken`, `not_working`, `absent`, 422.
        """
        one = await self._open(actor, act_id, displaced_id)
        try:
            return await self._move(actor, act_id, one, clinician_id, starts_at)
        finally:
            await self._again(one.row.absence_id)

    async def cancel(self, actor: Actor, act_id: UUID, displaced_id: UUID, reason: str) -> None:
        """Cancel an appointment, for a reason. Raises Refusal 403, 404, 409 `settled`, 422."""
        now = present()
        one = await self._open(actor, act_id, displaced_id)

        async def along(session: AsyncSession, _: Appointment | None) -> None:
            await _settle(session, one, DisplacedOutcome.CANCELLED, None, actor, now)

        await self._appointments.step(
            actor, act_id, one.old.id, one.version, VisitStep.CANCEL, reason, PLAN, along
        )
        await self._again(one.row.absence_id)

    async def told(self, actor: Actor, displaced_id: UUID) -> None:
        """Say that the patient was called. Again it changes nothing. Raises Refusal 403, 404, 409.

        Only who may see the patient's name can have called.
        """
        now = present()
        async with self._database.work() as session:
            row = await _displaced(session, actor, displaced_id, Permission.BOOK)
            if row.outcome is None:
                raise Refusal("not_now", "Сначала решите, что с этой записью.", 409)
            done = await session.exec(
                update(DisplacedAppointment)
                .where(
                    col(DisplacedAppointment.id) == displaced_id,
                    col(DisplacedAppointment.done_at).is_(None),
                )
                .values(telling=PatientTelling.TOLD.value, done_at=now)
                .execution_options(synchronize_session=False)
            )
            if done.rowcount:
                facts = {"appointment": str(row.appointment_id)}
                kind = JournalKind.ABSENCE_TOLD
                await rows.note(session, row.absence_id, kind, now, actor.person_id, facts)
        await self._again(row.absence_id)

    async def _open(self, actor: Actor, act_id: UUID, displaced_id: UUID) -> Settling:
        """What is to be settled. Raises Refusal 403, 404, 409 unless this very act settled it."""
        async with self._database.reading() as session:
            row = await _displaced(session, actor, displaced_id, PLAN)
            old = await session.get_one(Appointment, row.appointment_id)
            if row.outcome is None:
                return Settling(row, old, old.version)
            if await session.get(AppointmentAct, act_id) is None:
                raise settled_already()
            return Settling(row, old, old.version - 1)

    async def _accept(self, actor: Actor, act_id: UUID, one: Settling, version: int) -> UUID:
        if one.row.outcome is None and one.row.version != version:
            raise changed()
        if one.row.to_clinician_id is None or one.row.to_starts_at is None:
            raise nothing_proposed()
        return await self._move(actor, act_id, one, one.row.to_clinician_id, one.row.to_starts_at)

    async def _move(
        self, actor: Actor, act_id: UUID, one: Settling, clinician_id: UUID, starts_at: datetime
    ) -> UUID:
        now = present()

        async def along(session: AsyncSession, new: Appointment | None) -> None:
            await _settle(session, one, DisplacedOutcome.MOVED, new, actor, now)

        wish = TimeWish(clinician_id, one.old.patient_id, starts_at)
        made = await self._appointments.move(
            actor, act_id, one.old.id, one.version, wish, PLAN, along
        )
        return made.id

    async def _changed(
        self,
        session: AsyncSession,
        actor: Actor,
        person_id: UUID,
        plan_id: UUID,
        what: str,
        days: AbsenceDays,
        now: datetime,
    ) -> None:
        """Journal the days, and let all that follows from an absence follow: results, cases."""
        facts = {
            "what": what,
            "first_day": days.first_day.isoformat(),
            "last_day": days.last_day.isoformat(),
        }
        said, by = {"reason": days.reason.value}, actor.person_id
        await rows.note(session, plan_id, JournalKind.ABSENCE_PLANNED, now, by, facts, said)
        await journal.append(
            session,
            chain=person_id,
            kind=JournalKind.ABSENCE_SET,
            at=now,
            by=actor.person_id,
            lock=True,
            facts={
                "what": "ended" if what == "withdrawn" else "set",
                "first_day": days.first_day.isoformat(),
                "last_day": days.last_day.isoformat(),
                "deputy": None,
            },
        )
        if person_id != actor.person_id:
            event = outbox.NoticeEvent(
                person_id,
                NoticeKind.SCHEDULE_CHANGED,
                f"{plan_id}:{what}:{now.isoformat()}",
                facts={"day": days.first_day.isoformat()},
            )
            await outbox.enqueue_all(session, [event], now)
        await results.person_changed(session, person_id, now)
        await assignment.reconcile(session, now)

    async def _look(self, plan_id: UUID) -> None:
        """Look at once, so that whoever acted sees the list; the workflow sees to the rest."""
        await looking.look(self._database, plan_id)
        await self._wake(plan_id)

    async def _again(self, plan_id: UUID) -> None:
        """Let the workflow look again: a proposal is free, taken, or all is done."""
        async with self._database.work() as session:
            await session.exec(
                update(AbsencePlan)
                .where(col(AbsencePlan.id) == plan_id)
                .values(looks_at=present())
                .execution_options(synchronize_session=False)
            )
        await self._wake(plan_id)


async def _settle(
    session: AsyncSession,
    one: Settling,
    outcome: DisplacedOutcome,
    new: Appointment | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Keep what became of an appointment, and begin to tell the patient."""
    how, notice_id = await telling.write(session, one.row.id, one.old, new, now)
    await session.flush()
    done = await session.exec(
        update(DisplacedAppointment)
        .where(
            col(DisplacedAppointment.id) == one.row.id,
            col(DisplacedAppointment.outcome).is_(None),
        )
        .values(
            outcome=outcome.value,
            settled_at=now,
            settled_by=actor.person_id,
            telling=how.value,
            notice_id=notice_id,
            version=one.row.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:
        raise settled_already()
    facts = {"appointment": str(one.old.id), "outcome": outcome.value}
    kind = JournalKind.ABSENCE_SETTLED
    await rows.note(session, one.row.absence_id, kind, now, actor.person_id, facts)


async def _displaced(
    session: AsyncSession, actor: Actor, displaced_id: UUID, right: Permission
) -> DisplacedAppointment:
    """A displaced appointment that the actor sees to. Raises Refusal 403, 404."""
    actor.demand(right)
    row = await session.get(DisplacedAppointment, displaced_id)
    if row is None or not actor.may(right, row.unit_id):
        raise not_found()
    return row


async def _changeable(
    session: AsyncSession, actor: Actor, plan_id: UUID, version: int
) -> AbsencePlan:
    """An absence, locked, whose days the actor may change. Raises Refusal 403, 404, 409."""
    actor.demand(PLAN)
    row = await session.get(AbsencePlan, plan_id, with_for_update=True)
    if row is None or not actor.may(PLAN, row.unit_id):
        raise not_found()
    if row.planned_by is None:
        raise changed_elsewhere()
    if row.version != version or row.state == AbsenceState.WITHDRAWN:
        raise changed()
    return row


async def _same(session: AsyncSession, plan_id: UUID, person_id: UUID, days: AbsenceDays) -> None:
    """Return if this very absence was entered before. Raises Refusal 422."""
    known = await session.get(AbsencePlan, plan_id)
    if known is None or known.person_id != person_id or known.reason != days.reason:
        raise act_id_reused()


async def _planned_unit(
    session: AsyncSession, actor: Actor, person: Person, now: datetime
) -> UUID | None:
    """The unit that the actor plans and in which somebody sees patients: by right, or by hours."""
    if not access.works(person, now):
        return None
    if actor.may(PLAN, person.unit_id):
        able = await access.people_with(session, Permission.TREAT, person.unit_id, now)
        if person.id in able:
            return person.unit_id
    found = await session.exec(
        select(WorkingHours.unit_id)
        .where(
            WorkingHours.clinician_id == person.id,
            col(WorkingHours.unit_id).in_(actor.units_with(PLAN)),
        )
        .limit(1)
    )
    return found.first()
