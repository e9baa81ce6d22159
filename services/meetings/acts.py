"""What people and operators do with meetings: book, move, cancel, record the outcome.

That a time has one meeting, and a person one booked meeting for each purpose, is said by unique
indexes: of two who book at once, the second is refused.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.meetings import Meeting, MeetingSlot
from models.tables.people import Person
from rules.access import Actor, Permission
from rules.accounts import Limit
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.meetings import (
    LATEST_BOOKING,
    MISSED_AT_MOST,
    MISSED_WITHIN,
    MeetingState,
    Purpose,
    already_booked,
    demand_outcome,
    meeting_over,
    missed_too_often,
    next_look,
    not_yourself,
    reminded_by,
    slot_taken,
    too_early,
    too_late,
)
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal, forbidden, not_found
from services import access, rate_limits
from services.cases.signals import CaseSignals
from services.journal import entries as journal
from services.meetings import times
from services.meetings.purposes import hooks_of
from services.notices import outbox
from services.notices.outbox import NoticeEvent

CHANGES = Limit("meeting", 20, timedelta(days=1))
"""How often one person may book or move meetings."""
_TOLD = {
    MeetingState.CONFIRMED: NoticeKind.MEETING_CONFIRMED,
    MeetingState.NOT_CONFIRMED: NoticeKind.MEETING_NOT_CONFIRMED,
    MeetingState.MISSED: NoticeKind.MEETING_MISSED,
    MeetingState.UNRECORDED: NoticeKind.MEETING_UNRECORDED,
}


@dataclass(frozen=True)
class Booked:
    """A meeting with its time, both locked."""

    meeting: Meeting
    slot: MeetingSlot


class Meetings:
    """The acts on meetings; after an outcome the workflows that wait for it are woken."""

    def __init__(self, database: Database, signals: CaseSignals) -> None:
        self._database = database
        self._signals = signals

    async def book(self, person_id: UUID, purpose: Purpose, slot_id: UUID) -> UUID:
        """Book a time. Booking the same time again gives the same meeting.

        Raises Refusal 409 `slot_taken` or `already_booked`, 429, and what the purpose demands.
        """
        now = present()
        await self._demand_seldom(person_id, now)
        try:
            async with self._database.work() as session:
                before = await booked_of(session, person_id, purpose)
                if before is not None:
                    if before.slot_id == slot_id:
                        return before.id
                    raise already_booked()
                await hooks_of(purpose).demand(session, person_id)
                await _demand_not_missed(session, person_id, now)
                slot = await times.one_offered(session, person_id, slot_id, now)
                if slot is None:
                    raise slot_taken()
                reminded = reminded_by(slot.starts_at, now)
                meeting = Meeting(
                    person_id=person_id,
                    purpose=purpose.value,
                    slot_id=slot_id,
                    room=secrets.token_urlsafe(16),
                    state=MeetingState.BOOKED.value,
                    reminded=reminded,
                    looks_at=next_look(slot.starts_at, reminded),
                    booked_at=now,
                )
                session.add(meeting)
                await session.flush()
                await _note(session, meeting, JournalKind.MEETING_BOOKED, now, slot.starts_at)
                await _tell_both(session, meeting, slot.operator_id, slot.starts_at, now)
                return meeting.id
        except IntegrityError as error:
            raise _refusal_of(error) from None

    async def move(self, person_id: UUID, meeting_id: UUID, slot_id: UUID) -> None:
        """Move a booked meeting to another time; its room is another one too.

        Raises Refusal 404, 409 `meeting_over`, `too_late`, `slot_taken`, 429.
        """
        now = present()
        await self._demand_seldom(person_id, now)
        try:
            async with self._database.work() as session:
                held = await locked(session, meeting_id)
                meeting, before = _own(held, person_id), held.slot
                if meeting.slot_id == slot_id:
                    return
                if before.starts_at - now < LATEST_BOOKING:
                    raise too_late()
                slot = await times.one_offered(session, person_id, slot_id, now)
                if slot is None:
                    raise slot_taken()
                meeting.slot_id = slot_id
                meeting.room = secrets.token_urlsafe(16)
                meeting.changes += 1
                meeting.reminded = reminded_by(slot.starts_at, now)
                meeting.looks_at = next_look(slot.starts_at, meeting.reminded)
                session.add(meeting)
                await session.flush()
                await _note(session, meeting, JournalKind.MEETING_MOVED, now, slot.starts_at)
                await tell_operator(session, meeting, before, NoticeKind.MEETING_FREED, now)
                await _tell_both(session, meeting, slot.operator_id, slot.starts_at, now)
        except IntegrityError as error:
            raise _refusal_of(error) from None

    async def cancel(self, person_id: UUID, meeting_id: UUID) -> None:
        """Cancel a booked meeting that has not begun. Cancelling it again changes nothing.

        Raises Refusal 404, 409 `meeting_over`, `too_late`.
        """
        now = present()
        async with self._database.work() as session:
            held = await locked(session, meeting_id)
            meeting = held.meeting
            if meeting.person_id == person_id and meeting.state == MeetingState.CANCELLED:
                return
            _own(held, person_id)
            if held.slot.starts_at <= now:
                raise too_late()
            await close(session, held, MeetingState.CANCELLED, now, by=person_id)
            await tell_operator(session, meeting, held.slot, NoticeKind.MEETING_FREED, now)

    async def withdraw_time(self, actor: Actor, slot_id: UUID) -> None:
        """Offer a time no longer; whoever has booked it is told to choose another one.

        Raises Refusal 403, 404, 409 `too_late` for a time that has begun.
        """
        try:
            await self._withdraw(actor, slot_id)
        except IntegrityError:
            # Somebody has booked it after it was looked at: now that is seen.
            await self._withdraw(actor, slot_id)

    async def _withdraw(self, actor: Actor, slot_id: UUID) -> None:
        now = present()
        async with self._database.work() as session:
            found = await session.exec(
                select(Meeting.id).where(
                    Meeting.slot_id == slot_id, Meeting.state == MeetingState.BOOKED.value
                )
            )
            # A meeting is locked before its time, everywhere.
            booked = found.one_or_none()
            held = await locked(session, booked) if booked is not None else None
            if held is not None and held.slot.id != slot_id:
                # Its person has just moved it to another time, where it stays.
                held = None
            slot = await times.locked_own(session, actor, slot_id)
            if slot.starts_at <= now:
                raise too_late()
            if held is not None and held.meeting.state == MeetingState.BOOKED:
                await close(session, held, MeetingState.CANCELLED, now, by=actor.person_id)
                await tell_person(session, held, NoticeKind.MEETING_CANCELLED, now)
            slot.withdrawn_at = slot.withdrawn_at or now
            session.add(slot)
            await journal.append(
                session,
                chain=actor.person_id,
                kind=JournalKind.MEETING_TIME_WITHDRAWN,
                at=now,
                by=actor.person_id,
                facts={"starts_at": slot.starts_at.isoformat()},
                lock=True,
            )

    async def record(
        self,
        actor: Actor,
        meeting_id: UUID,
        outcome: str,
        compared: Sequence[str],
        reason: str,
        marked: Sequence[str] = (),
    ) -> None:
        """Record how a meeting ended. The same outcome again by the same operator changes nothing.

        `marked` are names of what the purpose asks for. Raises Refusal 403 `oneself`, 404, 409
        `too_early`, `meeting_over`, 422.
        """
        state, seen, said = demand_outcome(outcome, compared, reason)
        now = present()
        async with self._database.work() as session:
            held = await locked(session, meeting_id)
            meeting = held.meeting
            await demand_operator(session, actor, meeting)
            if meeting.state == state and meeting.ended_by == actor.person_id:
                return
            if meeting.state != MeetingState.BOOKED:
                raise meeting_over()
            if now < held.slot.starts_at:
                raise too_early()
            meeting.compared, meeting.reason = seen, said or None
            if state is MeetingState.CONFIRMED:
                asked = await hooks_of(meeting.purpose).asks(session, meeting.person_id)
                meeting.marked = [one.name for one in asked if one.name in marked]
            await close(session, held, state, now, by=actor.person_id)
            await tell_person(session, held, _TOLD[state], now)
            woken = await hooks_of(meeting.purpose).ended(session, meeting, now)
        self._signals.wake(woken)

    async def _demand_seldom(self, person_id: UUID, now: datetime) -> None:
        async with self._database.work() as session:
            wait = await rate_limits.take(session, [(CHANGES, str(person_id))], now)
        if wait:
            words = "Вы слишком часто меняете встречу. Подождите и повторите."
            raise Refusal("too_often", words, 429, retry_after=wait)


async def booked_of(session: AsyncSession, person_id: UUID, purpose: Purpose) -> Meeting | None:
    """The booked meeting of a person for a purpose."""
    found = await session.exec(
        select(Meeting).where(
            Meeting.person_id == person_id,
            Meeting.purpose == purpose.value,
            Meeting.state == MeetingState.BOOKED.value,
        )
    )
    return found.one_or_none()


async def demand_operator(session: AsyncSession, actor: Actor, meeting: Meeting) -> None:
    """Raise Refusal 404 unless the person meets people of that unit, 403 for the person's own."""
    person = await session.get_one(Person, meeting.person_id)
    if not actor.may(Permission.MEET_PEOPLE, person.unit_id):
        raise not_found() if actor.may(Permission.MEET_PEOPLE) else forbidden()
    if person.id == actor.person_id:
        raise not_yourself()


