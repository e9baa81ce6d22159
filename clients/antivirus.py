"""The client of an antivirus that speaks clamd's protocol, over TCP or a local socket.

Source: clamd(8), command INSTREAM: chunks, each preceded by its length in four bytes, ended by a
length of zero.
"""

import asyncio
from collections.abc import AsyncIterable
from urllib.parse import urlsplit

_CONNECT_SECONDS = 3.0
_SCAN_SECONDS = 30.0


class AntivirusDownError(RuntimeError):
    """The antivirus does not answer, or gives an unknown answer: nothing is known of the file."""


class Antivirus:
    """A clamd at `tcp://host:port` or `unix:///path`. Raises ValueError for any other address."""

    def __init__(self, url: str, seconds: float = _SCAN_SECONDS) -> None:
        self._at = urlsplit(url)
        self._seconds = seconds
        if self._at.scheme not in ("tcp", "unix"):
            raise ValueError("the antivirus is at tcp://host:port or unix:///path")

    async def scan(self, chunks: AsyncIterable[bytes]) -> str | None:
        """The name of the threat that was found, or None. Raises AntivirusDownError."""
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._ask(chunks)
        except (OSError, TimeoutError, EOFError) as error:
            raise AntivirusDownError(type(error).__name__) from error
        said = answer.rstrip(b"\0\n").decode(errors="replace").removeprefix("stream: ")
        if said == "OK":
            return None
        if said.endswith(" FOUND"):
            return said.removesuffix(" FOUND")
        raise AntivirusDownError("an answer that is neither OK nor FOUND")

    async def _ask(self, chunks: AsyncIterable[bytes]) -> bytes:
        async with asyncio.timeout(_CONNECT_SECONDS):
            if self._at.scheme == "unix":
                reader, writer = await asyncio.open_unix_connection(self._at.path)
            else:
                reader, writer = await asyncio.open_connection(self._at.hostname, self._at.port)
        try:
            writer.write(b"zINSTREAM\0")
            async for chunk in chunks:
                writer.write(len(chunk).to_bytes(4) + chunk)
                await writer.drain()
            writer.write(bytes(4))
            await writer.drain()
            return await reader.readuntil(b"\0")
        finally:
            writer.close()
