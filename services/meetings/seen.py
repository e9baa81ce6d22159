"""Meetings as people and operators see them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.meetings import Meeting, MeetingSlot
from models.tables.people import Person
from rules.access import Actor, Permission
from rules.journal.tags import ViewCode
from rules.meetings import LENGTH, MOST_AHEAD, MeetingState, Purpose
from rules.refusals import not_found
from services.journal import entries as journal
from services.meetings.acts import demand_operator
from services.meetings.purposes import PurposeQuestion, hooks_of

_KEPT_IN_SIGHT = timedelta(days=14)
_MOST_BEFORE = 20


@dataclass(frozen=True)
class MeetingSeen:
    """A meeting with both names. `room` is its id, empty once the meeting is over."""

    id: UUID
    person_id: UUID
    purpose: Purpose
    state: MeetingState
    starts_at: datetime
    ends_at: datetime
    person: str
    operator: str
    room: str
    changes: int
    compared: Sequence[str]
    marked: Sequence[str]
    reason: str | None

    @property
    def booked(self) -> bool:
        """Whether it is still to be held."""
        return self.state is MeetingState.BOOKED


@dataclass(frozen=True)
class TimeSeen:
    """A time in an operator's schedule, with its meeting."""

    slot_id: UUID
    starts_at: datetime
    meeting: MeetingSeen | None


_PERSON, _OPERATOR = aliased(Person), aliased(Person)
_SEEN = (
    select(Meeting, MeetingSlot, _PERSON, _OPERATOR)
    .join(MeetingSlot, col(MeetingSlot.id) == col(Meeting.slot_id))
    .join(_PERSON, col(_PERSON.id) == col(Meeting.person_id))
    .join(_OPERATOR, col(_OPERATOR.id) == col(MeetingSlot.operator_id))
)


def _seen(meeting: Meeting, slot: MeetingSlot, person: Person, operator: Person) -> MeetingSeen:
    state = MeetingState(meeting.state)
    return MeetingSeen(
        id=meeting.id,
        person_id=meeting.person_id,
        purpose=Purpose(meeting.purpose),
        state=state,
        starts_at=slot.starts_at,
        ends_at=slot.starts_at + LENGTH,
        person=person.name,
        operator=operator.name,
        room=meeting.room if state is MeetingState.BOOKED else "",
        changes=meeting.changes,
        compared=tuple(meeting.compared),
        marked=tuple(meeting.marked),
        reason=meeting.reason,
    )


async def of_person(
    session: AsyncSession, person_id: UUID, purpose: Purpose | None = None
) -> Sequence[MeetingSeen]:
    """The last meetings of a person, the newest first."""
    query = _SEEN.where(Meeting.person_id == person_id)
    if purpose is not None:
        query = query.where(Meeting.purpose == purpose.value)
    found = await session.exec(query.order_by(col(Meeting.id).desc()).limit(_MOST_BEFORE))
    return [_seen(*row) for row in found.all()]


async def own(session: AsyncSession, person_id: UUID, meeting_id: UUID) -> MeetingSeen:
    """A meeting of the person's own. Raises Refusal 404."""
    found = await session.exec(
        _SEEN.where(Meeting.id == meeting_id, Meeting.person_id == person_id)
    )
    row = found.one_or_none()
    if row is None:
        raise not_found()
    return _seen(*row)


async def schedule(session: AsyncSession, actor: Actor, now: datetime) -> Sequence[TimeSeen]:
    """The operator's times that lie ahead, and those of the last days with a meeting in them.

    Raises Refusal 403.
    """
    actor.demand(Permission.MEET_PEOPLE)
    held = await session.exec(
        _SEEN.where(
            MeetingSlot.operator_id == actor.person_id,
            MeetingSlot.starts_at > now - _KEPT_IN_SIGHT,
            Meeting.state != MeetingState.CANCELLED.value,
        )
    )
    by_slot = {row[1].id: _seen(*row) for row in held.all()}
    times = await session.exec(
        select(MeetingSlot)
        .where(
            MeetingSlot.operator_id == actor.person_id,
            MeetingSlot.starts_at > now - _KEPT_IN_SIGHT,
            col(MeetingSlot.withdrawn_at).is_(None) | col(MeetingSlot.id).in_(by_slot),
        )
        .order_by(col(MeetingSlot.starts_at))
        .limit(MOST_AHEAD)
    )
    return [
        TimeSeen(slot.id, slot.starts_at, by_slot.get(slot.id))
        for slot in times.all()
        if slot.starts_at > now or slot.id in by_slot
    ]


async def of_day(
    session: AsyncSession, actor: Actor, begins: datetime, ends: datetime
) -> Sequence[MeetingSeen]:
    """The meetings that the operator is to hold between two moments. Raises Refusal 403."""
    actor.demand(Permission.MEET_PEOPLE)
    found = await session.exec(
        _SEEN.where(
            MeetingSlot.operator_id == actor.person_id,
            MeetingSlot.starts_at >= begins,
            MeetingSlot.starts_at < ends,
            Meeting.state == MeetingState.BOOKED.value,
        )
        .order_by(col(MeetingSlot.starts_at))
        .limit(MOST_AHEAD)
    )
    return [_seen(*row) for row in found.all()]


@dataclass(frozen=True)
class ToHold:
    """A meeting for the operator who holds it.

    `asked` is to be gone through with the person; with `gives_code`, the operator tells the person
    a code.
    """

    meeting: MeetingSeen
    asked: Sequence[PurposeQuestion]
    gives_code: bool


async def to_hold(session: AsyncSession, actor: Actor, meeting_id: UUID) -> ToHold:
    """A meeting for the operator who holds it; that it was looked at is recorded (I9).

    Raises Refusal 403, 404.
    """
    actor.demand(Permission.MEET_PEOPLE)
    found = await session.exec(_SEEN.where(Meeting.id == meeting_id))
    row = found.one_or_none()
    if row is None:
        raise not_found()
    await demand_operator(session, actor, row[0])
    await journal.record_view(session, actor, meeting_id, ViewCode.MEETING)
    hooks, meeting = hooks_of(row[0].purpose), row[0]
    asked = await hooks.asks(session, meeting.person_id)
    gives_code = meeting.ended_by == actor.person_id and await hooks.gives_code(session, meeting)
    return ToHold(_seen(*row), asked, gives_code)
