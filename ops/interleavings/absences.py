"""A clinician is absent, is not after all, or shorter, while people book, move and decide (W1)."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from random import Random
from uuid import UUID, uuid4

from sqlalchemy import delete, update
from sqlmodel import col, select

from models.tables.absences import AbsencePlan, DisplacedAppointment
from models.tables.people import Absence
from models.tables.schedule import Appointment, TimeClaim
from ops.interleavings.bookings import claims_of, taken_wrongly
from ops.interleavings.clinic import InterleavedClinic
from ops.interleavings.scenes import Family, SteppedOutcomes, SteppedScene, some
from ops.interleavings.stepping import Act
from rules.absences import AbsenceReason, AbsenceState, DisplacedOutcome
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.schedule.states import AppointmentState, VisitStep
from services import access
from services.absences import looking
from services.absences.acts import AbsenceDays, Absences
from services.schedule.acts import Appointments, ChangedAppointment, TimeWish

_BECAME = {
    DisplacedOutcome.MOVED: AppointmentState.MOVED,
    DisplacedOutcome.CANCELLED: AppointmentState.CANCELLED,
}
"""The outcomes that people choose in the list, and where the appointment stands then."""

_CHOICES = frozenset({"accept", "accept all", "another accepts all", "settle"})
"""The acts by which people choose."""


class _Away:
    """Two patients are booked with a doctor, who mostly is absent already; a third comes."""

    def __init__(self, clinic: InterleavedClinic, dice: Random) -> None:
        self.clinic, self.dice, self.began = clinic, dice, now()
        self.schedule = Appointments(clinic.database)
        self.acts = Absences(clinic.database, self.schedule, clinic.wake)
        self.registrar = clinic["registrar"]
        self.plan_id = uuid4()
        self.booked: list[ChangedAppointment] = []

    async def set_up(self) -> SteppedScene:
        self.patients = await self.clinic.patients(3)
        async with self.clinic.database.reading() as session:
            self.today = await access.day_in(session, self.clinic.unit, now())
        self.booked = [await self._book(number, number + 1) for number in range(2)]
        first = self.booked[0]
        cancel = (first.id, first.version, VisitStep.CANCEL, "Не придёт")
        acts: dict[str, Act] = {
            "plan": self._plan,
            "plan again": self._plan,
            "book": partial(self._book, 2, 3),
            "move": self._move,
            "cancel": partial(self.schedule.step, self.registrar, uuid4(), *cancel),
            "clock": self._find,
        }
        if self.dice.random() < 0.7:
            await self._plan()
            acts |= await self._with_a_list()
        return SteppedScene(some(self.dice, acts, self.dice.choice((2, 3, 3))), self.judge)

    async def _with_a_list(self) -> dict[str, Act]:
        """What people do who have seen the list."""
        async with self.clinic.database.reading() as session:
            found = await session.exec(
                select(DisplacedAppointment.id, DisplacedAppointment.version)
                .where(DisplacedAppointment.absence_id == self.plan_id)
                .order_by(col(DisplacedAppointment.starts_at))
            )
            shown = (self.plan_id, dict(found.all()))
        one, version = next(iter(shown[1].items()))
        over = self.today - timedelta(days=1)
        days = AbsenceDays(over, over, AbsenceReason.ILLNESS)
        another = self.clinic["second"]
        return {
            "accept": partial(self.acts.accept, self.registrar, uuid4(), one, version),
            "accept all": partial(self.acts.accept_all, self.registrar, uuid4(), *shown),
            "another accepts all": partial(self.acts.accept_all, another, uuid4(), *shown),
            "settle": partial(self.acts.cancel, another, uuid4(), one, "Просил отменить"),
            "withdraw": partial(self.acts.withdraw, another, self.plan_id, 1),
            "shorten": partial(self.acts.change, self.registrar, self.plan_id, 1, days),
            "look": partial(looking.look, self.clinic.database, self.plan_id),
        }

    async def _plan(self) -> UUID:
        days = AbsenceDays(self.today, self.today, AbsenceReason.ILLNESS)
        doctor = self.clinic["doctor"].person_id
        return await self.acts.plan(self.registrar, self.plan_id, doctor, days)

    async def _book(self, patient: int, slot: int) -> ChangedAppointment:
        wish = self._wish("doctor", patient, slot)
        return await self.schedule.book(self.registrar, uuid4(), wish)

    async def _move(self) -> ChangedAppointment:
        one, wish = self.booked[0], self._wish("colleague", 0, 2)
        return await self.schedule.move(self.registrar, uuid4(), one.id, one.version, wish)

    def _wish(self, who: str, patient: int, slot: int) -> TimeWish:
        at = self.clinic.slot(slot)
        return TimeWish(self.clinic[who].person_id, self.patients[patient], at)

    async def _find(self) -> None:
        async with self.clinic.database.work() as session:
            await looking.find(session, now())

    async def judge(self, outcomes: SteppedOutcomes) -> Sequence[str]:
        """After the clock has looked nobody is forgotten, booked twice or settled twice."""
        await self._find()
        await looking.look(self.clinic.database, self.plan_id)
        theirs = DisplacedAppointment.absence_id == self.plan_id
        async with self.clinic.database.work() as session:
            found = await session.exec(
                select(Appointment).where(
                    Appointment.unit_id == self.clinic.unit, Appointment.changed_at >= self.began
                )
            )
            rows = {one.id: one for one in found.all()}
            listed = (await session.exec(select(DisplacedAppointment).where(theirs))).all()
            claims = await claims_of(session, rows)
            absence = await session.get(Absence, self.plan_id)
            is_away = absence is not None and absence.last_day >= self.today
            session.expunge_all()
            # The next scene finds everybody present and all hours free.
            await session.exec(delete(Absence).where(col(Absence.id) == self.plan_id))
            await session.exec(delete(TimeClaim).where(col(TimeClaim.appointment_id).in_(rows)))
            await session.exec(
                update(Appointment)
                .where(
                    col(Appointment.id).in_(rows),
                    col(Appointment.state) == AppointmentState.BOOKED.value,
                )
                .values(looks_at=None, state=AppointmentState.CANCELLED.value)
            )
            await session.exec(
                update(AbsencePlan)
                .where(col(AbsencePlan.id) == self.plan_id)
                .values(looks_at=None, state=AbsenceState.WITHDRAWN.value)
            )
        return [
            *taken_wrongly(rows, claims),
            *self._listed_wrongly(rows, listed, is_away=is_away),
            *await self._said_wrongly(outcomes, listed),
        ]

    def _listed_wrongly(
        self,
        rows: dict[UUID, Appointment],
        listed: Sequence[DisplacedAppointment],
        *,
        is_away: bool,
    ) -> list[str]:
        """Each appointment with the absent doctor waits once, with a proposal, and no other."""
        wrong, doctor = [], self.clinic["doctor"].person_id
        waits = Counter(one.appointment_id for one in listed if one.outcome is None)
        for row in rows.values():
            booked = row.clinician_id == doctor and row.state == AppointmentState.BOOKED
            if waits[row.id] != (is_away and booked):
                wrong.append(f"{row.state}, away {is_away}, waits {waits[row.id]} times")
        for one in listed:
            if one.outcome is None and one.to_clinician_id is None:
                wrong.append("no proposal, though a colleague is free all day")
            became = _BECAME.get(DisplacedOutcome(one.outcome)) if one.outcome else None
            if became and rows[one.appointment_id].state != became:
                wrong.append(f"{one.outcome}, and is {rows[one.appointment_id].state}")
        return wrong

    async def _said_wrongly(
        self, outcomes: SteppedOutcomes, listed: Sequence[DisplacedAppointment]
    ) -> list[str]:
        """Whoever was told that it is done did it, and the journal has it once."""
        chosen = sum(one.outcome in set(_BECAME) for one in listed)
        done = sum(
            len(one.value.moved) if name.endswith("all") else 1
            for name, one in outcomes.items()
            if not one.refused and name in _CHOICES
        )
        entries = await self.clinic.journal(self.plan_id)
        journaled = sum(one.kind == JournalKind.ABSENCE_SETTLED for one in entries)
        if not chosen == done == journaled:
            return [f"{chosen} settled, {done} told so, {journaled} in the journal"]
        return []


ABSENCES = Family(
    "absence, book, move",
    "the list against the schedule and who is away, answers against outcomes and journal",
    _Away,
    frozenset({"taken", "stale", "not_now", "settled", "absent", "not_working"}),
)
