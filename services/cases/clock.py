"""The clock of a case of any kind: reminders and escalations by its term.

If several were missed, over a night or an outage of weeks, only the last one is sent.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from rules.cases.process import Status
from rules.cases.terms import Alarm, DueAlarms, due_alarms
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from services.cases.transitions import alarms_of, case_facts, terms_of
from services.journal import entries as journal
from services.notices import outbox

Whom = Callable[[AsyncSession, Case, Alarm, datetime], Awaitable[Mapping[UUID, NoticeKind]]]
"""Who is notified of an alarm, with the kind of notice for each."""


async def sound(session: AsyncSession, case: Case, now: datetime, whom: Whom) -> DueAlarms:
    """Send the alarm of a locked case that is due at `now`. Returns which alarms were due.

    A case that lapses is left to the caller, who closes it.
    """
    terms, calendar = await terms_of(session, case)
    due = due_alarms(
        alarms_of(case, Status(case.status), case.since, terms, calendar), case.alarms, now
    )
    if due.last is None or due.last is Alarm.LAPSE:
        return due
    case.alarms += due.count
    told = await whom(session, case, due.last, now)
    overdue = due.last is Alarm.ESCALATE
    if overdue:
        case.escalated_at = case.escalated_at or now
    session.add(case)
    await journal.append(
        session,
        chain=case.id,
        kind=JournalKind.CASE_ESCALATED if overdue else JournalKind.CASE_REMINDED,
        at=now,
        system="clock",
        step=case.step,
        facts={"told": sorted(map(str, told)), "alarm": case.alarms},
    )
    events = [
        outbox.NoticeEvent(
            person_id=person,
            kind=kind,
            event_key=f"{case.id}:{case.step}:{kind}:{case.alarms}",
            case_id=case.id,
            facts=case_facts(case),
        )
        for person, kind in told.items()
    ]
    await outbox.enqueue_all(session, events, now)
    return due
