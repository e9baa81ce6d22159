"""What the clock does to a result: people are reminded, heads told, offers come back, and whoever
cannot answer any more is replaced.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.clinic.laboratory import LaboratoryClient, LaboratoryRefused
from clients.database import Database
from models.messages import ResultLook, WorkflowName
from models.tables.people import Person, Unit
from models.tables.results import LabOffer, LabResult
from rules.cases.terms import Alarm, due_alarms
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.results.life import OPEN_STATES, OfferState, Passed, ResultState
from rules.results.terms import ResultTerms, next_midnight
from rules.results.values import Urgency
from services import access, own_workflows
from services.catalogue import lookup as catalogue
from services.own_workflows import OwnWorkflow
from services.results import answering, offers, rows

AGAIN = timedelta(minutes=10)
"""How long a laboratory is left alone that does not take a result back."""

OWN = OwnWorkflow(
    name=WorkflowName.RESULT,
    table=LabResult,
    due="looks_at",
    lives=lambda: col(LabResult.looks_at).is_not(None),
    held=timedelta(minutes=10),
)
"""What the sweeper has to know of results."""


def answered_by(person_id: UUID) -> ColumnElement[bool]:
    """The condition that an open result is somebody's, or is offered to them."""
    offered = select(LabOffer.result_id).where(
        LabOffer.to_id == person_id, LabOffer.state == OfferState.OFFERED.value
    )
    theirs = or_(col(LabResult.answers_id) == person_id, col(LabResult.id).in_(offered))
    return theirs & col(LabResult.state).in_(OPEN_STATES)


async def person_changed(session: AsyncSession, person_id: UUID, now: datetime) -> None:
    """Look at the results of somebody who goes away, leaves, or may do less: at once."""
    await own_workflows.ask_to_look(session, LabResult, "looks_at", answered_by(person_id), now)


async def look(
    database: Database,
    terms: ResultTerms,
    laboratory: LaboratoryClient | None,
    result_id: UUID,
) -> ResultLook:
    """Do what is due. Returns where the result stands, and when to look again; None: never."""
    async with database.reading() as session:
        row = await session.get(LabResult, result_id)
    if row is None:
        return ResultLook(state="none")
    if row.state == ResultState.RETURNED and row.return_told_at is None:
        await _give_back(database, laboratory, row)
    now = present()
    async with database.work() as session:
        row = await rows.locked(session, result_id)
        if row.looks_at is None:
            return _seen(row)
        if row.state in OPEN_STATES:
            await _tend(session, row, terms, now)
        elif row.state == ResultState.CONFIRMED or row.return_told_at is not None:
            row.looks_at = None
        elif row.looks_at <= now:
            row.looks_at = now + AGAIN
        session.add(row)
        return _seen(row)


def _seen(row: LabResult) -> ResultLook:
    return ResultLook(
        state=row.state, urgency=row.urgency, due_at=row.due_at, looks_at=row.looks_at
    )


async def _tend(session: AsyncSession, row: LabResult, terms: ResultTerms, now: datetime) -> None:
    """An open result: let an offer lapse, see that somebody answers, remind, escalate."""
    offer = await offers.lapse(session, row, now)
    before, unmatched = row.answers_id, row.state == ResultState.UNMATCHED
    row.answers_id = await rows.answerer(session, row, row.state, before, now)
    if row.answers_id != before:
        session.add(row)
        await session.flush()
        why = await _why(session, before, now)
        await rows.pass_to(session, row, before, why, now)
        offer = None
    unit = await session.get_one(Unit, row.unit_id)
    calendar = await catalogue.calendar(session)
    due = row.due_at or now
    moments = terms[Urgency(row.urgency)].alarms(row.opened_at, due, unit.time_zone, calendar)
    alarms = due_alarms(moments, row.alarms, now)
    if alarms.count:
        row.alarms += alarms.count
        await _alarm(session, row, alarms.last, now, unmatched=unmatched)
    next_ones = [alarms.next_at, next_midnight(now, unit.time_zone)]
    if offer is not None:
        next_ones.append(offer.lapses_at)
    row.looks_at = min(filter(None, next_ones))


async def _why(session: AsyncSession, before: UUID | None, now: datetime) -> Passed:
    """Why somebody answers no more: away for a while, or gone."""
    person = await session.get(Person, before) if before else None
    if person is None or not access.works(person, now):
        return Passed.GONE
    away = await answering.is_away(session, person.id, person.unit_id, now)
    return Passed.ABSENT if away else Passed.GONE


async def _alarm(
    session: AsyncSession, row: LabResult, alarm: Alarm | None, now: datetime, *, unmatched: bool
) -> None:
    if row.answers_id is None:
        return
    people, kind = [row.answers_id], NoticeKind.RESULT_WAITS
    if alarm is Alarm.ESCALATE:
        row.escalated_at = row.escalated_at or now
        heads = await answering.heads(session, row.unit_id, now)
        facts = {"told": [str(one) for one in heads]}
        await rows.note(session, row, JournalKind.RESULT_ESCALATED, now, facts=facts)
        key = f"{row.id}:late:{row.version}:{row.alarms}"
        others = [one for one in heads if one != row.answers_id]
        await rows.tell(session, row, others, NoticeKind.RESULT_LATE, now, key)
    else:
        await rows.note(session, row, JournalKind.RESULT_REMINDED, now)
    if unmatched:
        kind = NoticeKind.RESULT_UNMATCHED
    key = f"{row.id}:waits:{row.version}:{row.alarms}"
    await rows.tell(session, row, people, kind, now, key)


async def _give_back(
    database: Database, laboratory: LaboratoryClient | None, row: LabResult
) -> None:
    """Say to the laboratory that nobody here is meant. Raises LaboratoryDown, LaboratoryGarbled.

    A laboratory that is not connected, or refuses, is told by a person: the journal says so.
    """
    became = "told"
    if laboratory is None:
        became = "not_connected"
    else:
        try:
            await laboratory.give_back(row.number, row.version, row.return_reason or "")
        except LaboratoryRefused:
            became = "refused"
    now = present()
    async with database.work() as session:
        locked = await rows.locked(session, row.id)
        if locked.state != ResultState.RETURNED or locked.return_told_at is not None:
            return
        locked.return_told_at = now
        session.add(locked)
        await session.flush()
        facts = {"became": became}
        await rows.note(session, locked, JournalKind.RESULT_RETURN_TOLD, now, facts=facts)
