"""The clients of registers that are asked about one person: medical workers (ФРМР), by SNILS, and
the identity register, by INN or personnel number."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, TypeVar

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from clients.answers import OutsideSystem
from rules.texts.cleaning import one_line

Answer = TypeVar("Answer", bound=BaseModel)

BUSY_FOR, LONGEST_BUSY = 1.0, 3600.0
"""How many seconds a busy register is left alone at least, and at most."""
ANSWER_LIMIT = 8 * 1024 * 1024
"""How many bytes of an answer are read at most."""


def cleaned(said: Any) -> Any:
    """What a register says, cleaned as what people type is, if it is text."""
    return one_line(said) if isinstance(said, str) else said


Line = Annotated[str, Field(max_length=1000), BeforeValidator(cleaned)]
"""A text that a register says."""


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

    surname: Line
    name: Line = ""
    patronymic: Line = ""
    birth_date: date
    sex: Line = ""
    updated: date | None = None


class Organisation(_Section):
    """A medical organisation, by its OID in the register of organisations (ФРМО)."""

    oid: Line
    name: Line


class Card(_Section):
    """A post that the worker holds or held; `until` is None while it lasts."""

    organisation: Organisation
    unit: Line = ""
    position: Line
    rate: float = 1.0
    kind: Line = ""
    since: date = Field(alias="from")
    until: date | None = Field(None, alias="to")


class Accreditation(_Section):
    """An accreditation of the worker."""

    number: Line
    kind: Line
    specialty: Line
    passed: date
    valid_until: date


class Certificate(_Section):
    """A specialist certificate of the older kind."""

    number: Line
    specialty: Line
    organisation: Line = ""
    issued: date
    valid_until: date | None = None


class Education(_Section):
    """A diploma of professional education."""

    kind: Line
    series_number: Line
    organisation: Line
    specialty: Line
    graduated: int


class Qualification(_Section):
    """A completed course of further education; `hours` are academic."""

    kind: Line
    title: Line
    hours: int
    organisation: Line
    document: Line = ""
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


class IdentityCard(_Section):
    """What the identity register says of one person."""

    number: str
    surname: Line
    name: Line = ""
    patronymic: Line = ""
    birth_date: date
    snils: str = ""
    certificates: tuple[str, ...] = ()
    """Numbers of state certificates that are valid."""


class _Nobody(BaseModel):
    detail: str


class Register(OutsideSystem):
    """A register that is asked over HTTP; safe to share between tasks. Timeouts are in seconds."""

    down = RegisterDown
    garbled = RegisterGarbled
    limit = ANSWER_LIMIT

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        super().__init__(url, timeout)

    async def _search(
        self, path: str, asked: Mapping[str, Any], card: type[Answer]
    ) -> Answer | None:
        """What the register says; None if it knows nobody.

        Raises RegisterBusy, RegisterDown and RegisterGarbled; none contains personal data.
        """
        return self._read(await self._ask("POST", path, json=asked), card)

    async def _get(self, path: str, asked: Mapping[str, Any], card: type[Answer]) -> Answer:
        """What the register says at an address. Raises as `_search` does."""
        told = self._read(await self._ask("GET", path, params=asked), card)
        if told is None:
            raise RegisterGarbled("404 where there is always an answer")
        return told

    def _read(self, reply: httpx.Response, card: type[Answer]) -> Answer | None:
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
            told = _Nobody.model_validate_json(reply.content)
        except ValidationError:
            told = None
        if told is None or told.detail != "not found":
            raise RegisterGarbled("404 that is not the register's")


class RegisterClient(Register):
    """The register of medical workers."""

    async def look_up(self, snils: str) -> RegisterCard | None:
        """The card of the worker with this SNILS; None if the register does not know one.

        Raises RegisterDown and RegisterGarbled; neither contains personal data.
        """
        digits = digits_of(snils)
        card = await self._search("/v1/workers/search", {"snils": digits}, RegisterCard)
        if card and digits_of(card.snils) != digits:
            raise RegisterGarbled("the answer is about somebody else")
        return card


class IdentityClient(Register):
    """The identity register."""

    async def look_up(self, number: str) -> IdentityCard | None:
        """The person with this INN or personnel number; None if the register knows nobody.

        Raises RegisterDown and RegisterGarbled; neither contains personal data.
        """
        card = await self._search("/v1/people/search", {"number": number}, IdentityCard)
        if card and card.number != number:
            raise RegisterGarbled("the answer is about somebody else")
        return card


def digits_of(snils: str) -> str:
    """A SNILS however it is written, as registers are asked for it."""
    return "".join(sign for sign in snils if sign.isdigit())


def _seconds(text: str) -> float:
    """The seconds that `Retry-After` names, within bounds."""
    asked = float(text) if text.isascii() and text.isdigit() else BUSY_FOR
    return min(max(asked, BUSY_FOR), LONGEST_BUSY)
