"""Free times and appointments over JSON (W1).

Every act takes an `Idempotency-Key`. A time that is taken is answered by 409 `taken` with who or
what has it: `clinician`, `patient`, `room`; never with another patient.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.accounts.sign_in import StrictBody
from api.cases.drafts import IdempotencyKey
from api.container import ContainerDep, Reading, Work
from api.http.auth import OPEN_TO_ALL, CurrentActor, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.clock import MeantDay, MeantMoment, now
from rules.schedule.hours import MOST_DAYS
from rules.schedule.states import REASON, AppointmentState, VisitStep
from services.schedule import free, seen
from services.schedule.acts import ChangedAppointment, TimeWish
from services.schedule.seen import AppointmentSeen, AppointmentTrouble

router = APIRouter(route_class=CleanRoute, prefix="/schedule", tags=["schedule"])
feed_router = APIRouter(route_class=CleanRoute, tags=["schedule"])

Registrar = Annotated[Actor, require(Permission.BOOK)]
Days = Annotated[int, Query(ge=1, le=MOST_DAYS)]


class FreeOut(BaseModel):
    """A time in which somebody can be booked."""

    model_config = ConfigDict(from_attributes=True)

    clinician_id: UUID
    unit_id: UUID
    room_id: UUID | None
    starts_at: datetime
    ends_at: datetime


class AppointmentOut(BaseModel):
    """An appointment. `wall` is what the clock of `zone` showed when it was booked."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    state: AppointmentState
    clinician_id: UUID
    clinician: str
    patient_id: UUID | None = Field(description="Null where the name is not yours to see.")
    patient: str
    room: str
    unit_id: UUID
    starts_at: datetime
    ends_at: datetime
    zone: str
    wall: datetime
    overbooked: bool
    moved_to: UUID | None
    reason: str
    trouble: AppointmentTrouble | None = Field(description="Why it cannot take place as booked.")
    steps: Sequence[VisitStep]


class AppointmentIn(StrictBody):
    """The time that is wanted.

    With `hold` it is kept for five minutes only, until the step `confirm`. `beside` is the reason
    for booking in spite of the hours or beside another appointment.
    """

    clinician_id: UUID
    patient_id: UUID
    starts_at: MeantMoment
    minutes: int | None = Field(None, ge=5, le=480, description="Null: as the hours say.")
    beside: str = Field("", max_length=5 * REASON[1])
    hold: bool = False


class AppointmentMoveIn(AppointmentIn):
    """The new time, and the version that was seen. The patient must be the same."""

    version: int = Field(ge=1, lt=2**31)


class VisitStepIn(StrictBody):
    """A step, and the version that was seen."""

    version: int = Field(ge=1, lt=2**31)
    step: VisitStep
    reason: str = Field("", max_length=5 * REASON[1])


class ChangedAppointmentOut(BaseModel):
    """The appointment as it stands now."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    state: AppointmentState


class ClinicianOut(BaseModel):
    """Somebody who has hours in a unit."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    position: str
    unit_id: UUID


def _wish(body: AppointmentIn) -> TimeWish:
    return TimeWish(
        clinician_id=body.clinician_id,
        patient_id=body.patient_id,
        starts_at=body.starts_at,
        minutes=body.minutes,
        beside=body.beside,
        hold=body.hold,
    )


def _out(changed: ChangedAppointment) -> ChangedAppointmentOut:
    return ChangedAppointmentOut.model_validate(changed)


def _shown(found: Sequence[AppointmentSeen]) -> Sequence[AppointmentOut]:
    return [AppointmentOut.model_validate(one) for one in found]


@router.get("/clinicians", responses=documented(401, 403))
async def list_clinicians(actor: Registrar, session: Work) -> Sequence[ClinicianOut]:
    """Who can be booked, in the units where I book."""
    found = await seen.clinicians(session, actor.units_with(Permission.BOOK), now().date())
    return [ClinicianOut.model_validate(one) for one in found]


