"""A clinician with hours, a registrar and patients, over the database of the run."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from clients.database import Database
from models.tables.notices import Notice
from models.tables.schedule import Appointment, TimeClaim
from rules.access import Actor, Role
from rules.clock import now
from rules.schedule.states import VisitStep
from services.schedule.acts import Appointments, ChangedAppointment, TimeWish
from services.schedule.planning import HoursWish, Planning
from tests.patients.people import identity, patient
from tests.shared.office import Office

EVERY_DAY = range(7)


@dataclass
class Clinic:
    """The services and people of one test."""

    office: Office
    appointments: Appointments
    planning: Planning
    doctor: Actor
    registrar: Actor
    patients: list[UUID]
    room: UUID
    first: datetime = field(default_factory=lambda: ahead(9))

    @property
    def database(self) -> Database:
        """The database of the run."""
        return self.office.database

    def wish(self, patient: int = 0, slot: int = 0, **more: Any) -> TimeWish:
        """The time number `slot` of a day ahead for one of the patients."""
        at = self.first + slot * timedelta(minutes=30)
        return replace(TimeWish(self.doctor.person_id, self.patients[patient], at), **more)

    async def book(self, patient: int = 0, slot: int = 0, **more: Any) -> ChangedAppointment:
        """Book as the registrar."""
        wish = self.wish(patient, slot, **more)
        return await self.appointments.book(self.registrar, uuid4(), wish)

    async def step(
        self, one: ChangedAppointment, step: VisitStep, reason: str = "", **more: Any
    ) -> ChangedAppointment:
        """Take a step as the registrar, or `by` somebody else."""
        by = more.get("by", self.registrar)
        return await self.appointments.step(by, uuid4(), one.id, one.version, step, reason)

    async def row(self, appointment_id: UUID) -> Appointment:
        """The row as it stands."""
        async with self.database.work() as session:
            return await session.get_one(Appointment, appointment_id)

    async def set(self, appointment_id: UUID, **columns: Any) -> None:
        """Change columns as time would."""
        async with self.database.work() as session:
            await session.exec(
                update(Appointment).where(col(Appointment.id) == appointment_id).values(**columns)
            )

    async def claims(self) -> list[tuple[UUID, UUID]]:
        """Which appointments have claims, and on whom, of this clinic."""
        async with self.database.work() as session:
            found = await session.exec(
                select(TimeClaim.appointment_id, TimeClaim.party)
                .join(Appointment, col(Appointment.id) == col(TimeClaim.appointment_id))
                .where(Appointment.clinician_id == self.doctor.person_id)
            )
            return sorted(found.all())

    async def told(self) -> list[str]:
        """The kinds of notices to the doctor, in order."""
        async with self.database.work() as session:
            found = await session.exec(
                select(Notice.kind)
                .where(Notice.person_id == self.doctor.person_id, Notice.channel == "cabinet")
                .order_by(col(Notice.id))
            )
            return list(found.all())


def ahead(hour: int) -> datetime:
    """An hour of a day that has not begun in any zone, in UTC."""
    return (now() + timedelta(days=2)).replace(hour=hour, minute=0, second=0, microsecond=0)


async def clinic_of(office: Office, patients: int = 3) -> Clinic:
    """A clinic of people of its own."""
    database = office.database
    registrar = await office.person("Лаптева Ирина Борисовна", Role.REGISTRAR, office.institution)
    planning = Planning(database)
    room = await planning.add_room(registrar, office.ward, uuid4().hex[:8])
    doctor = office.clinician.person_id
    hours = HoursWish(doctor, office.ward, room, 0, 1440, 30)
    await planning.add_hours(registrar, hours, EVERY_DAY, date(2020, 1, 1), None)
    people = [
        await patient(database, office.ward, identity(f"Пациент Номер {number}"))
        for number in range(patients)
    ]
    return Clinic(
        office, Appointments(database), planning, office.clinician, registrar, people, room
    )


@pytest.fixture
async def clinic(office: Office) -> Clinic:
    """A clinic of this test's own."""
    return await clinic_of(office)
