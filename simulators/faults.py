"""Fault switches of a simulated server: how it misbehaves, until when, and for how many requests.

`GET /faults` shows the switch and what was served; `PUT /faults` turns it. `/health` never fails:
it says that the process runs, not that the service behind it is well.
"""

import asyncio
import random
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class FaultMode(StrEnum):
    """The ways in which a server over HTTP misbehaves."""

    OK = "ok"
    SLOW = "slow"
    FAIL = "fail"
    SILENT = "silent"
    GARBAGE = "garbage"
    CUT = "cut"


class SwitchedFault(BaseModel):
    """The position of the switch; `rate` is the share of requests that are spoilt.

    At `until` the switch goes back to `ok` by itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: FaultMode = FaultMode.OK
    seconds: float = Field(2.0, ge=0, le=3600, description="How long `slow` and `silent` last.")
    rate: float = Field(1.0, ge=0, le=1)
    until: AwareDatetime | None = None


class FaultState(BaseModel):
    """The switch and the counts since the start."""

    fault: SwitchedFault
    served: int
    spoilt: int


class FaultSwitch:
    """The switch of one server, and how many requests were served or spoilt."""

    def __init__(self, seed: int = 1) -> None:
        self.fault = SwitchedFault()
        self.served = 0
        self.spoilt = 0
        self._dice = random.Random(seed)  # noqa: S311 - repeatable faults, nothing secret

    def strikes(self) -> FaultMode:
        """The fault of the next request."""
        fault = self.fault
        if fault.until is not None and datetime.now(UTC) >= fault.until:
            self.fault = fault = SwitchedFault()
        if fault.mode is FaultMode.OK or self._dice.random() >= fault.rate:
            return FaultMode.OK
        return fault.mode

    def state(self) -> FaultState:
        """What `GET /faults` answers."""
        return FaultState(fault=self.fault, served=self.served, spoilt=self.spoilt)

    def router(self) -> APIRouter:
        """The routes that turn the switch."""
        router = APIRouter()

        @router.get("/health")
        async def health() -> dict[str, str]:
            return {"status": "ok"}

        @router.get("/faults")
        async def show() -> FaultState:
            return self.state()

        @router.put("/faults")
        async def turn(fault: SwitchedFault) -> FaultState:
            self.fault = fault
            return self.state()

        return router


class FaultyServer:
    """ASGI wrapper that lets a `FaultSwitch` spoil every request but those to the switch itself."""

    def __init__(self, app: ASGIApp, switch: FaultSwitch) -> None:
        self.app = app
        self.switch = switch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, well or badly."""
        if scope["type"] != "http" or scope["path"] in {"/health", "/faults"}:
            await self.app(scope, receive, send)
            return
        mode = self.switch.strikes()
        if mode is FaultMode.OK:
            self.switch.served += 1
            await self.app(scope, receive, send)
            return
        self.switch.spoilt += 1
        if mode is FaultMode.SLOW:
            await asyncio.sleep(self.switch.fault.seconds)
            await self.app(scope, receive, send)
        elif mode is FaultMode.SILENT:
            await self._say_nothing(receive)
        elif mode is FaultMode.FAIL:
            await _answer(send, 503, b'{"detail": "unavailable"}')
        elif mode is FaultMode.GARBAGE:
            await _answer(send, 200, b'{"snils": 17, "general": [\x00\xff')
        else:
            await _answer(send, 200, b'{"snils": "', declared=4096)

    async def _say_nothing(self, receive: Receive) -> None:
        """Hold the request until the time is over or the client has gone; then uvicorn answers
        500."""
        try:
            async with asyncio.timeout(self.switch.fault.seconds):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return


async def _answer(send: Send, status: int, body: bytes, declared: int | None = None) -> None:
    """Send a reply; with `declared` longer than the body, uvicorn cuts the connection."""
    headers: list[tuple[bytes, bytes]] = [
        (b"content-type", b"application/json"),
        (b"content-length", str(declared or len(body)).encode()),
    ]
    start: dict[str, Any] = {"type": "http.response.start", "status": status, "headers": headers}
    last: Message = {"type": "http.response.body", "body": body, "more_body": declared is not None}
    await send(start)
    await send(last)
