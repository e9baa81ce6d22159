"""What the registers said last of a person, and how far the comparison of everybody is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.register_batches import (
    PATHS,
    AccreditationRecord,
    TrainingRecord,
    read,
)
from models.messages import SyncProgress
from models.tables.registers import RegisterRecord, RegisterRun
from rules.access import Actor, Permission
from rules.refusals import forbidden
from rules.registers.kinds import RecordState, RegisterName
from rules.registers.records import latest_effective
from services import outages
from services.registers.asking import SYSTEMS
from services.registers.syncing import progress


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


async def of_person(
    session: AsyncSession, person_id: UUID
) -> Mapping[RegisterName, SaidByRegister]:
    """What each register said last; one that was never asked is left out."""
    found = await session.exec(select(RegisterRecord).where(RegisterRecord.person_id == person_id))
    return {RegisterName(row.source): _said(row) for row in found.all()}


def _said(row: RegisterRecord) -> SaidByRegister:
    register = RegisterName(row.source)
    records = read(PATHS[register][1], row.records) or ()
    return SaidByRegister(
        register,
        RecordState(row.state),
        records,
        row.changed_on,
        row.seen_at,
        row.checked_at,
    )


async def accreditation_status(
    session: AsyncSession, person_id: UUID, today: date
) -> AccreditationStatus | None:
    """What the registers say of the person's accreditation; None if they say nothing of one."""
    said = await of_person(session, person_id)
    return status_of(said, today)


def status_of(
    said: Mapping[RegisterName, SaidByRegister], today: date
) -> AccreditationStatus | None:
    """The accreditation that counts, and the hours since it was passed."""
    accredited = said.get(RegisterName.ACCREDITATION)
    trained = said.get(RegisterName.EDUCATION)
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


@dataclass(frozen=True)
class RunLine:
    """The newest run of a register, and since when the register has been down."""

    register: RegisterName
    started_at: datetime
    ended_at: datetime | None
    changed: int
    unknown: int
    progress: SyncProgress
    down_since: datetime | None


async def runs(session: AsyncSession, actor: Actor) -> Sequence[RunLine]:
    """How far the comparison of everybody is with each register. Raises Refusal 403."""
    if not actor.may(Permission.WATCH_OPERATION):
        raise forbidden()
    newest = (
        select(RegisterRun.source, func.max(RegisterRun.started_at).label("at"))
        .group_by(col(RegisterRun.source))
        .subquery()
    )
    found = await session.exec(
        select(RegisterRun).join(
            newest,
            (col(RegisterRun.source) == newest.c.source)
            & (col(RegisterRun.started_at) == newest.c.at),
        )
    )
    rows: dict[Any, RegisterRun] = {row.source: row for row in found.all()}
    lines = []
    for register in RegisterName:
        if (row := rows.get(register.value)) is not None:
            down = await outages.open_since(session, SYSTEMS[register])
            lines.append(
                RunLine(
                    register,
                    row.started_at,
                    row.ended_at,
                    row.changed,
                    row.unknown,
                    progress(row),
                    down,
                )
            )
    return lines
