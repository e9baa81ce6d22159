"""The token of a device changes every 24 hours, logs nobody out by it, and betrays a copy (I2)."""

import asyncio
from datetime import timedelta
from itertools import cycle

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from models.tables.accounts import AccountSession, DeviceToken, RiskEvent
from models.tables.notices import Notice
from rules.clock import now
from rules.sign_in import device_tokens as rules
from rules.sign_in.device_tokens import Standing, read
from tests.shared.accounts import PASSWORD, House, Someone, fresh_code
from tests.shared.statements import statements

COOKIE = "medcab-account"


async def rotated(house: House, someone: Someone, *, ago: timedelta) -> None:
    """Let the person's tokens have changed so long ago."""
    async with house.container.database.work() as session:
        await session.exec(
            update(DeviceToken)
            .where(col(DeviceToken.person_id) == someone.person_id)
            .values(rotated_at=now() - ago)
        )


async def status(client: httpx.AsyncClient) -> int:
    """What a read answers."""
    return (await client.get("/api/v1/session")).status_code


def with_token(house: House, client: httpx.AsyncClient, token: str) -> httpx.AsyncClient:
    """A copy of a browser that has kept this token of the device."""
    copy = house.client()
    copy.cookies.update(client.cookies)
    copy.cookies.set(COOKIE, token, domain="127.0.0.1")
    copy.headers["X-CSRF-Token"] = client.headers["X-CSRF-Token"]
    return copy


@pytest.mark.parametrize(
    ("age", "secret", "worth"),
    [
        ("23:59:59", "present", Standing.PRESENT),
        ("24:00:00", "present", Standing.DUE),
        ("00:00:29", "before", Standing.OLD),
        ("00:00:30", "before", Standing.SPENT),
        ("00:00:01", "another", Standing.SPENT),
    ],
)
def test_what_a_token_is_worth(age: str, secret: str, worth: Standing) -> None:
    """24 hours and half a minute, to the second."""
    hours, minutes, seconds = map(int, age.split(":"))
    at = now()
    since = at - timedelta(hours=hours, minutes=minutes, seconds=seconds)
    assert rules.standing(secret, "present", "before", since, at) is worth


@pytest.mark.parametrize("text", ["", "x", ".y", "x.", "x." + "y" * 65])
def test_what_is_no_token(text: str) -> None:
    """A cookie may hold anything."""
    assert read(text) is None


async def test_a_token_changes_after_a_day_and_not_before(house: House) -> None:
    """At 23:59 it stays; after 24 hours the first request brings another (I2)."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    first = client.cookies[COOKIE]
    await rotated(house, someone, ago=timedelta(hours=23, minutes=59))
    with statements(house.container.database, commits=True) as said:
        assert await status(client) == 200
    assert len(said) == 1, "an ordinary request asks once and commits nothing"
    assert client.cookies[COOKIE] == first
    await rotated(house, someone, ago=timedelta(hours=24))
    with statements(house.container.database, commits=True) as said:
        assert await status(client) == 200
    assert [line.split()[0] for line in said] == ["WITH", "UPDATE", "commit"]
    second = client.cookies[COOKIE]
    assert second != first
    assert second.partition(".")[0] == first.partition(".")[0]
    async with house.container.database.work() as session:
        row = (
            await session.exec(
                select(DeviceToken).where(DeviceToken.person_id == someone.person_id)
            )
        ).one()
        stored = row.model_dump_json()
    assert not any(part in stored for token in (first, second) for part in token.split("."))


async def test_twenty_tabs_at_once_log_nobody_out(house: House) -> None:
    """All tabs ask when the token is due: one changes it, all are answered, and all go on."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    first = client.cookies[COOKIE]
    await rotated(house, someone, ago=timedelta(hours=25))
    tabs = [with_token(house, client, first) for _ in range(20)]
    asked = [tab.get("/api/v1/session") for tab in tabs]
    assert {one.status_code for one in await asyncio.gather(*asked)} == {200}
    changed = [tab.cookies[COOKIE] for tab in tabs if tab.cookies[COOKIE] != first]
    assert len(set(changed)) == 1
    # A tab whose answer was lost asks again with the old token, and gets the same new one.
    lost = with_token(house, client, first)
    assert await status(lost) == 200
    assert lost.cookies[COOKIE] == changed[0]
    assert await status(lost) == 200


