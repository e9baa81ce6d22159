"""The messages of the exchange with the gov service, before encryption: JSON, files in base64."""

from datetime import datetime
from hashlib import sha256
from typing import Any, Literal, TypeVar

from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field, ValidationError

_M = TypeVar("_M", bound=BaseModel)


class MessageUnreadable(ValueError):
    """A message with wrong fields. The error says how many there are, never what they contain."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def packed(self) -> bytes:
        """The bytes that are encrypted."""
        return self.model_dump_json().encode()


class GovServiceFile(_Message):
    """A whole file."""

    name: str = Field(min_length=1, max_length=200)
    media_type: str = Field(max_length=100, pattern=r"^[a-z]+/[a-z0-9.+-]+$")
    content: Base64Bytes

    @classmethod
    def of(cls, name: str, media_type: str, content: bytes) -> "GovServiceFile":
        """The file as it is sent."""
        return cls.model_construct(name=name, media_type=media_type, content=content)

    @property
    def sha256(self) -> str:
        """The digest of the file, in hex."""
        return sha256(self.content).hexdigest()


class GovServiceRequest(_Message):
    """One version of a request: its electronic document, and the files that it lists.

    `document` is the PDF/A-3 of `services.requests.paper`, which contains its own data.
    """

    service: str
    number: str
    version: int
    document: GovServiceFile
    attachments: tuple[GovServiceFile, ...] = ()

    @classmethod
    def read(cls, plain: bytes) -> "GovServiceRequest":
        """A request out of its envelope. Raises MessageUnreadable."""
        return _read(cls, plain)


class GovServiceWithdrawal(_Message):
    """The applicant has withdrawn the request: nobody waits for an answer any more."""

    withdrawn_number: str = Field(max_length=100, description="The request's own number.")
    withdrawn_version: int = Field(description="The version that was handed over.")
    withdrawn_at: AwareDatetime

    @classmethod
    def read(cls, plain: bytes) -> "GovServiceWithdrawal":
        """A withdrawal out of its envelope. Raises MessageUnreadable."""
        return _read(cls, plain)


class GovServiceAnswer(_Message):
    """The answer of the gov service. For a refusal, `reason` says why in words for the applicant.

    `files` are given to the applicant as they are, and the first is the answer itself; `data` is
    the same for programs.
    """

    outcome: Literal["answered", "refused"]
    number: str = Field(max_length=100, description="The request's own number.")
    version: int = Field(description="The version that is answered.")
    document_number: str = Field("", max_length=100, description="The number of the answer.")
    title: str = Field("", max_length=300)
    issued_at: AwareDatetime
    reason: str = Field("", max_length=2000)
    data: dict[str, Any] = {}
    files: tuple[GovServiceFile, ...] = ()

    @classmethod
    def read(cls, plain: bytes) -> "GovServiceAnswer":
        """An answer out of its envelope. Raises MessageUnreadable."""
        return _read(cls, plain)


def refusal(request: GovServiceRequest, reason: str, at: datetime) -> GovServiceAnswer:
    """The answer that refuses a request."""
    return GovServiceAnswer(
        outcome="refused",
        number=request.number,
        version=request.version,
        issued_at=at,
        reason=reason,
    )


def _read(kind: type[_M], plain: bytes) -> _M:
    try:
        return kind.model_validate_json(plain)
    except ValidationError as error:
        raise MessageUnreadable(f"{error.error_count()} fields unreadable") from None
