"""Appointments over the database: taken once, moved, stepped, watched by the clock (W1)."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import select

from clients.database import Database, is_contended
from models.tables.people import Absence, Person
from models.tables.schedule import Appointment, AppointmentAct
from rules.access import Role
from rules.clock import now
from rules.refusals import Refusal
from rules.schedule.claims import beside
from rules.schedule.states import MISSED_AFTER, AppointmentState, VisitStep
from services.patients import ways
from services.schedule import clocks, free, seen
from services.schedule.acts import Appointments
from services.schedule.planning import HoursWish
from services.schedule.seen import AppointmentTrouble
from settings import Settings
from tests.schedule.clinic import Clinic, clinic
from tests.shared.statements import statements

__all__ = ["clinic"]
BOOKED, CANCELLED = AppointmentState.BOOKED, AppointmentState.CANCELLED


async def test_of_many_who_book_one_time_one_has_it(clinic: Clinic) -> None:
    """All others are told what is taken; nothing of theirs is left."""
    wish = clinic.wish()
    tried = await asyncio.gather(
        *(clinic.appointments.book(clinic.registrar, uuid4(), wish) for _ in range(20)),
        return_exceptions=True,
    )
    refused = [one for one in tried if isinstance(one, Refusal)]
    assert len(refused) == 19
    assert {one.code for one in refused} == {"taken"}
    assert all("Пациент" not in one.message for one in refused)
    assert len(await clinic.claims()) == 3
    async with clinic.database.work() as session:
        rows = await session.exec(
            select(func.count())
            .select_from(Appointment)
            .where(Appointment.clinician_id == clinic.doctor.person_id)
        )
        assert rows.one() == 1


async def test_a_booking_looks_at_the_hours_and_writes_once(clinic: Clinic) -> None:
    """One question, then one statement for act, appointment, claims, journal and notices, which
    commits by itself: nobody waits for what the program does between two statements. Who finds the
    time taken, or repeats an act, is answered without trying. A free week is two questions."""
    await clinic.book()
    act, wish = uuid4(), clinic.wish(1, 1)
    for words in (["SELECT", "WITH"], ["SELECT"] * 3):
        with statements(clinic.database, commits=True) as heard:
            await clinic.appointments.book(clinic.registrar, act, wish)
        assert [one.split()[0] for one in heard] == words
    with statements(clinic.database, commits=True) as heard, pytest.raises(Refusal, match="taken"):
        await clinic.appointments.book(clinic.registrar, uuid4(), clinic.wish(2, 1))
    assert [one.split()[0] for one in heard] == ["SELECT", "SELECT", "select"]
    async with clinic.database.reading() as session:
        with statements(clinic.database) as heard:
            await free.free_times(session, [clinic.doctor.person_id], now().date(), 7, now())
    assert len(heard) == 2


async def test_nothing_is_left_of_a_booking_of_which_a_part_is_taken(clinic: Clinic) -> None:
    """The place beside the clinician is free, the patient is not: all is taken back by itself."""
    await clinic.book()
    before = await clinic.claims()
    act, wish = uuid4(), clinic.wish(beside="Острая боль")
    with pytest.raises(Refusal, match="taken") as refused:
        await clinic.appointments.book(clinic.registrar, act, wish)
    assert refused.value.facts["taken"] == ["patient"]
    assert await clinic.claims() == before
    async with clinic.database.work() as session:
        assert await session.get(AppointmentAct, act) is None
        rows = await session.exec(
            select(Appointment.id).where(Appointment.clinician_id == clinic.doctor.person_id)
        )
        assert len(rows.all()) == 1
    assert (await clinic.told()).count("appointment_assigned") == 1


async def test_who_waits_for_a_lock_in_vain_is_told_so(clinic: Clinic, settings: Settings) -> None:
    """Somebody is about to have the time and does not say: the wait ends as one of contention."""
    one = await clinic.book()
    await clinic.step(one, VisitStep.CANCEL, "Пациент попросил")
    hasty = Database(settings.database_url.get_secret_value())

    def impatient(connection: Any, record: object) -> None:
        del record
        connection.cursor().execute("set lock_timeout = '50ms'")
        connection.commit()

    event.listen(hasty.engine.sync_engine, "connect", impatient)
    async with await clinic.database.connect() as other, other.transaction():
        await other.execute(
            "insert into claim values (%s, %s, tstzrange(%s, %s))",
            (one.id, clinic.doctor.person_id, clinic.first, clinic.first + timedelta(minutes=5)),
        )
        with pytest.raises(DBAPIError) as waited:
            await Appointments(hasty).book(clinic.registrar, uuid4(), clinic.wish())
    assert is_contended(waited.value)
    await hasty.close()
    with pytest.raises(Refusal, match="taken"):
        await clinic.book()


async def test_an_act_takes_effect_once(clinic: Clinic) -> None:
    """Sent again it gets the same appointment; with another body it is refused."""
    act, wish = uuid4(), clinic.wish()
    first = await clinic.appointments.book(clinic.registrar, act, wish)
    assert await clinic.appointments.book(clinic.registrar, act, wish) == first
    with pytest.raises(Refusal, match="act_id_reused"):
        await clinic.appointments.book(clinic.registrar, act, clinic.wish(1, 1))
    with pytest.raises(Refusal, match="taken") as refused:
        await clinic.book(patient=1)
    assert refused.value.facts["taken"] == ["clinician", "room"]
    step = uuid4()
    for _ in range(2):
        done = await clinic.appointments.step(
            clinic.registrar, step, first.id, 1, VisitStep.CANCEL, "Пациент попросил"
        )
        assert (done.version, done.state) == (2, CANCELLED)
    assert await clinic.claims() == []
    assert (await clinic.book(patient=1)).state is BOOKED
    assert await clinic.told() == [
        "schedule_changed",
        "appointment_assigned",
        "appointment_cancelled",
        "appointment_assigned",
    ]


async def test_a_claim_is_bounded_and_never_empty(clinic: Clinic) -> None:
    """An empty range would slip by the constraint, an unbounded one take somebody for ever."""
    one = await clinic.book()
    for bounds in ("empty", "[2026-01-01,)", "(,2026-01-01]"):
        async with clinic.database.work() as session:
            connection = await session.connection()
            with pytest.raises(IntegrityError, match="claim_bounded"):
                await connection.execute(
                    text("insert into claim values (:id, :party, cast(:during as tstzrange))"),
                    {"id": one.id, "party": uuid4(), "during": bounds},
                )
            await session.rollback()


async def test_a_visit_goes_its_way_and_back_only_for_a_reason(clinic: Clinic) -> None:
    """Begun and completed by its clinician; a stale version and a wrong state are refused."""
    one = await clinic.book()
    with pytest.raises(Refusal, match="too_early"):
        await clinic.step(one, VisitStep.ARRIVE)
    begins = now() - timedelta(minutes=10)
    await clinic.set(one.id, starts_at=begins, ends_at=begins + timedelta(minutes=30))
    arrived = await clinic.step(one, VisitStep.ARRIVE)
    with pytest.raises(Refusal, match="stale"):
        await clinic.step(one, VisitStep.MISS)
    with pytest.raises(Refusal, match="forbidden"):
        await clinic.step(arrived, VisitStep.BEGIN)
    begun = await clinic.step(arrived, VisitStep.BEGIN, by=clinic.doctor)
    done = await clinic.step(begun, VisitStep.COMPLETE, by=clinic.doctor)
    with pytest.raises(Refusal, match="incomplete"):
        await clinic.step(done, VisitStep.UNDO, by=clinic.doctor)
    back = await clinic.step(done, VisitStep.UNDO, "Забыл выписать", by=clinic.doctor)
    assert (back.state, back.version) == (AppointmentState.IN_PROGRESS, 5)
    journal = await clinic.office.journal(one.id)
    assert [entry.kind for entry in journal] == ["appointment.booked"] + 4 * ["appointment.changed"]
    assert all(str(clinic.patients[0]) not in str(entry.facts) for entry in journal)
    assert len(await clinic.claims()) == 3


async def test_moving_links_the_old_to_the_new(clinic: Clinic) -> None:
    """Also into a time that crosses the old one; refused, the old one stays as it was."""
    one = await clinic.book()
    await clinic.book(patient=1, slot=2)
    appointments, registrar = clinic.appointments, clinic.registrar
    with pytest.raises(Refusal, match="taken"):
        await appointments.move(registrar, uuid4(), one.id, 1, clinic.wish(slot=2))
    assert (await clinic.row(one.id)).state == BOOKED
    with pytest.raises(Refusal, match="stale"):
        await appointments.move(registrar, uuid4(), one.id, 1, clinic.wish(1, slot=1))
    act, wish = uuid4(), clinic.wish(starts_at=clinic.first + timedelta(minutes=15))
    moved = await appointments.move(registrar, act, one.id, 1, wish)
    assert await appointments.move(registrar, act, one.id, 1, wish) == moved
    old = await clinic.row(one.id)
    assert (old.state, old.moved_to, old.version) == ("moved", moved.id, 2)
    with pytest.raises(Refusal, match="stale"):
        await appointments.move(registrar, uuid4(), one.id, 1, clinic.wish(slot=5))
    assert {claim for claim, _ in await clinic.claims()} >= {moved.id}
    assert one.id not in {claim for claim, _ in await clinic.claims()}


async def test_two_who_change_places_both_get_an_answer(clinic: Clinic) -> None:
    """Each takes what the other has not yet freed: no server error, and nothing lost or double."""
    for round_ in range(2):
        a, b = await clinic.book(0, 20 + 4 * round_), await clinic.book(1, 22 + 4 * round_)
        await asyncio.gather(
            clinic.appointments.move(
                clinic.registrar, uuid4(), a.id, 1, clinic.wish(0, 22 + 4 * round_)
            ),
            clinic.appointments.move(
                clinic.registrar, uuid4(), b.id, 1, clinic.wish(1, 20 + 4 * round_)
            ),
            return_exceptions=True,
        )
        async with clinic.database.work() as session:
            rows = await session.exec(
                select(Appointment.id).where(
                    Appointment.clinician_id == clinic.doctor.person_id,
                    Appointment.state == BOOKED.value,
                )
            )
            live = set(rows.all())
        assert {claim for claim, _ in await clinic.claims()} == live
        assert len(live) == 2 * (round_ + 1)


async def test_overbooking_needs_a_reason_and_has_one_place(clinic: Clinic) -> None:
    """Beside a booked time, once; the patient is claimed as ever."""
    await clinic.book()
    extra = await clinic.book(patient=1, beside="Острая боль")
    assert (extra.id, beside(clinic.doctor.person_id)) in await clinic.claims()
    with pytest.raises(Refusal, match="taken") as refused:
        await clinic.book(patient=2, beside="Тоже срочно")
    assert refused.value.facts["taken"] == ["clinician"]
    with pytest.raises(Refusal, match="taken") as refused:
        await clinic.book(patient=1, slot=0, beside="Тот же пациент")
    assert refused.value.facts["taken"] == ["clinician", "patient"]
    with pytest.raises(Refusal, match="incomplete"):
        await clinic.book(patient=2, beside="!")


async def test_a_hold_runs_out_and_stands_in_nobodys_way(clinic: Clinic) -> None:
    """Confirmed in time it is booked; over, the next has it without a clock."""
    held = await clinic.book(hold=True)
    assert held.state is AppointmentState.HELD
    with pytest.raises(Refusal, match="taken"):
        await clinic.book(patient=1)
    booked = await clinic.step(held, VisitStep.CONFIRM)
    assert booked.state is BOOKED
    late = await clinic.book(slot=3, hold=True)
    past = now() - timedelta(seconds=1)
    await clinic.set(late.id, held_until=past, looks_at=past)
    with pytest.raises(Refusal, match="hold_over"):
        await clinic.step(late, VisitStep.CONFIRM)
    assert (await clinic.book(patient=1, slot=3)).state is BOOKED
    assert (await clinic.row(late.id)).state == CANCELLED


async def test_the_clock_reminds_once_a_day_and_closes_what_nobody_came_to(
    clinic: Clinic,
) -> None:
    """One notice for the first appointment of a day; who comes late is let back in."""
    first, second = await clinic.book(), await clinic.book(patient=1, slot=1)
    past = now() - timedelta(seconds=1)
    for one in (first, second):
        await clinic.set(one.id, looks_at=past)
    await clocks.drain_all(clinic.database)
    await clocks.drain_all(clinic.database)
    assert (await clinic.told()).count("appointments_soon") == 1
    row = await clinic.row(first.id)
    assert row.looks_at == row.ends_at + MISSED_AFTER
    begins = now() - timedelta(hours=3)
    await clinic.set(
        first.id, starts_at=begins, ends_at=begins + timedelta(minutes=30), looks_at=past
    )
    await clocks.drain_all(clinic.database)
    row = await clinic.row(first.id)
    assert (row.state, row.version, row.looks_at) == ("no_show", 2, None)
    assert (await clinic.told())[-1] == "appointment_missed"
    back = await clinic.appointments.step(
        clinic.registrar, uuid4(), first.id, 2, VisitStep.UNDO, "Пришёл, но поздно"
    )
    assert back.state is AppointmentState.ARRIVED


async def test_free_time_is_read_and_nothing_is_written(clinic: Clinic) -> None:
    """Booked times, exceptions and absences are not offered; reading makes no row."""
    day = clinic.first.date()
    who = [clinic.doctor.person_id]

    async def offered() -> set[object]:
        async with clinic.database.work() as session:
            found = await free.free_times(session, who, day, 1, now())
            connection = await session.connection()
            wrote = await connection.execute(text("select pg_current_xact_id_if_assigned()"))
            assert wrote.scalar() is None
            return {one.starts_at for one in found}

    whole = await offered()
    await clinic.book()
    assert whole - await offered() == {clinic.first}
    hours = HoursWish(who[0], clinic.office.ward, None, 0, 1440, 30)
    await clinic.planning.add_exception(clinic.registrar, hours, day, works=False)
    assert await offered() == set()
    with pytest.raises(Refusal, match="not_working"):
        await clinic.book(slot=4)
    async with clinic.database.work() as session:
        to_settle = await seen.to_settle(session, clinic.registrar, clinic.office.ward, now())
        mine = [one for one in to_settle if one.clinician_id == who[0]]
        assert [one.trouble for one in mine] == ["outside"]
        session.add(Absence(person_id=who[0], first_day=day, last_day=day + timedelta(days=40)))
    async with clinic.database.work() as session:
        later = await free.free_times(session, who, day + timedelta(days=1), 3, now())
    assert later == []


async def test_an_appointment_that_parted_from_its_clock_is_shown(clinic: Clinic) -> None:
    """A law moved the zone after it was booked: the patient will come by the clock."""
    one = await clinic.book()
    row = await clinic.row(one.id)
    await clinic.set(one.id, wall=row.wall - timedelta(hours=1))
    async with clinic.database.work() as session:
        found = await seen.to_settle(session, clinic.registrar, clinic.office.ward, now())
        assert [each.trouble for each in found if each.id == one.id] == ["parted"]


async def test_nobody_books_whoever_has_left(clinic: Clinic) -> None:
    """Hours end with a departure; what is booked later is shown until somebody has settled it."""
    booked = await clinic.book()
    doctor, ward = clinic.doctor.person_id, clinic.office.ward
    async with clinic.database.work() as session:
        assert await free.free_times(session, [doctor], clinic.first.date(), 1, now())
        (await session.get_one(Person, doctor)).left_at = now()
    async with clinic.database.work() as session:
        assert not await free.free_times(session, [doctor], clinic.first.date(), 1, now())
        shown = await seen.to_settle(session, clinic.registrar, ward, now())
    assert [one.trouble for one in shown if one.id == booked.id] == [AppointmentTrouble.OUTSIDE]
    with pytest.raises(Refusal, match="not_working"):
        await clinic.book(1, 1)


async def test_who_sees_which_names(clinic: Clinic) -> None:
    """Its clinician and those who book in the unit; a planner sees that a time is taken."""
    one = await clinic.book()
    office = clinic.office
    head = await office.person("Громов Олег", Role.UNIT_HEAD, office.ward)
    stranger = await office.person("Чужая Вера", Role.DOCTOR, office.hr)
    async with clinic.database.work() as session:
        for actor in (clinic.doctor, clinic.registrar):
            assert (await seen.one(session, actor, one.id)).patient == "Пациент Номер 0"
        assert await seen.unit_to_open(session, clinic.registrar) == clinic.office.ward
        taken = await seen.one(session, head, one.id)
        assert (taken.patient, taken.patient_id, taken.reason) == ("", None, "")
        for actor, code in ((stranger, "not_found"), (office.reviewer, "forbidden")):
            with pytest.raises(Refusal, match=code):
                await seen.one(session, actor, one.id)
    for actor, code in ((head, "forbidden"), (stranger, "not_found")):
        with pytest.raises(Refusal, match=code):
            await clinic.step(one, VisitStep.CANCEL, "Причина", by=actor)


async def test_a_patient_on_todays_list_opens_without_a_question(clinic: Clinic) -> None:
    """Only to the clinician who sees them, only on that day, and not after it was cancelled."""
    one = await clinic.book()
    who = clinic.patients[0]

    async def way(actor: object = None) -> object:
        async with clinic.database.work() as session:
            found = await ways.way_in(session, actor or clinic.doctor, who, now())  # type: ignore[arg-type]
            return found and found.name

    assert await way() is None
    today = now()
    await clinic.set(one.id, starts_at=today, ends_at=today + timedelta(minutes=30))
    assert await way() == "on_my_list_today"
    assert await way(clinic.registrar) is None
    await clinic.step(one, VisitStep.CANCEL, "Не придёт")
    assert await way() is None


async def test_planning_belongs_to_those_who_plan(clinic: Clinic) -> None:
    """A doctor plans nothing; hours and exceptions come once, and end."""
    office, planning = clinic.office, clinic.planning
    hours = HoursWish(clinic.doctor.person_id, office.ward, None, 540, 600, 30)
    with pytest.raises(Refusal, match="forbidden"):
        await planning.add_hours(clinic.doctor, hours, [0], date(2026, 1, 1), None)
    nobody = HoursWish(office.reviewer.person_id, office.ward, None, 540, 600, 30)
    with pytest.raises(Refusal, match="incomplete"):
        await planning.add_hours(clinic.registrar, nobody, [0], date(2026, 1, 1), None)

    def mine(rows: object) -> list[UUID]:
        return [one.id for one in rows if one.clinician_id == clinic.doctor.person_id]  # type: ignore[attr-defined]

    from services.schedule.planning import hours_of

    for _ in range(2):
        await planning.add_hours(clinic.registrar, hours, [0], date(2026, 1, 1), None)
    async with clinic.database.work() as session:
        weekly, _days = await hours_of(session, office.ward, now().date())
    assert len(mine(weekly)) == 8
    yesterday = now().date() - timedelta(days=1)
    for one in mine(weekly):
        await planning.end_hours(clinic.registrar, one, yesterday)
    async with clinic.database.work() as session:
        weekly, _days = await hours_of(session, office.ward, now().date())
        assert mine(weekly) == []
