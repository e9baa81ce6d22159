"""What comes due without anybody acting: asked in one question, done by each subject.

Nearly always nothing is due. Asked one by one, the subjects cost a worker ten times as much.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, DateTime, Select, bindparam, select

from clients.database import Database
from models.messages import WAKE_UP, CaseSignal
from models.tables.accounts import AccountLock
from models.tables.archive import Export
from models.tables.cases import Case
from models.tables.meetings import Meeting
from models.tables.notices import Notice
from models.tables.people import Person
from rules.clock import now as present
from services.account_locks import reminders
from services.cases import assignment, wakeups
from services.cases.signals import CaseSignals
from services.exports import acts as exports
from services.meetings import sweep as meetings
from services.staff import departures, registrations
from services.verifications import meeting as _registered  # noqa: F401


class DueSubjects(NamedTuple):
    """Of which subjects something is due."""

    cases: bool
    departures: bool
    assignments: bool
    exports: bool
    locks: bool
    meetings: bool
    registrations: bool


async def sweep(
    database: Database,
    signals: CaseSignals,
    grace: float,
    start: exports.StartAnew,
    wake: reminders.Wake,
) -> None:
    """Wake what is late, carry out departures, reassign cases, look at meetings, forget.

    `grace` is in seconds; `start` starts the workflow of an export, `wake` that of a lock.
    """
    due = await _due(database, present(), grace)
    if due.cases:
        await wakeups.sweep(database, signals, grace)
    if due.departures:
        await departures.sweep(database)
    if due.assignments:
        await assignment.sweep(database)
    if due.exports:
        await exports.start_late(database, start)
    if due.locks:
        await reminders.wake_late(database, wake, grace)
    if due.meetings:
        for case in await meetings.sweep(database):
            signals.send(case, CaseSignal(signal=WAKE_UP))
    if due.registrations:
        await registrations.forget(database)


async def _due(database: Database, now: datetime, grace: float) -> DueSubjects:
    at = {
        **assignment.at(now),
        "woken_before": now - timedelta(seconds=grace),
        "beaten_before": now - exports.LATE,
    }
    async with database.reading() as session:
        connection = await session.connection()
        found = (await connection.execute(_question(), at)).one()
    return DueSubjects(*found)


@lru_cache
def _question() -> Select[bool, bool, bool, bool, bool, bool, bool]:
    now, woken_before, beaten_before = (
        bindparam(name, type_=DateTime(timezone=True))
        for name in ("now", "woken_before", "beaten_before")
    )

    def some(table: type[Any], condition: ColumnElement[bool]) -> ColumnElement[bool]:
        return select(table.id).where(condition).exists()

    return select(
        some(Case, wakeups.is_late(now, woken_before)),
        some(Person, departures.is_due(now)),
        assignment.is_due(),
        some(Export, exports.is_late(beaten_before)),
        some(AccountLock, reminders.is_late(woken_before)),
        some(Meeting, meetings.is_due(now)),
        some(Notice, registrations.is_over(now)),
    )
