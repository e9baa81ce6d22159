"""The client of the institution's personnel register: its records, its pushes, its whole list."""

from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from clients.registers import Register, RegisterGarbled, cleaned

StaffEventKind = Literal["hired", "transferred", "dismissed", "leave"]

PAGE = 200
"""How many records one part of the list has."""


Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2200, 12, 31))]
"""A day that means one: some registers have the year 1 or 9999 for none."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Leave(_Said):
    """Days on which the person does not work; both are included."""

    first_day: Day
    last_day: Day

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.last_day < self.first_day:
            raise ValueError("a leave ends before it begins")
        return self


class StaffRecord(_Said):
    """One employment as the register has it. Each change makes a version; the newest one counts."""

    number: str = Field(min_length=1, max_length=40)
    version: int = Field(1, ge=1, lt=2**53)
    snils: str = Field(pattern=r"^\d{3}-\d{3}-\d{3} \d{2}$")
    name: str = Field(min_length=1, max_length=200)
    position: str = Field(min_length=2, max_length=200)
    unit: str = Field(min_length=1, max_length=32, description="The code of the unit.")
    main: bool = Field(True, description="Only the main employment says where the person works.")
    left_on: Day | None = Field(None, description="The last day of work.")
    at_once: bool = Field(False, description="The employment has ended, whatever the day.")
    leave: Leave | None = None

    _is_clean = field_validator("number", "name", "position", "unit", mode="before")(cleaned)


class StaffEvent(_Said):
    """What the register pushes: what happened, and the whole record after it."""

    kind: StaffEventKind
    record: StaffRecord


class StaffPage(_Said):
    """A part of the list; `after` leads to the next one."""

    items: tuple[Any, ...] = Field(max_length=1000)
    after: str | None = None

    def records(self) -> tuple[StaffRecord, ...]:
        """The records that can be read: one that cannot does not hide the others."""
        found = []
        for one in self.items:
            with suppress(ValidationError):
                found.append(StaffRecord.model_validate(one))
        return tuple(found)


class PersonnelClient(Register):
    """The personnel register, read with our token."""

    def __init__(self, url: str, token: str, timeout: float = 10.0) -> None:
        super().__init__(url, timeout)
        self._headers = {"Authorization": f"Bearer {token}"}

    async def page(self, after: str = "") -> StaffPage:
        """A part of the list. Raises RegisterDown and RegisterGarbled, without personal data."""
        asked = {"after": after, "limit": str(PAGE)}
        told = await self._ask("GET", "/v1/staff", params=asked, headers=self._headers)
        page = self._read(told, StaffPage)
        if page is None:
            raise RegisterGarbled("404 where there is always an answer")
        if page.after is not None and page.after <= after:
            raise RegisterGarbled("the list goes back")
        return page
