"""The clock of a request: its term, whom it notifies, and when the gov service is asked again.

The clock refuses nothing. The applicant is told once that the term is over.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from models.tables.requests import RequestMessage
from rules.access import Permission
from rules.cases import deciding
from rules.cases.process import Party, Status
from rules.cases.terms import Alarm
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from services import access, outages
from services.cases import assignment, clock
from services.cases.drafts import rules_of
from services.journal import entries as journal
from services.outages import GOV_SERVICE

FIRST_ASK_AFTER, LAST_ASK_AFTER = timedelta(seconds=30), timedelta(minutes=30)
"""How long a callback is waited for before the gov service is asked; doubled each time."""


def next_ask(asks: int, now: datetime) -> datetime:
    """When the gov service is asked next, after it was asked `asks` times and no callback came."""
    return now + min(FIRST_ASK_AFTER * (1 << min(asks, 10)), LAST_ASK_AFTER)


async def whom(
    session: AsyncSession, case: Case, alarm: Alarm, now: datetime
) -> Mapping[UUID, NoticeKind]:
    """Who is notified: those who can act, people of the unit or ops; the applicant only once."""
    unit = case.responsible_unit_id
    definition, _ = await rules_of(session, case)
    if not definition.answered_by_people:
        people = await access.people_with(session, Permission.WATCH_OPERATION, unit, now)
        told = dict.fromkeys(people, NoticeKind.REQUEST_LATE)
    else:
        await assignment.keep(session, case, now)
        if alarm is Alarm.REMIND:
            people = [case.reviewer_id] if case.reviewer_id else []
            kind = NoticeKind.REQUEST_REMINDER
        else:
            people = await assignment.overseers_of(session, case, now)
            kind = NoticeKind.REQUEST_ESCALATED
        right = deciding.permission_of(case)
        people = people or await access.people_with(session, right, unit, now)
        told = {person: kind for person in people if person != case.applicant_id}
    if alarm is Alarm.ESCALATE and case.escalated_at is None:
        told[case.applicant_id] = NoticeKind.REQUEST_OVERDUE
    return told


async def note_down(session: AsyncSession, case: Case, now: datetime) -> datetime:
    """Note that the gov service does not answer. Returns when to try again."""
    again = await outages.begin(session, GOV_SERVICE, now)
    if case.status == Status.ACCEPTED and case.waits_for != Party.ADDRESSEE:
        case.waits_for = Party.ADDRESSEE.value
        await journal.append(
            session,
            chain=case.id,
            kind=JournalKind.REQUEST_ADDRESSEE_DOWN,
            at=now,
            system="workflow",
            step=case.step,
            facts={"number": case.number},
        )
    return again


async def set_alarm(
    session: AsyncSession,
    case: Case,
    message: RequestMessage | None,
    now: datetime,
    again: datetime | None = None,
) -> None:
    """Set when a locked case is woken: the next alarm, question or try, whichever comes first."""
    due = await clock.sound(session, case, now, whom)
    moments = [due.next_at, again, message.ask_at if message else None]
    case.wakes_at = min((one for one in moments if one is not None), default=None)
    case.rings, case.rung_at = 0, None
    session.add(case)
