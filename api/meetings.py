"""Meetings by video over JSON: a person's own, and an operator's times."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.accounts.risks import LinkIn
from api.accounts.sign_in import StrictBody
from api.container import ContainerDep, Work
from api.http.auth import OPEN_TO_ALL, CurrentSession, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.account_locks import LockState
from rules.clock import MeantDay, now
from rules.meetings import CHECKLIST, MOST_MARKED, REASON, MeetingState, Purpose, room_link
from services.account_locks import seen as locks
from services.meetings import seen as meetings
from services.meetings import times
from services.meetings.seen import MeetingSeen

router = APIRouter(route_class=CleanRoute, prefix="/meetings", tags=["meetings"])

Operator = Annotated[Actor, require(Permission.MEET_PEOPLE)]


class MeetingOut(BaseModel):
    """A meeting of mine. `room` is the address of its room while it is booked."""

    id: UUID
    purpose: Purpose
    state: MeetingState
    starts_at: datetime
    ends_at: datetime
    operator: str
    room: str
    reason: str | None


class OfferedOut(BaseModel):
    """A time that can be booked."""

    model_config = ConfigDict(from_attributes=True)

    slot_id: UUID
    starts_at: datetime


class BookIn(StrictBody):
    """What the meeting is for, and its time."""

    purpose: Purpose
    slot_id: UUID


class MoveIn(StrictBody):
    """The new time of a meeting."""

    slot_id: UUID


class TimesIn(StrictBody):
    """Times of a day, by the clock of the operator's unit, on whole and half hours."""

    day: MeantDay
    first: time
    last: time


class OpenedOut(BaseModel):
    """How many times are offered now."""

    count: int


class TimeOut(BaseModel):
    """A time of the operator's own, with the meeting in it."""

    slot_id: UUID
    starts_at: datetime
    meeting_id: UUID | None
    state: MeetingState | None


class OutcomeIn(StrictBody):
    """How the meeting ended."""

    outcome: MeetingState
    compared: list[str] = Field(
        default=[], max_length=len(CHECKLIST), description=f"Of: {', '.join(CHECKLIST)}."
    )
    reason: str = Field("", max_length=5 * REASON[1])
    marked: list[str] = Field(
        default=[],
        max_length=MOST_MARKED,
        description="What is right of that which the meeting is to go through, by name.",
    )


