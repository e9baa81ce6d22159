"""The client of the gov service: hand over a message, ask how it stands, withdraw it.

Every call is safe to repeat: the gov service knows a message by its id. What is in an envelope is
the concern of `services.gov_service.envelopes` and `services.gov_service.messages`.
"""

import asyncio
import base64
from typing import Annotated, Literal, Self
from uuid import UUID

import httpx
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from settings import Settings

ENVELOPE_TYPE = "application/cms"
CALLBACK_PATH = "/api/v1/callbacks/gov-service"
ANSWER_LIMIT = 96 * 1024 * 1024
"""How many bytes of a reply are read at most."""


class GovServiceDown(Exception):
    """The gov service did not answer, or answered that it cannot: try again later."""


class GovServiceGarbled(GovServiceDown):
    """The gov service answered something else than an acknowledgement: try later, tell ops."""


class GovServiceRefused(Exception):
    """The gov service will never accept this message; `code` is its own.

    `unknown_message` says that it never got, or has lost, the message: hand it over again.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def callback_url(settings: Settings) -> str:
    """The address at which the gov service reports about a message of its own accord."""
    given = settings.gov_service_callback_url
    return given or f"{settings.public_url.rstrip('/')}{CALLBACK_PATH}"


def _from_base64(value: object) -> object:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


class Acknowledgement(BaseModel, title="Receipt"):
    """How a message stands at the gov service.

    Do not trust it beyond the fact that the gov service was reached: the answer, or the words of a
    refusal, are signed in `envelope`. A callback may leave out an envelope that is large: call
    `ask`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: Literal["accepted", "working", "answered", "refused", "withdrawn"]
    at: AwareDatetime
    envelope: Annotated[bytes | None, BeforeValidator(_from_base64)] = None
    reason: str | None = Field(
        None, max_length=100, description="A code for the log; people do not see it."
    )


class _Fault(BaseModel):
    code: str = Field(max_length=100, pattern=r"^[a-z_]+$")


class GovService:
    """Talks to the gov service over HTTP; safe to share between tasks. Timeouts are in seconds."""

    def __init__(self, settings: Settings, timeout: float = 10.0) -> None:
        self._whole = 3 * timeout
        self._http = httpx.AsyncClient(
            base_url=settings.gov_service_url.rstrip("/"),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 2.0)),
            headers={"Accept": "application/json"},
            trust_env=False,
        )

    async def hand_over(
        self, message_id: UUID, service: str, envelope: bytes, callback_url: str
    ) -> Acknowledgement:
        """Hand a message over. One that was accepted before is only acknowledged again.

        Raises GovServiceDown, and GovServiceRefused if the gov service cannot decrypt and verify
        the envelope, or has accepted other contents under this id.
        """
        return await self._send(
            "PUT",
            f"/v1/messages/{message_id}",
            params={"service": service, "callback": callback_url},
            content=envelope,
            headers={"Content-Type": ENVELOPE_TYPE},
        )

    async def ask(self, message_id: UUID) -> Acknowledgement:
        """How a message stands. Raises GovServiceDown and GovServiceRefused."""
        receipt = await self._send("GET", f"/v1/messages/{message_id}")
        if receipt.state in ("answered", "refused") and receipt.envelope is None:
            raise GovServiceGarbled("an answer without its envelope")
        return receipt

    async def withdraw(self, message_id: UUID, envelope: bytes) -> Acknowledgement:
        """Tell the gov service that nobody waits for this message any more; safe to repeat.

        A message that it answered before this call stays answered. Raises GovServiceDown, and
        GovServiceRefused if it does not know the message or the envelope does not say this.
        """
        return await self._send(
            "PUT",
            f"/v1/messages/{message_id}/withdrawal",
            content=envelope,
            headers={"Content-Type": ENVELOPE_TYPE},
        )

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Acknowledgement:
        try:
            async with (
                asyncio.timeout(self._whole),
                self._http.stream(
                    method, path, params=params, content=content, headers=headers
                ) as reply,
            ):
                body = await _body(reply)
        except httpx.DecodingError as error:
            raise GovServiceGarbled(type(error).__name__) from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise GovServiceDown(type(error).__name__) from None
        if reply.status_code in (404, 409, 413, 422):
            raise _refused(body)
        if reply.status_code not in (200, 202):
            raise GovServiceDown(f"HTTP {reply.status_code}")
        try:
            return Acknowledgement.model_validate_json(body)
        except ValidationError as error:
            raise GovServiceGarbled(f"{error.error_count()} fields unreadable") from None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _body(reply: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in reply.aiter_bytes():
        body += piece
        if len(body) > ANSWER_LIMIT:
            raise GovServiceGarbled("a reply without end")
    return bytes(body)


def _refused(body: bytes) -> GovServiceRefused | GovServiceGarbled:
    """The error for a refusal.

    A wrong address answers 404 as well: only a proper body is believed.
    """
    try:
        return GovServiceRefused(_Fault.model_validate_json(body).code)
    except ValidationError:
        return GovServiceGarbled("a refusal that is not the gov service's")
