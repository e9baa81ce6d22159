"""A person's notices: the list, what became of each message, read marks, sending again (N3)."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.container import Work
from api.http.auth import CurrentActor, require
from api.http.entrance import CleanRoute
from api.http.problems import documented
from rules.access import Actor, Permission
from rules.clock import now
from rules.notices.kinds import NoticeGroup
from services.notices import inbox, outbox
from services.notices.inbox import Sought

router = APIRouter(route_class=CleanRoute, prefix="/notices", tags=["notices"])

NoticeKeeper = Annotated[Actor, require(Permission.KEEP_NOTICES)]
"""Anybody who has a role; an access token needs this permission."""


class DeliveryOut(BaseModel):
    """What became of a notice in one channel outside the cabinet."""

    id: UUID = Field(description="The id that `resend` and `attempts` take.")
    channel: str
    state: str
    at: datetime | None
    reason: str | None
    receipt: str | None = Field(
        description="The last delivery report of the provider; null: none came."
    )
    held_until: datetime | None = Field(
        description="When it is sent: after quiet hours, or with the digest."
    )


class NoticeOut(BaseModel):
    """A notice in the cabinet, with what became of the messages about the same event."""

    id: UUID
    kind: str
    case_id: UUID | None
    at: datetime
    read_at: datetime | None
    title: str
    text: str
    path: str = Field(description="Address of the page about it, within the cabinet.")
    deliveries: list[DeliveryOut]


class SendingAttemptOut(BaseModel):
    """One attempt to send a message, or one delivery report on it."""

    at: datetime
    outcome: str
    reason: str


class NoticesReadIn(BaseModel):
    """Which notices to mark as read; without ids, all of them."""

    ids: list[UUID] | None = Field(None, max_length=200, fail_fast=True)


class UnreadNoticesOut(BaseModel):
    """How many are unread."""

    unread: int


@router.get("", responses=documented(401, 422))
async def list_mine(
    session: Work,
    actor: CurrentActor,
    unread_only: bool = False,
    failed_only: bool = False,
    group: NoticeGroup | None = None,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[NoticeOut]:
    """My notices, newest first; `before` is the id of the last one already seen."""
    sought = Sought(unread_only, failed_only, group)
    found = await inbox.mine(session, actor, sought=sought, before=before, limit=limit)
    return [
        NoticeOut(
            id=view.id,
            kind=view.kind,
            case_id=view.case_id,
            at=view.at,
            read_at=view.read_at,
            title=view.wording.title,
            text=view.wording.text,
            path=view.wording.path,
            deliveries=[DeliveryOut(**asdict(one)) for one in view.deliveries],
        )
        for view in found
    ]


@router.get("/unread", responses=documented(401))
async def unread(session: Work, actor: CurrentActor) -> UnreadNoticesOut:
    """How many of my notices are unread."""
    return UnreadNoticesOut(unread=await inbox.unread_count(session, actor))


@router.post("/read", status_code=204, responses=documented(401, 403, 422))
async def mark_read(body: NoticesReadIn, session: Work, actor: NoticeKeeper) -> None:
    """Mark notices as read."""
    await inbox.mark_read(session, actor, now(), ids=body.ids)


@router.get("/{notice_id}/attempts", responses=documented(401, 404, 422))
async def attempts(notice_id: UUID, session: Work, actor: CurrentActor) -> list[SendingAttemptOut]:
    """Every attempt to send one of my messages, oldest first."""
    found = await inbox.attempts(session, actor, notice_id)
    return [SendingAttemptOut(at=one.at, outcome=one.outcome, reason=one.reason) for one in found]


@router.post("/{notice_id}/resend", status_code=204, responses=documented(401, 403, 404, 409, 422))
async def resend(notice_id: UUID, session: Work, actor: NoticeKeeper) -> None:
    """Send a message that failed once more."""
    await outbox.resend(session, actor, notice_id, now())
