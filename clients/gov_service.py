"""The client of the gov service: hand over a message, ask how it stands, withdraw it.

Every call is safe to repeat: the gov service knows a message by its id. What is in an envelope is
the concern of `services.gov_service.envelopes` and `services.gov_service.messages`.
"""

import base64
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from clients.answers import ReceivingSystem
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


class GovService(ReceivingSystem):
    """Talks to the gov service over HTTP; safe to share between tasks. Timeouts are in seconds."""

    down = GovServiceDown
    garbled = GovServiceGarbled
    refused = GovServiceRefused
    limit = ANSWER_LIMIT

    def __init__(self, settings: Settings, timeout: float = 10.0) -> None:
        super().__init__(settings.gov_service_url, timeout)

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
            Acknowledgement,
            params={"service": service, "callback": callback_url},
            content=envelope,
            headers={"Content-Type": ENVELOPE_TYPE},
        )

    async def ask(self, message_id: UUID) -> Acknowledgement:
        """How a message stands. Raises GovServiceDown and GovServiceRefused."""
        receipt = await self._send("GET", f"/v1/messages/{message_id}", Acknowledgement)
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
            Acknowledgement,
            content=envelope,
            headers={"Content-Type": ENVELOPE_TYPE},
        )
