"""Fifty planted strings about people are found nowhere but behind a key (I10, A9)."""

import base64
import json
import random
import string
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pyotp
import pytest
from psycopg import sql
from sqlmodel import SQLModel, select
from stdnum.ru import inn as inn_digits
from temporalio.client import Client

from clients.clinic.laboratory import LabMessage
from clients.database import Database
from clients.delivery.mail import Mailer
from clients.delivery.sms import SmsGateway
from clients.objects import Objects
from clients.temporal.client import CaseSignaller
from clients.temporal.rows import RowWaker, row_workflow_id
from crypto.key_ring import key_ring
from models.messages import WorkflowName, case_workflow_id
from models.tables.archive import SavedView
from models.tables.documents import Document, DocumentVersion
from models.tables.notices import ContactChange, PushSubscription
from models.tables.patients import Emergency
from models.tables.people import Person, Unit
from models.tables.second_factor import Passkey, SmsFactor
from rules.access import Actor, Role
from rules.accounts import AccountState
from rules.cases.process import Status, Transition
from rules.clock import now
from rules.ids import new_id
from rules.records.entries import OpenedFor
from rules.refusals import Refusal
from rules.results.life import NextStep
from rules.schedule.states import VisitStep
from rules.texts import identifiers
from services.cases.acts import Act
from services.conversation import Conversations
from services.notices.channels import MailWay, SmsWay
from services.notices.sender import drain
from services.notices.wording import Addresses
from services.patients.invitations import PatientInvitations
from services.patients.openings import Openings
from services.patients.registering import Patients
from services.records.acts import Records
from services.records.drafts import RecordDrafts
from services.results import hearing, rows
from services.results import seen as results
from services.results.acts import Confirmed, ResultActs
from services.results.terms import SHIPPED, terms_in
from services.reviews.decisions import Decision
from services.schedule.acts import Appointments, TimeWish
from services.schedule.feed import CalendarFeeds
from services.schedule.waiting import WaitList
from settings import Settings
from tests.shared.accounts import account_with_password
from tests.shared.office import Office
from tests.shared.servers import Servers, Simulators
from tests.shared.waiting import until

CLINIC = (WorkflowName.EMERGENCY_ACCESS, WorkflowName.RESULT)
CHANCE = random.Random()  # noqa: S311 - planted, not secret


def word() -> str:
    """A word that nothing else in the servers of the run contains."""
    return "Ъ" + "".join(CHANCE.choices("абвгдежзиклмнопрстуфхцчшщ", k=11))


def latin() -> str:
    """The same for addresses."""
    return "".join(CHANCE.choices(string.ascii_lowercase, k=14))


def snils() -> str:
    """A SNILS whose check digits are right."""
    while True:
        text = f"{CHANCE.randrange(200, 999)}-{CHANCE.randrange(999):03}-{CHANCE.randrange(999):03}"
        for check in range(101):
            try:
                return identifiers.snils(f"{text} {check:02}")
            except identifiers.IdentifierError:
                continue


def inn() -> str:
    """An INN of a person."""
    ten = "".join(CHANCE.choices(string.digits, k=10))
    return ten + str(inn_digits.calc_personal_check_digits(ten))


class Planted:
    """What was planted, by what it is."""

    def __init__(self) -> None:
        self.by_name: dict[str, str] = {}

    def __call__(self, name: str, text: str) -> str:
        """Remember a text, and give it back."""
        self.by_name[name] = text
        return text

    def found_in(self, haystack: bytes, *, but: tuple[str, ...] = ()) -> list[str]:
        """The names of what stands there, as it is or in one of the usual codings."""
        return [
            name
            for name, text in self.by_name.items()
            if not name.endswith(but) and any(form in haystack for form in forms(text))
        ]


def forms(text: str) -> list[bytes]:
    """A text as itself, in hex, as JSON in ASCII, and in base64 at each of three offsets."""
    plain = text.encode()
    coded = [
        base64.b64encode(b"\0" * at + plain)[(4 if at else 0) : -4].rstrip(b"=") for at in range(3)
    ]
    return [plain, plain.hex().encode(), json.dumps(text)[1:-1].encode(), *coded]


