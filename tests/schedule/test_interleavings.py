"""A thousand acts of several people at once, in an order that a seed gives (W1)."""

import asyncio
import random
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.schedule import Appointment, AppointmentAct, TimeClaim
from rules.clock import now
from rules.ids import new_id
from rules.refusals import Refusal
from rules.schedule.claims import parties
from rules.schedule.states import FREES, AppointmentState, VisitStep
from services.schedule import claims
from services.schedule.acts import ChangedAppointment, TimeWish
from settings import Settings
from tests.schedule.clinic import Clinic, clinic

__all__ = ["clinic"]
ROUNDS, AT_ONCE, SEED, TIMES = 250, 4, 20261201, 6
"""A thousand acts, four at a time, in six times: most of them are in each other's way."""
Seen = tuple[ChangedAppointment, UUID]
"""An appointment as somebody saw it, and its patient."""


async def act(clinic: Clinic, seed: random.Random, seen: list[Seen]) -> str:
    """Book, move or cancel something that was seen once; returns what became of it."""
    slot = seed.randrange(TIMES)
    at = clinic.first + slot * timedelta(minutes=30)
    what = seed.choice(("book", "book", "move", "move", "cancel"))
    acts, registrar = clinic.appointments, clinic.registrar
    try:
        if what == "book" or not seen:
            patient = seed.randrange(len(clinic.patients))
            made = await clinic.book(patient, slot, beside=seed.choice(("", "", "", "Срочно")))
            seen.append((made, clinic.patients[patient]))
            return "done"
        one, who = seen[seed.randrange(len(seen))]
        if what == "cancel":
            await clinic.step(one, VisitStep.CANCEL, "Не придёт")
            _forget(seen, one)
            return "done"
        wish = TimeWish(clinic.doctor.person_id, who, at)
        moved = await acts.move(registrar, uuid4(), one.id, one.version, wish)
        _forget(seen, one)
        seen.append((moved, who))
    except Refusal as refusal:
        return refusal.code
    return "done"


def _forget(seen: list[Seen], one: ChangedAppointment) -> None:
    """An appointment that has ended is not seen again, except by whoever is at it already."""
    seen[:] = [each for each in seen if each[0].id != one.id]


async def faults(session: AsyncSession, clinician_id: UUID) -> list[str]:
    """What contradicts itself: a party taken twice, a claim of nobody's, one that is lacking."""
    wrong = []
    mine = await session.exec(
        select(Appointment)
        .where(Appointment.clinician_id == clinician_id)
        .execution_options(populate_existing=True)
    )
    rows = mine.all()
    has: dict[UUID, set[UUID]] = {one.id: set() for one in rows}
    found = await session.exec(select(TimeClaim).where(col(TimeClaim.appointment_id).in_(has)))
    taken: dict[tuple[UUID, object], list[UUID]] = {}
    for claim in found.all():
        has[claim.appointment_id].add(claim.party)
        taken.setdefault((claim.party, claim.during.lower), []).append(claim.appointment_id)
    by_id = {one.id: one for one in rows}
    wrong += [f"{party} at {at} twice" for (party, at), who in taken.items() if len(who) > 1]
    for one in rows:
        frees = AppointmentState(one.state) in FREES
        needs = parties(one.clinician_id, one.patient_id, one.room_id, overbooked=one.overbooked)
        if has[one.id] != (set() if frees else set(needs)):
            wrong.append(f"{one.id} in {one.state} has {len(has[one.id])} claims")
        if one.moved_to is not None and by_id[one.moved_to].patient_id != one.patient_id:
            wrong.append(f"{one.id} was moved to another patient")
    return wrong


async def test_whatever_the_order_nobody_is_taken_twice(clinic: Clinic) -> None:
    """Nothing is double, lacking or left over after a thousand acts, and no act failed."""
    seed = random.Random(SEED)  # noqa: S311 - an order, not a secret
    seen: list[Seen] = []
    outcomes: set[str] = set()
    for _ in range(ROUNDS):
        seeds = [random.Random(seed.random()) for _ in range(AT_ONCE)]  # noqa: S311
        outcomes |= set(await asyncio.gather(*(act(clinic, one, seen) for one in seeds)))
    assert outcomes <= {"done", "taken", "stale", "not_now"}
    async with clinic.database.work() as session:
        assert await faults(session, clinic.doctor.person_id) == []
        states = await session.exec(
            select(Appointment.state).where(Appointment.clinician_id == clinic.doctor.person_id)
        )
        assert set(states.all()) == {"booked", "moved", "cancelled"}


async def test_without_the_constraint_the_same_check_fails(
    clinic: Clinic, settings: Settings
) -> None:
    """With the constraint taken away, the very statement that books lets two have one time."""
    owner_url = settings.database_owner_url
    assert owner_url is not None
    owner = Database(owner_url.get_secret_value())
    first = await clinic.row((await clinic.book()).id)
    async with owner.work() as session:
        assert await faults(session, clinic.doctor.person_id) == []
        connection = await session.connection()
        await connection.execute(text("alter table claim drop constraint claim_taken_once"))
        twin = Appointment(**first.model_dump() | {"id": new_id()})
        booked = AppointmentAct(
            id=uuid4(), by=twin.booked_by, at=now(), body_hash="", appointment_id=twin.id
        )
        assert await claims.take(session, booked, twin)
        assert len(await faults(session, clinic.doctor.person_id)) == 3
        await session.rollback()
    await owner.close()
