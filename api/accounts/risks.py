"""Signs of attacks on accounts for information security, and locking one's own account."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.accounts.sign_in import StrictBody
from api.container import ContainerDep, Work
from api.http.auth import OPEN_TO_ALL, CurrentSession, From, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.account_locks import LockState
from rules.clock import now
from rules.risks import LockedBy, RiskKind, RiskOutcome
from services.account_locks import seen as locks
from services.accounts.risks import queue

router = APIRouter(route_class=CleanRoute, tags=["account"])

Watcher = Annotated[Actor, require(Permission.WATCH_RISKS)]


class RiskEventOut(BaseModel):
    """A sign of an attack on an account."""

    id: UUID
    kind: RiskKind
    person_id: UUID
    name: str
    unit: str
    locked: bool = Field(description="Whether the account is locked now.")
    at: datetime
    last_at: datetime
    times: int = Field(description="How often it was seen within the hour.")
    address: str
    device: str
    facts: dict[str, Any]
    closed_at: datetime | None
    outcome: RiskOutcome | None


class LinkIn(StrictBody):
    """The secret in the link of a notice."""

    key: str = Field(min_length=1, max_length=100)


@router.post("/account/lock", status_code=204, responses=documented(401, 403))
async def lock_own(container: ContainerDep, current: CurrentSession, visitor: From) -> None:
    """Lock my own account: all sessions and tokens end. A video meeting opens it again."""
    await container.account_locks.lock_own(current.person_id, visitor)


@router.post(
    "/account/lock-by-link",
    status_code=204,
    dependencies=[OPEN_TO_ALL],
    responses=documented(409, 422),
)
async def lock_by_link(body: LinkIn, container: ContainerDep, visitor: From) -> Response:
    """Lock the account whose notice has this link; each link works once."""
    await container.account_locks.lock_by_link(body.key, visitor)
    return Response(status_code=204)


@router.get("/risk-events", responses=documented(401, 403))
async def list_events(
    session: Work,
    actor: Watcher,
    kind: RiskKind | None = None,
    closed: Annotated[bool, Query(description="Also those that are closed.")] = False,
    days: Annotated[int, Query(ge=1, le=366)] = 90,
    person_id: UUID | None = None,
) -> list[RiskEventOut]:
    """Signs of attacks on accounts of the units I watch, the newest first, 200 at most."""
    found = await queue.events(
        session,
        actor,
        now(),
        kind=kind,
        still_open=not closed,
        days=days,
        person_id=person_id,
    )
    return [
        RiskEventOut(
            **one.event.model_dump(exclude={"key", "device_kind", "secret_hash", "closed_by"}),
            name=one.name,
            unit=one.unit,
            locked=one.locked,
        )
        for one in found
    ]


@router.post(
    "/risk-events/{event_id}/close", status_code=204, responses=documented(401, 403, 404, 409)
)
async def close(event_id: UUID, session: Work, actor: Watcher) -> None:
    """Close an event: it was harmless."""
    await queue.close(session, actor, event_id, now())


@router.post(
    "/risk-events/{event_id}/lock", status_code=204, responses=documented(401, 403, 404, 409)
)
async def lock(
    event_id: UUID, container: ContainerDep, current: CurrentSession, visitor: From
) -> None:
    """Lock the account of an event. Needs a code entered within five minutes."""
    current.demand_fresh(now())
    await container.account_locks.lock_by_security(current.actor, event_id, visitor)


class LockOut(BaseModel):
    """An account that was locked by suspicion, and what it waits for."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    person_id: UUID
    name: str
    unit: str
    how: LockedBy
    at: datetime
    state: LockState
    since: datetime
    operator: str | None = Field(description="Who met the owner.")
    approver: str | None = Field(description="Who agreed.")
    factors: Sequence[str] = Field(description="What stays of how the owner signs in.")


class SendBackIn(StrictBody):
    """Why another meeting is needed."""

    reason: str = Field(max_length=5000)


Agrees = Annotated[Actor, require(Permission.APPROVE_UNLOCK)]


class CodeOut(BaseModel):
    """The code to be told to the owner. It is shown only now."""

    code: str


@router.post(
    "/account-locks/meetings/{meeting_id}/code",
    responses=documented(401, 403, 404, 409, 429),
)
async def give_code(meeting_id: UUID, container: ContainerDep, current: CurrentSession) -> CodeOut:
    """A code for the owner whom I have just met, and who has no factor left.

    It replaces the one before. Needs a code entered within five minutes.
    """
    current.demand_fresh(now())
    return CodeOut(code=await container.account_locks.give_code(current.actor, meeting_id))


@router.get("/account-locks", responses=documented(401, 403))
async def list_locks(
    session: Work,
    actor: Agrees,
    ended: Annotated[bool, Query(description="Also those that are ended.")] = False,
) -> list[LockOut]:
    """Accounts locked by suspicion in the units in which I may agree, 200 at most."""
    found = await locks.locks(session, actor, still_open=not ended)
    return [LockOut.model_validate(one) for one in found]


@router.post(
    "/account-locks/{lock_id}/approve", status_code=204, responses=documented(401, 403, 404, 409)
)
async def approve(lock_id: UUID, container: ContainerDep, current: CurrentSession) -> None:
    """Agree, as neither owner nor operator: the account opens. Needs a fresh code."""
    current.demand_fresh(now())
    await container.account_locks.approve(current.actor, lock_id)


@router.post(
    "/account-locks/{lock_id}/send-back",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422),
)
async def send_back(
    lock_id: UUID, body: SendBackIn, container: ContainerDep, actor: Agrees
) -> None:
    """Ask for another meeting."""
    await container.account_locks.send_back(actor, lock_id, body.reason)


@router.post(
    "/account-locks/{lock_id}/resend",
    status_code=204,
    responses=documented(401, 403, 404, 409, 429),
)
async def resend(lock_id: UUID, container: ContainerDep, actor: Agrees) -> None:
    """Send the owner a new link to choose a meeting."""
    await container.account_locks.resend(actor, lock_id)