async def person(office: Office, planted: Planted, who: str, role: Role, unit: UUID) -> Actor:
    """Somebody of whom everything is planted."""
    actor = await office.person("Имя", role, unit)
    async with office.database.work() as session:
        row = await session.get_one(Person, actor.person_id)
        row.name = " ".join(planted(f"{who} name {n}", word()) for n in range(3))
        row.email = f"{planted(f'{who} mail', latin())}@example.org"
        row.phone = planted(f"{who} phone", f"+7916{CHANCE.randrange(10**6, 10**7)}")
        row.snils = planted(f"{who} snils", snils())
        row.snils_blind = key_ring().blind(row.snils)
        row.inn = planted(f"{who} inn", inn())
        session.add(row)
        account = account_with_password(row, now())
        account.state = AccountState.CONFIRMED
        account.totp_secret = planted(f"{who} seed", pyotp.random_base32())
        session.add(account)
    return Actor(actor.person_id, row.name, actor.unit_id, actor.grants)


def things(of: Actor, planted: Planted) -> list[SQLModel]:
    """Rows that hold what a person has written or given."""
    rows: list[SQLModel] = []
    for n in range(3):
        document = Document(
            id=new_id(),
            owner_id=of.person_id,
            category="diploma",
            title=planted(f"title {n}", word()),
            created_at=now(),
        )
        version = DocumentVersion(
            id=new_id(),
            document_id=document.id,
            number=1,
            object_key=None,
            file_name=planted(f"file {n}", word()) + ".pdf",
            media_type="application/pdf",
            size=1,
            sha256=uuid4().hex * 2,
            verdict="refused",
            uploaded_at=now(),
            uploaded_by=of.person_id,
        )
        rows += [document, version]
    endpoint = f"https://fcm.googleapis.com/{planted('endpoint', latin())}"
    ends = now() + timedelta(hours=1)
    rows += [
        SavedView(
            id=new_id(),
            person_id=of.person_id,
            name=planted("view", word()),
            query=f"text={planted('query', word())}",
            created_at=now(),
        ),
        PushSubscription(
            id=new_id(),
            person_id=of.person_id,
            contents={"endpoint": endpoint, "p256dh": planted("p256dh", latin()), "auth": ""},
            endpoint_blind=uuid4().hex,
            device="Firefox",
            created_at=now(),
        ),
        Passkey(
            person_id=of.person_id,
            credential_id=uuid4().bytes,
            public_key=b"none",
            sign_count=0,
            name=planted("passkey", word()),
            created_at=now(),
        ),
        SmsFactor(
            person_id=of.person_id,
            phone=planted("sms phone", f"+7926{CHANCE.randrange(10**6, 10**7)}"),
            created_at=now(),
        ),
    ]
    rows += [
        ContactChange(
            id=new_id(),
            person_id=of.person_id,
            channel=channel,
            value=planted(f"new {channel}", value),
            code_hash="none",
            created_at=now(),
            ends_at=ends,
        )
        for channel, value in (
            ("mail", f"{latin()}@example.org"),
            ("sms", f"+7936{CHANCE.randrange(10**6, 10**7)}"),
        )
    ]
    return rows


async def a_case(office: Office, planted: Planted, doctor: Actor, reviewer: Actor) -> UUID:
    """From the draft to the paper, with everything that both sides may write."""
    said: dict[str, Any] = {
        name: planted(f"form {name}", word()) for name in ("position", "institution", "purpose")
    }
    said |= {
        "snils": planted.by_name["doctor snils"],
        "inn": planted.by_name["doctor inn"],
        "phone": planted.by_name["doctor phone"],
        "diploma_number": planted("form diploma", f"{CHANCE.randrange(10**6, 10**7)}"),
    }
    case_id = await office.draft(doctor, **said)
    await office.applications.submit(doctor, case_id, Act(uuid4(), 0))

    async def stands(status: Status) -> bool:
        return (await office.case(case_id)).status == status

    await until(lambda: stands(Status.IN_REVIEW), 60)
    await office.take(case_id, reviewer)
    talk = Conversations(office.database)
    await talk.say(doctor, case_id, planted("question", word()))
    await talk.say(reviewer, case_id, planted("answer", word()))
    await talk.say(reviewer, case_id, planted("internal", word()), internal=True)
    step = (await office.case(case_id)).step
    remarks = {"purpose": planted("remark", word())}
    asks = Decision(Transition.CLARIFY, planted("clarify", word()), remarks=remarks)
    await office.reviews.decide(reviewer, case_id, Act(uuid4(), step), asks)
    more = {**said, "purpose": planted("form again", word())}
    await office.applications.save_draft(doctor, case_id, more)
    step = (await office.case(case_id)).step
    await office.applications.resubmit(doctor, case_id, Act(uuid4(), step))
    await until(lambda: stands(Status.IN_REVIEW), 60)
    step = (await office.case(case_id)).step
    checklist = await office.checklist(case_id, reviewer)
    approves = Decision(Transition.APPROVE, planted("approve", word()), checklist=checklist)
    await office.reviews.decide(reviewer, case_id, Act(uuid4(), step), approves)
    await until(lambda: stands(Status.APPROVED), 60)
    return case_id


