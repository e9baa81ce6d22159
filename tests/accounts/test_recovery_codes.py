"""Recovery codes: made with the app, used once, counted with all other codes, and renewed."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlmodel import col, select

from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from models.tables.second_factor import RecoveryCode
from rules.accounts import Outcome, Step
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import (
    CODES_IN_A_SET,
    FEW_CODES,
    Method,
    read_recovery_code,
    recovery_code_of,
)
from services.accounts.second_factor import entering, recovery_codes
from services.accounts.sessions import OpenedSession
from tests.accounts.steps import (
    enter_password,
    half_open,
    journal_of,
    notices_of,
    recognised,
)
from tests.shared.accounts import BOUNDLESS, House, Someone, fresh_code, visitor_at
from tests.shared.cabinet import TOKEN


async def given(house: House, someone: Someone, count: int = CODES_IN_A_SET) -> Sequence[str]:
    """A set of codes of the person, of which so many are not used."""
    drawn = await recovery_codes.draw()
    async with house.container.database.work() as session:
        await recovery_codes.replace(session, someone.person_id, drawn, now())
    async with house.container.database.work() as session:
        rows = await session.exec(
            select(RecoveryCode).where(
                RecoveryCode.person_id == someone.person_id, RecoveryCode.number > count
            )
        )
        for row in rows:
            row.used_at = now()
    return [str(one.code) for one in drawn[:count]]


async def rows_of(house: House, person_id: UUID) -> Sequence[RecoveryCode]:
    """What is stored of a person's codes."""
    async with house.container.database.work() as session:
        found = await session.exec(
            select(RecoveryCode)
            .where(RecoveryCode.person_id == person_id)
            .order_by(col(RecoveryCode.number))
        )
        return list(found)


async def by_code(client: httpx.AsyncClient, code: str) -> httpx.Response:
    """The second step by a recovery code."""
    return await client.post("/api/v1/sign-in/code", json={"code": code, "method": "recovery"})


def test_a_code_is_read_however_it_is_typed() -> None:
    """Small letters, blanks, long dashes, and Russian letters that look the same."""
    code = recovery_code_of(7, bytes(range(8, 18)))
    assert str(code) == "07-89ABC-DEFGH"
    for typed in ("07-89ABC-DEFGH", " 07 89abc defgh", "0789abcdefgh", "07–89авс—defgн"):
        assert read_recovery_code(typed) == code, typed
    assert read_recovery_code("o7-0OIL1-ABCDE") == read_recovery_code("07-00111-ABCDE")
    for typed in ("", "7-89ABC-DEFGH", "07-89ABC-DEFG", "07-89ABC-DEFGU", "123456"):
        assert read_recovery_code(typed) is None, typed


@pytest.mark.asvs("6.5.2")
@pytest.mark.asvs("6.5.3")
@pytest.mark.asvs("6.5.4")
async def test_an_app_brings_ten_codes_that_only_its_owner_knows(house: House) -> None:
    """Shown once when the app is confirmed, stored as slow hashes with salts of their own (I3)."""
    someone = await house.someone(set_up=False)
    async with house.client() as client:
        await enter_password(client, someone.email)
        shown = (await client.post("/api/v1/second-factor")).json()
        done = await client.post(
            "/api/v1/second-factor/confirm", json={"code": await fresh_code(shown["secret"])}
        )
        codes = done.json()["recovery_codes"]
        client.headers["X-CSRF-Token"] = done.json()["csrf_token"]
        assert len(set(codes)) == CODES_IN_A_SET
        offered = (await client.get("/api/v1/second-factor")).json()
    assert [(one["method"], one["left"]) for one in offered] == [("app", None), ("recovery", 10)]
    rows = await rows_of(house, someone.person_id)
    assert [row.number for row in rows] == list(range(1, 11))
    assert all(row.code_hash.startswith("$argon2id$") for row in rows)
    assert len({row.code_hash for row in rows}) == 10
    for code in codes:
        secret = code[3:].replace("-", "")
        assert not any(secret in row.code_hash for row in rows)


