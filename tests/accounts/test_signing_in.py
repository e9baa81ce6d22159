"""Signing in, in two steps, over the application and a real PostgreSQL."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pyotp
import pytest
from sqlmodel import select

from crypto.passwords import matches
from models.tables.accounts import Account, LoginAttempt
from models.tables.journal import JournalEntry
from models.tables.people import Person
from rules.accounts import Outcome, Stage, Step
from rules.clock import now
from rules.refusals import Refusal
from services.accounts import devices
from services.accounts import sign_in as accounts
from services.accounts.recognising import recognise
from services.accounts.second_factor import entering
from services.accounts.sessions import OpenedSession, Visitor
from tests.accounts.steps import (
    enter_password,
    half_open,
    journal_of,
    notices_of,
)
from tests.shared.accounts import (
    BOUNDLESS,
    PASSWORD,
    House,
    cookies_of,
    fresh_code,
    own_address,
    visitor_at,
)


@pytest.mark.asvs("6.3.3")
@pytest.mark.asvs("7.2.4")
async def test_password_and_code_open_a_session_each_under_a_new_token(house: House) -> None:
    """Both steps are needed (I5), and no token survives the step it was made for."""
    someone = await house.someone()
    async with house.client() as client:
        first = await enter_password(client, someone.email)
        assert first.status_code == 200, first.text
        assert first.json()["stage"] == "code"
        half = client.cookies["medcab"]
        refused = await client.get("/api/v1/session")
        assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_unfinished")

        second = await client.post(
            "/api/v1/sign-in/code", json={"code": await fresh_code(someone.secret)}
        )
        assert (second.status_code, second.json()["stage"]) == (200, "open"), second.text
        mine = (await client.get("/api/v1/session")).json()
        assert mine["name"] == "Соколова Анна Сергеевна"
        assert [role["role"] for role in mine["roles"]] == ["doctor"]

        client.cookies.set("medcab", half)
        assert (await client.get("/api/v1/session")).json()["code"] == "session_ended"


async def test_first_sign_in_sets_up_the_second_factor(house: House) -> None:
    """Without an app yet, the password leads to the set-up and nowhere else (I5)."""
    someone = await house.someone(set_up=False)
    async with house.client() as client:
        assert (await enter_password(client, someone.email)).json()["stage"] == "setup"
        code = await client.post("/api/v1/sign-in/code", json={"code": "123456"})
        assert (code.status_code, code.json()["stage"]) == (401, "setup")

        shown = (await client.post("/api/v1/second-factor")).json()
        assert shown == (await client.post("/api/v1/second-factor")).json()
        assert shown["qr_svg"].startswith("<svg")
        totp = pyotp.parse_uri(shown["uri"])
        institution = house.container.settings.institution
        assert (totp.issuer, totp.name) == (institution, someone.email)

        done = await client.post(
            "/api/v1/second-factor/confirm", json={"code": await fresh_code(shown["secret"])}
        )
        assert (done.status_code, done.json()["stage"]) == (200, "open"), done.text
        assert (await client.get("/api/v1/session")).status_code == 200
    async with house.container.database.work() as session:
        account = await session.get_one(Account, someone.person_id)
        assert account.totp_secret == shown["secret"]


@pytest.mark.asvs("6.3.8")
async def test_an_unknown_account_is_answered_like_a_wrong_password(house: House) -> None:
    """Neither words nor status tell whether somebody works here."""
    someone = await house.someone()
    said = []
    for email in (someone.email, "nobody@example.org"):
        async with house.client() as client:
            answer = await enter_password(client, email, "не тот пароль")
            said.append((answer.status_code, answer.content, sorted(answer.headers)))
    assert said[0] == said[1]
    assert said[0][0] == 401


@pytest.mark.asvs("6.5.1")
async def test_a_code_works_once_under_fifty_parallel_tries(house: House) -> None:
    """Fifty half-open sessions with the same code at once: one of them opens."""
    someone = await house.someone()
    database = house.container.database
    halves = await asyncio.gather(*(half_open(house, someone) for _ in range(50)))
    moment = now()
    code = someone.code(moment)
    done = await asyncio.gather(
        *(
            entering.enter_code(database, half, code, visitor_at(), moment, BOUNDLESS)
            for half in halves
        ),
        return_exceptions=True,
    )
    opened = [one for one in done if isinstance(one, OpenedSession)]
    assert [one.stage for one in opened] == [Stage.OPEN]
    refused = [one for one in done if isinstance(one, Refusal)]
    assert {one.code for one in refused} == {"wrong_code"}
    outcomes = [
        outcome for step, outcome in await journal_of(house, someone.person_id) if step == Step.CODE
    ]
    assert outcomes.count(Outcome.PASSED) == 1
    # Where the machine is busy, a try may end because it waited too long for its turn.
    assert outcomes.count(Outcome.REUSED) == len(refused) == len(outcomes) - 1


async def test_one_half_open_session_opens_once(house: House) -> None:
    """A double click on the code's button does not open two sessions."""
    someone = await house.someone()
    half = await half_open(house, someone)
    moment = now()
    done = await asyncio.gather(
        *(
            entering.enter_code(
                house.container.database,
                half,
                someone.code(moment + timedelta(seconds=30 * step)),
                visitor_at(),
                moment + timedelta(seconds=30 * step),
                BOUNDLESS,
            )
            for step in range(4)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(one, OpenedSession) for one in done) == 1


@pytest.mark.asvs("6.5.5")
@pytest.mark.parametrize("steps", [-2, -1, 1])
async def test_a_code_fits_only_its_own_half_minute(house: House, steps: int) -> None:
    """Neither the last code nor the next one is taken."""
    someone = await house.someone()
    half = await half_open(house, someone)
    moment = now()
    with pytest.raises(Refusal) as refusal:
        await entering.enter_code(
            house.container.database,
            half,
            someone.code(moment + timedelta(seconds=30 * steps)),
            visitor_at(),
            moment,
            BOUNDLESS,
        )
    assert refusal.value.code == "wrong_code"


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "１２３４５６", "-12345"])
async def test_what_is_no_code_is_refused_in_words(house: House, typed: str) -> None:
    """Letters, other digits and other lengths are refused like a wrong code, and counted."""
    someone = await house.someone()
    half = await half_open(house, someone)
    with pytest.raises(Refusal) as refusal:
        await entering.enter_code(
            house.container.database, half, typed, visitor_at(), now(), BOUNDLESS
        )
    assert refusal.value.code == "wrong_code"


