"""Absences over the database: nobody who is booked with somebody absent is forgotten (W1)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from models.messages import AbsenceLook
from models.tables.absences import AbsencePlan, DisplacedAppointment
from models.tables.notices import Notice
from models.tables.people import Absence, Person, Unit
from rules.absences import AbsenceReason, AbsenceState, DisplacedOutcome, PatientTelling
from rules.access import Actor, Role
from rules.clock import now
from rules.notices.kinds import NoticeState
from rules.refusals import Refusal
from rules.schedule.states import AppointmentState, VisitStep
from services.absences import looking, seen
from services.absences.acts import AbsenceDays, Absences
from services.absences.seen import DisplacedSeen
from services.schedule.acts import ChangedAppointment
from services.schedule.planning import HoursWish
from tests.patients.people import fresh_snils, identity, patient
from tests.schedule.clinic import EVERY_DAY, Clinic, clinic

__all__ = ["clinic"]


@dataclass
class Ward:
    """A clinic with a colleague of the doctor, and the acts on absences."""

    clinic: Clinic
    colleague: Actor
    absences: Absences
    zone: ZoneInfo
    woken: list[UUID] = field(default_factory=list)

    def day(self, at: datetime) -> date:
        """The day of a moment by the clock of the unit."""
        return at.astimezone(self.zone).date()

    @property
    def days(self) -> AbsenceDays:
        """The one day on which patients are booked."""
        day = self.day(self.clinic.first)
        return AbsenceDays(day, day, AbsenceReason.ILLNESS)

    async def plan(self, days: AbsenceDays | None = None) -> UUID:
        """Enter that the doctor is absent."""
        doctor = self.clinic.doctor.person_id
        return await self.absences.plan(self.clinic.registrar, uuid4(), doctor, days or self.days)

    async def lines(self, plan_id: UUID) -> Sequence[DisplacedSeen]:
        """The appointments of an absence, those that wait first."""
        async with self.clinic.database.work() as session:
            page = await seen.page(session, self.clinic.registrar, plan_id)
        return [*page.waiting, *page.done]

    async def row(self, table: Any, row_id: UUID) -> Any:
        """A row as it stands."""
        async with self.clinic.database.work() as session:
            return await session.get(table, row_id)

    async def look(self, plan_id: UUID) -> AbsenceLook:
        """Look as the workflow does."""
        return await looking.look(self.clinic.database, plan_id)

    async def find(self) -> None:
        """Look as the clock of the clinic does."""
        async with self.clinic.database.work() as session:
            await looking.find(session, now())


@pytest.fixture
async def ward(clinic: Clinic) -> Ward:
    """Two doctors with the same hours, and with a post that nobody else in the unit has."""
    office = clinic.office
    colleague = await office.person("Ветрова Ольга Львовна", Role.DOCTOR, office.ward)
    both = col(Person.id).in_([clinic.doctor.person_id, colleague.person_id])
    async with clinic.database.work() as session:
        await session.exec(update(Person).where(both).values(position=f"врач {uuid4()}"))
    hours = HoursWish(colleague.person_id, office.ward, None, 0, 1440, 30)
    await clinic.planning.add_hours(clinic.registrar, hours, EVERY_DAY, date(2020, 1, 1), None)
    zone = ZoneInfo((await _unit(clinic)).time_zone)
    woken: list[UUID] = []

    async def wake(row_id: UUID, **_: Any) -> bool:
        woken.append(row_id)
        return True

    acts = Absences(clinic.database, clinic.appointments, wake)
    return Ward(clinic, colleague, acts, zone, woken)


async def _unit(clinic: Clinic) -> Unit:
    async with clinic.database.work() as session:
        return await session.get_one(Unit, clinic.office.ward)


async def test_every_appointment_gets_a_proposal_and_an_outcome(ward: Ward) -> None:
    """Colleague at the same time, accepted; another time, chosen; cancelled; patients are told."""
    clinic = ward.clinic
    phone = identity("Пациент С Телефоном", snils=fresh_snils(), phone="+79000000001")
    clinic.patients[0] = await patient(clinic.database, clinic.office.ward, phone)
    booked = [await clinic.book(number, number) for number in range(3)]
    plan_id = await ward.plan()
    lines = await ward.lines(plan_id)
    assert [one.appointment_id for one in lines] == [one.id for one in booked]
    assert {one.to_clinician for one in lines} == {"Ветрова Ольга Львовна"}
    assert [one.to_starts_at for one in lines] == [one.starts_at for one in lines]
    head = await clinic.office.person("Главный Пётр Ильич", Role.UNIT_HEAD, clinic.office.ward)
    waits, calls, _ = await _figures(ward, head)
    act = uuid4()
    made = await ward.absences.accept(clinic.registrar, act, lines[0].id, lines[0].version)
    assert await ward.absences.accept(clinic.registrar, act, lines[0].id, lines[0].version) == made
    with pytest.raises(Refusal, match="settled"):
        await ward.absences.cancel(clinic.registrar, uuid4(), lines[0].id, "Передумали")
    at = lines[1].starts_at + timedelta(days=1)
    await ward.absences.choose(clinic.registrar, uuid4(), lines[1].id, clinic.doctor.person_id, at)
    await ward.absences.cancel(clinic.registrar, uuid4(), lines[2].id, "Пациент попросил")
    moved, old = await clinic.row(made), await clinic.row(booked[0].id)
    assert (moved.clinician_id, moved.starts_at) == (ward.colleague.person_id, old.starts_at)
    assert (old.state, old.moved_to) == (AppointmentState.MOVED, made)
    lines = await ward.lines(plan_id)
    assert [one.outcome for one in lines] == [
        DisplacedOutcome.MOVED,
        DisplacedOutcome.MOVED,
        DisplacedOutcome.CANCELLED,
    ]
    assert [one.telling for one in lines] == [
        PatientTelling.SMS,
        PatientTelling.CALL,
        PatientTelling.CALL,
    ]
    assert (await _figures(ward, head))[:2] == (waits - 3, calls + 2)
    with pytest.raises(Refusal, match="forbidden"):
        await ward.absences.told(head, lines[1].id)
    row = await ward.row(DisplacedAppointment, lines[0].id)
    message = await ward.row(Notice, row.notice_id)
    assert (message.kind, message.channel, message.person_id) == ("visit_moved", "sms", None)
    assert set(message.facts) == {"was", "at"}
    assert (await ward.look(plan_id)).waits == 3
    await _set(ward, Notice, message.id, state=NoticeState.TOLD.value)
    for one in lines[1:]:
        await ward.absences.told(clinic.registrar, one.id)
        await ward.absences.told(clinic.registrar, one.id)
    assert await ward.look(plan_id) == AbsenceLook(state="settled")
    kinds = [entry.kind for entry in await clinic.office.journal(plan_id)]
    assert kinds == ["absence.planned", "absence.gathered", *3 * ["absence.settled"],
                     *2 * ["absence.told"]]  # fmt: skip
    assert set(ward.woken) == {plan_id}


async def _figures(ward: Ward, actor: Actor) -> tuple[int, int, datetime | None]:
    """What the home page of somebody says."""
    async with ward.clinic.database.work() as session:
        return await seen.figures(session, actor)


async def _set(ward: Ward, table: Any, row_id: UUID, **columns: Any) -> None:
    async with ward.clinic.database.work() as session:
        await session.exec(update(table).where(col(table.id) == row_id).values(**columns))


async def test_a_proposal_that_was_taken_is_proposed_anew(ward: Ward) -> None:
    """Whoever accepts it is told that it is taken; nothing has happened, and another comes."""
    clinic = ward.clinic
    await clinic.book(0, 0)
    plan_id = await ward.plan()
    (line,) = await ward.lines(plan_id)
    await clinic.book(1, 0, clinician_id=ward.colleague.person_id)
    with pytest.raises(Refusal, match="taken"):
        await ward.absences.accept(clinic.registrar, uuid4(), line.id, line.version)
    assert (await ward.look(plan_id)).waits == 1
    (again,) = await ward.lines(plan_id)
    assert again.to_starts_at is not None
    assert abs(again.to_starts_at - line.starts_at) == timedelta(minutes=30)
    with pytest.raises(Refusal, match="stale"):
        await ward.absences.accept(clinic.registrar, uuid4(), line.id, line.version)
    await ward.absences.accept(clinic.registrar, uuid4(), again.id, again.version)


async def test_all_proposals_are_accepted_at_once_by_one_of_two(ward: Ward) -> None:
    """Two accept the whole list: each appointment moves once; what was taken is named, and anew."""
    clinic, accept = ward.clinic, ward.absences.accept_all
    for number in range(3):
        await clinic.book(number, number)
    plan_id = await ward.plan()
    first, taken, last = await ward.lines(plan_id)
    await clinic.book(0, 1, clinician_id=ward.colleague.person_id)
    shown, act = {one.id: one.version for one in (first, taken, last)}, uuid4()
    with pytest.raises(Refusal, match="not_found"):
        await accept(clinic.registrar, act, plan_id, {uuid4(): 1})
    done = await asyncio.gather(
        *(accept(clinic.registrar, one, plan_id, shown) for one in (act, uuid4()))
    )
    assert sorted(one for each in done for one in each.moved) == sorted([first.id, last.id])
    assert "taken" in [each.refused[taken.id].code for each in done]
    assert (await accept(clinic.registrar, act, plan_id, shown)).moved == done[0].moved
    (left,) = [one for one in await ward.lines(plan_id) if one.outcome is None]
    assert left.id == taken.id
    assert left.to_starts_at not in (None, taken.to_starts_at)


async def test_days_that_change_add_and_remove_appointments(ward: Ward) -> None:
    """Longer, shorter, withdrawn: what was moved stays moved, what was not stays as booked."""
    clinic = ward.clinic
    today, tomorrow = await clinic.book(0, 0), await clinic.book(1, 48)
    plan_id = await ward.plan()
    longer = AbsenceDays(
        ward.days.first_day, ward.days.last_day + timedelta(days=1), AbsenceReason.LEAVE
    )
    with pytest.raises(Refusal, match="stale"):
        await ward.absences.change(clinic.registrar, plan_id, 7, longer)
    await ward.absences.change(clinic.registrar, plan_id, 1, longer)
    lines = await ward.lines(plan_id)
    assert [one.appointment_id for one in lines] == [today.id, tomorrow.id]
    assert (await clinic.row(tomorrow.id)).looks_at is None
    await ward.absences.change(clinic.registrar, plan_id, 2, ward.days)
    lines = await ward.lines(plan_id)
    assert [one.outcome for one in lines] == [None, DisplacedOutcome.STAYS]
    assert (await clinic.row(tomorrow.id)).looks_at is not None
    await ward.absences.accept(clinic.registrar, uuid4(), lines[0].id, lines[0].version)
    await ward.absences.withdraw(clinic.registrar, plan_id, 3)
    doctor = clinic.doctor.person_id
    assert await ward.absences.plan(clinic.registrar, plan_id, doctor, ward.days) == plan_id
    assert await ward.row(Absence, plan_id) is None
    lines = await ward.lines(plan_id)
    assert [one.outcome for one in lines] == [DisplacedOutcome.MOVED, DisplacedOutcome.STAYS]
    assert (await ward.row(AbsencePlan, plan_id)).state == AbsenceState.WITHDRAWN
    await clinic.book(2, 0)


async def test_nobody_is_booked_with_somebody_absent(ward: Ward) -> None:
    """Neither by hours, nor in spite of them, nor by a time that was held before."""
    clinic = ward.clinic
    held = await clinic.book(0, 0, hold=True)
    await ward.plan()
    with pytest.raises(Refusal, match="absent"):
        await clinic.step(held, VisitStep.CONFIRM)
    with pytest.raises(Refusal, match="not_working"):
        await clinic.book(1, 1)
    with pytest.raises(Refusal, match="absent"):
        await clinic.book(1, 1, beside="Очень просит")


async def test_days_entered_elsewhere_displace_appointments_too(ward: Ward) -> None:
    """The clock finds them, whoever entered them; here their days are not changed."""
    clinic = ward.clinic
    booked = await clinic.book(0, 0)
    days = ward.days
    absence = Absence(
        person_id=clinic.doctor.person_id, first_day=days.first_day, last_day=days.last_day
    )
    async with clinic.database.work() as session:
        session.add(absence)
    await ward.find()
    assert (await ward.look(absence.id)).waits == 1
    with pytest.raises(Refusal, match="entered_elsewhere"):
        await ward.absences.withdraw(clinic.registrar, absence.id, 1)
    await _outside(ward, booked)
    await ward.look(absence.id)
    (line,) = await ward.lines(absence.id)
    assert line.outcome is DisplacedOutcome.ELSEWHERE
    async with clinic.database.work() as session:
        await session.delete(await session.get_one(Absence, absence.id))
    again = await clinic.book(1, 1)
    await ward.find()
    assert (await ward.look(absence.id)).waits == 0
    assert (await clinic.row(again.id)).state == AppointmentState.BOOKED


async def test_somebody_who_leaves_is_away_for_good(ward: Ward) -> None:
    """Their appointments come to one list, stay if they stay, and come again if they leave."""
    clinic, doctor = ward.clinic, ward.clinic.doctor.person_id
    await clinic.book(0, 0)
    leaves = datetime.combine(ward.days.first_day, time(), ward.zone)
    became = []
    for left_at in (leaves, None, leaves):
        await _set(ward, Person, doctor, left_at=left_at)
        await ward.find()
        async with clinic.database.work() as session:
            theirs = select(AbsencePlan).where(AbsencePlan.person_id == doctor)
            plan = (await session.exec(theirs)).one()
        assert plan.looks_at is not None
        assert plan.looks_at <= now()
        looked = await ward.look(plan.id)
        became.append((looked.state, looked.waits))
    assert became == [("open", 1), ("withdrawn", 0), ("open", 1)]
    line, before = await ward.lines(plan.id)
    assert before.outcome is DisplacedOutcome.STAYS
    assert (line.to_clinician, line.to_starts_at) == ("Ветрова Ольга Львовна", line.starts_at)
    await ward.absences.accept(clinic.registrar, uuid4(), line.id, line.version)
    await ward.absences.told(clinic.registrar, line.id)
    assert await ward.look(plan.id) == AbsenceLook(state="settled")
    async with clinic.database.work() as session:
        shown = await seen.listed(session, clinic.registrar, ward.day(now()))
    assert plan.id not in [one.id for one in shown]


async def _outside(ward: Ward, one: ChangedAppointment) -> None:
    """The registrar cancels it in the schedule."""
    await ward.clinic.step(one, VisitStep.CANCEL, "Пациент попросил")


async def test_people_are_reminded_and_near_the_first_appointment_the_head(ward: Ward) -> None:
    """Once at each moment, however often it is looked at."""
    clinic = ward.clinic
    head = await clinic.office.person("Главный Пётр Ильич", Role.UNIT_HEAD, clinic.office.ward)
    booked = await clinic.book(0, 0)
    until = AbsenceDays(ward.day(now()), ward.days.last_day, AbsenceReason.ILLNESS)
    plan_id = await ward.plan(until)
    for _ in range(3):
        await ward.look(plan_id)
    assert await _told(ward, head) == ["absence_begun"]
    soon = now() + timedelta(hours=20)
    await clinic.set(booked.id, starts_at=soon, ends_at=soon + timedelta(minutes=30))
    (line,) = await ward.lines(plan_id)
    await _set(ward, DisplacedAppointment, line.id, starts_at=soon)
    await _set(ward, AbsencePlan, plan_id, reminds_at=now())
    for _ in range(3):
        await ward.look(plan_id)
    assert await _told(ward, head) == ["absence_begun", "absence_waits", "absence_late"]


async def _told(ward: Ward, person: Actor) -> list[str]:
    async with ward.clinic.database.work() as session:
        found = await session.exec(
            select(Notice.kind)
            .where(Notice.person_id == person.person_id, Notice.channel == "cabinet")
            .order_by(col(Notice.id))
        )
        return list(found.all())
