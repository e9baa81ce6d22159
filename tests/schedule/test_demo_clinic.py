"""The demo clinic of `medcab seed --clinic`: the same for the same seed, and as people enter it."""

from datetime import UTC, datetime

from sqlalchemy import func
from sqlmodel import col, select

from models.tables.journal import JournalEntry
from models.tables.patients import Patient
from models.tables.schedule import Appointment, TimeClaim, WorkingHours
from ops.data.demo_clinic import ClinicSize, seed_clinic
from rules.clock import now
from rules.journal.entries import verify_chain
from rules.texts import identifiers
from services.journal import entries as journal
from services.schedule import free
from tests.shared.office import Office

SIZE = ClinicSize(clinicians=4, patients=12, days=4)
MONDAY = datetime(2031, 3, 3, 3, tzinfo=UTC)


async def test_a_clinic_is_entered_once_and_whole(office: Office) -> None:
    """Claims, encrypted names, journal entries that verify; a second time nothing is written."""
    units = dict.fromkeys(("therapy", "cardiology", "surgery"), office.ward)
    async with office.database.work() as session:
        made = await seed_clinic(session, units, "Europe/Moscow", MONDAY, 7, SIZE)
    # From 09:00 on, 24 times of four clinicians on four days, of which most are booked.
    assert (made.clinicians, made.patients) == (4, 12)
    assert 230 < made.appointments < 384 * 0.85
    async with office.database.work() as session:
        again = await seed_clinic(session, units, "Europe/Moscow", MONDAY, 7, SIZE)
        assert again.patients == 0
        working = select(WorkingHours.clinician_id).where(WorkingHours.valid_from == MONDAY.date())
        ours = (await session.exec(working.distinct())).all()
        assert len(ours) == 4
        booked = (
            await session.exec(select(Appointment).where(col(Appointment.clinician_id).in_(ours)))
        ).all()
        claims = await session.exec(
            select(func.count()).where(
                col(TimeClaim.appointment_id).in_([one.id for one in booked])
            )
        )
        assert claims.one() == 3 * len(booked) == 3 * made.appointments
        patients = {one.patient_id for one in booked}
        for one in (await session.exec(select(Patient).where(col(Patient.id).in_(patients)))).all():
            assert identifiers.snils(one.snils or "") == one.snils
            assert len(one.name.split()) == 3
            assert one.phone is None or identifiers.phone(one.phone) == one.phone
        entries = await session.exec(select(JournalEntry).where(JournalEntry.chain == booked[0].id))
        chain = [journal.facts_of(one) for one in entries.all()]
        assert [one.kind for one in chain] == ["appointment.booked"]
        assert verify_chain(chain) == []
        slots = await free.free_times(session, ours, MONDAY.date(), 4, now())
        assert len(slots) == 384 - made.appointments
