"""Sessions: how long they live, what they are bound to, and how they end."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from models.tables.accounts import AccountSession
from models.tables.people import RoleGrant
from rules.accounts import SESSIONS_AT_ONCE
from rules.clock import now
from services.accounts.last_seen import Activity
from services.accounts.sessions import hash_token
from tests.shared.accounts import House, Someone, fresh_code
from tests.shared.statements import statements


async def last_active(house: House, someone: Someone, *, ago: timedelta) -> None:
    """Let the person's sessions have been used last so long ago."""
    await house.container.activity.flush(house.container.database)
    async with house.container.database.work() as session:
        await session.exec(
            update(AccountSession)
            .where(col(AccountSession.person_id) == someone.person_id)
            .values(last_active=now() - ago)
        )


async def lives(client: httpx.AsyncClient) -> bool:
    """Whether the browser's session still answers."""
    return (await client.get("/api/v1/session")).status_code == 200


@pytest.mark.asvs("7.3.1")
@pytest.mark.parametrize(("ago", "alive"), [("14:59", True), ("15:01", False)])
async def test_a_session_ends_after_fifteen_idle_minutes(
    house: House, ago: str, alive: bool
) -> None:
    """14:59 after the last activity it lives, at 15:01 it is dead (I5)."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    minutes, seconds = map(int, ago.split(":"))
    await last_active(house, someone, ago=timedelta(minutes=minutes, seconds=seconds))
    assert await lives(client) is alive
    assert await lives(client) is alive


async def test_activity_is_exact_though_it_is_written_together(house: House) -> None:
    """A request at 14:59 counts from then, for this process at once and for others when written."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    await last_active(house, someone, ago=timedelta(minutes=14, seconds=59))
    assert await lives(client)
    mine = (await client.get("/api/v1/session")).json()
    assert mine["idle_seconds_left"] in (899, 900)
    await house.container.activity.flush(house.container.database)
    assert house.container.activity == Activity()
    async with house.container.database.work() as session:
        row = (
            await session.exec(
                select(AccountSession).where(AccountSession.person_id == someone.person_id)
            )
        ).one()
        assert now() - row.last_active < timedelta(seconds=10)


async def test_what_a_page_asks_by_itself_is_no_activity(house: House) -> None:
    """A page left open overnight polls, and still the session ends (design: background)."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    await last_active(house, someone, ago=timedelta(minutes=14))
    polled = await client.get("/api/v1/session", headers={"X-Medcab-Background": "1"})
    assert polled.status_code == 200
    assert polled.json()["idle_seconds_left"] <= 60
    await last_active(house, someone, ago=timedelta(minutes=15, seconds=1))
    assert not await lives(client)


async def test_extending_counts_as_activity(house: House) -> None:
    """The button of the warning two minutes before the end gives a quarter of an hour (I5)."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    await last_active(house, someone, ago=timedelta(minutes=14))
    extended = await client.post("/api/v1/session/extend")
    assert extended.json()["idle_seconds_left"] in (899, 900)


@pytest.mark.asvs("7.3.2")
async def test_no_session_lives_longer_than_twelve_hours(house: House) -> None:
    """However active somebody is, after twelve hours both factors are asked for again."""
    someone = await house.someone()
    client = await house.signed_in(someone, at=now() - timedelta(hours=11, minutes=59))
    await last_active(house, someone, ago=timedelta(0))
    assert await lives(client)
    late = await house.signed_in(someone, at=now() - timedelta(hours=12, seconds=1))
    await last_active(house, someone, ago=timedelta(0))
    assert not await lives(late)


@pytest.mark.asvs("7.4.1")
async def test_signing_out_ends_the_session_on_the_server(house: House) -> None:
    """The cookie that was kept somewhere else is worth nothing afterwards."""
    client = await house.signed_in(await house.someone())
    kept = client.cookies["medcab"]
    out = await client.delete("/api/v1/session")
    assert (out.status_code, out.headers["Clear-Site-Data"]) == (204, '"cache", "storage"')
    client.cookies.set("medcab", kept)
    assert (await client.get("/api/v1/session")).json()["code"] == "session_ended"


@pytest.mark.asvs("7.5.2")
async def test_people_see_and_end_their_sessions(house: House) -> None:
    """The other sessions are listed and can be ended after a fresh code, those of others not."""
    someone, other = await house.someone(), await house.someone()
    here, there = await house.signed_in(someone), await house.signed_in(someone)
    stranger = await house.signed_in(other)
    listed = (await here.get("/api/v1/sessions")).json()
    assert [line["is_this"] for line in listed].count(True) == 1
    assert len(listed) == 2
    theirs = next(line["id"] for line in listed if not line["is_this"])
    assert (await stranger.delete(f"/api/v1/sessions/{theirs}")).status_code == 404
    assert await lives(there)
    assert (await here.delete(f"/api/v1/sessions/{theirs}")).status_code == 204
    assert not await lives(there)
    assert await lives(here)


