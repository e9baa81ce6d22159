"""Codes by SMS: to a confirmed number, for five minutes, for one sign-in, once."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from models.tables.accounts import Account
from models.tables.notices import ContactChange, Notice
from models.tables.people import Person
from models.tables.second_factor import SmsCode, SmsFactor
from rules.accounts import Outcome, Step
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import SMS_SENDS, Method
from services.accounts.second_factor import entering
from services.accounts.sessions import Current
from tests.accounts.steps import enter_password, half_open, journal_of, notices_of
from tests.accounts.test_ending import opens, token_of
from tests.accounts.test_password_reset import NEW, link_for
from tests.accounts.test_recovery_codes import given
from tests.accounts.test_sessions import lives
from tests.shared.accounts import BOUNDLESS, House, Someone, visitor_at

PHONE = "+79161234567"


async def number(house: House, someone: Someone, *, confirmed: bool = True) -> None:
    """Give the person a telephone number, confirmed by its owner or from the staff list alone."""
    async with house.container.database.work() as session:
        (await session.get_one(Person, someone.person_id)).phone = PHONE
        if confirmed:
            session.add(
                ContactChange(
                    person_id=someone.person_id,
                    channel="sms",
                    value=PHONE,
                    code_hash="",
                    created_at=now(),
                    ends_at=now(),
                    done_at=now(),
                )
            )


async def by_sms(house: House, *, app: bool = True) -> Someone:
    """A person who has codes sent, beside the app or alone."""
    someone = await house.someone(set_up=app)
    await number(house, someone)
    async with house.container.database.work() as session:
        session.add(SmsFactor(person_id=someone.person_id, phone=PHONE, created_at=now()))
    return someone


async def sent_to(house: House, someone: Someone) -> list[str]:
    """The codes that were sent, oldest first."""
    async with house.container.database.work() as session:
        found = await session.exec(
            select(Notice)
            .where(
                Notice.person_id == someone.person_id,
                Notice.kind == "sign_in_code",
                Notice.channel == "sms",
            )
            .order_by(col(Notice.id))
        )
        rows = list(found)
    assert {row.contents["to"] for row in rows} <= {PHONE}
    return [row.contents["code"] for row in rows]


async def send(house: House, current: Current, at: datetime | None = None) -> None:
    """Ask for a code."""
    container = house.container
    await entering.begin(
        container.database, current, Method.SMS, visitor_at(), at or now(), container.site
    )


async def enter(house: House, current: Current, code: str, at: datetime | None = None) -> str:
    """How entering a code ends: the code of the refusal, or the stage."""
    try:
        opened = await entering.enter_code(
            house.container.database,
            current,
            code,
            visitor_at(),
            at or now(),
            BOUNDLESS,
            method=Method.SMS,
        )
    except Refusal as refusal:
        return refusal.code
    return opened.stage


async def test_a_code_signs_in_once(house: House) -> None:
    """It is sent when it is asked for, and the journal names the method."""
    someone = await by_sms(house)
    async with house.client() as client:
        await enter_password(client, someone.email)
        assert (await client.get("/api/v1/second-factor")).json() == [
            {"method": "app", "left": None, "hint": ""},
            {"method": "sms", "left": None, "hint": "…67"},
        ]
        assert await sent_to(house, someone) == []
        begun = await client.post("/api/v1/second-factor/begin", json={"method": "sms"})
        assert begun.status_code == 200, begun.text
        (code,) = await sent_to(house, someone)
        entered = {"code": code, "method": "sms"}
        done = await client.post("/api/v1/sign-in/code", json=entered)
        assert done.json()["stage"] == "open", done.text
        client.headers["X-CSRF-Token"] = done.json()["csrf_token"]
        again = await client.post("/api/v1/sign-in/code", json=entered)
        assert again.json()["code"] == "wrong_code"
        seen = (await client.get("/api/v1/login-attempts")).json()
    assert ("code", "passed", "sms") in [
        (one["step"], one["outcome"], one["method"]) for one in seen
    ]


@pytest.mark.asvs("6.5.5")
@pytest.mark.parametrize(("age", "said"), [("4:59", "open"), ("5:01", "wrong_code")])
async def test_a_code_lives_five_minutes(house: House, age: str, said: str) -> None:
    """Of a session that lives longer: at 4:59 it is good, at 5:01 it is not."""
    someone = await by_sms(house)
    half, moment = await half_open(house, someone), now()
    await send(house, half, moment)
    minutes, seconds = map(int, age.split(":"))
    later = moment + timedelta(minutes=minutes, seconds=seconds)
    (code,) = await sent_to(house, someone)
    assert await enter(house, half, code, later) == said


@pytest.mark.asvs("6.6.2")
async def test_a_code_belongs_to_the_sign_in_it_was_sent_for(house: House) -> None:
    """Neither another session of the person, nor an earlier code of the same one, takes it."""
    someone = await by_sms(house)
    mine, other = await half_open(house, someone), await half_open(house, someone)
    await send(house, mine)
    await send(house, mine)
    first, second = await sent_to(house, someone)
    assert await enter(house, other, second) == "wrong_code"
    if first != second:
        assert await enter(house, mine, first) == "wrong_code"
    assert await enter(house, mine, second) == "open"


@pytest.mark.asvs("6.5.1")
async def test_an_sms_code_works_once_under_fifty_parallel_tries(house: House) -> None:
    """Fifty tries of one session at once: one of them opens it."""
    someone = await by_sms(house)
    half = await half_open(house, someone)
    await send(house, half)
    (code,) = await sent_to(house, someone)
    done = await asyncio.gather(*(enter(house, half, code) for _ in range(50)))
    assert done.count("open") == 1
    assert set(done) <= {"open", "wrong_code", "session_ended"}
    tried = [outcome for _, outcome in await journal_of(house, someone.person_id)]
    assert tried.count(Outcome.PASSED) == 1


@pytest.mark.asvs("6.6.3")
async def test_codes_are_sent_five_times_an_hour(house: House) -> None:
    """And what is sent by SMS counts with all other wrong codes (I14)."""
    someone = await by_sms(house)
    half = await half_open(house, someone)
    for _ in range(SMS_SENDS.times):
        await send(house, half)
    with pytest.raises(Refusal) as refusal:
        await send(house, half)
    assert (refusal.value.code, refusal.value.status) == ("too_often", 429)
    assert len(await sent_to(house, someone)) == SMS_SENDS.times
    tries = [Method.SMS, Method.APP, Method.RECOVERY, Method.SMS, Method.APP, Method.SMS]
    said = []
    for method in tries:
        with pytest.raises(Refusal) as refusal:
            await entering.enter_code(
                house.container.database, half, "0000", visitor_at(), now(), method=method
            )
        said.append(refusal.value.code)
    assert said == ["wrong_code"] * 5 + ["too_often"]


async def test_only_a_confirmed_number_is_set_up_and_only_after_another_factor(
    house: House,
) -> None:
    """I14: neither a number of the staff list, nor by a session that was just opened."""
    someone = await house.someone()
    await number(house, someone, confirmed=False)
    here = await house.signed_in(someone)
    refused = await here.post("/api/v1/second-factor/sms")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")
    checked = await house.signed_in(someone, checked=True)
    refused = await checked.post("/api/v1/second-factor/sms")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_phone")
    await number(house, someone)
    assert (await checked.post("/api/v1/second-factor/sms")).status_code == 204
    (code,) = await sent_to(house, someone)
    stolen = await here.post("/api/v1/second-factor/sms/confirm", json={"code": code})
    assert stolen.json()["code"] == "second_factor_needed"
    done = await checked.post("/api/v1/second-factor/sms/confirm", json={"code": code})
    assert (done.status_code, done.json()["recovery_codes"]) == (200, []), done.text
    assert "second_factor_added" in await notices_of(house, someone.person_id)
    assert await lives(here)
    half = await half_open(house, someone)
    await send(house, half)
    assert await enter(house, half, (await sent_to(house, someone))[-1]) == "open"


async def test_a_new_number_in_the_personal_data_gets_no_codes(house: House) -> None:
    """The factor keeps its own number: whoever changes the contact has not changed the factor."""
    someone = await by_sms(house)
    async with house.container.database.work() as session:
        (await session.get_one(Person, someone.person_id)).phone = "+79990000000"
    half = await half_open(house, someone)
    await send(house, half)
    assert len(await sent_to(house, someone)) == 1


async def test_sms_can_be_the_first_factor(house: House) -> None:
    """At the first sign-in a confirmed number may be chosen in place of an app."""
    someone = await house.someone(set_up=False)
    await number(house, someone)
    async with house.client() as client:
        first = await enter_password(client, someone.email)
        assert first.json()["stage"] == "setup"
        assert "на номер, который кончается на …67" in (await client.get("/sign-in/setup")).text
        asked = await client.post("/sign-in/setup/sms/begin", data={"next": "/notices"})
        assert asked.headers["location"] == "/sign-in/setup/sms?next=/notices&done=code_sent"
        (code,) = await sent_to(house, someone)
        wrong = await client.post("/sign-in/setup/sms", data={"code": "12"})
        assert (wrong.status_code, "Код не подошёл" in wrong.text) == (422, True)
        done = await client.post("/sign-in/setup/sms", data={"code": code, "next": "/notices"})
        assert (done.status_code, "Сохраните коды восстановления" in done.text) == (200, True)
        assert 'href="/notices"' in done.text
        assert (await client.get("/api/v1/session")).status_code == 200
    async with house.client() as client:
        assert (await enter_password(client, someone.email)).json()["stage"] == "code"
        assert 'name="method" value="sms"' in (await client.get("/sign-in/code")).text


async def test_a_method_is_removed_but_never_the_last(house: House) -> None:
    """What was lost opens nothing more; the person is told, and is never left without a factor."""
    someone = await by_sms(house)
    await given(house, someone)
    there = await house.signed_in(someone, checked=True)
    token = await token_of(there)
    there = await house.signed_in(someone)
    refused = await there.delete("/api/v1/second-factor/app")
    assert refused.json()["code"] == "second_factor_needed"
    here = await house.signed_in(someone, checked=True)
    gone = await here.delete("/api/v1/second-factor/app")
    assert gone.status_code == 200, gone.text
    here.headers["X-CSRF-Token"] = gone.json()["csrf_token"]
    assert await lives(here)
    assert not await lives(there)
    assert not await opens(house, token)
    assert "second_factor_removed" in await notices_of(house, someone.person_id)
    assert (Step.FACTOR_REMOVED, Outcome.PASSED) in await journal_of(house, someone.person_id)
    async with house.container.database.work() as session:
        assert (await session.get_one(Account, someone.person_id)).totp_secret is None
    again = await house.signed_in(someone, checked=True)
    last = await again.delete("/api/v1/second-factor/sms")
    assert (last.status_code, last.json()["code"]) == (409, "last_factor")
    nothing = await again.delete("/api/v1/second-factor/app")
    assert nothing.status_code == 404
    async with house.client() as client:
        assert (await enter_password(client, someone.email)).json()["stage"] == "code"


async def test_of_two_removals_at_once_one_factor_stays(house: House) -> None:
    """Two tabs that remove one method each cannot leave the person with none."""
    someone = await by_sms(house)
    tabs = [await house.signed_in(someone, checked=True) for _ in range(2)]
    answers = await asyncio.gather(
        *(
            tab.delete(f"/api/v1/second-factor/{method}")
            for tab, method in zip(tabs, ("app", "sms"), strict=True)
        )
    )
    assert sorted(one.status_code for one in answers)[0] == 200
    async with house.container.database.work() as session:
        account = await session.get_one(Account, someone.person_id)
        sms = await session.get(SmsFactor, someone.person_id)
        assert (account.totp_confirmed_at is None) is not (sms is None)


async def test_a_forgotten_password_takes_a_code_by_sms_too(house: House) -> None:
    """The page of the link sends it, bound to that link."""
    someone = await by_sms(house, app=False)
    secret = await link_for(house, someone)
    async with house.client() as client:
        await client.get(f"/sign-in/reset/{secret}")
        begun = await client.post(
            "/api/v1/password-reset/begin", json={"key": secret, "method": "sms"}
        )
        assert begun.status_code == 200, begun.text
        (code,) = await sent_to(house, someone)
        half = await half_open(house, someone)
        assert await enter(house, half, code) == "wrong_code"
        done = await client.post(
            "/api/v1/password-reset/confirm",
            json={"key": secret, "method": "sms", "code": code, "new_password": NEW},
        )
        assert done.status_code == 204, done.text


async def test_without_an_app_a_token_asks_for_a_check_before(house: House) -> None:
    """The page has no field for a code then, and leads to the check of any method."""
    someone = await by_sms(house, app=False)
    client = await house.signed_in(someone, at=now() - timedelta(minutes=6))
    assert 'name="code"' not in (await client.get("/profile/tokens")).text
    form = {"name": "отчёт", "days": "3", "scope": "apply"}
    led = await client.post("/profile/tokens", data=form)
    assert led.headers["location"].startswith("/profile/confirm")
    just_in = await house.signed_in(someone)
    led = await just_in.post("/profile/tokens", data=form)
    assert led.headers["location"].startswith("/profile/confirm")
    fresh = await house.signed_in(someone, checked=True)
    assert "Ключ создан" in (await fresh.post("/profile/tokens", data=form)).text


async def test_what_is_stored_of_a_code_is_no_code(house: House) -> None:
    """Who reads the table knows neither number nor code."""
    someone = await by_sms(house)
    half = await half_open(house, someone)
    await send(house, half)
    (code,) = await sent_to(house, someone)
    async with house.container.database.work() as session:
        row = (
            await session.exec(select(SmsCode).where(SmsCode.person_id == someone.person_id))
        ).one()
        assert code not in row.code_hash
    assert row.about == half.session_id
