"""The people of the scenes: who treats, who registers, who is the head, over one database."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto.key_ring import key_ring
from models.tables.journal import JournalEntry
from models.tables.patients import RecordOpening
from models.tables.people import Person, RoleGrant, Unit
from models.tables.records import RecordDraft
from rules.access import Actor, Role
from rules.clock import now
from rules.patients.grounds import REASON_OPENS
from rules.patients.identity import Identity, Sex
from rules.results.terms import ResultTerms
from rules.texts.identifiers import snils_with_check
from services import access
from services.journal import entries as journal
from services.patients.entering import enter
from services.results.terms import SHIPPED, terms_in
from services.schedule.planning import HoursWish, Planning

_SINCE = timedelta(days=400)
SLOT = timedelta(minutes=30)


@dataclass
class InterleavedClinic:
    """A unit of its own, with the people who act in it."""

    database: Database
    unit: UUID
    code: str
    people: dict[str, Actor]
    snils_of_doctor: str
    terms: ResultTerms = field(default_factory=lambda: terms_in(SHIPPED))

    @classmethod
    async def gather(cls, database: Database) -> "InterleavedClinic":
        """Enter unit and people. It is noon there: a day with all its hours lies around it."""
        hour = now().hour
        code = f"weave-{secrets.token_hex(5)}"
        async with database.work() as session:
            root = await session.exec(select(Unit.id).where(col(Unit.parent_id).is_(None)))
            unit = Unit(
                code=code,
                name="Отделение",
                parent_id=root.first(),
                time_zone=f"Etc/GMT{hour - 12:+d}",
            )
            session.add(unit)
            await session.flush()
            number = snils_with_check(100_000_000 + secrets.randbelow(10**8))
            people = {
                "doctor": await _person(session, unit.id, Role.DOCTOR, number),
                "colleague": await _person(session, unit.id, Role.DOCTOR),
                "head": await _person(session, unit.id, Role.UNIT_HEAD),
                "registrar": await _person(session, unit.id, Role.REGISTRAR),
                "second": await _person(session, unit.id, Role.REGISTRAR),
            }
        made = cls(database, unit.id, code, people, number)
        planning = Planning(database)
        for who in ("doctor", "colleague"):
            hours = HoursWish(people[who].person_id, unit.id, None, 0, 1440, 30)
            await planning.add_hours(people["registrar"], hours, range(7), date(2020, 1, 1), None)
        return made

    def __getitem__(self, who: str) -> Actor:
        return self.people[who]

    def slot(self, number: int) -> datetime:
        """A time of today; the first one has begun."""
        moment = now()
        begun = moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0)
        return begun.astimezone(UTC) + number * SLOT

    async def patients(
        self, number: int, open_to: Sequence[str] = (), *, named: Identity | None = None
    ) -> list[UUID]:
        """Patients whom nobody else has, with records that are open to these people."""
        moment, made = now(), []
        async with self.database.work() as session:
            for _ in range(number):
                row = await enter(session, named or identity(), self.unit, None, moment)
                if row is None:
                    raise RuntimeError("the same insurance number twice")
                made.append(row.id)
                session.add_all(
                    RecordOpening(
                        patient_id=row.id,
                        person_id=self[who].person_id,
                        ground="consent",
                        words="",
                        at=moment,
                        ends_at=moment + REASON_OPENS,
                    )
                    for who in open_to
                )
        return made

    async def draft(self, patient: UUID, kind: str, data: Mapping[str, str]) -> UUID:
        """What the doctor has typed of a patient and not signed."""
        row = RecordDraft(
            author_id=self["doctor"].person_id,
            patient_id=patient,
            type=kind,
            data=dict(data),
            created_at=now(),
        )
        async with self.database.work() as session:
            session.add(row)
        return row.id

    async def journal(self, chain: UUID) -> Sequence[JournalEntry]:
        """What is written in a chain, the first first."""
        async with self.database.reading() as session:
            return await journal.read(session, chain)

    async def wake(self, row_id: UUID, **_: Any) -> bool:
        """There is no workflow: what it would do, the scenes do."""
        del row_id
        return True


def identity(number: str | None = None) -> Identity:
    """A name that many have, with an insurance number of its own."""
    own = number or snils_with_check(200_000_000 + secrets.randbelow(7 * 10**8))
    return Identity("Королёва Наталья Петровна", date(1961, 3, 14), Sex.FEMALE, snils=own)


async def _person(
    session: AsyncSession, unit: UUID, role: Role, number: str | None = None
) -> Actor:
    moment = now()
    person = Person(
        unit_id=unit,
        position="врач-терапевт",
        name="Орлова Вера Павловна",
        email=f"{secrets.token_hex(8)}@hospital.example",
        snils=number,
        snils_blind=key_ring().blind(number) if number else None,
        created_at=moment - _SINCE,
    )
    session.add(person)
    await session.flush()
    since = moment - _SINCE
    session.add(RoleGrant(person_id=person.id, role=role.value, unit_id=unit, valid_from=since))
    await session.flush()
    return await access.actor_for(session, person.id, moment)
