"""A forgotten password: by mail and second factor, never by one of them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic

import pytest
from sqlmodel import col, select
from structlog.testing import capture_logs

from models.tables.accounts import AccountSession, LoginAttempt, PasswordReset
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.people import Person
from rules.accounts import Outcome, Step
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import Method
from services.accounts import devices, password_reset
from services.accounts import sign_in as accounts
from services.accounts.sessions import hash_token
from tests.accounts.steps import enter_password, journal_of, notices_of
from tests.accounts.test_ending import opens, token_of
from tests.accounts.test_recovery_codes import given, rows_of
from tests.accounts.test_sessions import lives
from tests.shared.accounts import BOUNDLESS, PASSWORD, House, Someone, fresh_code, visitor_at
from tests.shared.cabinet import TOKEN

NEW = "совсем другие пять слов подряд"
FLOOR = password_reset.FLOOR


@pytest.fixture(autouse=True)
def answered_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where the time of an answer matters does it take its time."""
    monkeypatch.setattr(password_reset, "FLOOR", 0.0)


async def links_of(house: House, someone: Someone) -> Sequence[str]:
    """The secrets of the links that were mailed to a person, oldest first."""
    async with house.container.database.work() as session:
        found = await session.exec(
            select(Notice)
            .where(
                Notice.person_id == someone.person_id,
                Notice.kind == "password_reset",
                Notice.channel == "mail",
            )
            .order_by(col(Notice.id))
        )
        rows = list(found)
    assert {row.contents["to"] for row in rows} <= {someone.email}
    return [row.contents["path"].rpartition("/")[2] for row in rows]


async def link_for(house: House, someone: Someone, at: datetime | None = None) -> str:
    """The secret of a link that the person asked for."""
    await password_reset.ask(house.container.database, someone.email, visitor_at(), at or now())
    return (await links_of(house, someone))[-1]


async def complete(
    house: House,
    secret: str,
    code: str,
    new: str = NEW,
    at: datetime | None = None,
    method: Method = Method.APP,
) -> str:
    """How the change ends: the code of the refusal, or «done»."""
    try:
        await password_reset.complete(
            house.container.database,
            secret,
            method,
            code,
            new,
            visitor_at(),
            at or now(),
            limits=BOUNDLESS,
        )
    except Refusal as refusal:
        return refusal.code
    return "done"


@pytest.mark.asvs("6.4.3")
async def test_link_and_code_together_set_a_new_password(house: House) -> None:
    """All sessions and tokens end, the person is told, and nobody is signed in by it."""
    someone = await house.someone()
    there = await house.signed_in(someone, checked=True)
    token = await token_of(there)
    async with house.client() as client:
        asked = await client.post("/api/v1/password-reset", json={"email": someone.email.upper()})
        assert (asked.status_code, asked.content) == (202, b"null")
        (secret,) = await links_of(house, someone)
        done = await client.post(
            "/api/v1/password-reset/confirm",
            json={"key": secret, "code": await fresh_code(someone.secret), "new_password": NEW},
        )
        assert done.status_code == 204, done.text
        assert "set-cookie" not in done.headers
        assert (await client.get("/api/v1/session")).status_code == 401
        assert (await enter_password(client, someone.email)).status_code == 401
        assert (await enter_password(client, someone.email, NEW)).json()["stage"] == "code"
    assert not await lives(there)
    assert not await opens(house, token)
    assert sorted(await notices_of(house, someone.person_id)) == [
        "password_reset",
        "security",
        "security",
    ]
    assert (await journal_of(house, someone.person_id))[-4:] == [
        (Step.RESET_ASKED, Outcome.PASSED),
        (Step.PASSWORD_RESET, Outcome.PASSED),
        (Step.PASSWORD, Outcome.WRONG),
        (Step.PASSWORD, Outcome.PASSED),
    ]
    async with house.container.database.work() as session:
        chained = await session.exec(
            select(JournalEntry.kind, JournalEntry.facts)
            .where(JournalEntry.chain == someone.person_id)
            .order_by(col(JournalEntry.position))
        )
        kind, facts = list(chained)[-1]
        assert (kind, facts["step"], facts["method"]) == (
            "account.password_changed",
            "password_reset",
            "app",
        )
        ended = await session.exec(
            select(AccountSession.ended_why).where(
                AccountSession.person_id == someone.person_id,
                AccountSession.ended_why == "password_reset",
            )
        )
        assert list(ended)


