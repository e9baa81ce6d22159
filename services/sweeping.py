"""What comes due without anybody acting: asked in one question, done by each subject.

Nearly always nothing is due. Asked one by one, the subjects cost a worker ten times as much.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, DateTime, bindparam, select

from clients.database import Database, DirectQuery
from models.messages import WAKE_UP, CaseSignal, WorkflowName
from models.tables.cases import Case
from models.tables.credentials import Credential
from models.tables.meetings import Meeting
from models.tables.notices import Notice
from models.tables.people import Person
from models.tables.subscribers import Subscriber
from rules.clock import now as present
from services import own_workflows
from services.absences import looking as absences
from services.account_locks import reminders as locks
from services.cases import assignment, wakeups
from services.cases.signals import CaseSignals
from services.credentials import life as credentials
from services.credentials import renewal
from services.exports import acts as exports
from services.handovers import looking as handovers
from services.meetings import sweep as meetings
from services.own_workflows import OwnWorkflow, Wakers
from services.patients import checks as patient_checks
from services.patients import judging
from services.registers import checks as register_checks
from services.results import looking as results
from services.staff import departures, registrations
from services.subscribers import delivering as subscribers
from services.verifications import meeting as _registered  # noqa: F401

ROWS: tuple[OwnWorkflow, ...] = (
    exports.OWN,
    locks.OWN,
    credentials.OWN,
    register_checks.OWN,
    handovers.OWN,
    judging.OWN,
    patient_checks.OWN,
    subscribers.OWN,
    results.OWN,
    absences.OWN,
)
"""The subjects whose rows have workflows of their own."""


class DueSubjects(NamedTuple):
    """Of which subjects something is due."""

    cases: bool
    departures: bool
    assignments: bool
    meetings: bool
    registrations: bool
    renewals: bool
    deliveries: bool
    rows: Collection[WorkflowName]
    """Types of workflows whose rows are late."""


async def sweep(
    database: Database,
    signals: CaseSignals,
    grace: float,
    wakers: Wakers,
) -> None:
    """Wake what is late, carry out departures, reassign cases, look at meetings, forget.

    `grace` is in seconds.
    """
    now = present()
    due = await _due(database, now, grace)
    if due.cases:
        await wakeups.sweep(database, signals, grace)
    if due.departures:
        await departures.sweep(database)
    if due.assignments:
        await assignment.sweep(database)
    if due.meetings:
        for case in await meetings.sweep(database):
            signals.send(case, CaseSignal(signal=WAKE_UP))
    if due.registrations:
        await registrations.forget(database)
    if due.renewals:
        await renewal.close_over(database, wakers(WorkflowName.CREDENTIAL))
    if due.deliveries:
        await subscribers.wake_asleep(database, wakers(WorkflowName.SUBSCRIBER), now)
    for one in ROWS:
        if one.name in due.rows:
            wake = wakers(one.name)
            await own_workflows.wake_late(database, one, wake, now, timedelta(seconds=grace))


async def _due(database: Database, now: datetime, grace: float) -> DueSubjects:
    at = {
        **assignment.at(now),
        "woken_before": now - timedelta(seconds=grace),
        "paused_before": now - own_workflows.PAUSE,
    }
    found = vars(await _question().one_or_none(database, at))
    rows = [one.name for one in ROWS if found.pop(one.name)]
    return DueSubjects(**found, rows=rows)


@lru_cache
def _question() -> DirectQuery:
    now, woken_before, paused_before = (
        bindparam(name, type_=DateTime(timezone=True))
        for name in ("now", "woken_before", "paused_before")
    )

    def some(table: type[Any], condition: ColumnElement[bool]) -> ColumnElement[bool]:
        return select(table.id).where(condition).exists()

    due: dict[str, ColumnElement[bool]] = {
        "cases": some(Case, wakeups.is_late(now, woken_before)),
        "departures": some(Person, departures.is_due(now)),
        "assignments": assignment.is_due(),
        "meetings": some(Meeting, meetings.is_due(now)),
        "registrations": some(Notice, registrations.is_over(now)),
        "renewals": some(Credential, renewal.is_over()),
        "deliveries": some(Subscriber, subscribers.is_asleep()),
        **{one.name: some(one.table, one.is_late(woken_before, paused_before)) for one in ROWS},
    }
    columns: list[Any] = [one.label(name) for name, one in due.items()]
    return DirectQuery(select(*columns))
