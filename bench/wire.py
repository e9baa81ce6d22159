"""A small HTTP/1.1 client that keeps its connections and takes hardly any time itself."""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

KEPT = 3.0
"""Seconds for which an idle connection is used again."""

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class RefusedError(RuntimeError):
    """The server did not answer with success."""


class Wire:
    """Requests of one person to one server, over as many connections as are needed at once."""

    def __init__(self, base: str, token: str) -> None:
        at = urlsplit(base)
        self._host, self._port = at.hostname or "", at.port or 80
        self._head = f"Host: {at.netloc}\r\n"
        if token:
            self._head += f"Authorization: Bearer {token}\r\n"
        self._idle: list[tuple[float, Line]] = []

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> bytes:
        """Send a request and read the whole answer. Raises RefusedError unless it is a success."""
        status, answer = await self.answer(method, path, body, headers, kind)
        if not 200 <= status < 300:
            raise RefusedError(f"{method} {path}: {status} {answer[:300].decode()}")
        return answer

    async def answer(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> tuple[int, bytes]:
        """Send a request and read the whole answer, whatever it is: its status and its body."""
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = f"{method} {path} HTTP/1.1\r\n{self._head}{more}"
        if body or method != "GET":
            head += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        reader, writer = self._open() or await self._connect()
        writer.write(head.encode() + b"\r\n")
        writer.write(body)
        with suppress(ConnectionError):
            # A server that refuses early hangs up before it has read all: its answer says why.
            await writer.drain()
        told = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in told[1:-2])
        answer = await reader.readexactly(int(fields.get(b"content-length", b"0")))
        self._idle.append((time.monotonic(), (reader, writer)))
        return int(told[0].split(b" ", 2)[1]), answer

    async def tell(self, method: str, path: str, body: Any, **headers: str) -> Any:
        """Like `ask`, with JSON both ways."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return json.loads(await self.ask(method, path, json.dumps(body).encode(), named))

    def close(self) -> None:
        """Close the connections."""
        for _, (_, writer) in self._idle:
            writer.close()

    def _open(self) -> Line | None:
        """An idle connection, unless the server is about to close it, which it does after five
        seconds."""
        while self._idle:
            used_at, line = self._idle.pop()
            if time.monotonic() - used_at < KEPT and not line[0].at_eof():
                return line
            line[1].close()
        return None

    async def _connect(self) -> Line:
        return await asyncio.open_connection(self._host, self._port, limit=1 << 20)
