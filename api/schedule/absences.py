"""Absences over JSON, and the appointments that they displace (W1).

Whoever plans a unit sees its absences. An act on an appointment takes an `Idempotency-Key`.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.accounts.sign_in import StrictBody
from api.cases.drafts import IdempotencyKey
from api.container import ContainerDep, Work
from api.http.auth import require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.absences import (
    ACCEPTED_AT_ONCE,
    AbsenceReason,
    AbsenceState,
    DisplacedOutcome,
    PatientTelling,
)
from rules.access import Actor, Permission
from rules.clock import MeantDay, MeantMoment, now
from rules.schedule.states import REASON
from services.absences import seen
from services.absences.acts import AbsenceDays
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, prefix="/schedule/absences", tags=["schedule"])

Planner = Annotated[Actor, require(Permission.PLAN_SCHEDULE)]
Booker = Annotated[Actor, require(Permission.BOOK)]
Version = Annotated[int, Field(ge=1, lt=2**31)]


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class DaysIn(StrictBody):
    """The days of an absence, both included, by the calendar of the unit."""

    first_day: MeantDay
    last_day: MeantDay
    reason: AbsenceReason


class AbsencePlanIn(DaysIn):
    """Who is absent."""

    person_id: UUID


class AbsenceChangeIn(DaysIn):
    """Other days, and the version that was seen."""

    version: Version


class AbsenceVersionIn(StrictBody):
    """The version that was seen."""

    version: Version


class SeenProposalIn(AbsenceVersionIn):
    """A displaced appointment, and the version in which its proposal was seen."""

    id: UUID


class AcceptAllIn(StrictBody):
    """The proposals to accept."""

    proposals: list[SeenProposalIn] = Field(min_length=1, max_length=ACCEPTED_AT_ONCE)


class ChosenTimeIn(StrictBody):
    """Another time than the one that is proposed."""

    clinician_id: UUID
    starts_at: MeantMoment


class CancellingIn(StrictBody):
    """Why the appointment is cancelled."""

    reason: str = Field(max_length=5 * REASON[1])


class AbsencePlanOut(_Out):
    """An absence. `waits` counts appointments that somebody has to see to."""

    id: UUID
    version: int
    person_id: UUID
    person: str
    unit_id: UUID
    first_day: date
    last_day: date = Field(description="9999-12-31: the person leaves for good.")
    reason: AbsenceReason
    state: AbsenceState
    changeable: bool = Field(description="Whether its days were entered here, and by your unit.")
    waits: int
    all: int


class DisplacedOut(_Out):
    """An appointment that needs another time, or had it."""

    id: UUID
    version: int
    appointment_id: UUID
    starts_at: datetime
    ends_at: datetime
    patient: str = Field(description="Empty where the name is not yours to see.")
    phone: str = Field(description="Where somebody has to be called.")
    to_clinician: str = Field(description="Whose time is proposed; empty: nothing is free.")
    to_starts_at: datetime | None
    outcome: DisplacedOutcome | None
    telling: PatientTelling | None
    moved_to: UUID | None
    done: bool


class AbsencePageOut(_Out):
    """An absence with its appointments: those that wait, and those that are done."""

    absence: AbsencePlanOut
    waiting: list[DisplacedOut]
    done: list[DisplacedOut]


class OtherTimeOut(_Out):
    """A free time to choose."""

    clinician_id: UUID
    clinician: str
    starts_at: datetime
    ends_at: datetime


class RefusedProposalOut(BaseModel):
    """Why one proposal was not accepted."""

    id: UUID
    code: str
    message: str


class AcceptedOut(BaseModel):
    """What became of each proposal: the new appointment by displaced appointment, or why not."""

    moved: dict[UUID, UUID]
    refused: list[RefusedProposalOut]


class EnteredOut(BaseModel):
    """The absence, or the new appointment."""

    id: UUID


def _days(body: DaysIn) -> AbsenceDays:
    return AbsenceDays(body.first_day, body.last_day, body.reason)


@router.get("", responses=documented(401, 403))
async def list_absences(actor: Planner, session: Work) -> Sequence[AbsencePlanOut]:
    """Absences that last, are to come, or for which somebody waits; the most urgent first."""
    found = await seen.listed(session, actor, now().date())
    return [AbsencePlanOut.model_validate(one) for one in found]


@router.post("", status_code=201, responses=documented(401, 403, 404, 422))
async def plan_absence(
    body: AbsencePlanIn, actor: Planner, container: ContainerDep, idempotency_key: IdempotencyKey
) -> EnteredOut:
    """Enter that somebody is absent. Each appointment of these days gets a proposal."""
    made = await container.absences.plan(actor, idempotency_key, body.person_id, _days(body))
    return EnteredOut(id=made)


@router.get("/{plan_id}", responses=documented(401, 403, 404))
async def read_absence(plan_id: UUID, actor: Planner, session: Work) -> AbsencePageOut:
    """One absence with its appointments. That it was seen is recorded."""
    return AbsencePageOut.model_validate(await seen.page(session, actor, plan_id))


@router.put("/{plan_id}", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def change_absence(
    plan_id: UUID, body: AbsenceChangeIn, actor: Planner, container: ContainerDep
) -> None:
    """Let it last longer or shorter: appointments are added, or stay as they were booked."""
    await container.absences.change(actor, plan_id, body.version, _days(body))


@router.post("/{plan_id}/withdraw", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def withdraw_absence(
    plan_id: UUID, body: AbsenceVersionIn, actor: Planner, container: ContainerDep
) -> None:
    """Say that nobody is absent: what was not moved yet stays as it was booked."""
    await container.absences.withdraw(actor, plan_id, body.version)


@router.post("/{plan_id}/accept", responses=documented(401, 403, 404, 409, 422))
async def accept_all(
    plan_id: UUID,
    body: AcceptAllIn,
    actor: Planner,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> AcceptedOut:
    """Accept several proposals as they were seen. One that is refused hinders no other."""
    seen_ones = {one.id: one.version for one in body.proposals}
    done = await container.absences.accept_all(actor, idempotency_key, plan_id, seen_ones)
    refused = [
        RefusedProposalOut(id=one, code=refusal.code, message=in_words(refusal.message))
        for one, refusal in done.refused.items()
    ]
    return AcceptedOut(moved=done.moved, refused=refused)


@router.get("/appointments/{displaced_id}/times", responses=documented(401, 403, 404))
async def list_times(displaced_id: UUID, actor: Planner, session: Work) -> Sequence[OtherTimeOut]:
    """Times that the appointment could have, the soonest first."""
    found = await seen.choices(session, actor, displaced_id, now())
    return [OtherTimeOut.model_validate(one) for one in found]


@router.post(
    "/appointments/{displaced_id}/accept",
    status_code=201,
    responses=documented(401, 403, 404, 409, 422),
)
async def accept(
    displaced_id: UUID,
    body: AbsenceVersionIn,
    actor: Planner,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> EnteredOut:
    """Give it the time that is proposed, as it was seen. The new appointment is answered."""
    made = await container.absences.accept(actor, idempotency_key, displaced_id, body.version)
    return EnteredOut(id=made)


@router.post(
    "/appointments/{displaced_id}/choose",
    status_code=201,
    responses=documented(401, 403, 404, 409, 422),
)
async def choose(
    displaced_id: UUID,
    body: ChosenTimeIn,
    actor: Planner,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> EnteredOut:
    """Give it another time. The new appointment is answered."""
    made = await container.absences.choose(
        actor, idempotency_key, displaced_id, body.clinician_id, body.starts_at
    )
    return EnteredOut(id=made)


@router.post(
    "/appointments/{displaced_id}/cancel",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422),
)
async def cancel(
    displaced_id: UUID,
    body: CancellingIn,
    actor: Planner,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> None:
    """Cancel it, for a reason."""
    await container.absences.cancel(actor, idempotency_key, displaced_id, body.reason)


@router.post(
    "/appointments/{displaced_id}/told", status_code=204, responses=documented(401, 403, 404, 409)
)
async def told(displaced_id: UUID, actor: Booker, container: ContainerDep) -> None:
    """Say that the patient was called. Again it changes nothing."""
    await container.absences.told(actor, displaced_id)
