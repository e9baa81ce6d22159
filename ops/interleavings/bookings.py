"""Booking, moving, cancelling, arriving, and holds that run out, at once (W1)."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import combinations
from random import Random
from uuid import UUID, uuid4

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.schedule import Appointment, AppointmentAct, TimeClaim
from ops.interleavings.clinic import InterleavedClinic
from ops.interleavings.scenes import Family, SteppedOutcomes, SteppedScene, some
from ops.interleavings.stepping import Act
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.schedule.claims import parties
from rules.schedule.states import ARROWS, FREES, AppointmentState, VisitStep
from services.schedule import clocks
from services.schedule.acts import Appointments, ChangedAppointment, TimeWish

_STEPS = {
    "cancel": (VisitStep.CANCEL, "Не придёт"),
    "arrive": (VisitStep.ARRIVE, ""),
    "miss": (VisitStep.MISS, ""),
}


class _Day:
    """One patient is booked, another one's time is held; a third comes."""

    def __init__(self, clinic: InterleavedClinic, dice: Random) -> None:
        self.clinic, self.dice, self.began = clinic, dice, now()
        self.acts = Appointments(clinic.database)
        self.registrar = clinic["registrar"]
        self.booked: ChangedAppointment
        self.held: ChangedAppointment
        self.patients: list[UUID] = []
        self.ids: dict[str, UUID] = {}

    async def set_up(self) -> SteppedScene:
        self.patients = await self.clinic.patients(3)
        self.booked = await self.acts.book(self.registrar, uuid4(), self._wish(0, 0))
        self.held = await self.acts.book(self.registrar, uuid4(), self._wish(1, 1, hold=True))
        if self.dice.random() < 0.5:
            await self._let_hold_run_out()
        acts: dict[str, Act] = {name: partial(self._step, name) for name in _STEPS}
        acts |= {f"move {n}": partial(self._move, f"move {n}", n) for n in (1, 2)}
        acts |= {f"book {n}": partial(self._book, f"book {n}", n) for n in (0, 1, 2)}
        acts["beside"] = partial(self._book, "beside", 0, "Срочно")
        acts["confirm"] = self._confirm
        acts["clock"] = partial(clocks.drain_all, self.clinic.database)
        chosen = some(self.dice, acts, self.dice.choice((2, 3, 3)))
        self.ids = {name: uuid4() for name in chosen}
        first = next(iter(chosen))
        if self.dice.random() < 0.3 and first != "clock":
            chosen[f"{first} again"] = chosen[first]
        return SteppedScene(chosen, self.judge)

    def _wish(self, patient: int, slot: int, beside: str = "", *, hold: bool = False) -> TimeWish:
        at, doctor = self.clinic.slot(slot), self.clinic["doctor"].person_id
        return TimeWish(doctor, self.patients[patient], at, beside=beside, hold=hold)

    async def _let_hold_run_out(self) -> None:
        over = now() - timedelta(seconds=1)
        async with self.clinic.database.work() as session:
            await session.exec(
                update(Appointment)
                .where(col(Appointment.id) == self.held.id)
                .values(held_until=over, looks_at=over)
            )

    async def _step(self, name: str) -> ChangedAppointment:
        step, reason = _STEPS[name]
        one = self.booked
        return await self.acts.step(
            self.registrar, self.ids[name], one.id, one.version, step, reason
        )

    async def _confirm(self) -> ChangedAppointment:
        act, one, step = self.ids["confirm"], self.held, VisitStep.CONFIRM
        return await self.acts.step(self.registrar, act, one.id, one.version, step)

    async def _move(self, name: str, slot: int) -> ChangedAppointment:
        one, wish = self.booked, self._wish(0, slot)
        return await self.acts.move(self.registrar, self.ids[name], one.id, one.version, wish)

    async def _book(self, name: str, slot: int, beside: str = "") -> ChangedAppointment:
        return await self.acts.book(self.registrar, self.ids[name], self._wish(2, slot, beside))

    async def judge(self, outcomes: SteppedOutcomes) -> Sequence[str]:
        """Nobody is taken twice, claims are those of the rows, what was said was done."""
        async with self.clinic.database.work() as session:
            found = await session.exec(
                select(Appointment).where(
                    Appointment.unit_id == self.clinic.unit, Appointment.changed_at >= self.began
                )
            )
            rows = {one.id: one for one in found.all()}
            claims = await claims_of(session, rows)
            acts = set(
                (
                    await session.exec(
                        select(AppointmentAct.id).where(
                            col(AppointmentAct.id).in_(self.ids.values())
                        )
                    )
                ).all()
            )
            # The next scene finds the same hours free.
            await session.exec(delete(TimeClaim).where(col(TimeClaim.appointment_id).in_(rows)))
            await session.exec(
                update(Appointment).where(col(Appointment.id).in_(rows)).values(looks_at=None)
            )
        return [
            *taken_wrongly(rows, claims),
            *self._said_wrongly(outcomes, rows, acts),
            *await self._written_wrongly(rows[self.booked.id], outcomes),
        ]

    def _said_wrongly(
        self, outcomes: SteppedOutcomes, rows: dict[UUID, Appointment], acts: set[UUID]
    ) -> list[str]:
        wrong = []
        for name, one in outcomes.items():
            act = name.removesuffix(" again")
            if act == "clock":
                continue
            first = outcomes[act]
            both = {first.refused, outcomes.get(f"{act} again", first).refused}
            # A hold in the way may end between the two: then the second may have what the first
            # could not.
            if "" in both and not both <= {"", "taken"}:
                wrong.append(f"{act} twice: {both}")
            if ("" in both) != (self.ids[act] in acts):
                wrong.append(f"{name}: {both}, and the act is kept or is not")
            if not one.refused and one.value.id not in rows:
                wrong.append(f"{name}: what was made is not there")
            step = VisitStep.CONFIRM if act == "confirm" else _STEPS.get(act, (None,))[0]
            before = AppointmentState.HELD if act == "confirm" else AppointmentState.BOOKED
            if step and not one.refused and one.value.state is not ARROWS[before, step].to:
                wrong.append(f"{name}: done, it says, and is {one.value.state}")
        return wrong

    async def _written_wrongly(self, row: Appointment, outcomes: SteppedOutcomes) -> list[str]:
        """One change of the booked appointment, and its journal, for each that was told done."""
        done = {
            name.removesuffix(" again")
            for name, one in outcomes.items()
            if not one.refused and name.startswith((*_STEPS, "move"))
        }
        journaled = [
            one.kind
            for one in await self.clinic.journal(row.id)
            if one.kind in (JournalKind.APPOINTMENT_CHANGED, JournalKind.APPOINTMENT_MOVED)
        ]
        if not len(done) == len(journaled) == row.version - 1:
            return [f"{sorted(done)} done, version {row.version}, journal {journaled}"]
        return []


