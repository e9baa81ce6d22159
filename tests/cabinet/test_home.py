"""Home says what one came for: accreditation, points, what waits, and the ways to begin."""

import re
from datetime import date

import httpx

from clients.register_batches import AccreditationRecord, RegisterAnswer, TrainingRecord
from models.tables.people import Person
from rules.access import Role
from rules.accreditations.norms import is_urgent
from rules.clock import now
from rules.registers.kinds import RegisterName
from services.registers import records
from services.registers.seen import accreditation_status
from tests.shared.cabinet import Site, account_of, let_in
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE

CARD_OF = "Соколова Анна Сергеевна"
ACCREDITED = [
    AccreditationRecord(holder=h, number=n, specialty="Терапия", passed=p, valid_until=v)
    for h, n, p, v in (
        (CARD_OF, "1", date(2022, 3, 10), date(2027, 3, 10)),
        (CARD_OF, "2", date(2017, 3, 10), date(2022, 3, 10)),
        ("Петров Дмитрий Алексеевич", "3", date(2025, 3, 10), date(2030, 3, 10)),
    )
]
TRAINED = [
    TrainingRecord.model_validate(
        {"holder": CARD_OF, "document": "1", "title": "", "hours": h, "from": day, "to": day}
    )
    for h, day in ((36, "2021-10-01"), (72, "2023-10-01"), (18, "2025-10-01"))
]


async def said(office: Office, person_id: object, snils: str) -> None:
    """The registers have said this of a person."""
    one = records.PersonCompared(person_id, CARD_OF, snils, None, None, "Europe/Moscow")  # type: ignore[arg-type]
    async with office.database.work() as session:
        for register, told in (
            (RegisterName.ACCREDITATION, ACCREDITED),
            (RegisterName.EDUCATION, TRAINED),
        ):
            answer = RegisterAnswer(snils, 1, date(2026, 1, 15), tuple(told))
            await records.store(session, register, [one], [answer], now())


async def test_home_says_what_one_came_for(site: Site, office: Office) -> None:
    """Both ways to begin, every case once, and what the registers said of who looks.

    Points count from the latest accreditation that is in effect; records of other people and
    courses before it do not.
    """
    someone = await office.person(CARD_OF, Role.DOCTOR, office.ward)
    await account_of(office, someone)
    draft = await office.applications.create_draft(someone, office.programme_id)
    async with office.database.work() as session:
        (await session.get_one(Person, someone.person_id)).snils = None
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Accept-Language": "ru"}, timeout=PATIENCE
    ) as client:
        await let_in(client, office, someone)
        page = (await client.get("/")).text
        begins = r'class="button[^"]*" href="(/programmes|/requests/new)"'
        assert re.findall(begins, page) == ["/programmes", "/requests/new"]
        assert page.count(str(draft.id)) == 1
        assert "нет СНИЛС" in page
        async with office.database.work() as session:
            (await session.get_one(Person, someone.person_id)).snils = "200-000-000 18"
        assert "пока ничего не сообщили" in (await client.get("/")).text
        await said(office, someone.person_id, "20000000018")
        shown = (await client.get("/")).text
        assert "10 марта 2027" in shown
        assert "90 из 144" in shown
        async with office.database.work() as session:
            found = await accreditation_status(session, someone.person_id, date(2026, 11, 30))
        assert found is not None
        assert (found.specialty, found.valid_until, found.hours) == (
            "Терапия",
            date(2027, 3, 10),
            90,
        )
    assert not is_urgent(date(2027, 3, 10), date(2026, 11, 29))
    assert is_urgent(date(2027, 3, 10), date(2026, 12, 10))
