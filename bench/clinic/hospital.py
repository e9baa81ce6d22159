"""A unit that sees patients: clinicians with hours and rooms, patients, and who books for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import text

from bench.ground import Office
from clients.database import Database
from models.tables.people import Person, Unit
from models.tables.schedule import TreatmentRoom, WorkingHours
from ops.faults.people import ApiUser, join
from rules.access import Role
from rules.accounts import AccountState
from rules.clock import now
from rules.patients.identity import Identity, Sex
from rules.schedule.hours import moment
from services import access
from services.patients.entering import enter
from settings import Settings

CLINICIANS = 50
OPENS, CLOSES, STEP = 9 * 60, 15 * 60, 15
"""Minutes after midnight, and of one appointment: 24 a day."""
WORKDAYS = range(5)

_BOOKED = """
insert into appointment (
  id, clinician_id, patient_id, room_id, unit_id, starts_at, ends_at, wall, zone, state, version,
  changed_at, booked_by, overbooked
)
select gen_random_uuid(), who.clinician, who.patient, who.room, :unit, at,
  at + interval '15 minutes', at at time zone :zone, :zone, 'booked', 1, now(), :by, false
from unnest(:clinicians, :patients, :rooms) as who(clinician, patient, room),
  unnest(:times) as at
"""
_CLAIMED = """
insert into claim (appointment_id, party, during)
select id, party, tstzrange(starts_at, ends_at)
from appointment, unnest(array[clinician_id, patient_id, room_id]) as party
where unit_id = :unit
"""


@dataclass(frozen=True)
class Hospital:
    """A unit: the clinician, the room and the patient of one number belong together."""

    unit: UUID
    zone: str
    clinicians: Sequence[UUID]
    rooms: Sequence[UUID]
    patients: Sequence[UUID]
    registrar: ApiUser
    first: date
    """A Monday on which nothing has begun yet."""

    def times(self, first: date, days: int) -> list[datetime]:
        """The beginnings of all appointments of one clinician on the workdays from a day on."""
        zone = ZoneInfo(self.zone)
        return [
            moment(first + timedelta(days=number), minutes, zone)
            for number in range(days)
            if (first + timedelta(days=number)).weekday() in WORKDAYS
            for minutes in range(OPENS, CLOSES, STEP)
        ]

    def free(self, first: date, days: int) -> Iterator[tuple[UUID, UUID, datetime]]:
        """Clinician, patient and beginning of appointments that nobody has, while nobody books."""
        for at in self.times(first, days):
            for clinician, patient in zip(self.clinicians, self.patients, strict=False):
                yield clinician, patient, at


async def open_hospital(
    office: Office, clinicians: int = CLINICIANS, patients: int = CLINICIANS
) -> Hospital:
    """Make a unit with its people; nothing is booked in it."""
    database, today = office.database, now().date()
    async with database.work() as session:
        unit = Unit(code=uuid4().hex, name="Поликлиника")
        session.add(unit)
        await session.flush()
        people = [
            Person(
                unit_id=unit.id,
                position="врач-терапевт",
                name=f"Врач Номер {number}",
                email=f"{uuid4().hex}@example.org",
                created_at=now(),
            )
            for number in range(clinicians)
        ]
        rooms = [TreatmentRoom(unit_id=unit.id, name=f"{number}") for number in range(clinicians)]
        session.add_all([*people, *rooms])
        await session.flush()
        zone = (await access.zone_of(session, unit.id)).key
    registrar = await join(
        database, "Лаптева Ирина", Role.REGISTRAR, unit.id, AccountState.CONFIRMED
    )
    async with database.work() as session:
        session.add_all(
            WorkingHours(
                clinician_id=person.id,
                unit_id=unit.id,
                room_id=room.id,
                weekday=weekday,
                starts=OPENS,
                ends=CLOSES,
                step=STEP,
                zone=zone,
                valid_from=date(2020, 1, 1),
                added_by=registrar.person_id,
            )
            for person, room in zip(people, rooms, strict=True)
            for weekday in WORKDAYS
        )
    return Hospital(
        unit.id,
        zone,
        [one.id for one in people],
        [one.id for one in rooms],
        await enter_patients(database, unit.id, patients),
        registrar,
        today + timedelta(days=7 - today.weekday()),
    )


async def enter_patients(database: Database, unit: UUID, number: int) -> list[UUID]:
    """So many patients of a unit."""
    entered = []
    async with database.work() as session:
        for each in range(number):
            who = Identity(f"Пациент Номер {each}", date(1961, 3, 14), Sex.FEMALE)
            patient = await enter(session, who, unit, None, now())
            if patient is None:
                raise RuntimeError("there is somebody of this identity")
            entered.append(patient.id)
    return entered


async def book_all(database: Database, hospital: Hospital, times: Sequence[datetime]) -> None:
    """Book all clinicians of a unit at these times, as rows; no clock looks at them."""
    values = {
        "unit": hospital.unit,
        "zone": hospital.zone,
        "by": hospital.registrar.person_id,
        "clinicians": list(hospital.clinicians),
        "patients": list(hospital.patients[: len(hospital.clinicians)]),
        "rooms": list(hospital.rooms),
        "times": list(times),
    }
    async with database.work() as session:
        await session.exec(text("set local statement_timeout = 0"))  # type: ignore[call-overload]
        await session.exec(text(_BOOKED), params=values)  # type: ignore[call-overload]
        await session.exec(text(_CLAIMED), params={"unit": hospital.unit})  # type: ignore[call-overload]


async def analyze(settings: Settings) -> None:
    """Update the statistics of the planner, as autovacuum would do within a minute."""
    url = settings.database_owner_url or settings.database_url
    async with await psycopg.AsyncConnection.connect(url.get_secret_value()) as owner:
        await owner.execute("analyze appointment, claim, working_hours, patient")
