"""People's connections to the API: three tries of five seconds with one key; some are cut off."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from ops.faults.evidence import Tally
from ops.faults.people import ApiUser
from ops.local.servers.medcab import HEALTH_PATH

TRIES = 3
TRY_SECONDS = 5.0
GIVE_UP_SECONDS = 300.0


class NoAnswer(Exception):
    """The servers are back and the request is still not answered."""


@dataclass(frozen=True)
class Reply:
    """An answer that will not change by asking again."""

    status: int
    body: Any

    @property
    def good(self) -> bool:
        """Whether it was accepted."""
        return self.status < 300


@dataclass
class ApiTransport:
    """The HTTP client that all people share, how many requests are to be cut off, and the tally."""

    http: httpx.AsyncClient
    tally: Tally
    to_cut: int = 0
    up: bool = True
    """Whether the API could answer when it was last asked."""

    @classmethod
    def open(cls, address: str, tally: Tally) -> "ApiTransport":
        """A client for this address."""
        client = httpx.AsyncClient(
            base_url=address,
            timeout=TRY_SECONDS,
            trust_env=False,
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=16),
        )
        return cls(client, tally)

    async def watch(self) -> None:
        """Ask again and again whether the API can answer, with the database behind it."""
        while True:
            try:
                answer = await self.http.get(HEALTH_PATH, timeout=2.5)
                self.up = answer.status_code == 200
            except httpx.HTTPError:
                self.up = False
            await asyncio.sleep(0.3)


class ApiClient:
    """One person's connection to the API."""

    def __init__(self, transport: ApiTransport, player: ApiUser) -> None:
        self.player = player
        self._transport = transport
        # Whoever acts on rights needs a session; everybody else has a token.
        self._headers = dict(player.session) or {"Authorization": f"Bearer {player.token}"}

    async def get(self, path: str) -> Any:
        """The body of a page that must be there. Raises NoAnswer for any refusal."""
        reply = await self.ask("GET", path)
        if not reply.good:
            raise NoAnswer(f"GET {path}: {reply.status} {reply.body}")
        return reply.body

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: UUID | None = None,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Reply:
        """Ask until there is an answer, with the same key each time. Raises NoAnswer."""
        headers = dict(self._headers)
        sent = content
        if key is not None:
            headers["Idempotency-Key"] = str(key)
        if body is not None:
            sent = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        elif content is not None:
            headers["Content-Type"] = "application/pdf"
        request = self._transport.http.build_request(
            method, f"/api/v1{path}", params=params, content=sent, headers=headers
        )
        if key is not None and self._transport.to_cut > 0:
            self._transport.to_cut -= 1
            await self._send_and_hang_up(request)
        end = time.monotonic() + GIVE_UP_SECONDS
        while True:
            up = self._transport.up
            reply = await self._round(request)
            self._transport.tally.count(up=up, answered=reply is not None)
            if reply is not None:
                return reply
            if time.monotonic() > end:
                raise NoAnswer(f"{method} {path}: not answered in {GIVE_UP_SECONDS:.0f} s")

    async def _round(self, request: httpx.Request) -> Reply | None:
        for number in range(TRIES):
            began = time.monotonic()
            self._transport.tally.retried += number > 0
            try:
                async with asyncio.timeout(TRY_SECONDS):
                    answer = await self._transport.http.send(request)
            except (httpx.HTTPError, TimeoutError):
                pass
            else:
                if answer.status_code < 500 and answer.status_code != 429:
                    self._transport.tally.refused += answer.status_code >= 400
                    return Reply(answer.status_code, _read(answer))
            await asyncio.sleep(max(0.0, began + TRY_SECONDS - time.monotonic()))
        return None

    async def _send_and_hang_up(self, request: httpx.Request) -> None:
        """Send the whole request and cut the connection before any answer."""
        where = urlsplit(str(request.url))
        head = f"{request.method} {where.path} HTTP/1.1\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        try:
            async with asyncio.timeout(TRY_SECONDS):
                _, writer = await asyncio.open_connection(where.hostname, where.port)
                writer.write(head.encode() + b"\r\n" + request.content)
                await writer.drain()
                # Long enough to be read, too short to be answered.
                await asyncio.sleep(0.01)
                writer.transport.abort()
        except (OSError, TimeoutError):
            return
        self._transport.tally.hung_up += 1


def _read(answer: httpx.Response) -> Any:
    is_json = answer.content and "json" in answer.headers.get("content-type", "")
    return answer.json() if is_json else answer.content
