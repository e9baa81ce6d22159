"""What the clock does with meetings: reminders, and the end of those without an outcome."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CaseState
from models.tables.base import Moment
from models.tables.meetings import Meeting, MeetingSlot
from models.tables.people import Person
from rules.access import Permission
from rules.clock import now as present
from rules.meetings import LENGTH, OUTCOME_WITHIN, MeetingState, next_look, reminded_by
from rules.notices.kinds import NoticeKind
from services import access
from services.meetings.acts import Booked, close, locked, tell_operator, tell_person
from services.meetings.purposes import hooks_of

BATCH = 50


def is_due(now: Moment) -> ColumnElement[bool]:
    """The condition that the time of a meeting has come."""
    return and_(col(Meeting.state) == MeetingState.BOOKED.value, col(Meeting.looks_at) <= now)


async def sweep(database: Database) -> list[CaseState]:
    """Look at all meetings whose time has come. Returns the cases that wait for one of them."""
    async with database.reading() as session:
        found = await session.exec(
            select(Meeting.id).where(is_due(present())).order_by(col(Meeting.looks_at)).limit(BATCH)
        )
        due = found.all()
    woken: list[CaseState] = []
    for meeting_id in due:
        async with database.work() as session:
            woken += await _look(session, meeting_id, present())
    return woken


async def _look(session: AsyncSession, meeting_id: UUID, now: datetime) -> list[CaseState]:
    held = await locked(session, meeting_id)
    meeting, slot = held.meeting, held.slot
    if meeting.state != MeetingState.BOOKED or meeting.looks_at > now:
        return []
    if now >= slot.starts_at + LENGTH + OUTCOME_WITHIN:
        await close(session, held, MeetingState.UNRECORDED, now)
        await tell_person(session, held, NoticeKind.MEETING_UNRECORDED, now)
        return list(await hooks_of(meeting.purpose).ended(session, meeting, now))
    if now < slot.starts_at and not await _can_meet(session, held, now):
        await release(session, held, now)
        return []
    meeting.reminded = max(reminded_by(slot.starts_at, now), meeting.reminded + 1)
    meeting.looks_at = next_look(slot.starts_at, meeting.reminded)
    session.add(meeting)
    if now < slot.starts_at:
        more = str(meeting.reminded)
        await tell_person(session, held, NoticeKind.MEETING_SOON, now, more)
        await tell_operator(session, meeting, slot, NoticeKind.MEETING_TO_HOLD, now, f"soon:{more}")
    return []


async def _can_meet(session: AsyncSession, held: Booked, now: datetime) -> bool:
    """Whether the operator still meets people of the person's unit."""
    person = await session.get_one(Person, held.meeting.person_id)
    able = await access.people_with(session, Permission.MEET_PEOPLE, person.unit_id, now)
    return held.slot.operator_id in able


async def release(session: AsyncSession, held: Booked, now: datetime) -> None:
    """Cancel a meeting that its operator cannot hold; the person is told to choose another time."""
    await close(session, held, MeetingState.CANCELLED, now)
    held.slot.withdrawn_at = held.slot.withdrawn_at or now
    session.add(held.slot)
    await tell_person(session, held, NoticeKind.MEETING_CANCELLED, now)


async def left(session: AsyncSession, person_id: UUID, now: datetime) -> None:
    """Cancel the meetings that lie ahead of somebody who works here no longer, on either side."""
    found = await session.exec(
        select(Meeting.id)
        .join(MeetingSlot, col(MeetingSlot.id) == col(Meeting.slot_id))
        .where(
            Meeting.state == MeetingState.BOOKED.value,
            MeetingSlot.starts_at > now,
            (col(MeetingSlot.operator_id) == person_id) | (col(Meeting.person_id) == person_id),
        )
        .order_by(col(Meeting.id))
    )
    for meeting_id in found.all():
        held = await locked(session, meeting_id)
        if held.meeting.state != MeetingState.BOOKED:
            continue
        if held.slot.operator_id == person_id:
            await release(session, held, now)
        else:
            await close(session, held, MeetingState.CANCELLED, now)
            await tell_operator(session, held.meeting, held.slot, NoticeKind.MEETING_FREED, now)
