"""Home says what one came for: accreditation, points, what waits, and the ways to begin."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Literal, cast

import httpx
import pytest

from cabinet.frame.home_parts import HomeList, HomePart, HomeSays, short_list
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from cabinet.home import pages
from cabinet.home.register import PARTS
from clients.database import Database, DatabaseSession
from clients.register_batches import AccreditationRecord, RegisterAnswer, TrainingRecord
from models.tables.accounts import Account
from models.tables.patients import RecordOpening
from models.tables.people import Person
from rules.access import Actor, Permission, Role
from rules.accounts import AccountState
from rules.accreditations.norms import is_urgent
from rules.clock import now
from rules.journal.tags import ViewCode
from rules.registers.kinds import RegisterName
from server import create_app
from services.patients import ways
from services.patients.ways import Opened, RecordWay
from services.registers import records
from services.registers.seen import accreditation_status
from settings import Settings
from tests.results.clinic import Clinic as LabClinic
from tests.schedule.clinic import clinic_of
from tests.shared.cabinet import Site, account_of, confirmed, let_in
from tests.shared.office import Office
from tests.shared.statements import statements
from tests.shared.waiting import PATIENCE
from words.translation import Presentation, present

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
        await confirmed(office, someone)
        clinicians = (await client.get("/")).text
        assert re.search(rf"Сегодня на приёме[\s\S]*{begins}", clinicians), "patients come first"
        await said(office, someone.person_id, "20000000018")
        shown = (await client.get("/")).text
        assert "10 марта 2027" in shown
        assert "90 из 144" in shown
        async with office.database.work() as session:
            today = date(2026, 11, 30)
            found, has_snils = await accreditation_status(session, someone.person_id, today)
        assert found is not None
        assert has_snils
        assert (found.specialty, found.valid_until, found.hours) == (
            "Терапия",
            date(2027, 3, 10),
            90,
        )
    assert not is_urgent(date(2027, 3, 10), date(2026, 11, 29))
    assert is_urgent(date(2027, 3, 10), date(2026, 12, 10))


def visit_of(actor: Actor, settings: Settings) -> Visit:
    """A visit as far as the parts of the page look at it."""
    zone = "Europe/Moscow"
    facts = {
        "actor": actor,
        "signed_in": SimpleNamespace(zone=zone),
        "presentation": Presentation("ru", zone, zone),
        "container": SimpleNamespace(settings=settings),
    }
    return cast("Visit", SimpleNamespace(**facts))


async def said_to(database: Database, actor: Actor, settings: Settings) -> list[HomeSays]:
    """What the parts say that somebody's rights open."""
    visit = visit_of(actor, settings)
    present(visit.presentation)
    async with database.reading() as session:
        return [await one.ask(visit, session) for one in PARTS if one.is_open(visit)]


def names_in(said: Sequence[HomeSays], key: str) -> list[str]:
    """The lines of a list of the page."""
    lists = [block.contents for says in said for block in says.blocks]
    return [
        line.text for one in lists if isinstance(one, HomeList) and one.key == key
        for line in one.lines
    ]  # fmt: skip


STATEMENTS = {
    Role.DOCTOR: 5,
    Role.UNIT_HEAD: 6,
    Role.HR_HEAD: 4,
    Role.REGISTRAR: 6,
    Role.OPERATOR: 2,
    Role.SECURITY: 13,
    Role.ADMINISTRATOR: 3,
}
RECORDS = 4
"""Besides, where records were used: openings, each of two kinds of fact, and names."""


async def test_each_role_asks_only_what_its_rights_open(office: Office, settings: Settings) -> None:
    """The statements of each role are exact."""
    for role in STATEMENTS:
        someone = await office.person("Тихий Пётр", role, office.institution)
        await said_to(office.database, someone, settings)
        with statements(office.database, commits=True) as heard:
            await said_to(office.database, someone, settings)
        assert (role, len(heard)) == (role, STATEMENTS[role]), heard


