"""The state registers asked about many people at once.

Each answer about a person has a revision. Who names the revision that is known already is not sent
the records again while nothing has changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clients.registers import Line, Register, RegisterCard, RegisterGarbled
from rules.registers.kinds import RegisterName

MOST_AT_ONCE = 50
"""About so many people the registers answer at once."""
MOST_RECORDS = 500
"""So many records of one person are believed; with more, what it says of them is unreadable."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class AccreditationRecord(_Said):
    """An accreditation, as the register of accreditations has it."""

    holder: Line
    number: Line
    kind: Line = ""
    specialty: Line
    organisation: Line = ""
    passed: date
    valid_until: date


class TrainingRecord(_Said):
    """A completed course, as the portal of continuing education has it; `hours` are academic."""

    holder: Line
    document: Line
    kind: Line = ""
    title: Line
    specialty: Line = ""
    hours: int = Field(ge=0, le=10_000)
    certified: bool = False
    organisation: Line = ""
    since: date = Field(alias="from")
    until: date = Field(alias="to")


class _Person(_Said):
    snils: str
    revision: int = Field(ge=0, le=2**31 - 1)
    changed: date | None = None
    records: tuple[dict[str, Any], ...] | None = None


class _People(_Said):
    people: tuple[_Person, ...]


@dataclass(frozen=True)
class AskedAbout:
    """A person by SNILS in digits, with the revision that is known; 0 knows nothing."""

    snils: str
    since: int = 0


@dataclass(frozen=True)
class RegisterAnswer:
    """What a register says of one person: `records` are None if nothing has changed.

    Revision 0 says that the register does not know the person; None, that what it says of this one
    person cannot be read.
    """

    snils: str
    revision: int | None
    changed_on: date | None
    records: tuple[BaseModel, ...] | None


PATHS: Mapping[RegisterName, tuple[str, type[BaseModel]]] = {
    RegisterName.WORKERS: ("/v1/workers/batch", RegisterCard),
    RegisterName.ACCREDITATION: ("/v1/accreditations/batch", AccreditationRecord),
    RegisterName.EDUCATION: ("/v1/learners/batch", TrainingRecord),
}
"""Where each register answers about many, and what a record of it is."""


class RegisterOfMany(Register):
    """One register, asked about up to MOST_AT_ONCE people at once."""

    def __init__(self, name: RegisterName, url: str, timeout: float = 10.0) -> None:
        super().__init__(url, timeout)
        self.name = name

    async def ask(self, people: Sequence[AskedAbout]) -> list[RegisterAnswer]:
        """What it says of these people, in their order.

        Raises RegisterBusy, RegisterDown and RegisterGarbled; none contains personal data.
        """
        path, record = PATHS[self.name]
        asked = {"people": [{"snils": one.snils, "since": one.since} for one in people]}
        told = await self._search(path, asked, _People)
        if told is None or [one.snils for one in told.people] != [one.snils for one in people]:
            raise RegisterGarbled("the answer is about other people")
        return [_answer(record, one) for one in told.people]


def _answer(record: type[BaseModel], said: _Person) -> RegisterAnswer:
    """Somebody whose records are garbled must not keep the others of the batch away."""
    unreadable = RegisterAnswer(said.snils, None, None, None)
    if said.records is not None and len(said.records) > MOST_RECORDS:
        return unreadable
    try:
        records = read(record, said.records)
    except ValidationError:
        return unreadable
    return RegisterAnswer(said.snils, said.revision, said.changed, records)


def read(
    record: type[BaseModel], records: Sequence[Mapping[str, Any]] | None
) -> tuple[BaseModel, ...] | None:
    """Records as the register sent them, or as they were stored. Raises ValidationError."""
    return None if records is None else tuple(map(record.model_validate, records))