@pytest.mark.asvs("6.4.3")
async def test_neither_the_link_nor_the_code_is_enough(house: House) -> None:
    """A wrong code, a wrong link, an unfit or unchanged password: nothing changes, no code is
    used up by what is wrong with the password."""
    someone = await house.someone()
    secret = await link_for(house, someone)
    moment = now()
    code = someone.code(moment)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    assert await complete(house, secret, wrong, at=moment) == "wrong_code"
    assert await complete(house, "x" * 43, code, at=moment) == "link_over"
    assert await complete(house, secret, code, "коротко", at=moment) == "weak_password"
    assert await complete(house, secret, code, PASSWORD, at=moment) == "same_password"
    assert await complete(house, secret, wrong, PASSWORD, at=moment) == "wrong_code"
    async with house.client() as client:
        assert (await enter_password(client, someone.email)).status_code == 200
    assert await complete(house, secret, code, at=moment) == "done"


async def test_a_link_works_once_and_takes_the_others_with_it(house: House) -> None:
    """Two links were asked for; with one used, neither opens anything."""
    someone = await house.someone()
    first, second = await link_for(house, someone), await link_for(house, someone)
    moment = now()
    assert await complete(house, first, someone.code(moment), at=moment) == "done"
    later = moment + timedelta(seconds=30)
    for secret in (first, second):
        assert await complete(house, secret, someone.code(later), PASSWORD, later) == "link_over"


async def test_of_twenty_at_once_one_sets_the_password(house: House) -> None:
    """A link and a recovery code are used up together: one of twenty parallel tries wins."""
    someone = await house.someone()
    secret = await link_for(house, someone)
    codes = await given(house, someone)
    said = await asyncio.gather(
        *(
            complete(house, secret, codes[n % 10], f"{NEW} {n}", method=Method.RECOVERY)
            for n in range(20)
        )
    )
    assert said.count("done") == 1
    assert set(said) <= {"done", "wrong_code", "link_over"}
    used = [row for row in await rows_of(house, someone.person_id) if row.used_at is not None]
    assert len(used) == 1


@pytest.mark.parametrize(("minutes", "said"), [(29, "done"), (31, "link_over")])
async def test_a_link_lives_half_an_hour(house: House, minutes: int, said: str) -> None:
    """At 29 minutes it works, at 31 it does not."""
    someone = await house.someone()
    moment = now()
    secret = await link_for(house, someone, moment)
    later = moment + timedelta(minutes=minutes)
    assert await complete(house, secret, someone.code(later), at=later) == said


