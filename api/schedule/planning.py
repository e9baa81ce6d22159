"""Planning the schedule over JSON: rooms, hours, exceptions, the wait list, calendars (W1)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.accounts.sign_in import StrictBody
from api.container import ContainerDep, Work
from api.http.auth import CurrentSession, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.clock import MeantDay, now
from rules.schedule.hours import DAY
from services.schedule import feed, planning, seen
from services.schedule.planning import LONGEST_NAME, HoursWish
from services.schedule.waiting import LONGEST_NOTE

router = APIRouter(route_class=CleanRoute, prefix="/schedule", tags=["schedule"])

Planner = Annotated[Actor, require(Permission.PLAN_SCHEDULE)]
Registrar = Annotated[Actor, require(Permission.BOOK)]


class RoomIn(StrictBody):
    """A room of a unit."""

    unit_id: UUID
    name: str = Field(max_length=5 * LONGEST_NAME)


class RoomOut(BaseModel):
    """A room that is open."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str


class IdOut(BaseModel):
    """What was made."""

    id: UUID


class HoursIn(StrictBody):
    """Hours of a day by the clock of the unit, in minutes after midnight; 1440 is 24:00."""

    clinician_id: UUID
    unit_id: UUID
    room_id: UUID | None = None
    starts: int = Field(ge=0, lt=DAY)
    ends: int = Field(gt=0, le=DAY)
    step: int = Field(ge=5, le=480, description="How many minutes one appointment lasts.")


class WeekIn(HoursIn):
    """Hours of days of the week; 0 is Monday. `valid_until` is the last day."""

    weekdays: list[Annotated[int, Field(ge=0, le=6)]] = Field(min_length=1, max_length=7)
    valid_from: MeantDay
    valid_until: MeantDay | None = None


class ExceptionIn(HoursIn):
    """Hours of one day that are worked besides, or not worked."""

    day: MeantDay
    works: bool


class WeekOut(BaseModel):
    """Hours of one day of the week."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    clinician_id: UUID
    room_id: UUID | None
    weekday: int
    starts: int
    ends: int
    step: int
    zone: str
    valid_from: date
    valid_until: date | None


class ExceptionOut(BaseModel):
    """Hours of one day that differ from the week."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    clinician_id: UUID
    room_id: UUID | None
    works: bool
    day: date
    starts: int
    ends: int
    step: int
    zone: str


class PlanOut(BaseModel):
    """The hours of a unit that are not over."""

    weekly: Sequence[WeekOut]
    exceptions: Sequence[ExceptionOut]


class LastDayIn(StrictBody):
    """The last day."""

    last_day: MeantDay


class WishIn(StrictBody):
    """Who waits for a time: with a clinician, or with anybody of the unit."""

    patient_id: UUID
    unit_id: UUID
    clinician_id: UUID | None = None
    note: str = Field("", max_length=5 * LONGEST_NOTE)


class WishOut(BaseModel):
    """Somebody who waits."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    patient_id: UUID
    patient: str
    unit_id: UUID
    clinician: str
    note: str
    added_at: datetime


class DeviceIn(StrictBody):
    """What the device is called."""

    name: str = Field(max_length=5 * feed.LONGEST_NAME)


class FeedDeviceOut(BaseModel):
    """A device that may read the calendar, and when it did last."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    made_at: datetime
    read_at: datetime | None


class AddressOut(BaseModel):
    """The address of the calendar. It is shown this once."""

    url: str


def _hours(body: HoursIn) -> HoursWish:
    return HoursWish(
        body.clinician_id, body.unit_id, body.room_id, body.starts, body.ends, body.step
    )


@router.get("/units/{unit_id}/rooms", responses=documented(401, 403))
async def list_rooms(unit_id: UUID, actor: Planner, session: Work) -> Sequence[RoomOut]:
    """The rooms of a unit."""
    actor.demand(Permission.PLAN_SCHEDULE, unit_id)
    return [RoomOut.model_validate(one) for one in await planning.rooms_of(session, unit_id)]