async def a_patient(
    office: Office, planted: Planted, temporal: Client, queue: str, doctor: Actor, registrar: Actor
) -> tuple[bytes, list[str]]:
    """All that the clinic writes of a patient: the doctor's feed, and the workflows it began."""
    database = office.database
    wakes = {kind: RowWaker(temporal, queue, kind) for kind in CLINIC}
    names = [planted(f"patient name {n}", word()) for n in range(3)]
    who = {"name": " ".join(names), "birth_date": "14.03.1961", "sex": "female"}
    who["snils"] = planted("patient snils", snils())
    who["phone"] = planted("patient phone", f"+7946{CHANCE.randrange(10**6, 10**7)}")
    who["email"] = f"{planted('patient mail', latin())}@example.org"
    patient = uuid4()
    await Patients(database).register(registrar, patient, office.ward, who)
    await PatientInvitations(database).invite(registrar, patient)
    note = planted("wish note", word())
    await WaitList(database).add(registrar, patient, office.ward, doctor.person_id, note)
    acts, at = Appointments(database), now().replace(microsecond=0) + timedelta(days=1)
    wish = TimeWish(doctor.person_id, patient, at, 30, planted("beside", word()))
    booked = await acts.book(registrar, uuid4(), wish)
    why = planted("cancelled", word())
    await acts.step(registrar, uuid4(), booked.id, booked.version, VisitStep.CANCEL, why)
    await acts.book(registrar, uuid4(), replace(wish, beside=planted("beside again", word())))
    openings = Openings(database, wakes[WorkflowName.EMERGENCY_ACCESS])
    await openings.open_for(doctor, patient, "inquiry", planted("inquiry", word()))
    await openings.open_at_once(doctor, patient, planted("emergency", word()))
    drafts, here, draft = RecordDrafts(database), OpenedFor(patient), uuid4()
    await drafts.begin(doctor, here, draft, "note")
    entry = {"subject": planted("subject", word()), "text": planted("text", word())}
    await drafts.save(doctor, draft, here, entry, {})
    signed = await Records(database).sign(doctor, draft, here, 0)
    mistake = planted("mistaken", word())
    await Records(database).mark_mistaken(doctor, here, signed, 1, mistake)
    async with database.reading() as session:
        unit = (await session.get_one(Unit, office.ward)).code
    said = {
        "number": f"L-{uuid4().hex}",
        "version": 1,
        "stage": "final",
        "order": planted("order", word()),
        "ordered_by": planted.by_name["doctor snils"],
        "unit": unit,
        "patient": {**who, "birth_date": "1961-03-14"},
        "ready_at": now(),
        "test": {"code": "none", "name": planted("test", word())},
        "value": planted("value", word()),
        "comment": planted("comment", word()),
    }
    wake, terms = wakes[WorkflowName.RESULT], terms_in(SHIPPED)
    await hearing.take(database, LabMessage.model_validate(said), terms, wake)
    result = rows.id_of(str(said["number"]))
    async with database.work() as session:
        await results.one(session, doctor, result)
    confirmed = Confirmed(1, patient, NextStep.VISIT, planted("follows", word()))
    await ResultActs(database, wake, terms).confirm(doctor, result, confirmed)
    token = await CalendarFeeds(database).make(doctor, "Телефон")
    async with database.reading() as session:
        emergency = (
            await session.exec(select(Emergency.id).where(Emergency.person_id == doctor.person_id))
        ).one()
    feed = (await CalendarFeeds(database).read(token)).body
    begun = zip(CLINIC, (emergency, result), strict=True)
    return feed, [row_workflow_id(kind, row_id) for kind, row_id in begun]


