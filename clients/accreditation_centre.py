"""The client of the federal accreditation centre: send a portfolio, ask how it stands.

Both calls are safe to repeat: the centre knows a package by our own id. A package that it has
already, with the same contents, is a success; with other contents it is an alarm.
"""

import hashlib
from datetime import date
from enum import StrEnum
from typing import Self
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from clients.answers import LIMIT, ReceivingSystem
from rules.texts.cleaning import clean, one_line

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
    extract: str = Field(
        "", pattern=r"^([0-9a-f]{64})?$", description="SHA-256 of the extract; empty: none."
    )

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


def digest_of(application: bytes, portfolio: bytes) -> str:
    """The digest by which both sides know the contents of a package, in hex."""
    return hashlib.sha256(application + hashlib.sha256(portfolio).digest()).hexdigest()


class AccreditationCentre(ReceivingSystem):
    """Talks to the centre over HTTP; safe to share between tasks. Timeouts are in seconds."""

    down = CentreDown
    garbled = CentreGarbled
    refused = CentreRefused
    limit = 4 * LIMIT

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
            PackageStanding,
            files={
                "application": ("application.json", application, "application/json"),
                "portfolio": ("portfolio.pdf", portfolio, "application/pdf"),
            },
        )
        if standing.digest != digest_of(application, portfolio):
            raise CentreHasOther(OTHER_CONTENTS)
        return standing

    async def standing(self, package_id: UUID, digest: str) -> PackageStanding:
        """How a package with this digest stands. Raises as `submit` does."""
        standing = await self._send("GET", f"/v1/packages/{package_id}", PackageStanding)
        if standing.digest != digest:
            raise CentreHasOther(OTHER_CONTENTS)
        return standing

    async def extract(self, package_id: UUID, sha256: str) -> bytes:
        """The extract of an accreditation, a PDF. Raises CentreDown where it is not that one."""
        reply = await self._ask("GET", f"/v1/packages/{package_id}/extract")
        if reply.status_code != 200:
            raise CentreDown(f"HTTP {reply.status_code}")
        if hashlib.sha256(reply.content).hexdigest() != sha256:
            raise CentreGarbled("another extract than was said")
        return reply.content

    def _refusal(self, body: bytes) -> Exception:
        refusal = super()._refusal(body)
        other = isinstance(refusal, CentreRefused) and refusal.code == OTHER_CONTENTS
        return CentreHasOther(OTHER_CONTENTS) if other else refusal