@pytest.mark.asvs("6.3.8")
async def test_an_unknown_address_is_answered_alike(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same words, status and headers, and no quicker; only the known one gets a mail."""
    monkeypatch.setattr(password_reset, "FLOOR", FLOOR)
    someone = await house.someone()
    for path in ("/api/v1/password-reset", "/sign-in/forgotten"):
        said = []
        for email in (someone.email, "nobody.here@example.org"):
            async with house.client() as client:
                token = TOKEN.search((await client.get("/sign-in/forgotten")).text)
                assert token
                begun = monotonic()
                sent = {"email": email}
                answer = await client.post(
                    path,
                    json=sent if path.startswith("/api") else None,
                    data=None if path.startswith("/api") else sent,
                    headers={"X-CSRF-Token": token[1]},
                )
                assert monotonic() - begun >= FLOOR
                said.append((answer.status_code, len(answer.content), sorted(answer.headers)))
        assert said[0] == said[1], path
        assert said[0][0] < 300
    assert len(await links_of(house, someone)) == 2
    async with house.container.database.work() as session:
        login = accounts.login_of("nobody.here@example.org")
        tried = await session.exec(select(LoginAttempt).where(LoginAttempt.login == login))
        assert {(one.step, one.outcome, one.person_id) for one in tried} == {
            ("reset_asked", "passed", None)
        }


@pytest.mark.parametrize("why", ["locked", "gone"])
async def test_who_may_not_sign_in_gets_nothing_new(house: House, why: str) -> None:
    """I4: neither a link, nor anything by a link that came before."""
    someone = await house.someone()
    before = await link_for(house, someone)
    async with house.container.database.work() as session:
        if why == "locked":
            await accounts.lock(session, someone.person_id, "потерян телефон", now())
        else:
            (await session.get_one(Person, someone.person_id)).left_at = now()
    await password_reset.ask(house.container.database, someone.email, visitor_at(), now())
    assert await links_of(house, someone) == [before]
    assert await complete(house, before, someone.code(now())) == "link_over"


async def test_requests_are_limited_but_not_for_a_known_device(house: House) -> None:
    """Three an hour for an address by strangers; the person's own device has its own three."""
    someone = await house.someone()
    visitor, moment = visitor_at(), now()
    for _ in range(3):
        await password_reset.ask(house.container.database, someone.email, visitor, moment)
    with pytest.raises(Refusal) as refusal:
        await password_reset.ask(house.container.database, someone.email, visitor, moment)
    assert refusal.value.code == "too_often"
    assert len(await links_of(house, someone)) == 3
    async with house.container.database.work() as session:
        await devices.remember_device(session, someone.person_id, visitor, moment)
    await password_reset.ask(house.container.database, someone.email, visitor, moment)
    assert len(await links_of(house, someone)) == 4


async def test_wrong_codes_by_a_link_count_with_those_of_signing_in(house: House) -> None:
    """I14: a link gives no further tries."""
    someone = await house.someone()
    secret, moment = await link_for(house, someone), now()
    visitor = visitor_at()
    said = []
    for code in ["000000"] * 5 + [someone.code(moment)]:
        with pytest.raises(Refusal) as refusal:
            await password_reset.complete(
                house.container.database, secret, Method.APP, code, NEW, visitor, moment
            )
        said.append(refusal.value.code)
    assert said == ["wrong_code"] * 5 + ["too_often"]


async def test_the_secret_is_stored_hashed(house: House) -> None:
    """Who reads the table can open no link."""
    someone = await house.someone()
    secret = await link_for(house, someone)
    async with house.container.database.work() as session:
        found = await session.exec(
            select(PasswordReset.secret_hash).where(PasswordReset.person_id == someone.person_id)
        )
        assert list(found) == [hash_token(secret)]


async def test_the_pages_lead_from_the_link_to_signing_in(house: House) -> None:
    """All is asked for on one page, which keeps nobody's name, and says what is wrong at once.

    The log knows neither the secret of the link nor the address.
    """
    someone = await house.someone()
    await given(house, someone)
    secret = await link_for(house, someone)
    async with house.client() as client:
        page = (await client.get(f"/sign-in/reset/{secret}")).text
        assert "Соколова" not in page
        assert f'href="/sign-in/reset/{secret}?method=recovery' in page
        token = TOKEN.search(page)
        assert token
        form = {"csrf_token": token[1], "method": "app", "new_password": "коротко"}
        weak = await client.post(f"/sign-in/reset/{secret}", data={**form, "code": "000000"})
        assert (weak.status_code, "короче 12 знаков" in weak.text) == (422, True)
        done = await client.post(
            f"/sign-in/reset/{secret}",
            data={**form, "new_password": NEW, "code": await fresh_code(someone.secret)},
        )
        assert done.headers["location"] == "/sign-in?done=password_reset", done.text
        over = await client.get(f"/sign-in/reset/{secret}")
        assert (over.status_code, "Ссылка больше не действует" in over.text) == (409, True)
        with capture_logs() as logged:
            stale = await client.post(f"/sign-in/reset/{secret}", data={"code": "000000"})
    assert stale.headers["location"].startswith("/sign-in")
    assert "session_ended" in str(logged)
    assert secret not in str(logged)
    assert someone.email not in str(logged)


async def test_who_has_no_second_factor_cannot_set_a_password(house: House) -> None:
    """The mail alone is not enough: the page says whom to turn to."""
    someone = await house.someone(set_up=False)
    secret = await link_for(house, someone)
    async with house.client() as client:
        page = await client.get(f"/sign-in/reset/{secret}")
        assert (page.status_code, "обратитесь к оператору" in page.text) == (409, True)
    assert await complete(house, secret, "000000") == "wrong_code"
