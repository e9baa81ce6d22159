"""Guessing passwords and codes is limited, and nobody is kept out by the guesses of others."""

import asyncio
from datetime import timedelta

import pytest

from rules.accounts import Outcome, Stage, Step
from rules.clock import now
from rules.refusals import Refusal
from services import rate_limits
from services.accounts import devices
from services.accounts import sign_in as accounts
from services.accounts.second_factor import entering
from tests.accounts.steps import (
    enter_password,
    half_open,
    journal_of,
)
from tests.shared.accounts import (
    PASSWORD,
    House,
    visitor_at,
)


async def test_too_many_passwords_are_refused_until_time_has_passed(house: House) -> None:
    """Ten wrong passwords, then even the right one has to wait, in every process (I4)."""
    someone = await house.someone()
    async with house.client() as client:
        for _ in range(10):
            assert (await enter_password(client, someone.email, "не тот")).status_code == 401
        refused = await enter_password(client, someone.email)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_often")
        assert 0 < int(refused.headers["Retry-After"]) <= 90
    database, later = house.container.database, now() + timedelta(seconds=91)
    opened = await accounts.sign_in(database, someone.email, PASSWORD, visitor_at(), later)
    assert opened.stage == Stage.CODE
    assert (Step.PASSWORD, Outcome.TOO_OFTEN) in await journal_of(house, someone.person_id)


@pytest.mark.asvs("6.3.1")
async def test_parallel_guessing_gets_no_more_tries(house: House) -> None:
    """Forty guesses at once are ten tries, not forty."""
    someone = await house.someone()
    done = await asyncio.gather(
        *(
            accounts.sign_in(
                house.container.database,
                someone.email,
                f"догадка {n}",
                visitor_at(f"198.51.100.{n}"),
                now(),
            )
            for n in range(40)
        ),
        return_exceptions=True,
    )
    codes = [one.code for one in done if isinstance(one, Refusal)]
    assert codes.count("wrong_credentials") == 10
    assert codes.count("too_often") == 30


async def test_a_stranger_cannot_lock_a_person_out(house: House) -> None:
    """On a device that was used before, tries are counted apart (ASVS 6.1.1)."""
    someone = await house.someone()
    mine = visitor_at(device="a device of my own that is known")
    async with house.container.database.work() as session:
        await devices.remember_device(session, someone.person_id, mine, now())
    for _ in range(11):
        with pytest.raises(Refusal):
            await accounts.sign_in(
                house.container.database, someone.email, "не тот", visitor_at("198.51.100.9"), now()
            )
    opened = await accounts.sign_in(house.container.database, someone.email, PASSWORD, mine, now())
    assert opened.stage == Stage.CODE


async def test_one_address_tries_at_most_a_hundred_accounts(house: House) -> None:
    """Stuffing known passwords into many accounts is stopped by the address."""
    limits = accounts.LIMITS
    visitor, moment = visitor_at("198.51.100.77"), now()
    codes = []
    async with house.container.database.work() as session:
        for n in range(limits.address.times + 1):
            allowances = [(limits.password, f"n{n}"), (limits.address, visitor.address)]
            codes.append(await rate_limits.take(session, allowances, moment))
    assert codes[:-1] == [0] * limits.address.times
    assert codes[-1] > 0


@pytest.mark.asvs("6.6.3")
async def test_five_wrong_codes_are_the_last_for_a_while(house: House) -> None:
    """Who knows a password cannot go through a million codes."""
    someone = await house.someone()
    half = await half_open(house, someone)
    moment = now()
    wrong = f"{(int(someone.code(moment)) + 1) % 1_000_000:06}"
    codes = []
    for code in [wrong] * 5 + [someone.code(moment)]:
        with pytest.raises(Refusal) as refusal:
            await entering.enter_code(house.container.database, half, code, visitor_at(), moment)
        codes.append(refusal.value.code)
    assert codes == ["wrong_code"] * 5 + ["too_often"]


async def test_success_gives_the_tries_back(house: House) -> None:
    """Signing in twenty times a day is not guessing."""
    someone = await house.someone()
    for _ in range(20):
        opened = await accounts.sign_in(
            house.container.database, someone.email, PASSWORD, visitor_at(), now()
        )
        assert opened.stage == Stage.CODE