async def test_twenty_changes_at_once_log_nobody_out(house: House) -> None:
    """Reads and changes mixed: a change by the token before is refused in words, and repeated."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    first = client.cookies[COOKIE]
    await rotated(house, someone, ago=timedelta(hours=25))
    tabs = [with_token(house, client, first) for _ in range(20)]
    methods = cycle([("GET", "/api/v1/session"), ("POST", "/api/v1/session/extend")])
    answers = await asyncio.gather(
        *(tab.request(*how) for tab, how in zip(tabs, methods, strict=False))
    )
    told = {answer.status_code for answer in answers}
    assert told <= {200, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {
        "device_token_old"
    }
    newest = next(tab.cookies[COOKIE] for tab in tabs if tab.cookies[COOKIE] != first)
    for tab in tabs:
        tab.cookies.set(COOKIE, newest, domain="127.0.0.1")
        assert (await tab.post("/api/v1/session/extend")).status_code == 200


async def test_the_token_before_is_for_reading_only(house: House) -> None:
    """For half a minute it reads, changes nothing, and ends nothing."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    old = with_token(house, client, client.cookies[COOKIE])
    await rotated(house, someone, ago=timedelta(hours=24))
    assert await status(client) == 200
    await rotated(house, someone, ago=timedelta(seconds=25))
    refused = await old.post("/api/v1/session/extend")
    assert (refused.status_code, refused.json()["code"]) == (409, "device_token_old")
    assert await status(old) == 200
    assert await status(client) == 200


async def test_a_token_that_is_over_ends_the_device_and_tells_its_owner(house: House) -> None:
    """Half a minute later a copy ends all sessions on the device, once, and no others (I2)."""
    someone = await house.someone()
    client, elsewhere = await house.signed_in(someone), await house.signed_in(someone)
    thieves = [with_token(house, client, client.cookies[COOKIE]) for _ in range(5)]
    await rotated(house, someone, ago=timedelta(hours=24))
    assert await status(client) == 200
    await rotated(house, someone, ago=timedelta(seconds=31))
    assert [await status(one) for one in (client, elsewhere)] == [200, 200]
    assert set(await asyncio.gather(*map(status, thieves))) == {401}
    assert [await status(one) for one in (client, elsewhere)] == [401, 200]
    async with house.container.database.work() as session:
        why = await session.exec(
            select(AccountSession.ended_why).where(
                AccountSession.person_id == someone.person_id,
                col(AccountSession.ended_at).is_not(None),
            )
        )
        assert why.all() == ["device_token_reused"]
        noted = await session.exec(
            select(RiskEvent.kind).where(RiskEvent.person_id == someone.person_id)
        )
        assert noted.all() == ["token_reused"]
        told = await session.exec(
            select(Notice.kind).where(
                Notice.person_id == someone.person_id, Notice.channel == "cabinet"
            )
        )
        assert told.all() == ["risk_token_reused"]


async def test_a_session_is_worth_nothing_without_the_token_of_its_device(house: House) -> None:
    """Session and device cookie alone open nothing, nor does the token of somebody else."""
    client = await house.signed_in(await house.someone())
    other = await house.signed_in(await house.someone())
    family = client.cookies[COOKIE].partition(".")[0]
    for token in ("", other.cookies[COOKIE], "another." + "x" * 43):
        assert await status(with_token(house, client, token)) == 401
    assert await status(client) == 200
    assert await status(with_token(house, client, f"{family}.guessed")) == 401
    assert await status(client) == 401, "who knows the family had the token"


async def test_the_token_outlives_the_session_on_the_same_device(house: House) -> None:
    """Signing in again keeps the token, or changes it when it is due; a spent one is told."""
    someone = await house.someone()
    async with house.client() as client:
        await signs_in(client, someone)
        first = client.cookies[COOKIE]
        await again(house, client, someone)
        assert client.cookies[COOKIE] == first
        await rotated(house, someone, ago=timedelta(hours=30))
        await again(house, client, someone)
        second = client.cookies[COOKIE]
        assert second.partition(".")[0] == first.partition(".")[0]
        assert second != first
        await rotated(house, someone, ago=timedelta(minutes=1))
        client.cookies.set(COOKIE, first, domain="127.0.0.1")
        await again(house, client, someone)
        assert client.cookies[COOKIE].partition(".")[0] != first.partition(".")[0]
        assert await status(client) == 200
    async with house.container.database.work() as session:
        found = await session.exec(
            select(DeviceToken.ended_why)
            .where(DeviceToken.person_id == someone.person_id)
            .order_by(col(DeviceToken.created_at))
        )
        assert found.all() == ["reused", None]


async def signs_in(client: httpx.AsyncClient, someone: Someone) -> None:
    """Both steps at a browser."""
    answer = await client.post(
        "/api/v1/sign-in", json={"email": someone.email, "password": PASSWORD}
    )
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    done = await client.post(
        "/api/v1/sign-in/code", json={"code": await fresh_code(someone.secret)}
    )
    assert done.status_code == 200, done.text
    client.headers["X-CSRF-Token"] = done.json()["csrf_token"]


async def again(house: House, client: httpx.AsyncClient, someone: Someone) -> None:
    """Sign in once more; the code of this half minute may be used again."""
    await house.change_account(someone, totp_last_step=0)
    await signs_in(client, someone)
