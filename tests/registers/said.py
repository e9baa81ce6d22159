"""What registers have said of somebody, stored as the comparison stores it."""

from datetime import date
from typing import Any
from uuid import UUID

from clients.database import Database
from clients.register_batches import PATHS, RegisterAnswer
from rules.clock import now
from rules.registers.kinds import RegisterName
from services.registers import records
from services.registers.records import PersonCompared
from services.registers.telling import tell_of_differences

OF = "Соколова Анна Сергеевна"
ACCREDITATION: dict[str, Any] = {
    "holder": OF,
    "number": "7724 030123456",
    "kind": "периодическая",
    "specialty": "Кардиология",
    "organisation": "Федеральный аккредитационный центр",
    "passed": "2024-11-25",
    "valid_until": "2029-11-25",
}
COURSE: dict[str, Any] = {
    "holder": OF,
    "document": "У-100200",
    "title": "Актуальные вопросы кардиологии",
    "hours": 36,
    "certified": True,
    "organisation": "РМАНПО",
    "from": "2026-02-02",
    "to": "2026-02-27",
}


async def has_said(
    database: Database,
    person_id: UUID,
    register: RegisterName,
    revision: int,
    *said: dict[str, Any],
) -> None:
    """The register has said this of a person, and the person is told of what differs."""
    record = PATHS[register][1]
    person = PersonCompared(
        person_id, OF, "11223344595", revision - 1 or None, None, "Europe/Moscow"
    )
    told = tuple(record.model_validate(one) for one in said)
    answer = RegisterAnswer(person.snils, revision, date(2026, 1, 15), told)
    async with database.work() as session:
        stored = await records.store(session, register, [person], [answer], now())
        await tell_of_differences(session, register, [person], stored.news, now())
