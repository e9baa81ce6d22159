"""The notices of the person: what was told, how the telling went, read marks, another try (N3)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.auth import CurrentActor
from api.problems import documented
from api.state import Work
from rules.clock import now
from services import notices

router = APIRouter(prefix="/notices", tags=["notices"])


class NoticeOut(BaseModel):
    """A notice in the cabinet, with the state of the mail about the same event."""

    id: UUID
    kind: str
    case_id: UUID | None
    at: datetime
    read_at: datetime | None
    title: str
    text: str
    mail_id: UUID | None = Field(description="For `resend` and `attempts`.")
    mail_state: str | None
    mail_at: datetime | None
    mail_reason: str | None


class AttemptOut(BaseModel):
    """One try to send a mail."""

    at: datetime
    outcome: str
    reason: str


class ReadIn(BaseModel):
    """Which notices are read; without ids, all of them."""

    ids: list[UUID] | None = Field(None, max_length=200)


class UnreadOut(BaseModel):
    """How many are unread."""

    unread: int


@router.get("", responses=documented(401, 422))
async def list_mine(
    session: Work,
    actor: CurrentActor,
    unread_only: bool = False,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[NoticeOut]:
    """My notices, newest first; `before` is the id of the last one already seen."""
    found = await notices.mine(session, actor, unread_only=unread_only, before=before, limit=limit)
    return [
        NoticeOut(
            id=view.id,
            kind=view.kind,
            case_id=view.case_id,
            at=view.at,
            read_at=view.read_at,
            title=view.wording.title,
            text=view.wording.text,
            mail_id=view.mail_id,
            mail_state=view.mail_state,
            mail_at=view.mail_at,
            mail_reason=view.mail_reason,
        )
        for view in found
    ]


@router.get("/unread", responses=documented(401))
async def unread(session: Work, actor: CurrentActor) -> UnreadOut:
    """How many of my notices are unread."""
    return UnreadOut(unread=await notices.unread_count(session, actor))


@router.post("/read", status_code=204, responses=documented(401, 422))
async def mark_read(body: ReadIn, session: Work, actor: CurrentActor) -> None:
    """Mark notices as read."""
    await notices.mark_read(session, actor, now(), ids=body.ids)


@router.get("/{notice_id}/attempts", responses=documented(401, 404, 422))
async def attempts(notice_id: UUID, session: Work, actor: CurrentActor) -> list[AttemptOut]:
    """Every try to send one of my mails, oldest first."""
    found = await notices.attempts(session, actor, notice_id)
    return [AttemptOut(at=one.at, outcome=one.outcome, reason=one.reason) for one in found]


@router.post("/{notice_id}/resend", status_code=204, responses=documented(401, 404, 409, 422))
async def resend(notice_id: UUID, session: Work, actor: CurrentActor) -> None:
    """Try a mail that failed once more."""
    await notices.resend(session, actor, notice_id, now())
