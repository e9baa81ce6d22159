"""Uploads keep their connections, and a store that misbehaves is told from one that refuses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from clients.object_uploads import UploadBrokenError, Uploads

BODY = b"0123456789" * 10_000
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Behaviour = Callable[[Reader, Writer], Awaitable[None]]


@asynccontextmanager
async def store(behave: Behaviour, silence: float = 5.0) -> AsyncIterator[tuple[Uploads, str]]:
    """Uploads to a store that treats each of its connections so."""
    server = await asyncio.start_server(behave, "127.0.0.1", 0)
    address = "http://{}:{}".format(*server.sockets[0].getsockname())
    uploads = Uploads(address, silence)
    async with server:
        yield uploads, address
        uploads.close()


async def put(uploads: Uploads, address: str) -> int:
    """Upload the body in two pieces. Returns the status."""

    async def pieces() -> AsyncIterator[bytes]:
        yield BODY[:70_000]
        yield BODY[70_000:]

    headers = {"Host": urlsplit(address).netloc, "Content-Length": str(len(BODY))}
    return await uploads.put(urlsplit(f"{address}/bucket/key"), headers, pieces())


async def taken(reader: Reader) -> bytes:
    """The body of the next upload on a connection, b"" at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    assert head.startswith(b"PUT /bucket/key HTTP/1.1\r\n")
    return await reader.readexactly(len(BODY))


async def test_one_connection_serves_many_uploads() -> None:
    """The second upload goes over the connection of the first, also after an interim answer."""
    bodies: list[list[bytes]] = []

    async def behave(reader: Reader, writer: Writer) -> None:
        mine: list[bytes] = []
        bodies.append(mine)
        while body := await taken(reader):
            mine.append(body)
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD)
        writer.close()

    async with store(behave) as (uploads, address):
        assert [await put(uploads, address) for _ in range(3)] == [200, 200, 200]
    assert bodies == [[BODY, BODY, BODY]]


async def test_a_connection_that_the_store_closed_is_replaced() -> None:
    """A store hangs up on connections that are idle; the next upload opens another one."""
    opened = 0

    async def behave(reader: Reader, writer: Writer) -> None:
        nonlocal opened
        opened += 1
        await taken(reader)
        writer.write(GOOD)
        writer.close()

    async with store(behave) as (uploads, address):
        assert await put(uploads, address) == 200
        await asyncio.sleep(0.1)
        assert await put(uploads, address) == 200
    assert opened == 2


async def test_a_refusal_is_told_and_its_connection_not_used_again() -> None:
    """The explanation that follows a refusal is not taken for the answer to the next upload."""
    opened = 0

    async def behave(reader: Reader, writer: Writer) -> None:
        nonlocal opened
        opened += 1
        while await taken(reader):
            writer.write(b"HTTP/1.1 507 Full\r\nContent-Length: 5\r\n\r\n<xml>")
        writer.close()

    async with store(behave) as (uploads, address):
        assert [await put(uploads, address) for _ in range(2)] == [507, 507]
    assert opened == 2


async def _falls_silent(reader: Reader, writer: Writer) -> None:
    await taken(reader)
    await reader.read()
    writer.close()


async def _hangs_up(reader: Reader, writer: Writer) -> None:
    await taken(reader)
    writer.close()


async def _speaks_something_else(reader: Reader, writer: Writer) -> None:
    await taken(reader)
    writer.write(b"220 mail.example.org ESMTP\r\n\r\n")
    await reader.read()
    writer.close()


@pytest.mark.parametrize("behave", [_falls_silent, _hangs_up, _speaks_something_else])
async def test_a_store_that_gives_no_answer_is_broken(behave: Behaviour) -> None:
    """Nothing is known of such an upload, so it is no success."""
    async with store(behave, silence=0.3) as (uploads, address):
        with pytest.raises(UploadBrokenError):
            await put(uploads, address)


async def test_a_body_that_fails_cuts_its_connection() -> None:
    """The store is never told that such a body is whole, and its error reaches the caller."""
    seen: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def behave(reader: Reader, writer: Writer) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            seen.set_result(await reader.read(-1))
        except ConnectionError:
            seen.set_result(b"")
        writer.close()

    async def failing() -> AsyncIterator[bytes]:
        yield BODY[:10]
        raise ConnectionResetError("the client of the client")

    async with store(behave) as (uploads, address):
        headers = {"Host": urlsplit(address).netloc, "Content-Length": str(len(BODY))}
        with pytest.raises(ConnectionResetError):
            await uploads.put(urlsplit(f"{address}/bucket/key"), headers, failing())
        assert len(await asyncio.wait_for(seen, 5)) <= 10
