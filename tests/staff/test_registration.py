"""Registering by oneself: a link by mail, and the same answer for everybody (I1)."""

import asyncio
import re
from datetime import datetime, timedelta
from time import monotonic
from uuid import uuid4

import pytest
from sqlalchemy import literal_column, update
from sqlalchemy import table as plain_table
from sqlmodel import col, func, select

from models.tables.accounts import Account, LoginAttempt, Registration
from models.tables.journal import JournalEntry
from models.tables.notices import Notice, NoticeAttempt
from models.tables.people import Person, Unit
from rules.access import Role
from rules.accounts import Limit, SignInLimits
from rules.clock import now
from rules.notices.delivery import DeliveryOutcome
from rules.notices.kinds import Channel
from rules.refusals import Refusal
from rules.staff.registration import Applicant
from services import access, sweeping
from services.accounts import sign_in as accounts
from services.accounts.password_reset import FLOOR
from services.accounts.proven_contacts import is_confirmed
from services.accounts.sessions import hash_token
from services.notices.channels import MailWay
from services.notices.sender import fail, note
from services.notices.wording import Addresses
from services.staff import registrations
from tests.accounts.steps import journal_of
from tests.shared.accounts import PASSWORD, House, fresh_code, visitor_at
from tests.shared.cabinet import TOKEN
from tests.shared.statements import statements

HOUR = timedelta(hours=1)
NAME = "Орлова Анна Львовна"


@pytest.fixture(autouse=True)
def _registration_is_open(house: House) -> None:
    opened = {"registration": True, "registration_units": ""}
    house.container.settings = house.settings.model_copy(update=opened)


@pytest.fixture(autouse=True)
def _answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # Only where the time of an answer matters does it take its time.
    monkeypatch.setattr(registrations, "FLOOR", 0.0)


def fresh() -> str:
    """An address that nobody has."""
    return f"{uuid4().hex}@example.org"


async def ask(
    house: House, email: str, at: datetime | None = None, limits: SignInLimits = accounts.LIMITS
) -> None:
    """Ask for a link, from a network address of one's own."""
    await registrations.ask(
        house.container.database,
        house.container.settings,
        Applicant.read(NAME, email, "", terms=True),
        visitor_at(),
        "ru",
        at or now(),
        limits,
    )


async def mails(house: House, email: str) -> list[Notice]:
    """The mails of registrations to an address, oldest first."""
    async with house.container.database.work() as session:
        found = await session.exec(
            select(Notice).where(col(Notice.person_id).is_(None)).order_by(col(Notice.id))
        )
        return [one for one in found if one.contents["to"] == email]


async def link(house: House, email: str, at: datetime | None = None) -> str:
    """The secret of a link that was asked for."""
    await ask(house, email, at)
    return str((await mails(house, email))[-1].contents["path"]).rpartition("/")[2]


async def accept(house: House, secret: str, at: datetime | None = None) -> str:
    """How choosing a password ends: the code of the refusal, or «done»."""
    database = house.container.database
    try:
        await registrations.accept(database, secret, PASSWORD, visitor_at(), at or now())
    except Refusal as refusal:
        return refusal.code
    return "done"


async def test_from_the_page_of_signing_in_to_the_cabinet(house: House) -> None:
    """Form, mail, password, app: a person with an account that is registered, the mail proven."""
    email = fresh()
    async with house.client() as browser:
        assert 'href="/registration"' in (await browser.get("/sign-in")).text
        page = await browser.get("/registration")
        form = {"csrf_token": TOKEN.findall(page.text)[0], "name": "Орлова", "email": "нет"}
        wrong = await browser.post("/registration", data=form)
        assert wrong.status_code == 422
        for words in ("Укажите фамилию и имя", "Напишите адрес почты", "Без согласия"):
            assert words in wrong.text
        form |= {"name": NAME, "email": email, "terms": "true"}
        assert "Проверьте почту" in (await browser.post("/registration", data=form)).text
        (mail,) = await mails(house, email)
        way = MailWay(None, Addresses("http://here", "", "Больница"))  # type: ignore[arg-type]
        letter = way._letter([mail])
        assert not {"Орлова", "Анна", email} & set(re.split(r"\s+", letter.text + letter.html))
        path = re.findall(r"http://here(/registration/\S+)", letter.text)[0]
        opened = await browser.get(path)
        assert (NAME in opened.text, email in opened.text) == (True, True)
        token = TOKEN.findall(opened.text)[0]
        weak = await browser.post(path, data={"csrf_token": token, "new_password": "коротко"})
        assert (weak.status_code, "короче 12 знаков" in weak.text) == (422, True)
        token = TOKEN.findall(weak.text)[0]
        chosen = await browser.post(path, data={"csrf_token": token, "new_password": PASSWORD})
        assert chosen.headers["location"] == "/sign-in/setup?next=/", chosen.text
        setup = await browser.get("/sign-in/setup")
        shown = re.findall(r'id="totp-secret">([A-Z2-7 ]+)<', setup.text)[0].replace(" ", "")
        token = TOKEN.findall(setup.text)[0]
        done = await browser.post(
            "/sign-in/setup", data={"csrf_token": token, "code": await fresh_code(shown)}
        )
        assert done.status_code == 200, done.text
        assert (await browser.get("/verifications")).status_code == 200
        over = await browser.get(path)
        assert (over.status_code, "больше не действует" in over.text) == (409, True)
    async with house.container.database.work() as session:
        account = (
            await session.exec(select(Account).where(Account.login == accounts.login_of(email)))
        ).one()
        person = await session.get_one(Person, account.person_id)
        assert (person.name, person.unit_id, account.state) == (
            NAME,
            house.institution,
            "registered",
        )
        assert await is_confirmed(session, person, Channel.MAIL)
        kinds = await session.exec(
            select(JournalEntry.kind)
            .where(JournalEntry.chain == person.id)
            .order_by(col(JournalEntry.position))
        )
        assert list(kinds)[:2] == ["account.created", "person.registered"]
    assert [step for step, _ in await journal_of(house, person.id)][:1] == ["password"]


