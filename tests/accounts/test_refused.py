"""Refused sign-ins: counted, never in the way of others, and telling nobody who works here."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlmodel import col, select

from clients.database import Database
from models.tables.journal import JournalEntry
from rules.accounts import Limit, Outcome, SignInLimits, Step
from rules.clock import now
from rules.refusals import Refusal
from services.accounts import devices, login_log
from services.accounts import sign_in as accounts
from services.accounts.second_factor import entering
from services.accounts.sessions import Visitor
from tests.accounts.steps import recognised
from tests.shared.accounts import PASSWORD, House, Someone, fresh_code, visitor_at
from tests.shared.statements import statements

WRONG = "не тот пароль"


async def refused(
    house: House,
    email: str,
    visitor: Visitor,
    password: str = WRONG,
    limits: SignInLimits = accounts.LIMITS,
    at: datetime | None = None,
    database: Database | None = None,
) -> str:
    """The code with which a password is refused."""
    with pytest.raises(Refusal) as refusal:
        await accounts.sign_in(
            database or house.container.database, email, password, visitor, at or now(), limits
        )
    return refusal.value.code


async def chain_of(house: House, someone: Someone) -> list[JournalEntry]:
    """The person's own chain of the journal."""
    async with house.container.database.work() as session:
        found = await session.exec(
            select(JournalEntry)
            .where(JournalEntry.chain == someone.person_id)
            .order_by(col(JournalEntry.position))
        )
        return list(found)


async def test_a_hundred_and_fifty_refusals_are_one_entry(house: House) -> None:
    """However often somebody tries: one entry of the chain for an hour, with the number."""
    someone, database = await house.someone(), house.container.database
    half_past = now().replace(minute=30) - timedelta(hours=2)
    later = {minutes: half_past + timedelta(minutes=minutes) for minutes in (10, 40, 45, 50, 100)}
    for n in range(15):
        visitor = visitor_at(f"198.51.100.{n % 3}")
        tries = (refused(house, someone.email, visitor, at=half_past) for _ in range(10))
        await asyncio.gather(*tries)
    await login_log.chain_refused(database, later[10])
    assert await chain_of(house, someone) == []
    await asyncio.gather(*(login_log.chain_refused(database, later[40]) for _ in range(3)))
    (entry,) = await chain_of(house, someone)
    assert entry.kind == "account.sign_in_failed"
    assert entry.facts["refused"] == {"password.wrong": 10, "password.too_often": 140}
    assert sum(entry.contents["addresses"].values()) == 150

    await refused(house, someone.email, visitor_at("198.51.100.1"), at=later[45])
    await login_log.chain_refused(database, later[50])
    assert len(await chain_of(house, someone)) == 1
    await login_log.chain_refused(database, later[100])
    chained = [one.facts["refused"] for one in await chain_of(house, someone)]
    assert chained[1:] == [{"password.wrong": 1}]


async def test_a_break_in_stays_in_sight(house: House) -> None:
    """The person sees the sign-in of a stranger among a hundred and fifty refusals around it."""
    someone = await house.someone()
    database, thief, moment = house.container.database, visitor_at("203.0.113.66"), now()
    for outcome in (Outcome.WRONG, Outcome.PASSED, Outcome.WRONG):
        async with database.work() as session:
            for _ in range(75 if outcome is Outcome.WRONG else 1):
                await login_log.note(
                    session, Step.PASSWORD, outcome, thief, moment, person_id=someone.person_id
                )
    client = await house.signed_in(someone)
    seen = (await client.get("/api/v1/login-attempts")).json()
    told = [(one["outcome"], one["times"]) for one in seen if one["step"] == "password"]
    assert sorted(told) == [("passed", 1), ("wrong", 150)]
    assert {one["address"] for one in seen if one["step"] == "password"} == {"203.0.113.66"}


async def test_one_machine_behind_an_address_keeps_no_known_device_out(house: House) -> None:
    """A hospital has one address: who tries passwords there stops strangers, not colleagues."""
    someone, other = [await house.someone() for _ in range(2)]
    mine = visitor_at("198.51.100.40", device="a device of my own that is known")
    async with house.container.database.work() as session:
        await devices.remember_device(session, someone.person_id, mine, now())
    few = SignInLimits(address=Limit("address", 3, timedelta(minutes=15)))
    for n in range(3):
        await refused(house, f"{n}@example.org", visitor_at("198.51.100.40"), limits=few)
    stranger = visitor_at("198.51.100.40", device="a device that nobody has seen before")
    assert await refused(house, other.email, stranger, PASSWORD, few) == "too_often"
    opened = await accounts.sign_in(
        house.container.database, someone.email, PASSWORD, mine, now(), few
    )
    assert opened.person_id == someone.person_id


async def test_who_knows_a_password_keeps_no_known_device_from_its_code(house: House) -> None:
    """Codes tried on another device leave those of the person's own device alone."""
    someone = await house.someone()
    database, mine = house.container.database, visitor_at(device="a device of my own that is known")
    async with database.work() as session:
        await devices.remember_device(session, someone.person_id, mine, now())
    codes = []
    for visitor in (visitor_at("203.0.113.66"), mine):
        opened = await accounts.sign_in(database, someone.email, PASSWORD, visitor, now())
        half = await recognised(house, opened)
        for typed in ["no"] * 6 if visitor is not mine else []:
            with pytest.raises(Refusal) as refusal:
                await entering.enter_code(database, half, typed, visitor, now())
            codes.append(refusal.value.code)
    assert codes == ["wrong_code"] * 5 + ["too_often"]
    assert (
        await entering.enter_code(database, half, await fresh_code(someone.secret), mine, now())
    ).token


@dataclass
class Work:
    """What a try to sign in made the application do."""

    statements: list[str] = field(default_factory=list)
    hashed: int = 0


@contextmanager
def watched(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """Count the statements and the verifications of hashes of what is done meanwhile."""
    work, verify = Work(), PasswordHasher.verify

    def verified(*given: Any) -> bool:
        work.hashed += 1
        return verify(*given)

    monkeypatch.setattr(PasswordHasher, "verify", verified)
    try:
        with statements(database) as work.statements:
            yield work
    finally:
        monkeypatch.setattr(PasswordHasher, "verify", verify)


@pytest.mark.asvs("6.3.8")
@pytest.mark.parametrize("times", [1, 11])
async def test_an_unknown_address_is_as_much_work_as_a_known_one(
    house: House, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """The same statements in the same order, and one hashing: no clock tells who works here."""
    someone, did = await house.someone(), []
    alone = Database.from_settings(house.settings)
    for email in (someone.email, f"nobody.{someone.email}"):
        for _ in range(times - 1):
            await refused(house, email, visitor_at("203.0.113.9"))
        with watched(alone, monkeypatch) as work:
            await refused(house, email, visitor_at("203.0.113.9"), database=alone)
        did.append(work)
    await alone.close()
    known, unknown = did
    assert known.statements == unknown.statements
    assert known.statements
    assert known.hashed == unknown.hashed == (1 if times == 1 else 0)
