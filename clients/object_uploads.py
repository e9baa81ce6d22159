"""PUT to the object store, over connections that are kept open from one upload to the next.

Every file of every case goes this way, and nothing but a status comes back. A general HTTP client
takes 1.5 ms of processor time for it, this takes 0.3: see docs/decisions/object-bodies.md.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import SplitResult, urlsplit

import httpx

CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 15.0
AT_ONCE = 64
_KEPT = 16
_KEPT_SECONDS = 20.0

_Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class UploadBrokenError(RuntimeError):
    """The store cannot be reached, has hung up or fallen silent, or answers no HTTP."""


class Uploads:
    """Connections to one store. An upload that fails in any way is cut off: nothing is stored."""

    def __init__(self, endpoint: str, silence: float = SILENCE_SECONDS) -> None:
        self._at = urlsplit(endpoint)
        self._tls: ssl.SSLContext | None = None
        if self._at.scheme == "https":
            self._tls = httpx.create_ssl_context(trust_env=False)
        self._silence = silence
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._idle: list[tuple[float, _Line]] = []

    async def put(
        self, url: SplitResult, headers: Mapping[str, str], body: AsyncIterable[bytes]
    ) -> int:
        """Send the body, whose length the headers announce, and return the status of the answer.

        Raises UploadBrokenError, and whatever the body raises.
        """
        head = f"PUT {url.path} HTTP/1.1\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        async with self._slots:
            line = self._kept() or await self._opened()
            try:
                line[1].write(f"{head}\r\n".encode("ascii"))
                whole = await self._send(line[1], body)
                status, lasts = await self._answer(line[0])
            except BaseException:
                line[1].transport.abort()
                raise
            if whole and lasts and len(self._idle) < _KEPT:
                self._idle.append((time.monotonic(), line))
            else:
                line[1].close()
        if not whole and status < 300:
            raise UploadBrokenError("the store did not read the whole body")
        return status

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop()[1][1].close()

    def _kept(self) -> _Line | None:
        """A connection that is still open; the store hangs up on those that are idle for long."""
        while self._idle:
            since, line = self._idle.pop()
            if time.monotonic() < since + _KEPT_SECONDS and not line[0].at_eof():
                return line
            line[1].close()
        return None

    async def _opened(self) -> _Line:
        port = self._at.port or (443 if self._tls else 80)
        with _broken():
            async with asyncio.timeout(CONNECT_SECONDS):
                return await asyncio.open_connection(self._at.hostname, port, ssl=self._tls)

    async def _send(self, writer: asyncio.StreamWriter, body: AsyncIterable[bytes]) -> bool:
        """Send the body. False if the store hung up before its end: its answer may say why."""
        async for piece in body:
            writer.write(piece)
            try:
                with _broken():
                    async with asyncio.timeout(self._silence):
                        await writer.drain()
            except UploadBrokenError as error:
                if isinstance(error.__cause__, ConnectionError):
                    return False
                raise
        return True

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bool]:
        """The status, and whether the connection can be used again."""
        status = 100
        with _broken():
            async with asyncio.timeout(self._silence):
                while status < 200:
                    first, *fields = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
                    status = int(first.split(b" ", 2)[1])
        return status, b"content-length: 0" in fields and b"connection: close" not in fields


@contextmanager
def _broken() -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, asyncio.LimitOverrunError, ValueError, IndexError) as error:
        raise UploadBrokenError(type(error).__name__) from error