@pytest.mark.asvs("6.3.8")
async def test_a_known_address_is_answered_alike(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same status, words, headers and statements, and no quicker; the mail says which it is."""
    monkeypatch.setattr(registrations, "FLOOR", FLOOR)
    known, unknown = (await house.someone()).email, fresh()
    for path in ("/api/v1/registration", "/registration"):
        said = []
        for email in (known, unknown):
            async with house.client() as client:
                token = TOKEN.findall((await client.get("/registration")).text)[0]
                sent = {"name": NAME, "email": email, "terms": True}
                begun = monotonic()
                with statements(house.container.database, commits=True) as asked:
                    answer = await client.post(
                        path,
                        json=sent if path.startswith("/api") else None,
                        data=None if path.startswith("/api") else {**sent, "terms": "true"},
                        headers={"X-CSRF-Token": token},
                    )
                assert monotonic() - begun >= FLOOR
                assert "registration" in str(asked)
                shown = re.sub(r'"[\w-]{40,}"|nonce-\S+|nonce="\S+"', "", answer.text)
                said.append((answer.status_code, shown, sorted(answer.headers), asked))
        assert said[0] == said[1], path
        assert said[0][0] < 300
    for email, kind, there in (
        (known, "registration_known", "/sign-in"),
        (unknown, "registration", "/registration/"),
    ):
        told = await mails(house, email)
        assert {(one.kind, one.contents["path"].startswith(there)) for one in told} == {
            (kind, True)
        }
        assert [one.state for one in told] == ["superseded", "waiting"]
        async with house.container.database.work() as session:
            login = accounts.login_of(email)
            tried = await session.exec(select(LoginAttempt).where(LoginAttempt.login == login))
            assert {(one.step, one.outcome, one.person_id) for one in tried} == {
                ("registration_asked", "passed", None)
            }


async def test_sent_twice_at_once_there_is_one_mail(house: House) -> None:
    """The address has one registration, by a constraint; neither click brings an error."""
    email = fresh()
    # Limits of their own, as those of one address would let one try wait for the other.
    apart = [SignInLimits(registration=Limit(f"race-{n}", 3, HOUR)) for n in range(6)]
    await asyncio.gather(*(ask(house, email, limits=limits) for limits in apart))
    (mail,) = [mail for mail in await mails(house, email) if mail.state == "waiting"]
    secret = mail.contents["path"].rpartition("/")[2]
    said = await asyncio.gather(*(accept(house, secret) for _ in range(5)))
    assert sorted(said) == ["done"] + ["registration_over"] * 4


async def test_asking_again_replaces_the_link(house: House) -> None:
    """The mail that waits is not sent, and its link opens nothing."""
    email = fresh()
    first, second = await link(house, email), await link(house, email)
    assert [one.state for one in await mails(house, email)] == ["superseded", "waiting"]
    assert [await accept(house, first), await accept(house, second)] == [
        "registration_over",
        "done",
    ]


async def test_an_address_that_became_known_meanwhile(house: House) -> None:
    """The link makes no second account, and leaves nobody without one behind."""
    email = fresh()
    secret = await link(house, email)
    someone = await house.someone()
    await house.change_account(someone, login=accounts.login_of(email))
    async with house.container.database.work() as session:
        before = (await session.exec(select(func.count()).select_from(Person))).one()
    assert await accept(house, secret) == "contact_taken"
    async with house.container.database.work() as session:
        assert (await session.exec(select(func.count()).select_from(Person))).one() == before


async def test_after_72_hours_nothing_is_left(house: House) -> None:
    """The link is over, and the sweeper clears row, mail and tries; younger ones stay."""
    email, young, moment = fresh(), fresh(), now()
    secret = await link(house, email, moment - timedelta(hours=71, minutes=59))
    await ask(house, young, moment)
    database = house.container.database
    assert await accept(house, secret, moment + timedelta(seconds=61)) == "registration_over"
    (mail,) = await mails(house, email)
    async with database.work() as session:
        kept = await session.get_one(Notice, mail.id)
        note(session, kept, DeliveryOutcome.REFUSED, "no such mailbox", moment)
        await fail(session, kept, "no such mailbox", moment)
        login = accounts.login_of(email)
        stored = await session.exec(select(Registration).where(Registration.email_blind == login))
        assert stored.one().secret_hash == hash_token(secret)
        assert not (await sweeping._due(database, moment, 60)).registrations
        old = moment - timedelta(hours=72)
        await session.exec(update(Notice).where(col(Notice.id) == mail.id).values(created_at=old))
        await session.exec(
            update(Registration).where(col(Registration.email_blind) == login).values(ends_at=old)
        )
    assert (await sweeping._due(database, now(), 60)).registrations
    await registrations.forget(database)
    assert not (await sweeping._due(database, now(), 60)).registrations
    assert (len(await mails(house, email)), len(await mails(house, young))) == (0, 1)
    async with database.work() as session:
        stored = await session.exec(select(Registration).where(Registration.email_blind == login))
        assert not stored.all()
        tries = await session.exec(select(NoticeAttempt).where(NoticeAttempt.notice_id == mail.id))
        assert not tries.all()


async def test_what_is_stored_is_encrypted_or_hashed(house: House) -> None:
    """Neither name, address nor secret stands anywhere in the clear (I10)."""
    email = fresh()
    secret = await link(house, email)
    async with house.container.database.work() as session:
        for one in ("notice", "registration", "login_attempt", "rate_limit"):
            for planted in (email, secret, "Орлова"):
                found = await session.exec(
                    select(func.count())
                    .select_from(plain_table(one))
                    .where(literal_column(f"{one}::text").contains(planted))
                )
                assert found.one() == 0, (one, planted)


async def test_requests_are_limited_by_address(house: House) -> None:
    """Three an hour to one address, whoever asks, and whoever has it."""
    for email in (fresh(), (await house.someone()).email):
        moment = now()
        for _ in range(3):
            await ask(house, email, moment)
        with pytest.raises(Refusal, match="too_often"):
            await ask(house, email, moment)
        assert len(await mails(house, email)) == 3


async def test_only_open_units_can_be_chosen(house: House) -> None:
    """Several: one of them has to be chosen. None, where registration is off."""
    async with house.container.database.work() as session:
        session.add(Unit(code="lab", name="Лаборатория", parent_id=house.institution))
    opened = {"registration": True, "registration_units": "cardio, lab"}
    house.container.settings = house.settings.model_copy(update=opened)
    asked = {"name": NAME, "email": fresh(), "terms": True}
    async with house.client() as client:
        page = (await client.get("/registration")).text
        assert ("Кардиология" in page, "Лаборатория" in page) == (True, True)
        for unit, status in (("", 422), ("hospital", 422), ("lab", 202)):
            answer = await client.post("/api/v1/registration", json={**asked, "unit": unit})
            assert answer.status_code == status, answer.text
        house.container.settings = house.settings
        assert 'href="/registration"' not in (await client.get("/sign-in")).text
        assert (await client.get("/registration")).status_code == 404
        assert (await client.post("/api/v1/registration", json=asked)).status_code == 404


async def test_a_mail_that_bounces_is_shown_to_operators(house: House) -> None:
    """Once a day however many bounce: they see who it was, and nobody else does (I1)."""
    vera = await house.someone(Role.OPERATOR, house.institution)
    emails = [fresh() for _ in range(2)]
    for email in emails:
        await ask(house, email)
        (mail,) = await mails(house, email)
        async with house.container.database.work() as session:
            failed = await session.get_one(Notice, mail.id)
            await fail(session, failed, "bounced", now())
    async with house.container.database.work() as session:
        told = await session.exec(
            select(Notice.kind).where(
                Notice.person_id == vera.person_id, Notice.channel == Channel.CABINET.value
            )
        )
        assert told.all() == ["registration_failed"]
        operator = await access.actor_for(session, vera.person_id, now())
        shown = await registrations.undelivered(session, operator)
        assert {one.email for one in shown} >= set(emails)
        other = await access.actor_for(session, (await house.someone()).person_id, now())
        with pytest.raises(Refusal, match="forbidden"):
            await registrations.undelivered(session, other)