class AskedOut(BaseModel):
    """Something that is gone through with the person in the meeting."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    words: str
    hint: str
    since: datetime | None


class ToHoldOut(BaseModel):
    """What a meeting goes through besides the checklist."""

    asked: Sequence[AskedOut]
    gives_code: bool = Field(description="Whether the person is to be told a code now.")


def _out(one: MeetingSeen, template: str) -> MeetingOut:
    return MeetingOut(
        id=one.id,
        purpose=one.purpose,
        state=one.state,
        starts_at=one.starts_at,
        ends_at=one.ends_at,
        operator=one.operator,
        room=room_link(template, one.room) if one.room else "",
        reason=one.reason,
    )


@router.get("", responses=documented(401, 403))
async def list_mine(
    session: Work, current: CurrentSession, container: ContainerDep
) -> Sequence[MeetingOut]:
    """My meetings, the newest first."""
    template = container.settings.meeting_room
    found = await meetings.of_person(session, current.person_id)
    return [_out(one, template) for one in found]


@router.get("/times", responses=documented(401, 403))
async def list_times(session: Work, current: CurrentSession) -> Sequence[OfferedOut]:
    """The free times, the next ones first."""
    found = await times.offered(session, current.person_id, now())
    return [OfferedOut.model_validate(one) for one in found]


@router.post("", status_code=201, responses=documented(401, 403, 404, 409, 422, 429))
async def book(body: BookIn, current: CurrentSession, container: ContainerDep) -> MeetingOut:
    """Book a time. The same again gives the same meeting."""
    meeting_id = await container.meetings.book(current.person_id, body.purpose, body.slot_id)
    async with container.database.reading() as session:
        found = await meetings.own(session, current.person_id, meeting_id)
    return _out(found, container.settings.meeting_room)


@router.post(
    "/{meeting_id}/move", status_code=204, responses=documented(401, 403, 404, 409, 422, 429)
)
async def move(
    meeting_id: UUID, body: MoveIn, current: CurrentSession, container: ContainerDep
) -> None:
    """Move a meeting of mine to another time."""
    await container.meetings.move(current.person_id, meeting_id, body.slot_id)


@router.delete("/{meeting_id}", status_code=204, responses=documented(401, 403, 404, 409))
async def cancel(meeting_id: UUID, current: CurrentSession, container: ContainerDep) -> None:
    """Cancel a meeting of mine that has not begun."""
    await container.meetings.cancel(current.person_id, meeting_id)


class UnlockingOut(BaseModel):
    """How far the owner of a locked account is: the meeting, or the times to choose from."""

    state: LockState
    meeting: MeetingOut | None
    times: Sequence[OfferedOut]


class BookByLinkIn(LinkIn):
    """The secret in the link, and the time."""

    slot_id: UUID


class CancelByLinkIn(LinkIn):
    """The secret in the link, and the meeting."""

    meeting_id: UUID


@router.post("/by-link", dependencies=[OPEN_TO_ALL], responses=documented(409, 422))
async def show_by_link(body: LinkIn, container: ContainerDep, session: Work) -> UnlockingOut:
    """What the link of the mail about a locked account opens. It names nobody."""
    found = await locks.choice(session, body.key, now())
    template = container.settings.meeting_room
    return UnlockingOut(
        state=found.state,
        meeting=_out(found.meeting, template) if found.meeting else None,
        times=[OfferedOut.model_validate(one) for one in found.offered],
    )


@router.post(
    "/by-link/book",
    status_code=204,
    dependencies=[OPEN_TO_ALL],
    responses=documented(404, 409, 422, 429),
)
async def book_by_link(body: BookByLinkIn, container: ContainerDep) -> None:
    """Book a meeting by the link. The same again changes nothing."""
    await container.account_locks.book(body.key, body.slot_id)


@router.post(
    "/by-link/cancel",
    status_code=204,
    dependencies=[OPEN_TO_ALL],
    responses=documented(404, 409, 422),
)
async def cancel_by_link(body: CancelByLinkIn, container: ContainerDep) -> None:
    """Cancel the meeting, to choose another time."""
    await container.account_locks.cancel(body.key, body.meeting_id)


@router.get("/schedule", responses=documented(401, 403))
async def list_schedule(session: Work, actor: Operator) -> Sequence[TimeOut]:
    """My times as an operator, the next ones first."""
    return [
        TimeOut(
            slot_id=one.slot_id,
            starts_at=one.starts_at,
            meeting_id=one.meeting.id if one.meeting else None,
            state=one.meeting.state if one.meeting else None,
        )
        for one in await meetings.schedule(session, actor, now())
    ]


@router.post("/schedule", responses=documented(401, 403, 409, 422))
async def open_times(body: TimesIn, session: Work, actor: Operator) -> OpenedOut:
    """Offer times."""
    return OpenedOut(
        count=await times.open_times(session, actor, body.day, body.first, body.last, now())
    )


@router.delete("/schedule/{slot_id}", status_code=204, responses=documented(401, 403, 404, 409))
async def withdraw_time(slot_id: UUID, actor: Operator, container: ContainerDep) -> None:
    """Offer a time no longer; whoever booked it is told."""
    await container.meetings.withdraw_time(actor, slot_id)


@router.get("/{meeting_id}/asked", responses=documented(401, 403, 404))
async def to_hold(meeting_id: UUID, session: Work, current: CurrentSession) -> ToHoldOut:
    """What the operator of a meeting goes through with the person. That it was read is recorded."""
    found = await meetings.to_hold(session, current.actor, meeting_id)
    asked = [AskedOut.model_validate(one) for one in found.asked]
    return ToHoldOut(asked=asked, gives_code=found.gives_code)


@router.post(
    "/{meeting_id}/outcome", status_code=204, responses=documented(401, 403, 404, 409, 422)
)
async def record(
    meeting_id: UUID, body: OutcomeIn, current: CurrentSession, container: ContainerDep
) -> None:
    """Record how a meeting ended: it says who somebody is, so no access token opens it."""
    await container.meetings.record(
        current.actor, meeting_id, body.outcome, body.compared, body.reason, body.marked
    )
