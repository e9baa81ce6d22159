"""A push service and the browsers behind it: `python -m simulators.push`.

`POST /subscriptions` makes a browser with keys of its own, as `PushManager.subscribe` would. `POST
/push/{id}` is what browsers' services offer (RFC 8030): it verifies our signature (RFC 8292),
decrypts as the browser would (RFC 8291), keeps the message, and shows it on a page. A later message
of the same topic replaces an earlier one, as services do while a browser is offline. With `--file`
messages and browsers survive a restart.
"""

import argparse
import base64
import binascii
import json
import re
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import http_ece  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import FastAPI, HTTPException, Request, Response
from py_vapid import Vapid02  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict

from simulators.faults import FaultSwitch, FaultyServer
from simulators.kept import KeptLines
from simulators.pages.phone import page_of

LARGEST = 4096
_VAPID = re.compile(r"vapid t=([\w.-]+),\s*k=([\w-]+)")


class PushBehaviour(BaseModel):
    """What is answered for all subscriptions, or for the one named.

    `reply="lost"` takes a message and answers 503.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: Literal[201, 400, 404, 410, 429, 500] = 201
    subscription: str = ""
    reply: Literal["sent", "lost"] = "sent"


class StoredPush(BaseModel):
    """One message as the browser read it, and the headers that came with it.

    `unsaid` counts the copies whose answer was lost on purpose.
    """

    subscription: str
    received_at: datetime
    topic: str
    ttl: int
    urgency: str
    contact: str
    text: str
    copies: int = 1
    unsaid: int = 0


class StoredBrowser(BaseModel):
    """A browser in the file: its name, and its keys in base64url."""

    name: str
    key: str
    secret: str


class Browser:
    """A browser that subscribed: its private key and its secret."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, secret: bytes) -> None:
        self.key = key
        self.secret = secret

    @classmethod
    def fresh(cls) -> "Browser":
        """A browser with new keys."""
        return cls(ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16))

    @classmethod
    def stored(cls, kept: StoredBrowser) -> "Browser":
        """A browser from the file."""
        number = int.from_bytes(_decoded(kept.key))
        return cls(ec.derive_private_key(number, ec.SECP256R1()), _decoded(kept.secret))

    def to_store(self, name: str) -> StoredBrowser:
        """The browser as the file holds it."""
        number = self.key.private_numbers().private_value.to_bytes(32)
        return StoredBrowser(name=name, key=_encoded(number), secret=_encoded(self.secret))

    def subscription(self, endpoint: str) -> dict[str, Any]:
        """What the browser gives to the page, as `PushSubscription.toJSON` does."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": _encoded(point), "auth": _encoded(self.secret)}
        return {"endpoint": endpoint, "expirationTime": None, "keys": keys}


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class PushService:
    """The browsers, and the messages to them."""

    def __init__(self, file: Path | None = None) -> None:
        self.behaviour = PushBehaviour()
        self._lines = KeptLines(file, StoredPush)
        aside = None if file is None else file.with_name(f"{file.stem}-browsers{file.suffix}")
        self._browser_lines = KeptLines(aside, StoredBrowser)
        self.browsers = {one.name: Browser.stored(one) for one in self._browser_lines.read()}
        self.messages = {(one.subscription, one.topic): one for one in self._lines.read()}

    def subscribe(self) -> tuple[str, Browser]:
        """Make a browser. Gives its name and the browser."""
        name, browser = secrets.token_hex(12), Browser.fresh()
        self.browsers[name] = browser
        self._browser_lines.add(browser.to_store(name))
        return name, browser

    def end(self, name: str) -> None:
        """Forget a browser."""
        if self.browsers.pop(name, None) is not None:
            self._browser_lines.replace(one.to_store(key) for key, one in self.browsers.items())

    def clear(self) -> None:
        """Forget all messages."""
        self.messages.clear()
        self._lines.replace([])

    def answer(self, subscription: str) -> int:
        """What this subscription gets as an answer."""
        named = self.behaviour.subscription
        if subscription not in self.browsers:
            return 404
        return self.behaviour.answer if named in ("", subscription) else 201

    def keep(self, message: StoredPush) -> None:
        """Store a message; where it replaces one of its topic, count the copies."""
        place = (message.subscription, message.topic)
        known = self.messages.get(place)
        if known is not None:
            counted = {"copies": known.copies + 1, "unsaid": known.unsaid + message.unsaid}
            message = message.model_copy(update=counted)
        self.messages[place] = message
        self._lines.add(message)

    def found(self, to: str = "") -> list[StoredPush]:
        """Messages newest first; `to` is a part of a subscription."""
        return [one for one in reversed(self.messages.values()) if to in one.subscription]


def contact_of(authorization: str, audience: str) -> str:
    """The contact that the sender names (RFC 8292).

    Raises ValueError unless the signature holds.
    """
    told = _VAPID.fullmatch(authorization)
    try:
        if told is None or not Vapid02.verify(f"vapid t={told[1]},k={told[2]}"):
            raise ValueError("the signature does not hold")
        part = told[1].split(".")[1]
        claims = json.loads(_decoded(part))
    except (AssertionError, IndexError, binascii.Error) as error:
        raise ValueError("the signature cannot be read") from error
    if claims.get("aud") != audience or not 0 < claims.get("exp", 0) - time.time() <= 86400:
        raise ValueError("the signature is for somebody else, or too old or too long")
    return str(claims.get("sub", ""))


def create_app(service: PushService) -> FastAPI:
    """The push service and its page; `app.state.faults` is its fault switch."""
    app = FastAPI(title="Push (имитация)", version="1")
    switch = FaultSwitch()
    app.state.faults, app.state.service = switch, service
    app.include_router(switch.router())
    app.include_router(page_of("push.html", service.found, switch))
    app.add_middleware(FaultyServer, switch=switch)

    @app.post("/subscriptions", status_code=201)
    async def subscribe(request: Request) -> dict[str, Any]:
        """Make a browser and give its subscription, as the browser would give it to a page."""
        name, browser = service.subscribe()
        return browser.subscription(f"{_origin(request)}/push/{name}")

    @app.post("/push/{name}")
    async def push(name: str, request: Request) -> Response:
        """Take a message for a browser."""
        headers = request.headers
        body = await request.body()
        status = service.answer(name)
        if status != 201:
            retry = {"Retry-After": "5"} if status == 429 else {}
            raise HTTPException(status, "as told", headers=retry)
        if headers.get("content-encoding") != "aes128gcm" or len(body) > LARGEST:
            raise HTTPException(400, "not an encrypted message")
        browser = service.browsers[name]
        try:
            contact = contact_of(headers.get("authorization", ""), _origin(request))
            plain = http_ece.decrypt(body, private_key=browser.key, auth_secret=browser.secret)
        except (ValueError, http_ece.ECEException) as error:
            raise HTTPException(403, str(error)) from None
        unsaid = service.behaviour.reply == "lost"
        service.keep(
            StoredPush(
                subscription=name,
                received_at=datetime.now(UTC),
                topic=headers.get("topic", ""),
                ttl=int(headers.get("ttl", "-1")),
                urgency=headers.get("urgency", ""),
                contact=contact,
                text=plain.decode(),
                unsaid=int(unsaid),
            )
        )
        if unsaid:
            raise HTTPException(503, "the answer was lost")
        return Response(status_code=201, headers={"Location": f"{_origin(request)}/kept"})

    @app.get("/messages")
    async def messages(to: str = "") -> list[StoredPush]:
        """Newest first."""
        return service.found(to)

    @app.delete("/messages", status_code=204)
    async def delete_all() -> None:
        service.clear()

    @app.delete("/subscriptions/{name}", status_code=204)
    async def end(name: str) -> None:
        """The person withdrew the permission in the browser."""
        service.end(name)

    @app.put("/behaviour")
    async def behave(behaviour: PushBehaviour) -> PushBehaviour:
        service.behaviour = behaviour
        return behaviour

    return app


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator that these options describe, and its port on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8027)
    parser.add_argument("--file", type=Path, help="Folder that keeps messages over restarts.")
    chosen = parser.parse_args(options)
    return create_app(PushService(chosen.file)), chosen.port