async def close(
    session: AsyncSession, held: Booked, state: MeetingState, now: datetime, by: UUID | None = None
) -> None:
    """End a booked meeting in this state, and journal it."""
    meeting = held.meeting
    meeting.state, meeting.ended_at, meeting.ended_by = state.value, now, by
    session.add(meeting)
    await session.flush()
    cancelled = state is MeetingState.CANCELLED
    kind = JournalKind.MEETING_CANCELLED if cancelled else JournalKind.MEETING_ENDED
    await journal.append(
        session,
        chain=meeting.person_id,
        kind=kind,
        at=now,
        by=by,
        system=None if by else "meetings",
        facts={
            "meeting": str(meeting.id),
            "purpose": meeting.purpose,
            "state": state.value,
            "compared": meeting.compared,
            "marked": meeting.marked,
        },
        contents={"reason": meeting.reason} if meeting.reason else None,
        lock=True,
    )


async def tell_person(
    session: AsyncSession, held: Booked, kind: NoticeKind, now: datetime, more: str = ""
) -> None:
    """Notify the person of a meeting, once for each kind and `more`."""
    meeting = held.meeting
    facts = await _when(session, meeting.person_id, held.slot.starts_at)
    key = f"{meeting.id}:{meeting.changes}:{kind}:{more}"
    told = NoticeEvent(meeting.person_id, kind, key, facts=facts)
    await outbox.enqueue_all(session, [told], now)


