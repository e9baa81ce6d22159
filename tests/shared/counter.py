"""A counter for requests: the office, its supply unit, and forms that are filled in rightly."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import select

from clients.database import Database
from models.messages import CaseState
from models.tables.people import Unit
from rules.access import Actor, Role
from rules.cases.process import Transition
from rules.clock import now
from services.cases import assignment
from services.cases.acts import Act
from services.cases.signals import CaseSignals
from services.cases.transitions import lock, move
from services.files.intake import Files
from services.requests.acts import Answer, Requests
from tests.shared.office import INN, SNILS, Heard, Office

PATIENT = "5400 0000 0000 0005"
LICENCE = "Л041-01137-77/00584930"
FORMS: dict[str, dict[str, Any]] = {
    "vaccination_certificate": {
        "full_name": "Соколова Анна Сергеевна",
        "birth_date": "04.12.1985",
        "snils": SNILS,
        "patient_id": PATIENT,
        "vaccine": "measles",
        "purpose": "В отдел кадров",
        "data_consent": True,
    },
    "examination_certificate": {
        "full_name": "Соколова Анна Сергеевна",
        "birth_date": "04.12.1985",
        "snils": SNILS,
        "patient_id": PATIENT,
        "examination_kind": "periodic",
        "examined_on": "18.09.2024",
        "clinic": "Городская поликлиника № 3",
        "clinic_licence": "ЛO-37-02-000001",
        "data_consent": "да",
    },
    "workplace_certificate": {
        "position": "врач-кардиолог",
        "subject": "experience",
        "since": "01.02.2019",
        "purpose": "Аккредитационный центр",
    },
    "laboratory_results": {
        "patient_id": PATIENT,
        "birth_date": "18.01.1960",
        "study": "biochemistry",
        "taken_on": "20.11.2024",
        "order_number": "26-004512",
        "laboratory_licence": LICENCE,
        "grounds": "Назначение лечения",
    },
    "qualification_confirmation": {
        "full_name": "Соколова Анна Сергеевна",
        "snils": SNILS,
        "inn": INN,
        "qualification_kind": "accreditation",
        "specialty": "Кардиология",
        "document_number": "7724 030123456",
        "employer_licence": LICENCE,
        "present_to": "Областная больница",
        "data_consent": True,
    },
    "insurance": {
        "insurance_kind": "liability",
        "policy_number": "ВМР-2026-000123",
        "subject": "confirmation",
        "description": "Нужно подтверждение для аккредитации.",
        "phone": "+7 916 123-45-67",
    },
    "equipment": {
        "equipment_kind": "device",
        "item": "Электрокардиограф ЭК12Т",
        "quantity": 2,
        "needed_by": None,
        "place": "Кардиология, кабинет 12",
        "purpose": "Прежний не проходит поверку.",
    },
}
"""One right form for every type, as people type it."""


@dataclass
class Counter:
    """What a test of requests needs."""

    office: Office
    requests: Requests
    clinician: Actor
    clerk: Actor

    @classmethod
    async def open(
        cls, database: Database, signaller: Heard | Any = None, files: Files | None = None
    ) -> "Counter":
        """An office with somebody who answers for the supply unit."""
        office = await Office.open(database, signaller)
        async with database.work() as session:
            supply = (await session.exec(select(Unit.id).where(Unit.code == "supply"))).one()
        clerk = await office.person("Панова Вера Юрьевна", Role.CLERK, supply)
        requests = Requests(database, CaseSignals(office.heard), "Europe/Moscow", files)
        return cls(office, requests, office.clinician, clerk)

    @property
    def database(self) -> Database:
        """The database."""
        return self.office.database

    async def draft(
        self, type_key: str = "vaccination_certificate", actor: Actor | None = None, **changes: Any
    ) -> UUID:
        """A complete draft."""
        actor = actor or self.clinician
        case = await self.requests.create_draft(actor, type_key)
        data = {**FORMS[type_key], **changes}
        if data.get("needed_by", "") is None:
            data["needed_by"] = (now() + timedelta(days=30)).date().isoformat()
        await self.requests.save_draft(actor, case.id, data)
        return case.id

    async def sent(
        self, type_key: str = "vaccination_certificate", actor: Actor | None = None, **changes: Any
    ) -> UUID:
        """A request that was just sent."""
        case_id = await self.draft(type_key, actor, **changes)
        await self.requests.submit(actor or self.clinician, case_id, Act(uuid4(), 0))
        return case_id

    async def corrected(self, case_id: UUID, **changes: Any) -> CaseState:
        """The request, corrected and sent again."""
        await self.requests.save_draft(self.clinician, case_id, changes)
        return await self.requests.correct(self.clinician, case_id, await self.act(case_id))

    async def act(self, case_id: UUID) -> Act:
        """A new act at the present step."""
        return Act(uuid4(), (await self.office.case(case_id)).step)

    async def laid_on_the_desk(self, type_key: str = "equipment") -> UUID:
        """A request that waits for people, as the workflow would have laid it there."""
        case_id = await self.sent(type_key)
        async with self.database.work() as session:
            case = await lock(session, case_id)
            reviewer, _ = await assignment.choose(session, case, now())
            assignment.give(case, reviewer, now())
            await move(session, case, Transition.HAND_OVER, now=now())
        return case_id

    async def answered(self, case_id: UUID, message: str = "Выдано со склада.") -> CaseState:
        """The clerk's answer."""
        act = await self.act(case_id)
        return await self.requests.answer(self.clerk, case_id, act, Answer(message))
