"""The client of the SMS gateway: it sends a message once, and asks what became of it.

The protocol is small and our own, so that an adapter fits any provider. `POST /v1/messages` with
`Idempotency-Key` accepts a message (202) or refuses it (422 with a `code`); the same key again
sends nothing. `GET /v1/messages/{key}` returns what became of it, and so does a callback signed by
Standard Webhooks.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from clients.answers import answer
from settings import Settings

CALLBACK_PATH = "/api/v1/callbacks/sms"

State = Literal["accepted", "delivered", "bounced", "unknown_number", "expired"]


class SmsDown(Exception):
    """The gateway does not answer, or serves nobody now: try again later."""


class SmsLater(Exception):
    """The gateway refused this message for now: try this one again later."""


class SmsRefused(Exception):
    """The gateway will never accept this message: `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class GatewayReport(BaseModel, title="Told"):
    """What the gateway says of a message, in an answer or a callback."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    state: State
    at: AwareDatetime


@dataclass(frozen=True)
class SmsDelivery:
    """What became of a message, and since when."""

    state: State
    at: datetime


class SmsGateway:
    """Sends messages; safe to share between tasks. `timeout` is in seconds."""

    def __init__(self, url: str, token: str, receipts: str, timeout: float = 10.0) -> None:
        self._receipts = receipts
        self._whole = 3 * timeout
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 2.0)),
            headers={"Accept": "application/json", "Authorization": f"Bearer {token}"},
            trust_env=False,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The gateway of this installation, which calls back below `public_url`."""
        public = settings.public_url.rstrip("/")
        token = settings.sms_token.get_secret_value()
        return cls(settings.sms_url, token, f"{public}{CALLBACK_PATH}")

    async def send(self, key: str, to: str, text: str) -> SmsDelivery:
        """Send one message. The same `key` again sends nothing and returns what became of it.

        Raises SmsDown, SmsLater and SmsRefused; none of them contains the number.
        """
        body = {"to": to, "text": text, "receipts": self._receipts}
        reply = await self._asked("POST", "/v1/messages", json=body, key=key)
        if reply.status_code == 422:
            raise SmsRefused(_code(reply))
        if reply.status_code == 429:
            raise SmsLater("HTTP 429: too many messages")
        if reply.status_code not in (200, 202):
            raise SmsDown(f"HTTP {reply.status_code}")
        return _told(reply, key)

    async def ask(self, key: str) -> SmsDelivery | None:
        """What became of a message; None if the gateway does not know it. Raises SmsDown."""
        reply = await self._asked("GET", f"/v1/messages/{key}")
        if reply.status_code == 404:
            return None
        if reply.status_code != 200:
            raise SmsDown(f"HTTP {reply.status_code}")
        return _told(reply, key)

    async def _asked(
        self, method: str, path: str, *, json: object = None, key: str = ""
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        try:
            return await answer(
                self._http, method, path, within=self._whole, json=json, headers=headers
            )
        except httpx.HTTPError as error:
            raise SmsDown(type(error).__name__) from None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _code(reply: httpx.Response) -> str:
    """The gateway's code for a refusal: a short word, never a number or somebody's text."""
    try:
        told = reply.json().get("code", "")
    except (ValueError, AttributeError):
        told = ""
    known = isinstance(told, str) and told.isascii() and told.replace("_", "").isalpha()
    return told[:40] if known else "refused"


def _told(reply: httpx.Response, key: str) -> SmsDelivery:
    """Read what the gateway says. Raises SmsDown unless it is about this message."""
    try:
        told = GatewayReport.model_validate_json(reply.content)
    except ValidationError:
        raise SmsDown("an answer that cannot be read") from None
    if told.id != key:
        raise SmsDown("an answer about another message")
    return SmsDelivery(told.state, told.at)
