"""Notices in the cabinet: chronological, with what became of the letter (N1, N3)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.state import Work
from cabinet import formats
from cabinet.translation import gettext
from cabinet.views.accounts import NoticeLine
from cabinet.views.frame import Pages
from cabinet.visits import Inside
from models.tables.notices import Notice
from rules.clock import now
from rules.notices import NoticeState
from rules.refusals import not_found
from services import notices
from services.letters import Addresses, worded
from services.notices import NoticeView

router = APIRouter(include_in_schema=False, prefix="/notices")
PAGE = 30

_ICONS = {
    "application_submitted": "file-check",
    "application_in_review": "hourglass",
    "application_clarification": "circle-question-mark",
    "application_approved": "circle-check",
    "application_act_ready": "stamp",
    "application_rejected": "octagon-x",
    "application_withdrawn": "undo-2",
    "application_lapsed": "archive",
    "clarification_reminder": "clock",
    "review_assigned": "inbox",
    "review_reminder": "clock",
    "review_escalated": "triangle-alert",
    "review_handed_over": "arrow-left-right",
    "review_withdrawn": "undo-2",
    "comment_added": "message-square",
    "register_down": "triangle-alert",
    "delivery_failed": "mail",
    "new_device": "smartphone",
    "security": "shield-check",
    "case_stuck": "triangle-alert",
}


@router.get("")
async def list_mine(
    visit: Inside, session: Work, before: Annotated[UUID | None, Query()] = None
) -> Response:
    """The person's notices, newest first."""
    found = await notices.mine(
        session,
        visit.actor,
        language=visit.presentation.language,
        before=before,
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    return visit.page(
        "notices/list.html",
        notices=[_line(view) for view in shown],
        paging=Pages(
            before="/notices" if before else None,
            after=f"/notices?before={shown[-1].id}" if len(found) > PAGE else None,
        ),
    )


def _line(view: NoticeView) -> NoticeLine:
    failed = view.mail_state == NoticeState.FAILED
    return NoticeLine(
        id=str(view.id),
        at=view.at,
        title=view.wording.title,
        text=view.wording.text,
        url=f"/notices/{view.id}",
        icon=_ICONS.get(view.kind, "bell"),
        unread=view.read_at is None,
        delivery=_delivery(view),
        delivered=not failed,
        resend_url=f"/notices/{view.mail_id}/resend" if failed and view.mail_id else None,
    )


def _delivery(view: NoticeView) -> str:
    match view.mail_state:
        case NoticeState.TOLD if view.mail_at is not None:
            return gettext("письмо отправлено %(at)s") % {"at": formats.moment(view.mail_at)}
        case NoticeState.WAITING:
            return gettext("письмо отправляется")
        case NoticeState.FAILED:
            reason = view.mail_reason or ""
            return (gettext("письмо не доставлено: %(why)s") % {"why": reason}).rstrip(": ")
        case NoticeState.SUPERSEDED:
            return gettext("письмо заменено более новым")
        case _:
            return gettext("только в кабинете")


@router.get("/{notice_id}")
async def follow(notice_id: UUID, visit: Inside, session: Work) -> Response:
    """Mark a notice as read and lead to what it is about."""
    notice = await session.get(Notice, notice_id)
    if notice is None or notice.person_id != visit.actor.person_id:
        raise not_found()
    await notices.mark_read(session, visit.actor, now(), ids=[notice_id])
    temporal = Addresses.of(visit.medcab.settings).temporal
    said = worded(notice.kind, notice.facts, notice.case_id, visit.presentation.language, temporal)
    return visit.go(said.path)


@router.post("/read")
async def mark_all_read(visit: Inside, session: Work) -> Response:
    """Mark all as read."""
    await notices.mark_read(session, visit.actor, now())
    return visit.go("/notices", "read")


@router.post("/{mail_id}/resend")
async def resend(mail_id: UUID, visit: Inside, session: Work) -> Response:
    """Try a letter that failed once more."""
    await notices.resend(session, visit.actor, mail_id, now())
    return visit.go("/notices", "resent")
