"""The clock of a review: remind, escalate, or close a case whose question was never answered."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CaseState
from models.tables.cases import Case
from rules.cases.process import Status, Transition
from rules.cases.terms import Alarm
from rules.clock import now as present
from rules.notices.kinds import NoticeKind
from services.cases import assignment, clock
from services.cases.transitions import CaseNotice, lock, move, state_of


async def _whom(
    session: AsyncSession, case: Case, what: Alarm, now: datetime
) -> Mapping[UUID, NoticeKind]:
    """Who can act on a term that ends: the applicant, the reviewer, or the heads."""
    if case.status == Status.CLARIFICATION:
        return {case.applicant_id: NoticeKind.CLARIFICATION_REMINDER}
    await assignment.keep(session, case, now)
    if what is Alarm.REMIND and case.reviewer_id is not None:
        return {case.reviewer_id: NoticeKind.REVIEW_REMINDER}
    heads = await assignment.overseers_of(session, case, now)
    kind = NoticeKind.REVIEW_REMINDER if what is Alarm.REMIND else NoticeKind.REVIEW_ESCALATED
    return {head: kind for head in heads if head != case.applicant_id}


async def wake(
    database: Database,
    case_id: UUID,
    whom: clock.Whom = _whom,
    lapsed: str = "application_lapsed",
) -> CaseState:
    """Do what is due by the clock. Returns the state of the case. `whom`, `lapsed`: see `sound`."""
    async with database.work() as session:
        case = await lock(session, case_id)
        await sound(session, case, present(), whom, lapsed)
        return await state_of(session, case)


async def sound(
    session: AsyncSession,
    case: Case,
    now: datetime,
    whom: clock.Whom = _whom,
    lapsed: str = "application_lapsed",
) -> None:
    """Do what is due by the clock of a locked case: remind, escalate, or let it lapse.

    A clock never rejects. A case closed because no answer came can be copied. `whom` says who is
    reminded; `lapsed` is the kind of notice that tells the applicant of the end.
    """
    if case.wakes_at is None or case.wakes_at > now or case.closed_at is not None:
        return
    due = await clock.sound(session, case, now, whom)
    if due.last is Alarm.LAPSE:
        tell = [CaseNotice(lapsed, case.applicant_id)]
        await move(session, case, Transition.LAPSE, now=now, tell=tell)
        return
    if due.last is not None:
        case.rings, case.rung_at = 0, None
    case.wakes_at = due.next_at or case.wakes_at
    session.add(case)
