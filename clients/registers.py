"""The client of the register of medical workers (ФРМР): one look-up, by SNILS."""

from collections.abc import Awaitable, Mapping
from datetime import date
from typing import Any, Self, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Answer = TypeVar("Answer", bound=BaseModel)


BUSY_FOR, LONGEST_BUSY = 1.0, 3600.0
"""How many seconds a busy register is left alone if it does not say, and at most."""


class RegisterDown(Exception):
    """The register did not answer, or answered that it cannot: try again later."""


class RegisterBusy(RegisterDown):
    """The register refuses to be asked so often; `retry_after` says in how many seconds again."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("HTTP 429")
        self.retry_after = retry_after


class RegisterGarbled(Exception):
    """The register answered something that is not a card: try again later, and tell ops."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class General(_Section):
    """Who the worker is. Some registers have the full name in `surname`."""

    surname: str
    name: str = ""
    patronymic: str = ""
    birth_date: date
    sex: str = ""
    updated: date | None = None


class Organisation(_Section):
    """A medical organisation, by its OID in the register of organisations (ФРМО)."""

    oid: str
    name: str


class Card(_Section):
    """A post that the worker holds or held; `until` is None while it lasts."""

    organisation: Organisation
    unit: str = ""
    position: str
    rate: float = 1.0
    kind: str = ""
    since: date = Field(alias="from")
    until: date | None = Field(None, alias="to")


class Accreditation(_Section):
    """An accreditation of the worker."""

    number: str
    kind: str
    specialty: str
    passed: date
    valid_until: date


class Certificate(_Section):
    """A specialist certificate of the older kind."""

    number: str
    specialty: str
    organisation: str = ""
    issued: date
    valid_until: date | None = None


class Education(_Section):
    """A diploma of professional education."""

    kind: str
    series_number: str
    organisation: str
    specialty: str
    graduated: int


class Qualification(_Section):
    """A completed course of further education; `hours` are academic."""

    kind: str
    title: str
    hours: int
    organisation: str
    document: str = ""
    since: date = Field(alias="from")
    until: date = Field(alias="to")


class RegisterCard(_Section):
    """Everything that the register says about one worker."""

    snils: str
    general: General
    cards: tuple[Card, ...] = ()
    accreditation: tuple[Accreditation, ...] = ()
    certs: tuple[Certificate, ...] = ()
    profs: tuple[Education, ...] = ()
    qualifications: tuple[Qualification, ...] = ()


class Register:
    """A register that is asked over HTTP; safe to share between tasks. Timeouts are in seconds."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 2.0)),
            headers={"Accept": "application/json"},
            trust_env=False,
        )

    async def _search(
        self, path: str, asked: Mapping[str, Any], card: type[Answer]
    ) -> Answer | None:
        """What the register says; None if it knows nobody.

        Raises RegisterBusy, RegisterDown and RegisterGarbled; none contains personal data.
        """
        return await self._answer(self._http.post(path, json=asked), card)

    async def _get(self, path: str, asked: Mapping[str, Any], card: type[Answer]) -> Answer:
        """What the register says at an address. Raises as `_search` does."""
        told = await self._answer(self._http.get(path, params=asked), card)
        if told is None:
            raise RegisterGarbled("404 where there is always an answer")
        return told

    async def _answer(self, asking: Awaitable[httpx.Response], card: type[Answer]) -> Answer | None:
        try:
            reply = await asking
        except httpx.DecodingError as error:
            raise RegisterGarbled(type(error).__name__) from None
        except httpx.HTTPError as error:
            raise RegisterDown(type(error).__name__) from None
        if reply.status_code == 404:
            return self._nobody(reply)
        if reply.status_code == 429:
            raise RegisterBusy(_seconds(reply.headers.get("retry-after", "")))
        if reply.status_code != 200:
            raise RegisterDown(f"HTTP {reply.status_code}")
        try:
            return card.model_validate_json(reply.content)
        except ValidationError as error:
            raise RegisterGarbled(f"{error.error_count()} fields unreadable") from None

    @staticmethod
    def _nobody(reply: httpx.Response) -> None:
        """Raise RegisterGarbled unless the register itself says 404, not a wrong address."""
        try:
            told = reply.json()
        except ValueError:
            told = None
        if not isinstance(told, dict) or told.get("detail") != "not found":
            raise RegisterGarbled("404 that is not the register's")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class RegisterClient(Register):
    """The register of medical workers."""

    async def look_up(self, snils: str) -> RegisterCard | None:
        """The card of the worker with this SNILS; None if the register does not know one.

        Raises RegisterDown and RegisterGarbled; neither contains personal data.
        """
        digits = "".join(sign for sign in snils if sign.isdigit())
        card = await self._search("/v1/workers/search", {"snils": digits}, RegisterCard)
        if card and "".join(sign for sign in card.snils if sign.isdigit()) != digits:
            raise RegisterGarbled("the answer is about somebody else")
        return card


def _seconds(text: str) -> float:
    """The seconds that `Retry-After` names."""
    return min(float(text), LONGEST_BUSY) if text.isascii() and text.isdigit() else BUSY_FOR
