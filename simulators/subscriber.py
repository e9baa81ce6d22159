"""A system that hears of changes of credentials: `python -m simulators.subscriber`.

`PUT /receivers/{name}` tells it the secrets of a receiver; `POST /events/{name}` is the address of
that receiver. It verifies as docs/webhooks.md says, refuses what does not hold with 401, and shows
what came on a page. What came twice under one id counts as one. With `--file` it all survives a
restart.
"""

import argparse
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict

from simulators.faults import FaultSwitch, FaultyServer
from simulators.kept import KeptLines
from simulators.pages.phone import page_of

OLDEST = 300
"""Seconds that a signature may be old, or ahead of our clock."""


class ReceiverBehaviour(BaseModel):
    """What receivers answer. `reply="lost"` takes an event and answers 503."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: Literal[200, 400, 410, 429, 500] = 200
    reply: Literal["sent", "lost"] = "sent"
    refuses: UUID | None = None
    """A subject whose events are answered 422."""


class Receiver(BaseModel):
    """A receiver and its secrets, the newest first."""

    name: str
    secrets: list[str]


class ReceivedEvent(BaseModel):
    """An event as it came; `unsaid` counts the copies whose answer was lost on purpose."""

    receiver: str
    id: str
    received_at: datetime
    event: dict[str, Any]
    copies: int = 1
    unsaid: int = 0


def holds(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Whether one of the signatures is by one of the secrets, and not old (Standard Webhooks)."""
    id_, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or not at.isascii() or not at.isdigit() or abs(now - int(at)) > OLDEST:
        return False
    given = headers.get("webhook-signature", "").split()
    signed = f"{id_}.{at}.".encode() + body
    for secret in secrets:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        right = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        if any(hmac.compare_digest(right.encode(), one.encode()) for one in given):
            return True
    return False


class Inbox:
    """The receivers, and what they got."""

    def __init__(self, file: Path | None = None) -> None:
        self.behaviour = ReceiverBehaviour()
        self._lines = KeptLines(file, ReceivedEvent)
        aside = None if file is None else file.with_name(f"{file.stem}-receivers{file.suffix}")
        self._names = KeptLines(aside, Receiver)
        self.receivers = {one.name: one for one in self._names.read()}
        self.events = {(one.receiver, one.id): one for one in self._lines.read()}
        self.refused = 0

    def know(self, receiver: Receiver) -> None:
        """Give a receiver these secrets."""
        self.receivers[receiver.name] = receiver
        self._names.add(receiver)

    def keep(self, event: ReceivedEvent) -> None:
        """Store an event; the place of one that came before stays."""
        place = (event.receiver, event.id)
        if (known := self.events.get(place)) is not None:
            more = {"copies": known.copies + 1, "unsaid": known.unsaid + event.unsaid}
            event = known.model_copy(update=more)
        self.events[place] = event
        self._lines.add(event)

    def found(self, to: str = "") -> list[ReceivedEvent]:
        """Events newest first; `to` is a part of a receiver's name."""
        return [one for one in reversed(self.events.values()) if to in one.receiver]


def create_app(inbox: Inbox) -> FastAPI:
    """The receivers and their page; `app.state.faults` is the fault switch."""
    app = FastAPI(title="Система-подписчик (имитация)", version="1")
    switch = FaultSwitch()
    app.state.faults, app.state.inbox = switch, inbox
    app.include_router(switch.router())
    app.include_router(page_of("subscriber.html", inbox.found, switch))
    app.add_middleware(FaultyServer, switch=switch)

    @app.post("/events/{name}")
    async def take(name: str, request: Request) -> Response:
        """Take an event: 204, or 401 for a signature that does not hold."""
        body, behaviour = await request.body(), inbox.behaviour
        known = inbox.receivers.get(name)
        if known is None or not holds(known.secrets, request.headers, body, time.time()):
            inbox.refused += 1
            return JSONResponse({"detail": "the signature does not hold"}, 401)
        if behaviour.answer != 200:
            return JSONResponse({"detail": "as told"}, behaviour.answer)
        event = json.loads(body)
        if behaviour.refuses is not None and event["subject"] == str(behaviour.refuses):
            return JSONResponse({"detail": "not this one"}, 422)
        lost = behaviour.reply == "lost"
        inbox.keep(
            ReceivedEvent(
                receiver=name,
                id=request.headers["webhook-id"],
                received_at=datetime.now(UTC),
                event=event,
                unsaid=int(lost),
            )
        )
        return JSONResponse({"detail": "the answer was lost"}, 503) if lost else Response(None, 204)

    @app.get("/events")
    async def events(to: str = "") -> list[ReceivedEvent]:
        """What came, in the order in which it came first."""
        return inbox.found(to)[::-1]

    @app.put("/receivers/{name}", status_code=204)
    async def know(name: str, receiver: Receiver) -> None:
        """Tell a receiver its secrets."""
        inbox.know(receiver.model_copy(update={"name": name}))

    @app.post("/receivers", include_in_schema=False)
    async def know_by_form(
        name: Annotated[str, Form()], secret: Annotated[str, Form()]
    ) -> RedirectResponse:
        before = inbox.receivers.get(name)
        kept = before.secrets[:1] if before else []
        inbox.know(Receiver(name=name.strip(), secrets=[secret.strip(), *kept]))
        return RedirectResponse("/", 303)

    @app.put("/behaviour")
    async def behave(behaviour: ReceiverBehaviour) -> ReceiverBehaviour:
        """Say what receivers answer from now on."""
        inbox.behaviour = behaviour
        return behaviour

    return app


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator that these options describe, and its port on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8097)
    parser.add_argument("--file", type=Path, help="File that keeps events over restarts.")
    given = parser.parse_args(options)
    return create_app(Inbox(given.file)), given.port
