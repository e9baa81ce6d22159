"""The line to the register: an answer, nobody, or an error that says what to do (O2)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from clients.delivery.sms import SmsDown, SmsGateway
from clients.personnel import StaffPage
from clients.register_batches import MOST_RECORDS, AskedAbout, RegisterOfMany
from clients.registers import (
    ANSWER_LIMIT,
    LONGEST_BUSY,
    RegisterBusy,
    RegisterClient,
    RegisterDown,
    RegisterGarbled,
)
from rules.registers.kinds import RegisterName
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


@asynccontextmanager
async def saying(head: str, pieces: Iterable[bytes], pause: float = 0.0) -> AsyncIterator[str]:
    """The address of a register that answers everything so, piece after piece."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n".encode())
        with suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"


async def test_an_answer_has_bounds() -> None:
    """Neither a body without end is read, nor one that drips, nor one nested without end."""
    block = b" " * 2**20
    async with (
        saying("200 OK", [block] * (2 * ANSWER_LIMIT // 2**20)) as address,
        RegisterClient(address) as client,
    ):
        with pytest.raises(RegisterGarbled, match="EndlessAnswer"):
            await client.look_up(ANNA)
    async with (
        saying("200 OK", [block] * 2) as address,
        SmsGateway(address, "token", "") as gateway,
    ):
        with pytest.raises(SmsDown, match="EndlessAnswer"):
            await gateway.ask("one")
    async with (
        saying("200 OK", [b" "] * 40, pause=0.05) as address,
        RegisterClient(address, timeout=0.2) as client,
    ):
        with pytest.raises(RegisterDown, match="Timeout"):
            await client.look_up(ANNA)
    async with (
        saying("404 Not Found", [b"[" * 200_000]) as address,
        RegisterClient(address) as client,
    ):
        with pytest.raises(RegisterGarbled):
            await client.look_up(ANNA)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7.0), ("0", 1.0), ("-5", 1.0), ("9" * 400, LONGEST_BUSY), ("tomorrow", 1.0)],
)
async def test_a_busy_register_is_left_alone_for_a_while(said: str, seconds: float) -> None:
    """It says for how long, within bounds: not for no time, and not for ever."""
    async with (
        saying(f"429 Too Many Requests\r\nRetry-After: {said}", []) as address,
        RegisterClient(address) as client,
    ):
        with pytest.raises(RegisterBusy) as caught:
            await client.look_up(ANNA)
    assert caught.value.retry_after == seconds


async def test_what_a_register_says_is_cleaned_and_bounded() -> None:
    """Nothing invisible comes in, and nobody has records without number."""
    one = {
        "holder": "\u202eСоколова\u0000 Анна",
        "number": "7724\u200b 030123456",
        "specialty": "Кардиология\n\n",
        "passed": "2024-11-25",
        "valid_until": "2029-11-25",
    }
    people: list[dict[str, Any]] = [
        {"snils": "11223344595", "revision": 1, "records": [one]},
        {"snils": "20000000018", "revision": 1, "records": [one] * (MOST_RECORDS + 1)},
        {"snils": "20000000119", "revision": 1, "records": [{**one, "specialty": "А" * 2000}]},
    ]
    async with saying("200 OK", [json.dumps({"people": people}).encode()]) as address:
        register = RegisterOfMany(RegisterName.ACCREDITATION, address)
        async with register:
            clean, *unreadable = await register.ask([AskedAbout(p["snils"]) for p in people])
    assert clean.records is not None
    said = clean.records[0].model_dump()
    assert (said["holder"], said["number"]) == ("Соколова Анна", "7724 030123456")
    assert said["specialty"] == "Кардиология"
    assert [answer.revision for answer in unreadable] == [None, None]


def test_a_day_of_the_personnel_register_means_one() -> None:
    """The year 1 stands for none in some registers: nobody is dismissed by it; nor does 9999 work.

    The other records of the list are read.
    """
    record = {
        "number": "К-1",
        "snils": ANNA,
        "name": "Соколова\u200b Анна",
        "position": "врач",
        "unit": "hr",
    }
    days = ["0001-01-01", "9999-12-31"]
    spoilt: list[dict[str, Any]] = [{**record, "left_on": day} for day in days]
    spoilt += [{**record, "leave": {"first_day": "2026-01-01", "last_day": day}} for day in days]
    spoilt.append({**record, "position": " \u200b "})
    page = StaffPage.model_validate_json(json.dumps({"items": [*spoilt, record]}))
    assert [one.name for one in page.records()] == ["Соколова Анна"]
