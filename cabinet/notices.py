"""Notices in the cabinet: chronological, with what became of the letter (N1, N3)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.state import Work
from cabinet import formats
from cabinet.translation import gettext, marked
from cabinet.views.accounts import NoticeLine
from cabinet.views.frame import Pages
from cabinet.visits import Inside
from models.tables.notices import Notice
from rules.clock import now
from rules.notices import Channel, NoticeState, Receipt
from rules.refusals import not_found
from services import notices
from services.letters import Addresses, worded
from services.notices import Delivery, NoticeView

router = APIRouter(include_in_schema=False, prefix="/notices")
PAGE = 30

WAYS = {
    Channel.MAIL: marked("Почта"),
    Channel.SMS: marked("SMS"),
    Channel.PUSH: marked("Push"),
}
REASONS = {
    "unknown_number": marked("такого номера нет"),
    "bounced": marked("не принято у получателя"),
    "expired": marked("телефон долго был недоступен"),
    "blocked": marked("оператор не принимает сообщения на этот номер"),
    "no telephone number": marked("номер телефона не указан"),
    "no device": marked("ни одно устройство не подключено"),
}

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
    failed = [one for one in view.deliveries if one.state == NoticeState.FAILED]
    return NoticeLine(
        id=str(view.id),
        at=view.at,
        title=view.wording.title,
        text=view.wording.text,
        url=f"/notices/{view.id}",
        icon=_ICONS.get(view.kind, "bell"),
        unread=view.read_at is None,
        delivery="; ".join(map(_delivery, view.deliveries)) or gettext("только в кабинете"),
        delivered=not failed,
        resend_url=f"/notices/{failed[0].id}/resend" if failed else None,
    )


def _delivery(one: Delivery) -> str:
    """How the telling went by one channel, in a few words."""
    return f"{gettext(WAYS[Channel(one.channel)])}: {_became(one)}"


def _became(one: Delivery) -> str:
    match NoticeState(one.state):
        case NoticeState.TOLD if one.receipt == Receipt.DELIVERED and one.at is not None:
            return gettext("доставлено %(at)s") % {"at": formats.moment(one.at)}
        case NoticeState.TOLD if one.at is not None:
            return gettext("отправлено %(at)s") % {"at": formats.moment(one.at)}
        case NoticeState.WAITING if one.held_until is not None and one.held_until > now():
            return gettext("придёт %(at)s") % {"at": formats.moment(one.held_until)}
        case NoticeState.FAILED:
            reason = gettext(REASONS.get(one.reason or "", one.reason or ""))
            return (gettext("не доставлено: %(why)s") % {"why": reason}).rstrip(": ")
        case NoticeState.SUPERSEDED:
            return gettext("заменено более новым")
        case NoticeState.OFF:
            return gettext("отключено вами")
        case _:
            return gettext("отправляется")


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