async def test_half_a_session_lives_five_minutes(house: House) -> None:
    """Who walks away between the steps begins again."""
    someone = await house.someone()
    visitor, moment = visitor_at(), now()
    database = house.container.database
    opened = await accounts.sign_in(database, someone.email, PASSWORD, visitor, moment)
    for minutes, lives in ((4.9, True), (5.1, False)):
        later = moment + timedelta(minutes=minutes)
        known = recognise(
            database,
            cookies_of(opened),
            later,
            timedelta(minutes=15),
            house.container.activity,
            counts=True,
        )
        if lives:
            assert (await known).stage == Stage.CODE
        else:
            with pytest.raises(Refusal, match="session_ended"):
                await known


async def test_a_new_device_that_signs_in_twice_at_once_is_noted_once(house: House) -> None:
    """Two tabs of one new browser: both get in, and the person is told of one device."""
    someone = await house.someone()
    old, new = visitor_at(device="the one at work"), visitor_at(device="a new telephone")

    async def remember(visitor: Visitor) -> bool:
        async with house.container.database.work() as session:
            return await devices.remember_device(session, someone.person_id, visitor, now())

    assert await asyncio.gather(*(remember(old) for _ in range(4))) == [False] * 4
    assert sorted(await asyncio.gather(*(remember(new) for _ in range(4)))) == [False] * 3 + [True]


@pytest.mark.asvs("7.4.2")
async def test_a_locked_account_can_do_nothing(house: House) -> None:
    """Locking ends sessions and tokens at once and lets nobody in again (I4)."""
    someone = await house.someone()
    client = await house.signed_in(someone, checked=True)
    made = await client.post("/api/v1/tokens", json={"name": "отчёт", "scope": ["apply"]})
    bearer = {"Authorization": f"Bearer {made.json()['token']}"}
    half = await half_open(house, someone)
    async with house.client() as program:
        assert (await program.get("/api/v1/session", headers=bearer)).status_code == 200
        async with house.container.database.work() as session:
            await accounts.lock(session, someone.person_id, "потерян телефон", now())
        assert (await program.get("/api/v1/session", headers=bearer)).status_code == 401
    assert (await client.get("/api/v1/session")).json()["code"] == "session_ended"
    with pytest.raises(Refusal):
        await entering.enter_code(
            house.container.database, half, await fresh_code(someone.secret), visitor_at(), now()
        )
    async with house.client() as again:
        refused = await enter_password(again, someone.email)
        assert (refused.status_code, refused.json()["code"]) == (403, "account_locked")
        wrong = await enter_password(again, someone.email, "не тот пароль")
        assert wrong.json()["code"] == "wrong_credentials"
    async with house.container.database.work() as session:
        await accounts.unlock(session, someone.person_id)
    async with house.client() as again:
        assert (await enter_password(again, someone.email)).status_code == 200


