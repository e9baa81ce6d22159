"""The client of the identity register: who bears an INN, or a personnel number."""

from datetime import date
from typing import Self

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from clients.registers import RegisterDown, RegisterGarbled


class IdentityCard(BaseModel):
    """What the register says of one person."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: str
    surname: str
    name: str = ""
    patronymic: str = ""
    birth_date: date
    snils: str = ""
    certificates: tuple[str, ...] = ()
    """Numbers of state certificates that are valid."""


class IdentityClient:
    """Asks the register over HTTP; safe to share between tasks. Timeouts are in seconds."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 2.0)),
            headers={"Accept": "application/json"},
            trust_env=False,
        )

    async def look_up(self, number: str) -> IdentityCard | None:
        """The person with this INN or personnel number; None if the register knows nobody.

        Raises RegisterDown and RegisterGarbled; neither contains personal data.
        """
        try:
            reply = await self._http.post("/v1/people/search", json={"number": number})
        except httpx.DecodingError as error:
            raise RegisterGarbled(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise RegisterDown(type(error).__name__) from None
        if reply.status_code == 404 and _says_nobody(reply):
            return None
        if reply.status_code == 404:
            raise RegisterGarbled("404 that is not the register's")
        if reply.status_code != 200:
            raise RegisterDown(f"HTTP {reply.status_code}")
        try:
            card = IdentityCard.model_validate_json(reply.content)
        except ValidationError as error:
            raise RegisterGarbled(f"{error.error_count()} fields unreadable") from None
        if card.number != number:
            raise RegisterGarbled("the answer is about somebody else")
        return card

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _says_nobody(reply: httpx.Response) -> bool:
    """Whether the register itself says that it knows nobody, not a server on the way."""
    try:
        told = reply.json()
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("detail") == "not found"
