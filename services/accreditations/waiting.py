"""The clock of a case that is at the federal centre: its term, and when the centre is asked.

The centre calls nobody back: it is asked ever more rarely, at least twice a day.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from models.tables.credentials import AccreditationPackage
from rules.cases.terms import Alarm
from rules.notices.kinds import NoticeKind
from services.cases import assignment, clock

FIRST_ASK_AFTER, LAST_ASK_AFTER = timedelta(seconds=5), timedelta(hours=12)


def next_ask(asks: int, now: datetime) -> datetime:
    """When the centre is asked next, after it said nothing new `asks` times."""
    return now + min(FIRST_ASK_AFTER * (1 << min(asks, 16)), LAST_ASK_AFTER)


async def whom(
    session: AsyncSession, case: Case, alarm: Alarm, now: datetime
) -> Mapping[UUID, NoticeKind]:
    """Who is notified that the centre is late: those who can ask it; the applicant only once."""
    people = await assignment.overseers_of(session, case, now)
    if alarm is Alarm.REMIND and case.reviewer_id is not None:
        able = await assignment.able_to_decide(session, case, now)
        people = [case.reviewer_id] if case.reviewer_id in able else people
    told = {one: NoticeKind.ACCREDITATION_CENTRE_LATE for one in people if one != case.applicant_id}
    if alarm is Alarm.ESCALATE and case.escalated_at is None:
        told[case.applicant_id] = NoticeKind.ACCREDITATION_OVERDUE
    return told


async def set_alarm(
    session: AsyncSession,
    case: Case,
    package: AccreditationPackage,
    now: datetime,
    again: datetime | None = None,
) -> None:
    """Set when a locked case is woken: the next alarm, question or try, whichever comes first."""
    due = await clock.sound(session, case, now, whom)
    moments = [due.next_at, again or package.ask_at]
    case.wakes_at = min((one for one in moments if one is not None), default=None)
    case.rings, case.rung_at = 0, None
    session.add(case)