async def tell_operator(
    session: AsyncSession,
    meeting: Meeting,
    slot: MeetingSlot,
    kind: NoticeKind,
    now: datetime,
    more: str = "",
) -> None:
    """Notify the operator whose time it is, likewise."""
    facts = await _when(session, slot.operator_id, slot.starts_at)
    key = f"{meeting.id}:{slot.id}:{kind}:{more}"
    told = NoticeEvent(slot.operator_id, kind, key, facts=facts)
    await outbox.enqueue_all(session, [told], now)


async def _when(session: AsyncSession, person_id: UUID, at: datetime) -> dict[str, str]:
    """Day and time of a meeting in the zone of a person's unit."""
    person = await session.get_one(Person, person_id)
    here = at.astimezone(await access.zone_of(session, person.unit_id))
    return {"day": here.date().isoformat(), "time": f"{here:%H:%M}"}


async def _tell_both(
    session: AsyncSession, meeting: Meeting, operator_id: UUID, at: datetime, now: datetime
) -> None:
    slot = MeetingSlot(id=meeting.slot_id, operator_id=operator_id, starts_at=at)
    await tell_person(session, Booked(meeting, slot), NoticeKind.MEETING_BOOKED, now)
    more = str(meeting.changes)
    await tell_operator(session, meeting, slot, NoticeKind.MEETING_TO_HOLD, now, more)


async def locked(session: AsyncSession, meeting_id: UUID) -> Booked:
    """A meeting with its time, locked. Raises Refusal 404."""
    found = await session.exec(
        select(Meeting)
        .where(Meeting.id == meeting_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    meeting = found.one_or_none()
    if meeting is None:
        raise not_found()
    return Booked(meeting, await session.get_one(MeetingSlot, meeting.slot_id))


def _own(held: Booked, person_id: UUID) -> Meeting:
    """The meeting, if it is the person's and still booked. Raises Refusal 404, 409."""
    if held.meeting.person_id != person_id:
        raise not_found()
    if held.meeting.state != MeetingState.BOOKED:
        raise meeting_over()
    return held.meeting


async def _demand_not_missed(session: AsyncSession, person_id: UUID, now: datetime) -> None:
    """Raise Refusal 429 for whoever has missed too many meetings lately."""
    found = await session.exec(
        select(Meeting.ended_at)
        .where(
            Meeting.person_id == person_id,
            Meeting.state == MeetingState.MISSED.value,
            col(Meeting.ended_at) > now - MISSED_WITHIN,
        )
        .order_by(col(Meeting.ended_at))
    )
    missed = [at for at in found.all() if at is not None]
    if len(missed) >= MISSED_AT_MOST:
        opens = missed[-MISSED_AT_MOST] + MISSED_WITHIN
        raise missed_too_often(max(1, int((opens - now).total_seconds())))


async def _note(
    session: AsyncSession, meeting: Meeting, kind: JournalKind, now: datetime, starts_at: datetime
) -> None:
    await journal.append(
        session,
        chain=meeting.person_id,
        kind=kind,
        at=now,
        by=meeting.person_id,
        facts={
            "meeting": str(meeting.id),
            "purpose": meeting.purpose,
            "starts_at": starts_at.isoformat(),
        },
        lock=True,
    )


def _refusal_of(error: IntegrityError) -> Refusal:
    """Which of the unique indexes was in the way."""
    return already_booked() if "meeting_open" in str(error.orig) else slot_taken()
