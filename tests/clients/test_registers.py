"""The line to the register: an answer, nobody, or an error that says what to do (O2)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from clients.registers import RegisterClient, RegisterDown, RegisterGarbled
from tests.shared.servers import Simulators
from tests.shared.waiting import PATIENCE

ANNA = "112-233-445 95"


@pytest.fixture
def switch(simulators: Simulators) -> Iterator[Any]:
    """Turns the fault switch of the register; off again after the test."""
    address = simulators.register.address

    def turn(mode: str = "ok", **more: Any) -> None:
        httpx.put(
            f"{address}/faults", json={"mode": mode, **more}, trust_env=False
        ).raise_for_status()

    turn()
    yield turn
    turn()


@pytest.fixture
async def register(simulators: Simulators) -> AsyncIterator[RegisterClient]:
    """A client that waits as long as a busy machine may need."""
    async with RegisterClient(simulators.register.address, timeout=PATIENCE) as client:
        yield client


@pytest.fixture
async def hasty(simulators: Simulators) -> AsyncIterator[RegisterClient]:
    """A client that waits one second."""
    async with RegisterClient(simulators.register.address, timeout=1.0) as client:
        yield client


@pytest.mark.parametrize("written", [ANNA, "11223344595", "112 233 445 95"])
async def test_worker_is_found_however_the_snils_is_written(
    register: RegisterClient, switch: Any, written: str
) -> None:
    """All sections of the card come typed."""
    card = await register.look_up(written)
    assert card is not None
    assert (card.general.surname, card.general.name) == ("Соколова", "Анна")
    assert card.cards[0].until is None
    assert card.accreditation[0].valid_until > card.accreditation[0].passed
    assert card.qualifications[0].hours == 144


async def test_unknown_worker_is_nobody(register: RegisterClient, switch: Any) -> None:
    """Staff of the security services are not in the register: that is an answer, not an error."""
    assert await register.look_up("190-217-745 59") is None


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("fail", RegisterDown),
        ("silent", RegisterDown),
        ("cut", RegisterDown),
        ("slow", RegisterDown),
        ("garbage", RegisterGarbled),
    ],
)
async def test_fault_is_told_apart_in_time_and_without_the_snils(
    register: RegisterClient, hasty: RegisterClient, switch: Any, mode: str, error: type[Exception]
) -> None:
    """Every fault ends within the timeout, and its message names nobody."""
    switch(mode, seconds=5)
    with pytest.raises(error) as caught:
        await hasty.look_up(ANNA)
    assert "112" not in repr(caught.value)
    switch()
    assert await register.look_up(ANNA) is not None


async def test_slow_register_is_waited_for(register: RegisterClient, switch: Any) -> None:
    """Slow but in time is fine."""
    switch("slow", seconds=0.3)
    assert await register.look_up(ANNA) is not None


async def test_fault_ends_by_itself(register: RegisterClient, switch: Any) -> None:
    """`until` turns the switch back without anybody."""
    switch("fail", until=(datetime.now(UTC) + timedelta(seconds=2)).isoformat())
    with pytest.raises(RegisterDown):
        await register.look_up(ANNA)
    await asyncio.sleep(2)
    assert await register.look_up(ANNA) is not None


async def test_share_of_requests_suffers(register: RegisterClient, switch: Any) -> None:
    """`rate` spoils some requests and not all."""
    switch("fail", rate=0.5)
    outcomes = set()
    for _ in range(40):
        try:
            outcomes.add(await register.look_up(ANNA) is not None)
        except RegisterDown:
            outcomes.add(False)
    assert outcomes == {True, False}


async def test_register_that_is_not_there_is_down(
    unused_tcp_port_factory: Callable[[], int],
) -> None:
    """A refused connection is an outage."""
    async with RegisterClient(f"http://127.0.0.1:{unused_tcp_port_factory()}") as client:
        with pytest.raises(RegisterDown):
            await client.look_up(ANNA)


async def test_wrong_address_is_not_taken_for_nobody(simulators: Simulators, switch: Any) -> None:
    """A 404 of something else must not read as "the register does not know this person"."""
    async with RegisterClient(f"{simulators.register.address}/wrong") as client:
        with pytest.raises(RegisterGarbled):
            await client.look_up(ANNA)