@router.post("/rooms", status_code=201, responses=documented(401, 403, 409, 422))
async def add_room(body: RoomIn, actor: Planner, container: ContainerDep) -> IdOut:
    """Name a room. The same name again is the same room."""
    return IdOut(id=await container.planning.add_room(actor, body.unit_id, body.name))


@router.delete("/rooms/{room_id}", status_code=204, responses=documented(401, 403, 404))
async def close_room(room_id: UUID, actor: Planner, container: ContainerDep) -> None:
    """Offer a room no longer."""
    await container.planning.close_room(actor, room_id)


@router.get("/units/{unit_id}/hours", responses=documented(401, 403))
async def list_hours(unit_id: UUID, actor: Planner, session: Work) -> PlanOut:
    """The hours of a unit."""
    actor.demand(Permission.PLAN_SCHEDULE, unit_id)
    weekly, exceptions = await planning.hours_of(session, unit_id, now().date())
    return PlanOut(
        weekly=[WeekOut.model_validate(one) for one in weekly],
        exceptions=[ExceptionOut.model_validate(one) for one in exceptions],
    )


@router.post("/hours", status_code=204, responses=documented(401, 403, 409, 422))
async def add_hours(body: WeekIn, actor: Planner, container: ContainerDep) -> None:
    """Let somebody work on days of the week. Hours that stand already stay."""
    await container.planning.add_hours(
        actor, _hours(body), body.weekdays, body.valid_from, body.valid_until
    )


@router.post("/hours/{hours_id}/end", status_code=204, responses=documented(401, 403, 404, 422))
async def end_hours(
    hours_id: UUID, body: LastDayIn, actor: Planner, container: ContainerDep
) -> None:
    """Let hours of the week end."""
    await container.planning.end_hours(actor, hours_id, body.last_day)


@router.post("/exceptions", status_code=204, responses=documented(401, 403, 409, 422))
async def add_exception(body: ExceptionIn, actor: Planner, container: ContainerDep) -> None:
    """Let one day differ from the week."""
    await container.planning.add_exception(actor, _hours(body), body.day, works=body.works)


@router.delete("/exceptions/{exception_id}", status_code=204, responses=documented(401, 403, 404))
async def take_back(exception_id: UUID, actor: Planner, container: ContainerDep) -> None:
    """Take an exception back."""
    await container.planning.take_back(actor, exception_id)


@router.get("/waiting", responses=documented(401, 403))
async def list_waiting(actor: Registrar, session: Work) -> Sequence[WishOut]:
    """Who waits for a time, the longest first."""
    return [WishOut.model_validate(one) for one in await seen.waiting(session, actor)]


@router.post("/waiting", status_code=204, responses=documented(401, 403, 404, 422))
async def add_wish(body: WishIn, actor: Registrar, container: ContainerDep) -> None:
    """Let a patient wait. The same wish again changes nothing."""
    await container.wait_list.add(
        actor, body.patient_id, body.unit_id, body.clinician_id, body.note
    )


@router.delete("/waiting/{wish_id}", status_code=204, responses=documented(401, 403, 404))
async def close_wish(wish_id: UUID, actor: Registrar, container: ContainerDep) -> None:
    """Let a patient wait no more."""
    await container.wait_list.close(actor, wish_id)


@router.get("/calendars", responses=documented(401, 403))
async def list_devices(session: Work, current: CurrentSession) -> Sequence[FeedDeviceOut]:
    """My devices that read my calendar."""
    current.actor.demand(Permission.TREAT)
    found = await feed.of_person(session, current.person_id)
    return [FeedDeviceOut.model_validate(one) for one in found]


@router.post("/calendars", status_code=201, responses=documented(401, 403, 409, 422))
async def add_device(
    body: DeviceIn, current: CurrentSession, container: ContainerDep
) -> AddressOut:
    """Let a device read my calendar. Its address is answered this once."""
    token = await container.calendar_feeds.make(current.actor, body.name)
    return AddressOut(url=feed.address(container.settings.public_url, token))


@router.delete("/calendars/{feed_id}", status_code=204, responses=documented(401, 403, 404))
async def end_device(feed_id: UUID, current: CurrentSession, container: ContainerDep) -> None:
    """Let a device read my calendar no more."""
    await container.calendar_feeds.revoke(current.actor, feed_id)
