"""An SMS gateway that sends nothing and shows everything: `python -m simulators.sms`.

The protocol of `clients.delivery.sms`: real HTTP for the product, a page for people, JSON for
tests. Beside the fault switch that all simulators have, `PUT /behaviour` says what becomes of
messages: when they are delivered or bounce, whether delivery reports are sent, lost or sent twice,
and whether the answer to a message is lost after it was taken. With `--file` messages survive a
restart, and those that were still on their way are settled after it.
"""

import argparse
import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from fastapi import FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from simulators.calling import call_back
from simulators.faults import FaultSwitch, FaultyServer
from simulators.kept import KeptLines
from simulators.pages.phone import page_of

LATE = 8.0
"""Seconds that a late answer takes."""

State = Literal["accepted", "delivered", "bounced", "unknown_number", "expired"]


class SmsBehaviour(BaseModel):
    """What becomes of messages to numbers that contain `recipient`; others are delivered at once.

    `refuse` answers 422 with this code, or 429 for `later`. `reply="lost"` takes the message and
    answers 503, `late` takes it and answers after 8 s. `after` is the time until the delivery
    report, in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipient: str = ""
    result: State = "delivered"
    after: float = Field(0.0, ge=0, le=3600)
    refuse: Literal["", "unknown_number", "blocked", "later"] = ""
    reply: Literal["sent", "lost", "late"] = "sent"
    receipts: Literal["sent", "lost", "twice"] = "sent"


class Sent(BaseModel):
    """What the product hands over."""

    to: str = Field(pattern=r"^\+\d{8,15}$")
    text: str = Field(min_length=1, max_length=1000)
    receipts: str = ""


class StoredSms(BaseModel):
    """One message, and what became of it. `asked` counts the requests that brought it."""

    id: str
    received_at: datetime
    to: str
    text: str
    receipts: str
    state: State = "accepted"
    at: datetime
    asked: int = 1


class SmsBox:
    """The messages, and the delivery reports that follow them."""

    def __init__(self, file: Path | None = None, token: str = "", secret: str = "") -> None:
        self.token = token
        self.secret = secret
        self.behaviour = SmsBehaviour()
        self.messages: dict[str, StoredSms] = {}
        self._receipts: set[asyncio.Task[None]] = set()
        self._lines = KeptLines(file, StoredSms)
        for kept in self._lines.read():
            self.messages[kept.id] = kept

    def resume(self) -> None:
        """Settle messages that a restart found accepted and not settled yet."""
        for kept in self.messages.values():
            if kept.state == "accepted":
                self._settle_soon(kept)

    def clear(self) -> None:
        """Forget all messages."""
        self.messages.clear()
        self._lines.replace([])

    def behaviour_for(self, to: str) -> SmsBehaviour:
        """What becomes of a message to this number."""
        chosen = self.behaviour
        return chosen if chosen.recipient in to else SmsBehaviour()

    def take(self, key: str, sent: Sent) -> StoredSms:
        """Store a message once. Its delivery report follows."""
        if key in self.messages:
            self.messages[key].asked += 1
            return self.messages[key]
        moment = datetime.now(UTC)
        kept = StoredSms(id=key, received_at=moment, at=moment, **sent.model_dump())
        self.messages[key] = kept
        self._lines.add(kept)
        self._settle_soon(kept)
        return kept

    def found(self, to: str = "") -> list[StoredSms]:
        """Messages newest first; `to` is a part of a number."""
        return [one for one in reversed(self.messages.values()) if to in one.to]

    def _settle_soon(self, message: StoredSms) -> None:
        task = asyncio.ensure_future(self._settle(message, self.behaviour_for(message.to)))
        self._receipts.add(task)
        task.add_done_callback(self._receipts.discard)

    async def _settle(self, message: StoredSms, behaviour: SmsBehaviour) -> None:
        await asyncio.sleep(behaviour.after)
        message.state, message.at = behaviour.result, datetime.now(UTC)
        self._lines.add(message)
        if behaviour.receipts == "lost" or not message.receipts or not self.secret:
            return
        for _ in range(2 if behaviour.receipts == "twice" else 1):
            await self._call_back(message)

    async def _call_back(self, message: StoredSms) -> None:
        body = json.dumps(
            {"id": message.id, "state": message.state, "at": message.at.isoformat()},
            separators=(",", ":"),
        )
        await call_back(message.receipts, self.secret, "receipt", body, pauses=(0.0, 1.0, 5.0))


def create_app(box: SmsBox) -> FastAPI:
    """The gateway and its pages; `app.state.faults` is its fault switch."""

    @asynccontextmanager
    async def resumed(_: FastAPI) -> AsyncIterator[None]:
        box.resume()
        yield

    app = FastAPI(title="SMS (имитация)", version="1", lifespan=resumed)
    switch = FaultSwitch()
    app.state.faults, app.state.box = switch, box
    app.include_router(switch.router())
    app.include_router(page_of("sms.html", box.found, switch))
    app.add_middleware(FaultyServer, switch=switch)

    @app.post("/v1/messages", status_code=202)
    async def take(
        sent: Sent,
        response: Response,
        idempotency_key: Annotated[str, Header(min_length=8, max_length=100)],
        authorization: Annotated[str, Header()] = "",
    ) -> StoredSms:
        """Take a message. Repeating the key sends nothing."""
        if box.token and not secrets.compare_digest(authorization, f"Bearer {box.token}"):
            raise HTTPException(401, "unknown token")
        behaviour = box.behaviour_for(sent.to)
        if behaviour.refuse == "later":
            raise HTTPException(429, "too many messages", headers={"Retry-After": "5"})
        if behaviour.refuse:
            raise _Refused(behaviour.refuse)
        response.status_code = 200 if idempotency_key in box.messages else 202
        kept = box.take(idempotency_key, sent)
        if behaviour.reply == "lost":
            raise HTTPException(503, "the answer was lost")
        if behaviour.reply == "late":
            await asyncio.sleep(LATE)
        return kept

    @app.exception_handler(_Refused)
    async def refused(_: object, error: Exception) -> Response:
        return Response(
            json.dumps({"code": str(error)}), status_code=422, media_type="application/json"
        )

    @app.get("/v1/messages/{key}")
    async def became(key: str) -> StoredSms:
        """What became of a message."""
        if key not in box.messages:
            raise HTTPException(404, "no such message")
        return box.messages[key]

    @app.get("/messages")
    async def messages(to: str = "") -> list[StoredSms]:
        """Newest first."""
        return box.found(to)

    @app.delete("/messages", status_code=204)
    async def delete_all() -> None:
        box.clear()

    @app.get("/behaviour")
    async def show() -> SmsBehaviour:
        return box.behaviour

    @app.put("/behaviour")
    async def behave(behaviour: SmsBehaviour) -> SmsBehaviour:
        box.behaviour = behaviour
        return behaviour

    return app


class _Refused(Exception):
    """The gateway refuses the message, with this code."""


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator that these options describe, and its port on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8026)
    parser.add_argument("--file", type=Path, help="Folder that keeps messages over restarts.")
    chosen = parser.parse_args(options)
    box = SmsBox(
        chosen.file,
        os.environ.get("MEDCAB_SMS_TOKEN", ""),
        os.environ.get("MEDCAB_SMS_SECRET", ""),
    )
    return create_app(box), chosen.port
