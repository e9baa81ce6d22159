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
from rules.access import Actor, Permission, Role
from rules.clock import now
from rules.notices.kinds import NoticeState
from rules.staff.people import MOST_AT_ONCE, AccountState, LeftAlone
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
    state: AccountState


class PeopleOut(_Seen):
    """A page of the list, in the order of names."""

    lines: list[PersonLineOut]
    found: int
    page: int
    pages: int
    more: bool = Field(description="True if there are too many people to compare: name a unit.")


class GrantOut(_Seen):
    """A role that the person holds, held or will hold."""

    role: Role
    unit: str
    valid_from: datetime
    valid_until: datetime | None
    by: str | None = Field(description="Who gave it.")
    system: str | None = Field(description="Which part of the program gave it, if nobody did.")


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
    state: AccountState
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
    invitation: InvitationOut | None = Field(
        description="The last invitation of somebody without an account."
    )


class InviteIn(BaseModel):
    """Whom to invite."""

    model_config = ConfigDict(extra="forbid")

    people: list[UUID] = Field(min_length=1, max_length=MOST_AT_ONCE, fail_fast=True)


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
        AccountState | None, Query(description="Left out: everybody who works here.")
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