class Kept:
    """What is written from now on: rows, files of the store, lines of the logs.

    What was there before holds nothing that is planted later, and to look for everything in all
    that a run has written takes half a minute.
    """

    def __init__(self, servers: Servers, settings: Settings) -> None:
        assert settings.database_owner_url is not None
        home = servers.folder / "home"
        self._owner = settings.database_owner_url.get_secret_value()
        self._store = home / "minio" / settings.s3_bucket
        self._folders = (home / "logs", Path(settings.home) / "logs")
        self._stored = {path: path.stat().st_mtime_ns for path in self._files()}
        self._logged = {path: path.stat().st_size for path in self._logs()}
        with psycopg.connect(self._owner) as owner:
            row = owner.execute("select pg_current_xact_id()::text").fetchone()
        assert row is not None
        self._since = int(row[0])

    def rows(self) -> bytes:
        """Every row of every table, as the owner reads them."""
        texts: list[bytes] = []
        with psycopg.connect(self._owner) as owner:
            names = owner.execute("select tablename from pg_tables where schemaname = 'public'")
            for (name,) in names.fetchall():
                new = sql.SQL(
                    "copy (select * from {} where xmin::text::bigint >= {}) to stdout"
                ).format(sql.Identifier(name), self._since)
                with owner.cursor().copy(new) as found:
                    texts += map(bytes, found)
        return b"".join(texts)

    def files(self) -> list[bytes]:
        """The files of the store."""
        stored = sorted(self._files())
        return [
            path.read_bytes()
            for path in stored
            if path.stat().st_mtime_ns != self._stored.get(path)
        ]

    def lines(self) -> bytes:
        """What stands in the logs."""
        return b"".join(path.read_bytes()[self._logged.get(path, 0) :] for path in self._logs())

    def _files(self) -> list[Path]:
        return [path for path in self._store.rglob("*") if path.is_file()]

    def _logs(self) -> list[Path]:
        return [path for folder in self._folders for path in folder.glob("*.log")]


def test_a_planted_text_is_found_in_every_coding() -> None:
    """What looks for nothing finds nothing: each way of writing a text is recognised."""
    planted = Planted()
    text = planted("text", word())
    said = f"до {text} после".encode()
    ways = [said, said.hex().encode(), json.dumps(said.decode()).encode()]
    ways += [base64.b64encode(b"." * at + said) for at in range(3)]
    assert [planted.found_in(one) for one in ways] == [["text"]] * len(ways)
    assert planted.found_in(b"nothing of the kind") == []


@pytest.mark.asvs("14.2.3")
@pytest.mark.asvs("14.2.4")
@pytest.mark.asvs("16.2.5")
async def test_nothing_about_a_person_is_found_without_a_key(
    servers: Servers,
    simulators: Simulators,
    settings: Settings,
    database: Database,
    objects: Objects,
    temporal: Client,
    worker: None,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Not in a dump, a history, the files of the store, a log, a mail or an SMS."""
    planted, kept = Planted(), Kept(servers, settings)
    office = await Office.open(database, CaseSignaller(temporal, settings.task_queue))
    doctor = await person(office, planted, "doctor", Role.DOCTOR, office.ward)
    reviewer = await person(office, planted, "reviewer", Role.HR_REVIEWER, office.hr)
    colleague = await person(office, planted, "colleague", Role.NURSE, office.ward)
    async with database.work() as session:
        for row in things(doctor, planted):
            session.add(row)
            await session.flush()
    case_id = await a_case(office, planted, doctor, reviewer)
    registrar = await person(office, planted, "registrar", Role.REGISTRAR, office.institution)
    feed, begun = await a_patient(office, planted, temporal, settings.task_queue, doctor, registrar)
    with pytest.raises(Refusal):
        await Conversations(database).say(colleague, case_id, planted("stranger", word()))
    addresses = Addresses.of(settings)
    async with SmsGateway.from_settings(settings) as gateway:
        mailer = Mailer(settings.smtp_url, settings.mail_from)
        for way in (MailWay(mailer, addresses), SmsWay(gateway, addresses)):
            await drain(database, way)
    assert len(planted.by_name) >= 75

    dump = kept.rows()
    assert str(case_id).encode() in dump
    assert planted.found_in(dump) == []
    assert b"BEGIN:VEVENT" in feed
    assert planted.found_in(feed.replace(b"\r\n ", b"")) == []
    for run in (case_workflow_id(case_id), *begun):
        handle = temporal.get_workflow_handle(run)
        history = await handle.fetch_history()
        described = (await handle.describe()).raw_description.SerializeToString()
        raw = b"".join(event.SerializeToString() for event in history.events)
        assert len(raw) > 1000
        assert planted.found_in(raw + described + history.to_json().encode()) == []
    files = kept.files()
    assert files
    assert planted.found_in(b"".join(files)) == []
    assert planted.found_in(kept.lines() + "".join(capfd.readouterr()).encode()) == []
    async with httpx.AsyncClient(trust_env=False) as client:
        sink = simulators.variables["MEDCAB_MAIL_PAGE_URL"]
        mails = (await client.get(f"{sink}/messages")).content
        texts = (await client.get(f"{settings.sms_url}/messages")).content
    assert planted.by_name["doctor mail"].encode() in mails
    # A mail goes to the address of its reader, an SMS to the number.
    assert planted.found_in(mails + texts, but=("mail", "phone")) == []
