"""Signs of an attack: what raises them, what they cost, who is told, and what can be done (I4)."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, select

from api import documents
from api.accounts.watching import PAGE_OF_FILE
from api.http.file_routes import page_image
from cabinet.documents import pages
from models.tables.accounts import Account, RateLimit, RiskEvent
from models.tables.journal import JournalEntry
from models.tables.notices import Notice
from rules.access import Role
from rules.accounts import Limit
from rules.clock import now
from rules.refusals import Refusal
from rules.risks import USE_LIMITS, RiskKind, UseLimit, network_of
from services.accounts import sign_in as accounts
from services.accounts.risks import failures
from services.accounts.risks.watch import Watch
from tests.shared.accounts import House, Someone, own_address, visitor_at
from tests.shared.statements import statements

MINUTE = timedelta(minutes=1)
SMALL = {
    kind: UseLimit(Limit(f"small_{kind}", 6, MINUTE), chunk=3, pause=MINUTE, source="a test")
    for kind in USE_LIMITS
}


async def events_of(house: House, someone: Someone) -> list[str]:
    """The signs that were noted of somebody."""
    async with house.container.database.work() as session:
        found = await session.exec(
            select(RiskEvent.kind).where(RiskEvent.person_id == someone.person_id)
        )
        return list(found)


async def link_of(house: House, someone: Someone) -> str:
    """The path of the link in the mail about a sign."""
    async with house.container.database.work() as session:
        found = await session.exec(
            select(Notice.contents).where(
                Notice.person_id == someone.person_id,
                Notice.channel == "mail",
                col(Notice.kind).startswith("risk_"),
            )
        )
        return str(found.one()["path"])


@pytest.fixture
def watched(house: House) -> House:
    """The house, where little may be used."""
    house.container.watch = Watch(house.container.database, SMALL)
    return house


def test_networks() -> None:
    """One household has one network, and what is no address is its own."""
    assert network_of("192.0.2.77") == network_of("192.0.2.1") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert network_of("testclient") == "testclient"


def test_limits_have_sources_and_leave_people_at_work_alone() -> None:
    """Nobody who works meets a limit, and each says where it comes from."""
    for known in USE_LIMITS.values():
        assert known.source
        assert known.chunk * 3 <= known.limit.times
    assert USE_LIMITS[RiskKind.RATE].limit.spacing <= timedelta(milliseconds=100)


async def test_a_pace_that_nobody_has_is_paused_and_told_once(watched: House) -> None:
    """Ordinary requests commit nothing; an attack costs one commit a chunk, and then none."""
    someone = await watched.someone()
    client, other = await watched.signed_in(someone), await watched.signed_in(someone)
    with statements(watched.container.database, commits=True) as said:
        assert [(await client.get("/api/v1/session")).status_code for _ in range(2)] == [200] * 2
    assert len(said) == 2, "one question each"
    answers = [await client.get("/api/v1/session") for _ in range(7)]
    assert [one.status_code for one in answers] == [200] * 7
    paused = await client.get("/api/v1/session")
    assert (paused.status_code, paused.json()["code"]) == (429, "slowed")
    assert 0 < int(paused.headers["Retry-After"]) <= 60
    with statements(watched.container.database, commits=True) as said:
        assert [(await client.get("/api/v1/session")).status_code for _ in range(5)] == [429] * 5
    assert len(said) == 5
    assert "commit" not in said
    assert (await other.get("/api/v1/session")).status_code == 200, "another session goes on"
    assert await events_of(watched, someone) == ["rate"]
    async with watched.container.database.work() as session:
        told = await session.exec(
            select(Notice.kind).where(
                Notice.person_id == someone.person_id, Notice.channel == "cabinet"
            )
        )
        assert told.all() == ["risk_use"]


async def test_processes_count_together(watched: House) -> None:
    """What one process has counted is missing in the allowance of the next."""
    someone = await watched.someone()
    client = await watched.signed_in(someone)
    for watch in (watched.container.watch, Watch(watched.container.database, SMALL)):
        watched.container.watch = watch
        for _ in range(3):
            assert (await client.get("/api/v1/session")).status_code == 200
    watched.container.watch = Watch(watched.container.database, SMALL)
    told = [(await client.get("/api/v1/session")).status_code for _ in range(4)]
    assert told == [200, 200, 200, 429]


async def test_trying_ids_of_others_is_paused(watched: House) -> None:
    """Cases that are not there for the person, one after another, in any session of theirs."""
    watched.container.watch = Watch(
        watched.container.database, {RiskKind.ENUMERATION: SMALL[RiskKind.ENUMERATION]}
    )
    someone = await watched.someone()
    client = await watched.signed_in(someone)
    gone = f"/api/v1/applications/{uuid4()}"
    assert {(await client.get(gone)).status_code for _ in range(30)} == {404}, "one id tries none"
    told = [(await client.get(f"/api/v1/applications/{uuid4()}")).status_code for _ in range(9)]
    assert told == [404] * 8 + [429]
    again = await watched.signed_in(someone)
    assert (await again.get("/api/v1/session")).status_code == 429
    assert await events_of(watched, someone) == ["enumeration"]
    out = await client.delete("/api/v1/session")
    assert out.status_code == 204, "signing out is open to whoever is paused"


async def test_files_taken_away_in_bulk_are_paused(watched: House) -> None:
    """Lists, papers and documents count alike, by the answer that a browser saves."""
    watched.container.watch = Watch(
        watched.container.database, {RiskKind.DOWNLOADS: SMALL[RiskKind.DOWNLOADS]}
    )
    someone = await watched.someone()
    client = await watched.signed_in(someone)
    told = [(await client.post("/archive/list.xlsx")).status_code for _ in range(10)]
    assert told == [200] * 9 + [429]
    assert await events_of(watched, someone) == ["downloads"]


async def test_files_opened_page_by_page_count_as_taken_away(watched: House) -> None:
    """Each file once, however many pages are looked at: whoever reads is not paused."""
    someone, moment = await watched.someone(), now()
    current: Any = SimpleNamespace(person_id=someone.person_id, session_id=None, token_id=None)
    watch = watched.container.watch
    for _ in range(40):
        await watch.opened(current, "one file", visitor_at(), moment)
    watch.demand(current, moment)
    for n in range(10):
        await watch.opened(current, f"file {n}", visitor_at(), moment)
    with pytest.raises(Refusal, match="slowed"):
        watch.demand(current, moment)
    assert await events_of(watched, someone) == ["downloads"]
    routes = (*documents.router.routes, *pages.router.routes)
    shown = [one for one in routes if getattr(one, "endpoint", None) is page_image]
    assert len(shown) == 2
    for one in shown:
        assert one.param_convertors.keys() >= PAGE_OF_FILE  # type: ignore[attr-defined]


async def test_refused_tries_are_a_sign_once_an_hour(house: House) -> None:
    """They are found beside the requests, also by several processes at once."""
    someone, address = await house.someone(), own_address()
    visitor = visitor_at(address)
    limits = replace(accounts.LIMITS, password=Limit("password", 1, MINUTE))
    for _ in range(3):
        with pytest.raises(Refusal, match=r"wrong_credentials|too_often"):
            await accounts.sign_in(
                house.container.database, someone.email, "не тот", visitor, now(), limits
            )
    await asyncio.gather(*(failures.look(house.container.database, now()) for _ in range(3)))
    assert await events_of(house, someone) == ["failures"]
    with statements(house.container.database, commits=True) as said:
        await failures.look(house.container.database, now() + timedelta(hours=2))
    assert len(said) == 1, "where nothing is wrong, it asks once and commits nothing"


async def test_the_link_locks_once_and_tells_nothing(watched: House) -> None:
    """Its page is that of any other link; used, over or unknown ones change nothing (I4)."""
    someone = await watched.someone()
    client = await watched.signed_in(someone, checked=True)
    made = await client.post("/api/v1/tokens", json={"name": "x", "scope": ["apply"], "days": 1})
    for _ in range(9):
        await client.get("/api/v1/session")
    path = await link_of(watched, someone)
    async with watched.client() as stranger:
        stranger.headers["Sec-Fetch-Site"] = "same-origin"
        real, none = [await stranger.get(link) for link in (path, "/not-me/none")]
        assert real.text.replace(path, "") == none.text.replace("/not-me/none", "")
        assert someone.email not in real.text
        token = real.text.partition('name="csrf_token" value="')[2].partition('"')[0]
        form = {"csrf_token": token}
        unknown = await stranger.post("/not-me/none", data=form)
        assert unknown.status_code == 409
        done = await stranger.post(path, data=form)
        assert (done.status_code, done.headers["location"]) == (303, "/locked")
        assert (await stranger.post(path, data=form)).status_code == 409
    assert (await client.get("/api/v1/session")).status_code == 401
    async with watched.client() as program:
        bearer = {"Authorization": f"Bearer {made.json()['token']}"}
        assert (await program.get("/api/v1/session", headers=bearer)).status_code == 401
    async with watched.container.database.work() as session:
        account = await session.get_one(Account, someone.person_id)
        assert (account.locked_reason, account.locked_at is not None) == ("suspicion", True)


async def test_links_end_after_a_week(watched: House) -> None:
    """Somebody who finds the mail later locks nobody out."""
    someone = await watched.someone()
    client = await watched.signed_in(someone)
    for _ in range(9):
        await client.get("/api/v1/session")
    secret = (await link_of(watched, someone)).rpartition("/")[2]
    async with watched.container.database.work() as session:
        (event,) = await session.exec(
            select(RiskEvent).where(RiskEvent.person_id == someone.person_id)
        )
        event.at -= timedelta(days=7)
        session.add(event)
    async with watched.client() as stranger:
        over = await stranger.post("/api/v1/account/lock-by-link", json={"key": secret})
    assert (over.status_code, over.json()["code"]) == (409, "link_over")


async def test_the_person_locks_the_own_account_from_the_profile(house: House) -> None:
    """At once, whatever is paused; the browser forgets the session."""
    someone = await house.someone()
    client, there = await house.signed_in(someone), await house.signed_in(someone)
    page = await client.get("/profile/lock")
    assert "Это не я — заблокировать" in page.text
    done = await client.post("/profile/lock")
    assert (done.status_code, done.headers["location"]) == (303, "/locked")
    assert (await there.get("/api/v1/session")).status_code == 401
    async with house.client() as anybody:
        assert "Учётная запись заблокирована" in (await anybody.get("/locked")).text
        refused = await anybody.post(
            "/api/v1/sign-in",
            json={"email": someone.email, "password": "четыре слова подряд, не секрет"},
        )
    assert refused.json()["code"] == "account_locked"


async def test_security_sees_filters_closes_and_locks(watched: House) -> None:
    """The queue is narrowed by kind and state; nobody judges what is said of the own account."""
    anna, boris = await watched.someone(), await watched.someone()
    guard = await watched.someone(Role.SECURITY, watched.institution)
    for someone in (anna, boris, guard):
        client = await watched.signed_in(someone)
        for _ in range(9):
            await client.get("/api/v1/session")
    watched.container.watch = Watch(watched.container.database, {})
    desk = await watched.signed_in(guard)
    listed = (await desk.get("/api/v1/risk-events", params={"kind": "rate"})).json()
    found = {line["person_id"]: line["id"] for line in listed}
    assert {str(one.person_id) for one in (anna, boris, guard)} <= set(found)
    assert (await desk.get("/api/v1/risk-events", params={"kind": "token_reused"})).json() == []
    own = await desk.post(f"/api/v1/risk-events/{found[str(guard.person_id)]}/close")
    assert (own.status_code, own.json()["code"]) == (409, "oneself")
    first, second = found[str(anna.person_id)], found[str(boris.person_id)]
    assert (await desk.post(f"/api/v1/risk-events/{first}/close")).status_code == 204
    assert (await desk.post(f"/api/v1/risk-events/{first}/close")).status_code == 409
    assert (await desk.post(f"/api/v1/risk-events/{second}/lock")).status_code == 204
    shown = (await desk.get("/risks", params={"state": "all"})).text
    assert "Проверено: угрозы нет" in shown
    assert "Учётная запись заблокирована" in shown
    open_ones = (await desk.get("/api/v1/risk-events")).json()
    assert not {first, second} & {line["id"] for line in open_ones}
    async with watched.container.database.work() as session:
        assert (await session.get_one(Account, boris.person_id)).locked_reason == "suspicion"
        assert (await session.get_one(Account, anna.person_id)).locked_at is None
        used = await session.exec(select(RateLimit.key).where(col(RateLimit.key).contains("small")))
        assert used.all()
        entries = await session.exec(
            select(JournalEntry.by_person).where(
                JournalEntry.chain == anna.person_id, JournalEntry.kind == "account.risk_closed"
            )
        )
        assert entries.all() == [guard.person_id]
