"""Who sends slowly or without end holds no place: heads and bodies have limits and deadlines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from api.http.bodies import BodyLimit, Pace
from api.http.body_limits import SMALL, BodyLimits
from api.http.protocol import HEAD_OCTETS, GuardedProtocol


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body."""
    length = len(await Request(scope, receive).body())
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode()})


@asynccontextmanager
async def served(head_within: float) -> AsyncIterator[int]:
    """A server of our kind; its port."""
    guarded = type("Hasty", (GuardedProtocol,), {"head_within": head_within})
    config = uvicorn.Config(
        echo, host="127.0.0.1", port=0, http=guarded, ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def said(port: int, *pieces: bytes) -> bytes:
    """All that the server says to these pieces until it hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await reader.read()
    except ConnectionError:
        return b"reset"
    finally:
        writer.close()


async def test_heads_that_never_end_are_hung_up_on() -> None:
    """Neither silence nor half a head is waited for; what is whole is answered."""
    async with served(head_within=0.2) as port:
        assert await said(port) == b""
        assert await said(port, b"GET / HTTP/1.1\r\nHost: a\r\n") == b""
        whole = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
        assert (await said(port, whole)).endswith(b"3\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nA: " + b"x" * HEAD_OCTETS,
        b"GET /" + b"x" * HEAD_OCTETS,
        b"GET / HTTP/1.1\r\nA: " + b"x" * HEAD_OCTETS + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * HEAD_OCTETS,
    ],
)
async def test_long_heads_are_refused(head: bytes) -> None:
    """By their bytes, in one header or in many, ended or not."""
    async with served(head_within=60) as port:
        answer = await said(port, *[head[at : at + 4096] for at in range(0, len(head), 4096)])
        assert answer == b"reset" or answer.startswith(b"HTTP/1.1 431 ")


async def test_many_requests_on_one_connection_are_counted_apart() -> None:
    """The limit is of one head: a connection that is used again begins anew."""
    async with served(head_within=60) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"x" * (HEAD_OCTETS // 2) + b"\r\n\r\n"
        for _ in range(4):
            writer.write(head)
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200")
            await reader.readuntil(b"0\r\n\r\n")
        writer.close()


def test_a_body_may_take_a_while_and_longer_the_more_has_come() -> None:
    """A slow telephone gets through; who sends a byte now and then does not."""
    pace = Pace(silence=30, grace=60, octets=8192)
    assert pace.left(began=100, read=0, now=100) == 30
    assert pace.left(began=100, read=3, now=159) == pytest.approx(1, abs=0.01)
    assert pace.left(began=100, read=3, now=161) < 0
    assert pace.left(began=100, read=8192 * 600, now=650) == 30


async def test_a_body_that_drips_is_given_up() -> None:
    """After the grace each byte has to have come quickly enough."""
    pieces = 0

    async def dripping() -> Message:
        nonlocal pieces
        pieces += 1
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x", "more_body": True}

    limit = BodyLimit(echo, limits=BodyLimits({}), pace=Pace(silence=30, grace=-1, octets=1e6))
    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}

    async def unheard(_: Message) -> None:
        raise AssertionError("nothing is answered")

    with pytest.raises(HTTPException) as refused:
        await limit(scope, dripping, unheard)
    assert (refused.value.status_code, pieces) == (408, 0)


async def test_a_body_without_end_is_read_to_its_limit_only() -> None:
    """By exact count: no byte is taken beyond what shows that it is too long."""
    read = 0

    async def endless() -> Message:
        nonlocal read
        read += 1024
        return {"type": "http.request", "body": bytes(1024), "more_body": True}

    async def unheard(_: Message) -> None:
        raise AssertionError("nothing is answered")

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    with pytest.raises(HTTPException) as refused:
        await BodyLimit(echo, limits=BodyLimits({}))(scope, endless, unheard)
    assert (refused.value.status_code, read) == (413, SMALL + 1024)


@pytest.mark.asvs("4.2.1")
@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 40\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
    ],
)
async def test_a_message_with_two_ends_is_refused(head: bytes) -> None:
    """What two servers could read as one request or as two is none."""
    smuggled = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    async with served(head_within=1.0) as port:
        told = await said(port, b"POST / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n" + smuggled)
    assert told.startswith((b"HTTP/1.1 400", b"reset")) or told == b""
    assert told.count(b"HTTP/1.1") <= 1
