"""The client of the laboratory: what it says of a result, its list, and what we give back."""

from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from clients.answers import ReceivingSystem
from clients.registers import cleaned
from rules.clock import YEARS
from rules.results.life import ResultStage
from rules.results.values import Flag, number_of
from rules.texts import identifiers

Line = Annotated[str, Field(max_length=200), BeforeValidator(cleaned)]
Day = Annotated[date, Field(ge=date(YEARS.start, 1, 1), le=date(2200, 12, 31))]
Number = Annotated[str, Field(min_length=1, max_length=60), BeforeValidator(cleaned)]

PAGE = 100
"""How many messages one part of the list has."""


class LaboratoryDown(Exception):
    """The laboratory did not answer, or answered that it cannot: try again later."""


class LaboratoryGarbled(Exception):
    """The laboratory answered something that cannot be meant."""


class LaboratoryRefused(Exception):
    """The laboratory will never take what was sent; the message is its code."""


class _LabSaid(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class SaidPatient(_LabSaid):
    """Who the patient is as the laboratory knows it."""

    name: Line = ""
    birth_date: Day | None = None
    sex: Literal["male", "female"] | None = None
    snils: Line = ""
    policy: Line = ""

    @field_validator("snils")
    @classmethod
    def _one_form(cls, value: str) -> str:
        """In the form in which it is stored here, or as it was said."""
        with suppress(ValueError):
            return identifiers.snils(value)
        return value


class SaidTest(_LabSaid):
    """What was measured, by a dictionary with its version."""

    code: Line
    name: Line
    dictionary: Line = ""
    version: Line = ""


class SaidReference(_LabSaid):
    """What the laboratory calls normal for this patient."""

    low: Line = ""
    high: Line = ""
    text: Line = ""

    @field_validator("low", "high")
    @classmethod
    def _is_number(cls, value: str) -> str:
        if value and number_of(value) is None:
            raise ValueError("no number")
        return value


class LabMessage(_LabSaid):
    """One version of one result. Each change makes the next version; the newest one counts."""

    number: Number = Field(description="Your own number of this result; it stays in all versions.")
    version: int = Field(ge=1, lt=2**31)
    stage: ResultStage
    repeats: Annotated[str, Field(max_length=60), BeforeValidator(cleaned)] = Field(
        "", description="The number of the result that this one repeats."
    )
    order: Line
    ordered_by: Line = Field("", description="SNILS of the clinician who ordered it.")
    unit: Annotated[str, Field(max_length=32), BeforeValidator(cleaned)] = Field(
        "", description="The code of the unit that ordered it."
    )
    patient: SaidPatient
    specimen: Line = ""
    taken_at: AwareDatetime | None = None
    ready_at: AwareDatetime
    test: SaidTest
    value: Line = ""
    unit_of_value: Line = ""
    reference: SaidReference = SaidReference()
    flag: Flag = Flag.NONE
    method: Line = ""
    validated_by: Line = ""
    comment: Annotated[str, Field(max_length=1000), BeforeValidator(cleaned)] = ""

    @field_validator("taken_at", "ready_at")
    @classmethod
    def _meant(cls, value: AwareDatetime | None) -> AwareDatetime | None:
        if value is not None and value.year not in YEARS:
            raise ValueError("a year that nobody means")
        return value


class LabPage(_LabSaid):
    """A part of the list of what was sent; `after` leads to the next one."""

    items: tuple[Any, ...] = Field(max_length=1000)
    after: str | None = Field(None, max_length=100)

    def messages(self) -> tuple[LabMessage, ...]:
        """The messages that can be read: one that cannot does not hide the others."""
        found = []
        for one in self.items:
            with suppress(ValidationError):
                found.append(LabMessage.model_validate(one))
        return tuple(found)


class _Taken(_LabSaid):
    taken: bool = True


class LaboratoryClient(ReceivingSystem):
    """The laboratory, asked with our token."""

    down, garbled, refused = LaboratoryDown, LaboratoryGarbled, LaboratoryRefused
    limit = 8 * 1024 * 1024

    def __init__(self, url: str, token: str, timeout: float = 10.0) -> None:
        super().__init__(url, timeout)
        self._headers = {"Authorization": f"Bearer {token}"}

    async def page(self, since: date, after: str = "") -> LabPage:
        """A part of what it sent since that day. Raises LaboratoryDown, LaboratoryGarbled."""
        asked = {"since": since.isoformat(), "after": after, "limit": str(PAGE)}
        reply = await self._ask("GET", "/v1/results", params=asked, headers=self._headers)
        if reply.status_code != 200:
            raise LaboratoryDown(f"HTTP {reply.status_code}")
        try:
            page = LabPage.model_validate_json(reply.content)
        except ValidationError as error:
            raise LaboratoryGarbled(f"{error.error_count()} fields unreadable") from None
        if page.after is not None and page.after <= after:
            raise LaboratoryGarbled("the list goes back")
        return page

    async def give_back(self, number: str, version: int, reason: str) -> None:
        """Say that a result belongs to nobody here. Raises as above, and LaboratoryRefused."""
        body = {"number": number, "version": version, "reason": reason}
        await self._send("POST", "/v1/returns", _Taken, json=body, headers=self._headers)
