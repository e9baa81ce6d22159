"""Home says what one came for: accreditation, points, what waits, and the ways to begin."""

import re
from datetime import date

import httpx

from clients.registers import RegisterCard
from models.tables.people import Person
from rules.access import Role
from rules.accreditation import is_urgent
from services.accreditation import AccreditationStatus, accreditation_status
from tests.shared.cabinet import Site, account_of, let_in
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE

CARD_OF = "Соколова Анна Сергеевна"
CARD = RegisterCard.model_validate(
    {
        "snils": "112-233-445 95",
        "general": {"surname": "Соколова", "name": "Анна", "birth_date": "1985-12-04"},
        "accreditation": [
            {"number": "1", "kind": "", "specialty": "Терапия", "passed": p, "valid_until": v}
            for p, v in (("2017-03-10", "2022-03-10"), ("2022-03-10", "2027-03-10"))
        ],
        "qualifications": [
            {"kind": "", "title": "", "hours": h, "organisation": "", "from": day, "to": day}
            for h, day in ((36, "2021-10-01"), (72, "2023-10-01"), (18, "2025-10-01"))
        ],
    }
)


def test_points_count_from_the_accreditation_that_lasts() -> None:
    """Courses before it do not count, and the card of somebody else says nothing."""
    assert accreditation_status(CARD, CARD_OF) == AccreditationStatus(
        "Терапия", date(2027, 3, 10), 90
    )
    assert accreditation_status(CARD, "Петров Дмитрий Алексеевич") is None
    assert accreditation_status(None, CARD_OF) is None
    assert not is_urgent(date(2027, 3, 10), date(2026, 11, 29))
    assert is_urgent(date(2027, 3, 10), date(2026, 12, 10))


async def test_home_says_what_one_came_for(site: Site, office: Office) -> None:
    """Both ways to begin, every case once, and what the register says of who looks."""
    someone = await office.person(CARD_OF, Role.DOCTOR, office.ward)
    await account_of(office, someone)
    draft = await office.applications.create_draft(someone, office.programme_id)
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Accept-Language": "ru"}, timeout=PATIENCE
    ) as client:
        await let_in(client, office, someone)
        page = (await client.get("/")).text
        begins = r'class="button[^"]*" href="(/programmes|/requests/new)"'
        assert re.findall(begins, page) == ["/programmes", "/requests/new"]
        assert page.count(str(draft.id)) == 1
        for shown in (await client.get("/home/accreditation"), await client.get("/?register=true")):
            assert "10 марта 2027" in shown.text
            assert "144 из 144" in shown.text
        async with office.database.work() as session:
            (await session.get_one(Person, someone.person_id)).snils = None
        assert "нет СНИЛС" in (await client.get("/home/accreditation")).text