async def test_ending_sessions_needs_a_fresh_code(house: House) -> None:
    """Six minutes after the last code, dangerous things ask for the next one first."""
    someone = await house.someone()
    client = await house.signed_in(someone, at=now() - timedelta(minutes=6))
    old = client.cookies["medcab"]
    for method, path, body in (
        ("DELETE", "/api/v1/sessions", None),
        ("POST", "/api/v1/second-factor", None),
        ("POST", "/api/v1/tokens", {"name": "x", "scope": ["apply"]}),
    ):
        refused = await client.request(method, path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_needed")
    checked = await client.post(
        "/api/v1/sign-in/code", json={"code": await fresh_code(someone.secret)}
    )
    assert checked.json()["stage"] == "open", checked.text
    assert client.cookies["medcab"] != old
    client.headers["X-CSRF-Token"] = checked.json()["csrf_token"]
    assert (await client.delete("/api/v1/sessions")).status_code == 204


async def test_a_check_again_does_not_lengthen_the_twelve_hours(house: House) -> None:
    """A fresh code renews the token, not the absolute end."""
    someone = await house.someone()
    client = await house.signed_in(someone, at=now() - timedelta(minutes=10))
    before = (await client.get("/api/v1/session")).json()["ends_at"]
    checked = await client.post(
        "/api/v1/sign-in/code", json={"code": await fresh_code(someone.secret)}
    )
    assert checked.json()["ends_at"] == before


@pytest.mark.asvs("7.1.2")
async def test_the_oldest_session_gives_way(house: House) -> None:
    """Ten sessions at once are enough; the eleventh ends the first."""
    someone = await house.someone()
    clients = [await house.signed_in(someone) for _ in range(SESSIONS_AT_ONCE + 1)]
    assert [await lives(client) for client in clients] == [False] + [True] * SESSIONS_AT_ONCE


async def test_a_session_is_bound_to_its_device(house: House) -> None:
    """A session cookie alone, carried to another browser, opens nothing (assurance, Security)."""
    client = await house.signed_in(await house.someone())
    thief = house.client()
    thief.cookies.set("medcab", client.cookies["medcab"])
    assert not await lives(thief)
    thief.cookies.set("medcab-device", "another device altogether")
    assert not await lives(thief)
    assert await lives(client)


@pytest.mark.asvs("7.2.2")
@pytest.mark.asvs("11.5.1")
@pytest.mark.asvs("7.2.3")
async def test_tokens_are_long_random_and_stored_hashed(house: House) -> None:
    """The database holds SHA-256 of 256 random bits, and never the token."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    token = client.cookies["medcab"]
    assert len(token) == 43
    async with house.container.database.work() as session:
        row = (
            await session.exec(
                select(AccountSession).where(AccountSession.person_id == someone.person_id)
            )
        ).one()
    assert row.token_hash == hash_token(token)
    assert token not in row.model_dump_json()


@pytest.mark.asvs("3.3.4")
async def test_cookies_are_for_the_server_only(house: House) -> None:
    """HttpOnly, SameSite and one path; with https also Secure and the __Host- prefix."""
    someone = await house.someone()
    async with house.client() as client:
        answer = await client.post(
            "/api/v1/sign-in",
            json={"email": someone.email, "password": "четыре слова подряд, не секрет"},
        )
    for cookie in answer.headers.get_list("set-cookie"):
        lowered = cookie.lower()
        assert "httponly" in lowered
        assert "samesite=lax" in lowered
        assert "path=/" in lowered
        assert "domain" not in lowered


@pytest.mark.asvs("8.3.2")
async def test_rights_are_taken_away_from_a_running_session(house: House) -> None:
    """A role that ends, ends for the next request of a live session (I7)."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    assert (await client.get("/api/v1/session")).json()["roles"] != []
    async with house.container.database.work() as session:
        await session.exec(
            update(RoleGrant)
            .where(col(RoleGrant.person_id) == someone.person_id)
            .values(valid_until=now())
        )
    assert (await client.get("/api/v1/session")).json()["roles"] == []


async def test_who_it_is_costs_one_query(house: House) -> None:
    """Session, person and rights are read together, and reading commits nothing."""
    client = await house.signed_in(await house.someone())
    with statements(house.container.database, commits=True) as said:
        assert await lives(client)
    assert len(said) == 1, said


@pytest.mark.asvs("7.4.3")
async def test_a_new_second_factor_ends_the_other_sessions(house: House) -> None:
    """Whoever still sits elsewhere with the old authenticator is signed out."""
    someone = await house.someone()
    here, there = await house.signed_in(someone, checked=True), await house.signed_in(someone)
    shown = (await here.post("/api/v1/second-factor")).json()
    renewed = Someone(someone.person_id, someone.unit_id, someone.email, shown["secret"])
    done = await here.post(
        "/api/v1/second-factor/confirm", json={"code": await fresh_code(renewed.secret)}
    )
    assert done.status_code == 200, done.text
    assert await lives(here)
    assert not await lives(there)
    async with house.client() as client:
        answer = await client.post(
            "/api/v1/sign-in",
            json={"email": someone.email, "password": "четыре слова подряд, не секрет"},
        )
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        old = await client.post(
            "/api/v1/sign-in/code", json={"code": await fresh_code(someone.secret)}
        )
        assert old.json()["code"] == "wrong_code"


async def test_preferences_are_kept(house: House) -> None:
    """Language and theme follow the person, not the browser."""
    someone = await house.someone()
    client = await house.signed_in(someone)
    chosen = await client.patch("/api/v1/preferences", json={"language": "en", "theme": "dark"})
    assert chosen.status_code == 204
    elsewhere = (await (await house.signed_in(someone)).get("/api/v1/session")).json()
    assert (elsewhere["language"], elsewhere["theme"]) == ("en", "dark")
    refused = await client.patch("/api/v1/preferences", json={"language": "tlh"})
    assert refused.status_code == 422