async def test_a_code_signs_in_once_and_leads_to_a_new_app(house: House) -> None:
    """The person is told of it, sees how many are left, and may set an app up at once."""
    someone = await house.someone()
    code, *_ = await given(house, someone)
    async with house.client() as client:
        await enter_password(client, someone.email)
        done = await by_code(client, code.lower())
        assert (done.status_code, done.json()["stage"]) == (200, "open"), done.text
        client.headers["X-CSRF-Token"] = done.json()["csrf_token"]
        assert (await client.get("/api/v1/second-factor")).json()[1]["left"] == 9
        assert (await client.post("/api/v1/second-factor")).status_code == 200
        seen = (await client.get("/api/v1/login-attempts")).json()
    assert [(one["step"], one["outcome"], one["method"]) for one in seen] == [
        ("code", "passed", "recovery"),
        ("password", "passed", None),
    ]
    assert await notices_of(house, someone.person_id) == ["recovery_code_used"]
    async with house.container.database.work() as session:
        chained = await session.exec(
            select(JournalEntry.facts).where(JournalEntry.chain == someone.person_id)
        )
        assert [facts["method"] for facts in chained] == ["recovery"]
    async with house.client() as client:
        await enter_password(client, someone.email)
        again = await by_code(client, code)
        assert (again.status_code, again.json()["code"]) == (422, "wrong_code")


