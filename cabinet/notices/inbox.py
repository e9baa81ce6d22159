"""Notices in the cabinet: the list, what became of each outside, and the bell (N1, N3)."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.frame.filters import address
from cabinet.frame.views import Chip, Pages
from cabinet.frame.visits import Inside
from cabinet.notices.delivery_reasons import said
from cabinet.notices.views import DeliveryLine, NoticeLine, NoticePage
from rules.clock import now
from rules.notices.delivery import DeliveryOutcome, DeliveryReport
from rules.notices.kinds import Channel, NoticeGroup, NoticeState
from services.notices import inbox, outbox
from services.notices.inbox import Delivery, NoticeView, Sought
from services.notices.settings import groups_for
from services.notices.wording import Addresses
from words import formats
from words.translation import gettext, marked

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/notices")
_address = partial(address, "/notices")
PAGE = 30

WAYS = {
    Channel.MAIL: marked("Почта"),
    Channel.SMS: marked("SMS"),
    Channel.PUSH: marked("Push"),
}
_SUPERSEDED = {
    Channel.MAIL: marked("отдельного письма нет, о том же говорит следующее"),
    Channel.SMS: marked("отдельного SMS нет, о том же говорит следующее"),
    Channel.PUSH: marked("отдельного уведомления нет, о том же говорит следующее"),
}
GROUPS = {
    NoticeGroup.CASES: marked("Заявки и запросы"),
    NoticeGroup.COMMENTS: marked("Комментарии"),
    NoticeGroup.REVIEW: marked("Рассмотрение"),
    NoticeGroup.CREDENTIALS: marked("Сроки документов"),
    NoticeGroup.SCHEDULE: marked("Расписание приёма"),
    NoticeGroup.RESULTS: marked("Результаты анализов"),
    NoticeGroup.OPERATION: marked("Работа системы"),
    NoticeGroup.SECURITY: marked("Безопасность"),
}
_TRIED = {
    DeliveryOutcome.TOLD: marked("отправлено"),
    DeliveryOutcome.LATER: marked("пока не принято, отправим ещё раз"),
    DeliveryOutcome.DOWN: marked("служба доставки не отвечает, отправим ещё раз"),
    DeliveryOutcome.REFUSED: marked("не принято"),
    DeliveryOutcome.DELIVERED: marked("доставлено"),
    DeliveryOutcome.BOUNCED: marked("не доставлено"),
    DeliveryOutcome.DELAYED: marked("доставка задерживается"),
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
    "delivery_failed": "mail",
    "new_device": "smartphone",
    "security": "shield-check",
    "second_factor_added": "shield-check",
    "second_factor_removed": "shield-check",
    "sign_in_code": "key-round",
    "recovery_code_used": "shield-check",
    "recovery_codes_few": "triangle-alert",
    "recovery_codes_made": "shield-check",
    "password_reset": "key-round",
    "contact_code": "key-round",
    "contact_changed": "shield-check",
    "case_stuck": "triangle-alert",
    "request_accepted": "file-check",
    "request_processing": "hourglass",
    "request_ready": "circle-check",
    "request_refused": "octagon-x",
    "request_withdrawn": "undo-2",
    "request_overdue": "triangle-alert",
}


@router.get("")
async def list_mine(
    visit: Inside,
    session: Work,
    before: Annotated[UUID | None, Query()] = None,
    show: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The person's notices, newest first; `show` narrows them."""
    sought = _sought(show)
    found = await inbox.mine(
        session,
        visit.actor,
        language=visit.presentation.language,
        sought=sought,
        before=before,
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    return visit.page(
        "notices/list.html",
        notices=[_line(view) for view in shown],
        chips=_chips(visit, show),
        narrowed=bool(show),
        paging=Pages(
            before=_address({"show": show}) if before else None,
            after=_address({"show": show, "before": shown[-1].id}) if len(found) > PAGE else None,
        ),
    )


def _sought(show: str) -> Sought:
    """What to look for; an unknown word means all."""
    group = next((group for group in GROUPS if group.value == show), None)
    return Sought(unread=show == "unread", failed=show == "failed", group=group)


def _chips(visit: Inside, show: str) -> list[Chip]:
    wishes = [
        ("", gettext("Все")),
        ("unread", gettext("Непрочитанные")),
        ("failed", gettext("Не доставлены")),
        *((group.value, gettext(GROUPS[group])) for group in groups_for(visit.actor)),
    ]
    return [Chip(words, _address({"show": name}), name == show) for name, words in wishes]


def _line(view: NoticeView) -> NoticeLine:
    return NoticeLine(
        id=str(view.id),
        at=view.at,
        title=view.wording.title,
        text=view.wording.text,
        url=f"/notices/{view.id}",
        icon=_ICONS.get(view.kind, "bell"),
        unread=view.read_at is None,
        deliveries=[_delivery(one) for one in view.deliveries],
        details_url=f"/notices/{view.id}/details",
        programme=view.programme,
    )


def _delivery(one: Delivery, tries: Sequence[tuple[datetime, str]] = ()) -> DeliveryLine:
    """What became of a notice by one channel, in a few words."""
    words, tone, image = _became(one)
    failed = one.state == NoticeState.FAILED
    return DeliveryLine(
        channel=gettext(WAYS[Channel(one.channel)]),
        words=words,
        tone=tone,
        icon=image,
        resend_url=f"/notices/{one.id}/resend" if failed else "",
        tries=tries,
    )


def _tried(outcome: DeliveryOutcome, reason: str | None) -> str:
    words = gettext(_TRIED[outcome])
    return f"{words}: {said(reason)}" if reason else words


def _became(one: Delivery) -> tuple[str, str, str]:
    """Words, tone and icon of a delivery."""
    at = formats.moment(one.at) if one.at is not None else ""
    match NoticeState(one.state):
        case NoticeState.TOLD if one.receipt == DeliveryReport.DELIVERED:
            return gettext("доставлено %(at)s") % {"at": at}, "good", "circle-check"
        case NoticeState.TOLD:
            return gettext("отправлено %(at)s") % {"at": at}, "good", "check"
        case NoticeState.WAITING if one.held_until is not None and one.held_until > now():
            until = formats.moment(one.held_until)
            return gettext("придёт %(at)s") % {"at": until}, "idle", "moon"
        case NoticeState.FAILED:
            why = said(one.reason or "")
            words = (gettext("не доставлено: %(why)s") % {"why": why}).rstrip(": ")
            return words, "bad", "circle-alert"
        case NoticeState.SUPERSEDED:
            return gettext(_SUPERSEDED[Channel(one.channel)]), "idle", "arrow-right"
        case NoticeState.OFF:
            return gettext("отключено вами"), "idle", "circle-x"
        case _:
            return gettext("отправляется"), "waiting", "clock"


@router.get("/bell")
async def bell(visit: Inside, session: Work) -> Response:
    """How many are unread, for the bell of every page. It is polled, and mostly answered by 304."""
    unread = await inbox.unread_count(session, visit.actor)
    tag = f'"{unread}"'
    if visit.has(tag):
        return visit.unchanged(tag)
    words = gettext("непрочитанных:")
    headers = {"ETag": tag, "Cache-Control": "no-store"}
    return JSONResponse({"unread": unread, "words": words}, headers=headers)


@router.get("/{notice_id}")
async def follow(notice_id: UUID, visit: Inside, session: Work) -> Response:
    """Mark a notice as read and go on to what it is about."""
    temporal = Addresses.of(visit.container.settings).temporal
    language = visit.presentation.language
    wording = await inbox.follow(session, visit.actor, notice_id, language, temporal, now())
    return visit.go(wording.path)


@router.get("/{notice_id}/details")
async def details(notice_id: UUID, visit: Inside, session: Work) -> Response:
    """One notice in full, with every attempt to send it outside the cabinet."""
    view = await inbox.one(session, visit.actor, notice_id, visit.presentation.language)
    lines = [
        _delivery(
            one,
            [
                (tried.at, _tried(DeliveryOutcome(tried.outcome), tried.reason))
                for tried in await inbox.attempts(session, visit.actor, one.id)
            ],
        )
        for one in view.deliveries
    ]
    return visit.page(
        "notices/details.html",
        told=NoticePage(
            title=view.wording.title,
            programme=view.programme,
            text=view.wording.text,
            then=view.wording.then,
            link=view.wording.link,
            url=f"/notices/{view.id}",
            at=view.at,
            read_at=view.read_at,
            deliveries=lines,
        ),
    )


@router.post("/read")
async def mark_all_read(visit: Inside, session: Work) -> Response:
    """Mark all as read."""
    await inbox.mark_read(session, visit.actor, now())
    return visit.go("/notices", "read")


@router.post("/{mail_id}/resend")
async def resend(mail_id: UUID, visit: Inside, session: Work) -> Response:
    """Send a message that failed once more."""
    await outbox.resend(session, visit.actor, mail_id, now())
    return visit.go("/notices", "resent")
