"""A unit with its doctors, head and registrar, a patient, and a laboratory that speaks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import col, select

from clients.clinic.laboratory import LabMessage
from clients.database import Database
from crypto.key_ring import key_ring
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import Person, Unit
from models.tables.results import LabResult
from rules.access import Actor, Role
from rules.clock import now
from rules.patients.identity import Identity
from rules.refusals import Refusal
from rules.results.life import NextStep
from rules.results.terms import ResultTerms
from rules.texts.identifiers import snils_with_check
from services.results import hearing, inspection, looking, rows, seen
from services.results.acts import Confirmed, ResultActs
from services.results.inspection import ResultTrouble
from services.results.seen import ResultSeen
from services.results.terms import SHIPPED, terms_in
from tests.patients.people import fresh_snils, identity, patient
from tests.shared.office import Office


@dataclass
class Clinic:
    """Who is there, and what they do with results."""

    office: Office
    unit: UUID
    code: str
    doctor: Actor
    colleague: Actor
    head: Actor
    registrar: Actor
    doctor_snils: str
    patient: UUID
    who: Identity
    woken: list[UUID] = field(default_factory=list)
    terms: ResultTerms = field(default_factory=lambda: terms_in(SHIPPED))

    @classmethod
    async def open(cls, office: Office) -> "Clinic":
        """A unit of this test's own."""
        code = f"lab-{uuid4().hex[:10]}"
        unit = Unit(code=code, name="Отделение", parent_id=office.institution)
        async with office.database.work() as session:
            session.add(unit)
        people = [
            await office.person(name, role, unit.id)
            for name, role in (
                ("Орлова Вера Павловна", Role.DOCTOR),
                ("Белов Пётр Ильич", Role.DOCTOR),
                ("Зорин Глеб Олегович", Role.UNIT_HEAD),
                ("Лаптева Ирина Юрьевна", Role.REGISTRAR),
            )
        ]
        doctors = snils_with_check(int(uuid4().int % 10**8) + 10**8)
        async with office.database.work() as session:
            person = await session.get_one(Person, people[0].person_id)
            person.snils, person.snils_blind = doctors, key_ring().blind(doctors)
            session.add(person)
        who = identity(snils=fresh_snils())
        whose = await patient(office.database, unit.id, who)
        doctor, colleague, head, registrar = people
        staff = (doctor, colleague, head, registrar)
        return cls(office, unit.id, code, *staff, doctors, whose, who)

    @property
    def database(self) -> Database:
        """The database of the test."""
        return self.office.database

    @property
    def acts(self) -> ResultActs:
        """What people do."""
        return ResultActs(self.database, self._wake, self.terms)

    async def _wake(self, row_id: UUID, *, signal: str = "", anew: bool = False) -> bool:
        del signal, anew
        self.woken.append(row_id)
        return True

    def said(self, number: str = "", version: int = 1, **changes: Any) -> LabMessage:
        """What the laboratory says: a potassium that is a little high."""
        usual: dict[str, Any] = {
            "number": number or f"L-{uuid4().hex}",
            "version": version,
            "stage": "final",
            "order": "З-1",
            "ordered_by": self.doctor_snils,
            "unit": self.code,
            "patient": {
                "name": self.who.name,
                "birth_date": self.who.birth_date,
                "sex": self.who.sex.value,
                "snils": self.who.snils,
            },
            "specimen": "кровь",
            "taken_at": now(),
            "ready_at": now(),
            "test": {"code": "2823-3", "name": "Калий", "dictionary": "LOINC"},
            "value": "5.4",
            "unit_of_value": "ммоль/л",
            "reference": {"low": "3.5", "high": "5.1"},
            "flag": "high",
        }
        return LabMessage.model_validate({**usual, **changes})

    async def take(self, *said: LabMessage) -> UUID:
        """Take these in, one after another; the id of the last one."""
        for one in said:
            await hearing.take(self.database, one, self.terms, self._wake)
        return rows.id_of(said[-1].number)

    async def row(self, result_id: UUID) -> LabResult:
        """As it stands."""
        async with self.database.reading() as session:
            return await session.get_one(LabResult, result_id)

    async def open_page(self, who: Actor, result_id: UUID) -> ResultSeen:
        """Open it, as its page does."""
        async with self.database.work() as session:
            return await seen.one(session, who, result_id)

    async def confirm(self, who: Actor, result_id: UUID, version: int, **changes: Any) -> None:
        """Confirm a version, with nothing that follows."""
        facts = {"patient_id": self.patient, "next_step": NextStep.NOTHING, "follows": ""}
        await self.acts.confirm(who, result_id, Confirmed(version, **{**facts, **changes}))

    async def look(self, result_id: UUID) -> datetime | None:
        """What the workflow does."""
        return (await looking.look(self.database, self.terms, None, result_id)).looks_at

    async def notices(self, who: Actor) -> list[str]:
        """What somebody was told, the first first."""
        async with self.database.reading() as session:
            found = await session.exec(
                select(Notice.kind)
                .where(Notice.person_id == who.person_id, Notice.channel == "cabinet")
                .order_by(col(Notice.created_at), col(Notice.kind))
            )
            return [one.removeprefix("result_") for one in found.all()]

    async def journal(self, result_id: UUID) -> Sequence[JournalEntry]:
        """What is written of a result."""
        async with self.database.reading() as session:
            found = await session.exec(
                select(JournalEntry)
                .where(JournalEntry.chain == result_id)
                .order_by(col(JournalEntry.position))
            )
            return found.all()

    async def troubles(self, *results: UUID) -> list[ResultTrouble]:
        """What is wrong with these results."""
        async with self.database.reading() as session:
            found = await inspection.troubles(session, now())
        return [one for one in found if one.result_id in results]


async def code_of(act: Any) -> str:
    """How something is refused."""
    with pytest.raises(Refusal) as refused:
        await act
    return refused.value.code
