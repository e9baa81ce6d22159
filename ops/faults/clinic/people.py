"""Who treats, books and answers for results in a run, for which patients."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlmodel import col, select

from clients.database import Database
from crypto.key_ring import key_ring
from models.tables.people import Person, Unit
from models.tables.schedule import TreatmentRoom, WorkingHours
from ops.faults.people import ApiUser, join
from rules.access import Role
from rules.accounts import AccountState
from rules.clock import now
from rules.patients.identity import Identity, Sex
from services import access
from services.patients.entering import enter

DOCTORS, REGISTRARS, PATIENTS = 4, 4, 24
STEP = 30
"""Minutes of one appointment; doctors work all day and all night."""
UNIT = "therapy"
BORN = date(1961, 3, 14)


@dataclass(frozen=True)
class FaultsPatient:
    """A patient, as the laboratory knows them."""

    id: UUID
    name: str
    snils: str


@dataclass(frozen=True)
class ClinicCast:
    """Doctors, the SNILS by which each orders, those who book, and their patients."""

    doctors: tuple[ApiUser, ...]
    snils: dict[UUID, str]
    registrars: tuple[ApiUser, ...]
    patients: tuple[FaultsPatient, ...]


async def gather_for_clinic(database: Database) -> ClinicCast:
    """A unit that sees patients: each doctor has a room of their own."""
    async with database.work() as session:
        unit = (await session.exec(select(Unit).where(Unit.code == UNIT))).one().id
        zone = (await access.zone_of(session, unit)).key
    doctors = await _confirmed(database, "Доктор", Role.DOCTOR, unit, DOCTORS)
    registrars = await _confirmed(database, "Регистратор", Role.REGISTRAR, unit, REGISTRARS)
    await _confirmed(database, "Заведующая отделением", Role.UNIT_HEAD, unit, 1)
    # Numbers as low as these have no check digits.
    snils = {one.person_id: f"000-800-{n:03} 00" for n, one in enumerate(doctors)}
    async with database.work() as session:
        people = await session.exec(select(Person).where(col(Person.id).in_(snils)))
        for person in people.all():
            person.snils = snils[person.id]
            person.snils_blind = key_ring().blind(person.snils)
            session.add(person)
        for n, one in enumerate(doctors):
            room = TreatmentRoom(unit_id=unit, name=f"Кабинет {n}")
            session.add(room)
            await session.flush()
            session.add_all(
                WorkingHours(
                    clinician_id=one.person_id,
                    unit_id=unit,
                    room_id=room.id,
                    weekday=weekday,
                    starts=0,
                    ends=1440,
                    step=STEP,
                    zone=zone,
                    valid_from=date(2020, 1, 1),
                    added_by=registrars[0].person_id,
                )
                for weekday in range(7)
            )
        patients = []
        for n in range(PATIENTS):
            who = Identity(f"Больная Номер {n}", BORN, Sex.FEMALE, snils=f"000-700-{n:03} 00")
            row = await enter(session, who, unit, registrars[0].person_id, now())
            if row is None:
                raise RuntimeError("there is somebody of this identity")
            patients.append(FaultsPatient(row.id, who.name, who.snils or ""))
    return ClinicCast(doctors, snils, registrars, tuple(patients))


async def _confirmed(
    database: Database, name: str, role: Role, unit: UUID, number: int
) -> tuple[ApiUser, ...]:
    return tuple(
        [
            await join(database, f"{name} {n}", role, unit, AccountState.CONFIRMED)
            for n in range(number)
        ]
    )