@router.get("/free", responses=documented(401, 403, 422))
async def list_free(
    actor: Registrar,
    session: Reading,
    clinician_id: Annotated[list[UUID], Query(min_length=1, max_length=free.MOST_CLINICIANS)],
    first: MeantDay,
    days: Days = 7,
) -> Sequence[FreeOut]:
    """The free times of clinicians from a day on, in the units where I book."""
    found = await free.free_times(session, clinician_id, first, days, now())
    mine = actor.units_with(Permission.BOOK)
    return [FreeOut.model_validate(one) for one in found if one.unit_id in mine]


@router.get("/clinicians/{clinician_id}/appointments", responses=documented(401, 403, 422))
async def list_of_clinician(
    clinician_id: UUID, actor: CurrentActor, session: Work, first: MeantDay, days: Days = 1
) -> Sequence[AppointmentOut]:
    """What a clinician has on some days. That it was seen is recorded."""
    zone = (await seen.clinician(session, clinician_id)).zone
    return _shown(await seen.of_clinician(session, actor, clinician_id, first, days, zone))


@router.get("/units/{unit_id}/appointments", responses=documented(401, 403, 404, 422))
async def list_of_unit(
    unit_id: UUID,
    actor: CurrentActor,
    session: Work,
    first: MeantDay,
    days: Days = 1,
    state: Annotated[list[AppointmentState] | None, Query(max_length=8)] = None,
) -> Sequence[AppointmentOut]:
    """What a unit has on some days: also the journal of visits. That it was seen is recorded."""
    return _shown(await seen.of_unit(session, actor, unit_id, first, days, state or ()))


@router.get("/units/{unit_id}/to-settle", responses=documented(401, 403, 404))
async def list_to_settle(
    unit_id: UUID, actor: CurrentActor, session: Work
) -> Sequence[AppointmentOut]:
    """What is booked and cannot take place so: hours, absences or the zone have changed."""
    return _shown(await seen.to_settle(session, actor, unit_id, now()))


@router.post("/appointments", status_code=201, responses=documented(401, 403, 404, 409, 422))
async def book(
    body: AppointmentIn,
    actor: CurrentActor,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> ChangedAppointmentOut:
    """Book a time for a patient, or hold it."""
    return _out(await container.appointments.book(actor, idempotency_key, _wish(body)))


@router.get("/appointments/{appointment_id}", responses=documented(401, 403, 404))
async def read(appointment_id: UUID, actor: CurrentActor, session: Work) -> AppointmentOut:
    """One appointment."""
    return AppointmentOut.model_validate(await seen.one(session, actor, appointment_id))


@router.post(
    "/appointments/{appointment_id}/move",
    status_code=201,
    responses=documented(401, 403, 404, 409, 422),
)
async def move(
    appointment_id: UUID,
    body: AppointmentMoveIn,
    actor: CurrentActor,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> ChangedAppointmentOut:
    """Give an appointment another time. The new one is answered; the old one names it."""
    return _out(
        await container.appointments.move(
            actor, idempotency_key, appointment_id, body.version, _wish(body)
        )
    )


@router.post("/appointments/{appointment_id}/steps", responses=documented(401, 403, 404, 409, 422))
async def step(
    appointment_id: UUID,
    body: VisitStepIn,
    actor: CurrentActor,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> ChangedAppointmentOut:
    """Confirm, arrive, begin, complete, miss, cancel; or undo, with a reason."""
    return _out(
        await container.appointments.step(
            actor, idempotency_key, appointment_id, body.version, body.step, body.reason
        )
    )


@feed_router.get(
    "/calendars/{token}.ics",
    dependencies=[OPEN_TO_ALL],
    responses=documented(404),
    response_class=Response,
)
async def calendar(
    token: str, container: ContainerDep, if_none_match: Annotated[str, Header()] = ""
) -> Response:
    """The calendar of one device (RFC 5545), without anything about patients."""
    file = await container.calendar_feeds.read(token)
    headers = {"ETag": file.tag, "Cache-Control": "no-store"}
    if if_none_match == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type="text/calendar; charset=utf-8", headers=headers)