async def claims_of(session: AsyncSession, ids: Collection[UUID]) -> Sequence[TimeClaim]:
    """Whose time these appointments take."""
    found = await session.exec(select(TimeClaim).where(col(TimeClaim.appointment_id).in_(ids)))
    return found.all()


def taken_wrongly(rows: dict[UUID, Appointment], claims: Sequence[TimeClaim]) -> list[str]:
    """A party at two places, a claim of nobody's, one that is lacking."""
    has: dict[UUID, set[UUID]] = {one: set() for one in rows}
    times: dict[UUID, list[tuple[datetime, datetime]]] = {}
    for claim in claims:
        has[claim.appointment_id].add(claim.party)
        times.setdefault(claim.party, []).append((claim.during.lower, claim.during.upper))
    wrong = [
        f"{party} is at two places"
        for party, spans in times.items()
        for one, other in combinations(spans, 2)
        if one[0] < other[1] and other[0] < one[1]
    ]
    for one in rows.values():
        frees = AppointmentState(one.state) in FREES
        needs = parties(one.clinician_id, one.patient_id, one.room_id, overbooked=one.overbooked)
        if has[one.id] != (set() if frees else set(needs)):
            wrong.append(f"{one.state} with {len(has[one.id])} claims")
        if one.moved_to is not None and rows[one.moved_to].patient_id != one.patient_id:
            wrong.append("moved to another patient")
    return wrong


BOOKINGS = Family(
    "book, move, cancel",
    "claims against appointments, answers against what was done, journal against versions",
    _Day,
    frozenset({"taken", "stale", "not_now", "hold_over"}),
)
