"""People and their accounts: the list, and one person (I6)."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.accounts.sign_in import SessionLine, SignInAttemptOut
from api.cases.drafts import IdempotencyKey
from api.container import ContainerDep, Work
from api.http.auth import CurrentSession, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission, Right
from rules.clock import MeantDay, MeantMoment, now
from rules.notices.kinds import NoticeState
from rules.staff.people import MOST_AT_ONCE, REASON, LeftAlone, PersonState
from services.staff import card, directory
from services.staff.directory import PeopleQuery

router = APIRouter(route_class=CleanRoute, prefix="/people", tags=["people"])

Viewer = Annotated[Actor, require(Permission.VIEW_PEOPLE)]

Manager = Annotated[Actor, require(Permission.MANAGE_PEOPLE)]


class _Seen(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PersonLineOut(_Seen):
    """A person in the list."""

    id: UUID
    name: str
    position: str
    unit: str
    state: PersonState


class PeopleOut(_Seen):
    """A page of the list, in the order of names."""

    lines: list[PersonLineOut]
    found: int
    page: int
    pages: int
    more: bool = Field(description="True if there are too many people to compare: name a unit.")


class GrantOut(_Seen):
    """A role, or a permission by itself, that the person holds, held or will hold."""

    role: Right
    unit: str
    valid_from: datetime
    valid_until: datetime | None
    by: str | None = Field(description="Who gave it.")
    system: str | None = Field(description="Which part of the program gave it, if nobody did.")
    id: UUID
    number: str | None = Field(description="The change of rights that gave it.")
    asked_by: str | None
    confirmed_by: str | None
    approved_by: str | None
    urgent: bool = Field(description="Given before anybody decided, for a day at most.")
    ended_by: str | None


class OpenCaseOut(_Seen):
    """An open case that you may see."""

    id: UUID
    number: str


class DeviceOut(_Seen):
    """A device on which the person has signed in."""

    id: UUID
    name: str
    first_seen: datetime
    last_seen: datetime


class InvitationOut(_Seen):
    """An invitation, and what became of its mail."""

    created_at: datetime
    ends_at: datetime
    by: str | None
    over: bool
    mail: NoticeState | None
    mail_reason: str | None


class PersonOut(_Seen):
    """A person with account, roles, sessions and attempts to sign in."""

    id: UUID
    name: str
    position: str
    unit_id: UUID
    unit: str
    email: str
    state: PersonState
    left_at: datetime | None
    locked_at: datetime | None
    locked_reason: str | None
    manageable: bool
    grants: list[GrantOut]
    own_open: int = Field(description="Open cases of the person's own.")
    under_review: int = Field(description="Open cases that the person reviews.")
    cases: list[OpenCaseOut] = Field(description="Those of both that you may see; 20 at most.")
    sessions: list[SessionLine]
    tokens: int
    devices: list[DeviceOut]
    attempts: list[SignInAttemptOut]
    unfinished: bool = Field(description="True for an account without a second factor yet.")
    invitation: InvitationOut | None = Field(
        description="The last invitation of somebody without an account, or an unfinished one."
    )


class InviteIn(BaseModel):
    """Whom to invite."""

    model_config = ConfigDict(extra="forbid")

    people: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE, fail_fast=True)


class StaffReasonIn(BaseModel):
    """Why; it is journaled."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=REASON[0], max_length=REASON[1], examples=["Потерян телефон"])


class EndSessionsIn(StaffReasonIn):
    """Which sessions; without both ids all of them, and all access tokens."""

    session_id: UUID | None = None
    device_id: UUID | None = None


class DepartureIn(StaffReasonIn):
    """When a person leaves."""

    last_day: MeantDay | None = Field(
        None, description="Access ends with this day in the unit's zone; null: at once."
    )
    shown: MeantMoment | None = Field(
        None, description="`left_at` as you know it, if a departure is set already."
    )


class DepartureOut(BaseModel):
    """From when on nothing is open to the person."""

    left_at: datetime


class TransferIn(StaffReasonIn):
    """Where to."""

    unit_id: UUID


class LeftAloneOut(BaseModel):
    """Somebody who was not invited, and why."""

    id: UUID
    why: LeftAlone


class InvitedOut(BaseModel):
    """Who was invited, and who was not."""

    invited: list[UUID]
    left_alone: list[LeftAloneOut]