async def test_first_pages_of_a_clinician_ask_few_questions(
    office: Office, settings: Settings
) -> None:
    """Who asks, the head of the page, and each question once; nothing is committed."""
    clinic = await clinic_of(office)
    await account_of(office, clinic.doctor)
    async with office.database.work() as session:
        account = await session.get_one(Account, clinic.doctor.person_id)
        account.state = AccountState.CONFIRMED
    app = create_app(settings.model_copy(update={"cookie_secure": False}))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=settings.public_url
        ) as client,
    ):
        await let_in(client, office, clinic.doctor)
        for path, questions in (("/", 7), ("/schedule", 6)):
            assert (await client.get(path)).status_code == 200
            with statements(app.state.container.database, commits=True) as heard:
                await client.get(path)
            assert (path, len(heard)) == (path, questions), heard


async def test_a_new_part_is_drawn_for_whom_it_is_open(
    site: Site, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is dangerous stands above today, and that above what waits; others never ask it."""
    asked: list[str] = []

    async def ask(visit: Visit, session: DatabaseSession) -> HomeSays:
        del session
        asked.append(visit.actor.name)
        tones: Sequence[Literal["waiting", "bad"]] = ("waiting", "bad")
        calls = [CallToAction(tone, "clock", "Проба", f"тон {tone}", "", "", "/") for tone in tones]
        day = HomeList("trial", "Сегодня проба", (), empty="Проб нет.")
        return HomeSays(("Проба ждёт",), calls, [short_list(day)])

    part = HomePart((Permission.REVIEW,), ask, today=True)
    monkeypatch.setattr(pages, "PARTS", (part,))
    shown = []
    for someone in (office.reviewer, office.clinician):
        await account_of(office, someone)
        async with httpx.AsyncClient(
            base_url=site.url, headers={"Accept-Language": "ru"}, timeout=PATIENCE
        ) as client:
            await let_in(client, office, someone)
            shown.append((await client.get("/")).text)
    places = [shown[0].index(one) for one in ("Проба ждёт", "тон bad", "Проб нет", "тон waiting")]
    assert places == sorted(places)
    assert asked == [office.reviewer.name]
    assert "Сегодня от вас ничего не требуется" in shown[1]


async def test_a_clinicians_day_names_only_whom_there_is_a_way_to(
    office: Office, settings: Settings
) -> None:
    """Who comes today stands in the list; a record whose way is over leaves no name behind."""
    clinic = await clinic_of(office)
    doctor, (first, other, third) = clinic.doctor, clinic.patients
    for slot, who in enumerate((first, other)):
        one = await clinic.book(slot, slot)
        at = now() + timedelta(seconds=slot)
        if who == first:
            await clinic.set(one.id, starts_at=at, ends_at=at + timedelta(minutes=30))
    async with office.database.work() as session:
        for who in (first, other, third):
            way = RecordWay(Opened.REASON)
            await ways.record(session, doctor, who, way, ViewCode.PATIENT_RECORD, now())
    said = await said_to(office.database, doctor, settings)
    assert names_in(said, "day") == names_in(said, "records") == ["Пациент Номер 0"]
    async with office.database.work() as session:
        session.add(
            RecordOpening(
                patient_id=third,
                person_id=doctor.person_id,
                ground="consent",
                at=(opened := now()),
                ends_at=opened + timedelta(hours=3),
            )
        )
    with statements(office.database) as heard:
        said = await said_to(office.database, doctor, settings)
    assert set(names_in(said, "records")) == {"Пациент Номер 0", "Пациент Номер 2"}
    assert len(heard) == STATEMENTS[Role.DOCTOR] + RECORDS, heard
    registrar = await said_to(office.database, clinic.registrar, settings)
    assert not any("Пациент" in str(says) for says in registrar)


async def test_what_is_dangerous_is_red_and_counted_apart(
    office: Office, settings: Settings
) -> None:
    """A critical result, one that is late and a usual one are three cards, for who answers."""
    clinic = await LabClinic.open(office)
    for flag in ("high", "critical_high", "normal"):
        await clinic.take(clinic.said(flag=flag))
    said = await said_to(office.database, clinic.doctor, settings)
    cards = {call.title: call.tone for says in said for call in says.calls}
    assert cards == {"Критические: 1": "bad", "Ждут подтверждения: 2": "waiting"}
    assert clinic.who.name not in str(said)
    assert not [c for says in await said_to(office.database, clinic.colleague, settings)
                for c in says.calls]  # fmt: skip
