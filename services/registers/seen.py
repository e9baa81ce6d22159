"""What the registers said last of a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectRows
from clients.register_batches import (
    PATHS,
    AccreditationRecord,
    TrainingRecord,
    read,
)
from models.tables.people import Person
from models.tables.registers import RegisterRecord
from rules.registers.kinds import RecordState, RegisterName
from rules.registers.records import latest_effective


@dataclass(frozen=True)
class SaidByRegister:
    """What one register said last of one person, since when it says so, and when it was asked."""

    register: RegisterName
    state: RecordState
    records: Sequence[BaseModel]
    changed_on: date | None
    seen_at: datetime
    checked_at: datetime


@dataclass(frozen=True)
class AccreditationStatus:
    """The accreditation that lasts longest, the hours of the courses finished since, and when this
    was true."""

    specialty: str
    valid_until: date
    hours: int
    as_of: datetime


_OF_PERSON = DirectRows(
    select(RegisterRecord).where(col(RegisterRecord.person_id) == bindparam("who"))
)


async def of_person(
    session: AsyncSession, person_id: UUID
) -> Mapping[RegisterName, SaidByRegister]:
    """What each register said last; one that was never asked is left out."""
    found = await _OF_PERSON.all(session, {"who": person_id})
    return {RegisterName(row.source): said(row) for row in found}


def said(row: RegisterRecord) -> SaidByRegister:
    """What one row holds."""
    register = RegisterName(row.source)
    try:
        records = read(PATHS[register][1], row.records) or ()
    except ValidationError:  # stored before there was a limit to what a register may say
        records = ()
    return SaidByRegister(
        register,
        RecordState(row.state),
        records,
        row.changed_on,
        row.seen_at,
        row.checked_at,
    )


_WITH_SNILS = DirectRows(
    select(Person.snils, RegisterRecord)
    .outerjoin(RegisterRecord, col(RegisterRecord.person_id) == col(Person.id))
    .where(col(Person.id) == bindparam("who"))
)


async def accreditation_status(
    session: AsyncSession, person_id: UUID, today: date
) -> tuple[AccreditationStatus | None, bool]:
    """What the registers say of the person's accreditation, if they say something of one.

    And whether they can find the person at all, by a SNILS.
    """
    found = await _WITH_SNILS.all(session, {"who": person_id})
    told = {RegisterName(row.source): said(row) for _, row in found if row is not None}
    return status_of(told, today), any(snils for snils, _ in found)


def status_of(
    told: Mapping[RegisterName, SaidByRegister], today: date
) -> AccreditationStatus | None:
    """The accreditation that counts, and the hours since it was passed."""
    accredited = told.get(RegisterName.ACCREDITATION)
    trained = told.get(RegisterName.EDUCATION)
    if accredited is None or not accredited.records:
        return None
    rows = [one for one in accredited.records if isinstance(one, AccreditationRecord)]
    standing = latest_effective(rows, lambda one: one.specialty, lambda one: one.passed, today)
    last = max(standing, key=lambda one: one.valid_until)
    courses = trained.records if trained else ()
    hours = sum(
        one.hours for one in courses if isinstance(one, TrainingRecord) and one.until >= last.passed
    )
    return AccreditationStatus(last.specialty, last.valid_until, hours, accredited.checked_at)