@router.get("", responses=documented(401, 403, 422))
async def list_people(
    session: Work,
    actor: Viewer,
    text: Annotated[
        str, Query(max_length=200, description="Words of name or post, or a mail address.")
    ] = "",
    unit_id: Annotated[UUID | None, Query(description="A unit with those below it.")] = None,
    state: Annotated[
        PersonState | None, Query(description="Left out: everybody who works here.")
    ] = None,
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> PeopleOut:
    """The people of the units that you see, in the order of names."""
    query = PeopleQuery(text, unit_id, state)
    found = await directory.page(session, actor, query, now(), page)
    return PeopleOut.model_validate(found)


@router.get("/{person_id}", responses=documented(401, 403, 404))
async def read_person(
    person_id: UUID, session: Work, actor: Viewer, container: ContainerDep
) -> PersonOut:
    """One person. That you looked is recorded."""
    idle = timedelta(seconds=container.settings.session_idle)
    found = await card.card(session, actor, person_id, now(), idle, container.activity)
    return PersonOut.model_validate(found, from_attributes=True)


@router.post("/invitations", responses=documented(401, 403, 404, 409, 422))
async def invite(
    body: InviteIn,
    current: CurrentSession,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> InvitedOut:
    """Invite people who have no account: each gets a mail. An earlier link of theirs ends.

    Needs a code entered within five minutes.
    """
    current.demand_fresh(now())
    done = await container.staff.invite(current.actor, idempotency_key, body.people)
    left_alone = [LeftAloneOut(id=one, why=why) for one, why in done.left_alone]
    return InvitedOut(invited=list(done.invited), left_alone=left_alone)


@router.delete(
    "/{person_id}/invitation", status_code=204, responses=documented(401, 403, 404, 409, 422)
)
async def revoke_invitation(
    person_id: UUID, actor: Manager, container: ContainerDep, idempotency_key: IdempotencyKey
) -> None:
    """End the invitation of a person: its link opens nothing any more."""
    await container.staff.revoke_invitation(actor, idempotency_key, person_id)


@router.post("/{person_id}/lock", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def lock(
    person_id: UUID,
    body: StaffReasonIn,
    actor: Manager,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> None:
    """Lock an account: sessions and tokens end at once, and cases go to other reviewers."""
    await container.staff.lock(actor, idempotency_key, person_id, body.reason)


@router.post("/{person_id}/unlock", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def unlock(
    person_id: UUID,
    body: StaffReasonIn,
    current: CurrentSession,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> None:
    """Let a person sign in again. Needs a code entered within five minutes."""
    current.demand_fresh(now())
    await container.staff.unlock(current.actor, idempotency_key, person_id, body.reason)


@router.post(
    "/{person_id}/sessions/end", status_code=204, responses=documented(401, 403, 404, 409, 422)
)
async def end_sessions(
    person_id: UUID,
    body: EndSessionsIn,
    actor: Manager,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> None:
    """End one session, those of one device, or all of them with all access tokens."""
    await container.staff.end_sessions(
        actor,
        idempotency_key,
        person_id,
        body.reason,
        session_id=body.session_id,
        device_id=body.device_id,
    )


@router.post("/{person_id}/departure", responses=documented(401, 403, 404, 409, 422))
async def leave(
    person_id: UUID,
    body: DepartureIn,
    actor: Manager,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> DepartureOut:
    """Dismiss a person, at once or at the end of a day: roles, sessions and tokens end then."""
    left_at = await container.staff.leave(
        actor, idempotency_key, person_id, body.reason, body.last_day, shown=body.shown
    )
    return DepartureOut(left_at=left_at)


@router.post(
    "/{person_id}/departure/cancel", status_code=204, responses=documented(401, 403, 404, 409, 422)
)
async def stay(
    person_id: UUID,
    body: StaffReasonIn,
    current: CurrentSession,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> None:
    """Take back a departure that is still ahead. Needs a code entered within five minutes."""
    current.demand_fresh(now())
    await container.staff.stay(current.actor, idempotency_key, person_id, body.reason)


@router.post(
    "/{person_id}/transfer", status_code=204, responses=documented(401, 403, 404, 409, 422)
)
async def transfer(
    person_id: UUID,
    body: TransferIn,
    actor: Manager,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> None:
    """Move a person to another unit. Roles held on account of the old unit end."""
    await container.staff.transfer(actor, idempotency_key, person_id, body.unit_id, body.reason)


@router.post(
    "/{person_id}/grants/{grant_id}/end",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422),
)
async def end_grant(
    person_id: UUID,
    grant_id: UUID,
    body: StaffReasonIn,
    current: CurrentSession,
    container: ContainerDep,
    idempotency_key: IdempotencyKey,
) -> None:
    """End a right at once, as head of its unit or security. Needs a code of the last minutes."""
    current.demand_fresh(now())
    end = container.revocations.end
    await end(current.actor, idempotency_key, person_id, grant_id, body.reason)