async def test_who_has_left_cannot_sign_in(house: House) -> None:
    """The last day of work is the last day of the account (I8)."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    async with house.container.database.work() as session:
        person = await session.get_one(Person, someone.person_id)
        person.left_at = now()
    assert (await client.get("/api/v1/session")).status_code == 401
    async with house.client() as again:
        assert (await enter_password(again, someone.email)).status_code == 403


@pytest.mark.asvs("16.3.1")
async def test_every_try_is_in_the_login_journal(house: House) -> None:
    """Time, address, device and outcome of each step, chained in the person's journal (I4).

    What was refused is chained when its hour is over.
    """
    someone = await house.someone()
    async with house.client("198.51.100.20") as client:
        await enter_password(client, someone.email, "не тот")
        await enter_password(client, someone.email)
        await client.post("/api/v1/sign-in/code", json={"code": await fresh_code(someone.secret)})
        attempts = (await client.get("/api/v1/login-attempts")).json()
    assert [(one["step"], one["outcome"]) for one in attempts] == [
        ("code", "passed"),
        ("password", "passed"),
        ("password", "wrong"),
    ]
    assert {one["address"] for one in attempts} == {"198.51.100.20"}
    assert {(one["device"], one["device_kind"]) for one in attempts} == {
        ("Firefox, Linux", "computer")
    }
    async with house.client() as client:
        await enter_password(client, "nobody.at.all@example.org")
    async with house.container.database.work() as session:
        login = accounts.login_of("nobody.at.all@example.org")
        nobody = (await session.exec(select(LoginAttempt).where(LoginAttempt.login == login))).one()
        assert (nobody.outcome, nobody.person_id) == ("wrong", None)
        chained = await session.exec(
            select(JournalEntry.kind).where(JournalEntry.chain == someone.person_id)
        )
        assert list(chained) == ["account.signed_in"]


async def test_a_new_account_is_in_the_journal(house: House) -> None:
    """Made with a password that somebody else gave, which fits and has to be changed at once."""
    async with house.container.database.work() as session:
        person = Person(
            unit_id=house.ward,
            position="врач",
            name="Соколова Анна Сергеевна",
            email=f"{uuid4().hex}@example.org",
            created_at=now(),
        )
        session.add(person)
        await session.flush()
        made = await accounts.create_account(session, person, PASSWORD, now())
        assert await matches(made.password_hash, PASSWORD)
        assert made.must_change_password
        chained = await session.exec(
            select(JournalEntry.kind).where(JournalEntry.chain == person.id)
        )
        assert list(chained) == ["account.created"]


async def test_a_new_device_is_announced_once(house: House) -> None:
    """A second device is worth a notice; the first one is not, nor the same one again.

    In a network that is new as well it is a sign of a break-in, and told as that, once an hour.
    """
    someone = await house.someone()
    moment, known = now(), own_address()
    for n, (device, address) in enumerate(
        [("a", known), ("b", known), ("b", own_address()), *((one, own_address()) for one in "cd")]
    ):
        half = await half_open(house, someone, device * 32)
        later = moment + timedelta(seconds=30 * n)
        await entering.enter_code(
            house.container.database,
            half,
            someone.code(later),
            visitor_at(address, device * 32),
            later,
        )
    told = await notices_of(house, someone.person_id)
    assert told == ["new_device", "risk_new_place", "new_device"]


@pytest.mark.parametrize("why", ["old", "given"])
async def test_an_old_or_given_password_must_be_changed(house: House, why: str) -> None:
    """A password of 90 days, or chosen by somebody else, opens only its own change (I5)."""
    someone = await house.someone()
    if why == "old":
        await house.change_account(someone, password_changed_at=now() - timedelta(days=91))
    else:
        await house.change_account(someone, must_change_password=True)
    async with house.client() as client:
        await enter_password(client, someone.email)
        step = await client.post(
            "/api/v1/sign-in/code", json={"code": await fresh_code(someone.secret)}
        )
        client.headers["X-CSRF-Token"] = step.json()["csrf_token"]
        assert step.json()["stage"] == "password"
        assert (await client.get("/api/v1/sessions")).json()["stage"] == "password"
        changed = await client.post(
            "/api/v1/password",
            json={"old_password": PASSWORD, "new_password": "совсем другие пять слов подряд"},
        )
        assert (changed.status_code, changed.json()["stage"]) == (200, "open"), changed.text
        assert (await client.get("/api/v1/sessions")).status_code == 200


@pytest.mark.parametrize(("short_of", "stage"), [(1, "open"), (0, "password")])
async def test_a_password_lasts_ninety_days_to_the_minute(
    house: House, short_of: int, stage: str
) -> None:
    """A minute before it opens the cabinet, after it only its own change (I5)."""
    someone = await house.someone()
    age = timedelta(days=90) - timedelta(minutes=short_of)
    await house.change_account(someone, password_changed_at=now() - age)
    half = await half_open(house, someone)
    opened = await entering.enter_code(
        house.container.database, half, someone.code(now()), visitor_at(), now()
    )
    assert opened.stage == stage


async def test_login_names_are_found_however_they_are_typed(house: House) -> None:
    """Capitals and spaces around an address do not matter."""
    someone = await house.someone()
    async with house.client() as client:
        assert (await enter_password(client, f"  {someone.email.upper()} ")).status_code == 200


async def test_failed_tries_are_told_at_the_next_sign_in(house: House) -> None:
    """Who signs in sees how often somebody else tried."""
    someone = await house.someone()
    async with house.client() as client:
        for _ in range(3):
            await enter_password(client, someone.email, "не тот")
        await enter_password(client, someone.email)
        opened = await client.post(
            "/api/v1/sign-in/code", json={"code": await fresh_code(someone.secret)}
        )
        assert opened.json()["failures_before"] == 3
