"""The clock of a request: its term, whom it tells, when the module is asked again, when it is down.

Nothing is refused by a clock. The applicant is told once, and honestly, that the term is over.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case
from models.tables.requests import RequestMessage
from rules.cases import Party, Status
from rules.forms import CaseTypeDefinition
from rules.journal import JournalKind
from rules.permissions import Permission
from rules.terms import Alarm
from services import access, assignments, journal, notices, outages
from services.cases import alarm_of, terms_of
from services.drafts import rules_of
from services.outages import GOV_SERVICE

FIRST_ASK_AFTER, LAST_ASK_AFTER = timedelta(seconds=30), timedelta(minutes=30)
"""How long a callback is waited for before the module is asked; doubled each time."""


def next_ask(asks: int, now: datetime) -> datetime:
    """When the module is asked for the `asks`-th time from 0, as no callback came."""
    return now + min(FIRST_ASK_AFTER * (1 << min(asks, 10)), LAST_ASK_AFTER)


async def sound(session: AsyncSession, case: Case, now: datetime) -> datetime | None:
    """Tell what the term says of a locked case by now; of several alarms missed, the last.

    Answers when the next one is, None where no clock runs.
    """
    terms, calendar = await terms_of(session, case)
    missed: Alarm | None = None
    while (found := alarm_of(case, Status(case.status), case.since, terms, calendar)) is not None:
        moment, alarm = found
        if moment > now:
            break
        missed = alarm
        case.alarms += 1
    if missed is not None:
        await _tell(session, case, missed, now)
        session.add(case)
    return found[0] if found else None


async def _tell(session: AsyncSession, case: Case, alarm: Alarm, now: datetime) -> None:
    definition, _ = await rules_of(session, case)
    overdue = alarm is Alarm.ESCALATE
    told = await _whom(session, case, definition, alarm, now)
    if overdue and case.escalated_at is None:
        case.escalated_at = now
        told[case.applicant_id] = "request_overdue"
    await journal.append(
        session,
        chain=case.id,
        kind=JournalKind.CASE_ESCALATED if overdue else JournalKind.CASE_REMINDED,
        at=now,
        system="clock",
        step=case.step,
        facts={"told": sorted(map(str, told)), "alarm": case.alarms},
    )
    for person, kind in told.items():
        await notices.enqueue(
            session,
            person_id=person,
            kind=kind,
            case_id=case.id,
            event_key=f"{case.id}:{case.step}:{kind}:{case.alarms}",
            facts={"number": case.number},
            now=now,
        )


async def _whom(
    session: AsyncSession,
    case: Case,
    definition: CaseTypeDefinition,
    alarm: Alarm,
    now: datetime,
) -> dict[UUID, str]:
    """Who can do something about it, and the kind of notice: people of the unit, or ops."""
    unit = case.responsible_unit_id
    if not definition.answered_by_people:
        people = await access.people_with(session, Permission.WATCH_OPERATION, unit, now)
        return dict.fromkeys(people, "request_late")
    await assignments.keep(session, case, now)
    if alarm is Alarm.REMIND:
        kind, people = "request_reminder", [case.reviewer_id] if case.reviewer_id else []
    else:
        kind, people = "request_escalated", await assignments.heads_of(session, unit, now)
    people = people or await access.people_with(session, Permission.REVIEW, unit, now)
    return dict.fromkeys((one for one in people if one != case.applicant_id), kind)


async def note_down(session: AsyncSession, case: Case, now: datetime) -> datetime:
    """The module does not answer: note the outage once, and when to try again."""
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
    """Have a locked case woken at the next alarm, question or try, whichever comes first."""
    moments = [await sound(session, case, now), again, message.ask_at if message else None]
    case.wakes_at = min((one for one in moments if one is not None), default=None)
    case.rings, case.rung_at = 0, None
    session.add(case)