@pytest.mark.asvs("6.5.1")
async def test_a_recovery_code_works_once_under_fifty_parallel_tries(house: House) -> None:
    """Fifty half-open sessions with the same code at once: one of them opens."""
    someone = await house.someone()
    code, *_ = await given(house, someone)
    halves = await asyncio.gather(*(half_open(house, someone) for _ in range(50)))
    done = await asyncio.gather(
        *(
            entering.enter_code(
                house.container.database,
                half,
                code,
                visitor_at(),
                now(),
                BOUNDLESS,
                method=Method.RECOVERY,
            )
            for half in halves
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(one, OpenedSession) for one in done) == 1
    assert {one.code for one in done if isinstance(one, Refusal)} == {"wrong_code"}
    used = [row for row in await rows_of(house, someone.person_id) if row.used_at is not None]
    assert len(used) == 1
    tried = [outcome for _, outcome in await journal_of(house, someone.person_id)]
    assert tried.count(Outcome.PASSED) == 1


@pytest.mark.asvs("6.6.3")
async def test_wrong_codes_of_all_methods_count_together(house: House) -> None:
    """I14: changing the method gives no more tries; the right code has to wait as well."""
    someone = await house.someone()
    right, *_ = await given(house, someone)
    half, moment = await half_open(house, someone), now()
    wrong = f"{(int(someone.code(moment)) + 1) % 1_000_000:06}"
    tries = [(Method.APP, wrong), (Method.RECOVERY, "01-AAAAA-AAAAA")] * 2
    said = []
    for method, code in [*tries, (Method.APP, wrong), (Method.RECOVERY, right)]:
        with pytest.raises(Refusal) as refusal:
            await entering.enter_code(
                house.container.database, half, code, visitor_at(), moment, method=method
            )
        said.append(refusal.value.code)
    assert said == ["wrong_code"] * 5 + ["too_often"]
    assert {row.used_at for row in await rows_of(house, someone.person_id)} == {None}
    assert (Step.CODE, Outcome.TOO_OFTEN) in await journal_of(house, someone.person_id)


async def test_few_codes_are_told(house: House) -> None:
    """With three left, the person is asked to make new ones, with the number in the message."""
    someone = await house.someone()
    codes = await given(house, someone, FEW_CODES + 1)
    half = await half_open(house, someone)
    await entering.enter_code(
        house.container.database, half, codes[0], visitor_at(), now(), method=Method.RECOVERY
    )
    assert sorted(await notices_of(house, someone.person_id)) == [
        "recovery_code_used",
        "recovery_codes_few",
    ]
    async with house.container.database.work() as session:
        found = await session.exec(
            select(Notice.channel, Notice.facts).where(
                Notice.person_id == someone.person_id, Notice.kind == "recovery_codes_few"
            )
        )
        told = dict(list(found))
    assert told["cabinet"] == told["mail"] == {"count": FEW_CODES}


async def test_codes_are_offered_last_and_only_where_there_are_any(house: House) -> None:
    """The page of the second step asks for the app first, and names the codes below."""
    link = "Нет доступа к приложению?"
    none, some = await house.someone(), await house.someone()
    await given(house, some)
    for someone, offered in ((none, False), (some, True)):
        async with house.client() as client:
            await enter_password(client, someone.email)
            page = (await client.get("/sign-in/code")).text
            assert 'name="method" value="app"' in page
            assert (link in page) is offered
            asked = (await client.get("/sign-in/code?method=recovery")).text
            assert ('name="method" value="recovery"' in asked) is offered
            assert ("Осталось кодов: 10 из 10" in asked) is offered


async def test_renewing_needs_a_factor_entered_for_it(house: House) -> None:
    """I14: a session that was just opened is not enough, and the old set is worth nothing then."""
    someone = await house.someone()
    old, *_ = await given(house, someone)
    client = await house.signed_in(someone)
    refused = await client.post("/api/v1/second-factor/recovery-codes")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")
    checked = await client.post(
        "/api/v1/sign-in/code", json={"code": await fresh_code(someone.secret)}
    )
    client.headers["X-CSRF-Token"] = checked.json()["csrf_token"]
    made = await client.post("/api/v1/second-factor/recovery-codes")
    assert made.status_code == 200, made.text
    client.headers["X-CSRF-Token"] = made.json()["csrf_token"]
    # One factor entered, one thing enrolled.
    again = await client.post("/api/v1/second-factor/recovery-codes")
    assert again.json()["code"] == "second_factor_needed"
    assert await notices_of(house, someone.person_id) == ["recovery_codes_made"]
    for code, status in ((old, 422), (made.json()["recovery_codes"][0], 200)):
        async with house.client() as other:
            await enter_password(other, someone.email)
            assert (await by_code(other, code)).status_code == status


@pytest.mark.parametrize("path", ["/api/v1/second-factor", "/api/v1/second-factor/recovery-codes"])
async def test_a_session_just_opened_enrols_nothing(house: House, path: str) -> None:
    """I14: the code of signing in is spent on signing in; a thief of the session has no other."""
    someone = await house.someone()
    async with house.client() as client:
        await enter_password(client, someone.email)
        done = await client.post(
            "/api/v1/sign-in/code", json={"code": await fresh_code(someone.secret)}
        )
        client.headers["X-CSRF-Token"] = done.json()["csrf_token"]
        refused = await client.post(path)
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")


@pytest.mark.asvs("7.5.1")
async def test_a_factor_entered_six_minutes_ago_enrols_nothing(house: House) -> None:
    """The five minutes count from the code that was entered for it."""
    someone = await house.someone()
    half = await half_open(house, someone)
    opened = await entering.enter_code(
        house.container.database, half, someone.code(now()), visitor_at(), now()
    )
    current, kept = await recognised(house, opened), opened.account_token
    later = now() + timedelta(minutes=1)
    opened = await entering.enter_code(
        house.container.database, current, someone.code(later), visitor_at(), later
    )
    current = await recognised(house, replace(opened, account_token=kept))
    with pytest.raises(Refusal, match="second_factor_needed"):
        await recovery_codes.renew(
            house.container.database, current, visitor_at(), later + timedelta(minutes=5)
        )


async def test_the_pages_show_a_set_once(house: House) -> None:
    """From the list of methods by a check to the ten codes, and nowhere again."""
    someone = await house.someone()
    await given(house, someone, 2)
    client = await house.signed_in(someone)
    listed = (await client.get("/profile/second-factor")).text
    assert "Осталось кодов: 2 из 10. Создайте новый набор." in listed
    asked = await client.post("/profile/second-factor/recovery-codes")
    assert asked.headers["location"].startswith("/profile/confirm?next=")
    checked = await client.post(
        "/profile/confirm",
        data={
            "code": await fresh_code(someone.secret),
            "method": "app",
            "next": "/profile/second-factor",
        },
    )
    assert checked.headers["location"] == "/profile/second-factor?done=confirmed"
    token = TOKEN.search((await client.get("/profile/second-factor")).text)
    assert token
    client.headers["X-CSRF-Token"] = token[1]
    made = await client.post("/profile/second-factor/recovery-codes")
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    shown = made.text.split('id="recovery-codes">')[1].split("</pre>")[0].split()
    assert len(shown) == CODES_IN_A_SET
    later = (await client.get("/profile/second-factor")).text
    assert not any(code in later for code in shown)


async def test_signing_in_by_a_code_leads_to_a_new_app(house: House) -> None:
    """The page after it sets the app up, and leads on to what was asked for."""
    someone = await house.someone()
    code, *_ = await given(house, someone)
    async with house.client() as client:
        await enter_password(client, someone.email)
        done = await client.post(
            "/sign-in/code", data={"code": code, "method": "recovery", "next": "/notices?show=new"}
        )
        assert done.status_code == 303, done.text
        where = done.headers["location"]
        assert where == "/profile/second-factor/app?next=/notices%3Fshow%3Dnew"
        page = (await client.get(where)).text
        assert 'id="totp-secret"' in page
        assert 'href="/notices?show=new"' in page
