"""The client of the federal accreditation centre: send a portfolio, ask how it stands.

Both calls are safe to repeat: the centre knows a package by our own id. A package that it has
already, with the same contents, is a success; with other contents it is an alarm.
"""

import asyncio
import hashlib
from datetime import date
from enum import StrEnum
from typing import Self
from uuid import UUID

import httpx
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from rules.texts.cleaning import clean, one_line

ANSWER_LIMIT = 1024 * 1024
"""How many bytes of a reply are read at most."""
UNKNOWN, OTHER_CONTENTS = "unknown_package", "other_contents"


class CentreDown(Exception):
    """The centre did not answer, or answered that it cannot: try again later."""


class CentreGarbled(CentreDown):
    """The centre answered something else than how the package stands: try again later."""


class CentreRefused(Exception):
    """The centre will never take this package; `code` is its own.

    `unknown_package` says that it never got, or has lost, the package: send it again.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class CentreHasOther(CentreRefused):
    """Under our id the centre has other contents than ours: people have to find out why."""


class CentreState(StrEnum):
    """How a package stands at the centre."""

    TAKEN = "taken"
    COMMISSION = "commission"
    REMARKS = "remarks"
    RETURNED = "returned"
    REFUSED = "refused"
    ACCREDITED = "accredited"


ENDS = frozenset(
    {CentreState.REMARKS, CentreState.RETURNED, CentreState.REFUSED, CentreState.ACCREDITED}
)
"""States after which the centre does nothing more with a package."""


class PackageStanding(BaseModel):
    """What the centre says of a package.

    `words` explain remarks, a return or a refusal. An accreditation has a number and its days.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: CentreState
    at: AwareDatetime
    digest: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of what the centre has.")
    words: str = Field("", max_length=4000)
    number: str = Field("", max_length=60)
    decided_on: date | None = None
    valid_until: date | None = None

    @field_validator("words")
    @classmethod
    def _words_are_clean(cls, text: str) -> str:
        return clean(text)

    @field_validator("number")
    @classmethod
    def _number_is_clean(cls, text: str) -> str:
        return one_line(text)

    @model_validator(mode="after")
    def _decision_is_whole(self) -> Self:
        decided = self.state is CentreState.ACCREDITED
        if decided and not (self.number and self.decided_on and self.valid_until):
            raise ValueError("an accreditation without number or days")
        if self.decided_on and self.valid_until and self.valid_until <= self.decided_on:
            raise ValueError("an accreditation that ends before it begins")
        return self


class _Fault(BaseModel):
    code: str = Field(max_length=100, pattern=r"^[a-z_]+$")


def digest_of(application: bytes, portfolio: bytes) -> str:
    """The digest by which both sides know the contents of a package, in hex."""
    return hashlib.sha256(application + hashlib.sha256(portfolio).digest()).hexdigest()


class AccreditationCentre:
    """Talks to the centre over HTTP; safe to share between tasks. Timeouts are in seconds."""

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        self._whole = 3 * timeout
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(timeout, connect=min(timeout, 2.0)),
            headers={"Accept": "application/json"},
            trust_env=False,
        )

    async def submit(
        self, package_id: UUID, application: bytes, portfolio: bytes
    ) -> PackageStanding:
        """Send a package, or learn how one stands that was sent before.

        `application` is JSON. Raises CentreDown, CentreRefused, and CentreHasOther if the centre
        has other contents under this id.
        """
        standing = await self._send(
            "PUT",
            f"/v1/packages/{package_id}",
            {
                "application": ("application.json", application, "application/json"),
                "portfolio": ("portfolio.pdf", portfolio, "application/pdf"),
            },
        )
        if standing.digest != digest_of(application, portfolio):
            raise CentreHasOther(OTHER_CONTENTS)
        return standing

    async def standing(self, package_id: UUID, digest: str) -> PackageStanding:
        """How a package with this digest stands. Raises as `submit` does."""
        standing = await self._send("GET", f"/v1/packages/{package_id}")
        if standing.digest != digest:
            raise CentreHasOther(OTHER_CONTENTS)
        return standing

    async def _send(
        self, method: str, path: str, files: dict[str, tuple[str, bytes, str]] | None = None
    ) -> PackageStanding:
        try:
            async with (
                asyncio.timeout(self._whole),
                self._http.stream(method, path, files=files) as reply,
            ):
                body = await _body(reply)
        except httpx.DecodingError as error:
            raise CentreGarbled(type(error).__name__) from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise CentreDown(type(error).__name__) from None
        if reply.status_code in (404, 409, 413, 422):
            raise _refused(body)
        if reply.status_code not in (200, 202):
            raise CentreDown(f"HTTP {reply.status_code}")
        try:
            return PackageStanding.model_validate_json(body)
        except ValidationError as error:
            raise CentreGarbled(f"{error.error_count()} fields unreadable") from None

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
            raise CentreGarbled("a reply without end")
    return bytes(body)


def _refused(body: bytes) -> CentreRefused | CentreGarbled:
    """The error for a refusal. A wrong address answers 404 as well: only a proper body counts."""
    try:
        code = _Fault.model_validate_json(body).code
    except ValidationError:
        return CentreGarbled("a refusal that is not the centre's")
    return CentreHasOther(code) if code == OTHER_CONTENTS else CentreRefused(code)
