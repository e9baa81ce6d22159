"""A clinic to try Medcab with: clinicians with hours, patients, a month of days of appointments.

The same seed makes the same clinic on the same day: names, numbers, and who is booked when. Rows
are written by thousands, with encrypted columns and journal entries as if people had entered them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from models.encrypted_columns import bound_row
from models.tables.patients import Patient
from models.tables.people import Person, RoleGrant
from models.tables.schedule import Appointment, TreatmentRoom, WorkingHours
from ops.data.demo_people import MAIL_DOMAIN
from rules.access import Role
from rules.journal.entries import JournalKind
from rules.patients.identity import Identity, Sex
from rules.schedule.claims import parties
from rules.schedule.hours import moment, wall_of
from rules.schedule.states import AppointmentState, looks_at
from rules.texts.identifiers import snils_with_check
from services.journal import entries as journal
from services.journal.entries import FirstEntry
from services.patients.entering import columns

_NAMESPACE = UUID("f2a40a0e-6a0a-4c0e-9a53-7d1a5b1c3e55")
_LOGIN = "clinic-"
_BATCH = 2000
_POSTS = (
    ("therapy", "врач-терапевт"),
    ("cardiology", "врач-кардиолог"),
    ("surgery", "врач-хирург"),
)
_OPENS, _CLOSES, _STEP = 9 * 60, 17 * 60, 20
_FULL = 0.7
"""So much of the time is booked."""
_CAME = 0.95
_FAMILIES = [
    "Абрамов",
    "Беляев",
    "Виноградов",
    "Голубев",
    "Давыдов",
    "Емельянов",
    "Жуков",
    "Захаров",
    "Игнатов",
    "Калинин",
    "Лазарев",
    "Макаров",
    "Назаров",
    "Осипов",
    "Павлов",
    "Романов",
    "Савельев",
    "Тарасов",
    "Уваров",
    "Фомин",
    "Харитонов",
    "Широков",
]
_MEN = [
    "Андрей",
    "Борис",
    "Виктор",
    "Глеб",
    "Дмитрий",
    "Егор",
    "Иван",
    "Кирилл",
    "Лев",
    "Максим",
    "Никита",
    "Олег",
    "Пётр",
]
_WOMEN = [
    "Алла",
    "Вера",
    "Галина",
    "Дарья",
    "Елена",
    "Жанна",
    "Инна",
    "Ксения",
    "Лидия",
    "Мария",
    "Нина",
    "Ольга",
    "Раиса",
]
_FATHERS = [
    "Андреев",
    "Борисов",
    "Викторов",
    "Глебов",
    "Егоров",
    "Иванов",
    "Львов",
    "Максимов",
    "Олегов",
    "Петров",
]


@dataclass(frozen=True)
class ClinicSize:
    """How large the clinic is; `days` are those of the calendar, from today on."""

    clinicians: int = 50
    patients: int = 3000
    days: int = 30


@dataclass(frozen=True)
class ClinicSeeded:
    """What was entered; nothing where the clinic stands already."""

    clinicians: int = 0
    patients: int = 0
    appointments: int = 0


def is_of_clinic(email: str) -> bool:
    """Whether somebody is a clinician of a demo clinic, of whatever seed."""
    return email.startswith(_LOGIN) and email.endswith(f"@{MAIL_DOMAIN}")


async def seed_clinic(
    session: AsyncSession,
    units: Mapping[str, UUID],
    zone: str,
    now: datetime,
    seed: int,
    size: ClinicSize,
) -> ClinicSeeded:
    """Enter the clinic of a seed, unless it is there."""
    made = _Clinic(seed, units, zone, now)
    people = [made.clinician(number) for number in range(size.clinicians)]
    if not people or await session.get(Person, people[0].id) is not None:
        return ClinicSeeded()
    rooms = [made.room(number, one) for number, one in enumerate(people)]
    hours = [
        made.hours(one, room, weekday)
        for one, room in zip(people, rooms, strict=True)
        for weekday in range(5)
    ]
    patients = [made.patient(number) for number in range(size.patients)]
    booked = list(made.appointments(people, rooms, [one.id for one, _ in patients], size.days))
    await _write(session, people)
    await _write(session, [made.grant(one) for one in people])
    await _write(session, rooms)
    await _write(session, hours)
    await _write(session, [row for row, _ in patients])
    await _write(session, booked)
    await _claim(session, booked)
    firsts = [made.entered(row, identity) for row, identity in patients]
    firsts += [made.booked(one) for one in booked]
    for some in _by_thousands(firsts):
        await journal.begin_chains(session, "seed", some)
    return ClinicSeeded(len(people), len(patients), len(booked))


class _Clinic:
    """The rows of one seed."""

    def __init__(self, seed: int, units: Mapping[str, UUID], zone: str, now: datetime) -> None:
        self._seed, self._units, self._zone, self._now = seed, units, zone, now
        self._today = now.astimezone(ZoneInfo(zone)).date()

    def _id(self, what: str) -> UUID:
        return uuid5(_NAMESPACE, f"{self._seed}:{what}")

    def _dice(self, what: str) -> Random:
        """Chance of its own for each thing, so that one more changes no other."""
        return Random(f"{self._seed}:{what}")  # noqa: S311 - invented people, no secret

    def _name(self, dice: Random) -> tuple[str, Sex]:
        woman = dice.random() < 0.5
        family, father = dice.choice(_FAMILIES), dice.choice(_FATHERS)
        if woman:
            return f"{family}а {dice.choice(_WOMEN)} {father}на", Sex.FEMALE
        return f"{family} {dice.choice(_MEN)} {father}ич", Sex.MALE

    def _unit(self, number: int) -> UUID:
        return self._units[_POSTS[number % len(_POSTS)][0]]

    def clinician(self, number: int) -> Person:
        """One of the clinicians, without an account."""
        name, _ = self._name(self._dice(f"clinician {number}"))
        return Person(
            id=self._id(f"clinician {number}"),
            unit_id=self._unit(number),
            position=_POSTS[number % len(_POSTS)][1],
            name=name,
            email=f"{_LOGIN}{self._seed}-{number}@{MAIL_DOMAIN}",
            created_at=self._now,
        )

    def grant(self, one: Person) -> RoleGrant:
        """The role in which a clinician treats."""
        return RoleGrant(
            id=self._id(f"grant {one.id}"),
            person_id=one.id,
            role=Role.DOCTOR.value,
            unit_id=one.unit_id,
            valid_from=self._now - timedelta(seconds=1),
        )

    def room(self, number: int, one: Person) -> TreatmentRoom:
        """The room of a clinician."""
        name = f"{self._seed}-{201 + number}"
        return TreatmentRoom(id=self._id(f"room {number}"), unit_id=one.unit_id, name=name)

    def hours(self, one: Person, room: TreatmentRoom, weekday: int) -> WorkingHours:
        """The hours of one working day."""
        return WorkingHours(
            id=self._id(f"hours {one.id} {weekday}"),
            clinician_id=one.id,
            unit_id=one.unit_id,
            room_id=room.id,
            weekday=weekday,
            starts=_OPENS,
            ends=_CLOSES,
            step=_STEP,
            zone=self._zone,
            valid_from=self._today,
            added_by=one.id,
        )

    def patient(self, number: int) -> tuple[Patient, Identity]:
        """One of the patients, with numbers whose check digits are right."""
        dice = self._dice(f"patient {number}")
        name, sex = self._name(dice)
        born = date(1935, 1, 1) + timedelta(days=dice.randrange(30_000))
        serial = self._seed % 1000 * 100_000 + number
        identity = Identity(
            name,
            born,
            sex,
            snils=snils_with_check(200_000_000 + serial),
            policy=_policy(780_000_000_000_000 + serial),
            phone=f"+7999{serial % 10_000_000:07d}" if dice.random() < 0.8 else None,
        )
        row = Patient(
            id=self._id(f"patient {number}"),
            unit_id=self._unit(number),
            created_at=self._now,
            **columns(identity),
        )
        return row, identity

    def appointments(
        self,
        people: Sequence[Person],
        rooms: Sequence[TreatmentRoom],
        patients: Sequence[UUID],
        days: int,
    ) -> Iterator[Appointment]:
        """Who is booked when: at one time each patient with one clinician."""
        for ahead in range(days):
            day = self._today + timedelta(days=ahead)
            if day.weekday() >= 5:
                continue
            dice = self._dice(f"day {day.isoformat()}")
            for minutes in range(_OPENS, _CLOSES, _STEP):
                busy = [one for one in range(len(people)) if dice.random() < _FULL]
                busy = busy[: len(patients)]
                for number, patient in zip(busy, dice.sample(patients, len(busy)), strict=True):
                    starts_at = moment(day, minutes, ZoneInfo(self._zone))
                    came = dice.random() < _CAME
                    yield self._appointment(people[number], rooms[number], patient, starts_at, came)

    def _appointment(
        self, one: Person, room: TreatmentRoom, patient: UUID, starts_at: datetime, came: bool
    ) -> Appointment:
        ends_at = starts_at + timedelta(minutes=_STEP)
        state = AppointmentState.BOOKED
        if ends_at <= self._now:
            state = AppointmentState.COMPLETED if came else AppointmentState.NO_SHOW
        return Appointment(
            id=self._id(f"appointment {one.id} {starts_at.astimezone(UTC).isoformat()}"),
            clinician_id=one.id,
            patient_id=patient,
            room_id=room.id,
            unit_id=one.unit_id,
            starts_at=starts_at,
            ends_at=ends_at,
            wall=wall_of(starts_at, self._zone),
            zone=self._zone,
            state=state.value,
            changed_at=self._now,
            booked_by=one.id,
            looks_at=looks_at(state, starts_at, ends_at, None, self._now),
        )

    def entered(self, row: Patient, identity: Identity) -> FirstEntry:
        """The journal entry of a patient."""
        facts = {"unit": str(row.unit_id)}
        kind = JournalKind.PATIENT_REGISTERED
        return FirstEntry(row.id, kind, self._now, facts, dict(identity.as_text))

    def booked(self, one: Appointment) -> FirstEntry:
        """The journal entry of an appointment."""
        facts = {
            "clinician": str(one.clinician_id),
            "starts_at": one.starts_at.isoformat(),
            "state": one.state,
            "overbooked": False,
        }
        contents = {"patient": str(one.patient_id)}
        return FirstEntry(one.id, JournalKind.APPOINTMENT_BOOKED, self._now, facts, contents)


def _policy(body: int) -> str:
    """Sixteen digits, the last of which is that of Luhn."""
    digits = f"{body:015d}"
    weighed = [int(one) * (2 - place % 2) for place, one in enumerate(digits)]
    return f"{digits}{-sum(one - 9 if one > 9 else one for one in weighed) % 10}"


def _by_thousands(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[begin : begin + _BATCH] for begin in range(0, len(rows), _BATCH))


async def _write(session: AsyncSession, rows: Sequence[SQLModel]) -> None:
    """Insert rows of one table."""
    connection = await session.connection()
    for some in _by_thousands(rows):
        table = SQLModel.metadata.tables[str(some[0].__tablename__)]
        await connection.execute(insert(table), [bound_row(one) for one in some])


async def _claim(session: AsyncSession, booked: Sequence[Appointment]) -> None:
    """Take everybody's time, under the constraint that lets nobody be taken twice."""
    connection = await session.connection()
    for some in _by_thousands(booked):
        await connection.exec_driver_sql(
            "insert into claim select appointment, party, tstzrange(begins, ends)"
            " from unnest(%s::uuid[], %s::uuid[], %s::timestamptz[], %s::timestamptz[])"
            " as taken(appointment, party, begins, ends)",
            tuple(map(list, zip(*_claims(some), strict=True))),
        )


def _claims(some: Sequence[Appointment]) -> Iterator[tuple[UUID, UUID, datetime, datetime]]:
    for one in some:
        for party in parties(one.clinician_id, one.patient_id, one.room_id, overbooked=False):
            yield one.id, party, one.starts_at, one.ends_at
