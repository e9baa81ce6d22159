"""How simulators call back: signed, tried again, and lost or doubled where that is wished."""

import asyncio
import os
import secrets
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Generic, Literal, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict
from standardwebhooks.webhooks import Webhook

from crypto.front_door import believing

PAUSES = (0.0, 1.0, 5.0, 30.0)
"""Seconds before each try of a push; then it is given up, and the sender's list is all that is
left."""


def caller() -> httpx.AsyncClient:
    """A client that uses no proxy, and believes the authority of the cabinet's own certificate."""
    return httpx.AsyncClient(trust_env=False, timeout=5, verify=_authorities())


@cache
def _authorities() -> ssl.SSLContext:
    own = os.environ.get("MEDCAB_TLS_AUTHORITY")
    return believing(Path(own) if own else None)


def signed_headers(
    secret: str, name: str, moment: datetime, body: str, media_type: str = "application/json"
) -> dict[str, str]:
    """The headers of a call whose id is `name`."""
    return {
        "content-type": media_type,
        "webhook-id": name,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, moment, body),
    }


async def call_back(
    url: str,
    secret: str,
    name: str,
    body: str,
    *,
    pauses: Sequence[float],
    media_type: str = "application/json",
) -> None:
    """Send a signed call until it is answered without a server's error; a try after each pause.

    `name` begins its id.
    """
    id_ = f"{name}-{secrets.token_hex(8)}"
    headers = signed_headers(secret, id_, datetime.now(UTC), body, media_type)
    async with caller() as http:
        for pause in pauses:
            await asyncio.sleep(pause)
            try:
                reply = await http.post(url, content=body.encode(), headers=headers)
            except httpx.HTTPError:
                continue
            if reply.status_code < 500:
                return


class CallbackBehaviour(BaseModel):
    """What becomes of pushes. Those that were held go out newest first, once none is held."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pushes: Literal["sent", "lost", "twice", "held"] = "sent"


class CallbackTarget(BaseModel):
    """Where pushes go."""

    url: str


Told = TypeVar("Told", bound=BaseModel)


class Callbacks(Generic[Told]):
    """Pushes to `url`; without it or a secret nothing is sent."""

    def __init__(self, name: str, secret: str, url: str) -> None:
        self.url = url
        self.behaviour = CallbackBehaviour()
        self._name = name
        self._secret = secret
        self._held: list[Told] = []
        self._under_way: set[asyncio.Task[None]] = set()

    def add(self, message: Told) -> None:
        """Push it, as the behaviour says."""
        if self.behaviour.pushes == "held":
            self._held.append(message)
        elif self.behaviour.pushes != "lost":
            self._push_soon(message, 2 if self.behaviour.pushes == "twice" else 1)

    def behave(self, behaviour: CallbackBehaviour) -> None:
        """From now on, push so."""
        self.behaviour = behaviour
        if behaviour.pushes != "held":
            for message in reversed(self._held):
                self._push_soon(message)
            self._held.clear()

    def _push_soon(self, message: Told, times: int = 1) -> None:
        task = asyncio.ensure_future(self._push(message, times))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _push(self, message: Told, times: int) -> None:
        body = message.model_dump_json()
        for _ in range(times if self.url and self._secret else 0):
            await call_back(self.url, self._secret, self._name, body, pauses=PAUSES)
