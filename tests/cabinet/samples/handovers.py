"""Requests of authorities, with invented contents."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from cabinet.frame.states import StatusTag
from cabinet.frame.views import ErrorItem, FieldView
from rules.credentials.handovers import HandoverState
from services.handovers.seen import HandoverSeen
from tests.cabinet.samples.cases import AT, frame
from tests.cabinet.samples.sample import Sample

_ID = UUID(int=1)
_ASKED = HandoverSeen(
    id=_ID,
    authority="Территориальный орган Росздравнадзора по городу Москве и Московской области",
    reference="И77-1234/26",
    person_id=_ID,
    name="Константинопольская-Преображенская Александра Вячеславовна",
    position="врач-анестезиолог-реаниматолог",
    purpose="Проверка сведений о медицинских работниках при плановом контроле",
    ground="Статья 87 Федерального закона от 21.11.2011 № 323-ФЗ, приказ о проверке № 512",
    categories=("accreditation",),
    asked_at=AT,
    due_at=AT + timedelta(days=14),
    state=HandoverState.ASKED,
    decided_at=None,
    reason=None,
    fetched_at=None,
    ends_at=None,
)
_READY = replace(
    _ASKED,
    state=HandoverState.READY,
    decided_at=AT,
    fetched_at=AT,
    ends_at=AT + timedelta(days=30),
)
_REFUSED = replace(
    _ASKED,
    state=HandoverState.REFUSED,
    decided_at=AT,
    reason="Основание не относится к этому сотруднику",
)
_BROKEN = replace(_ASKED, state=HandoverState.BROKEN, decided_at=AT)
_TITLES = ["Свидетельство об аккредитации", "Диплом об образовании"]


def handover_pages() -> list[Sample]:
    """What officers decide, and what a person sees of it."""
    desk, here = frame("/handovers"), frame("/handovers/mine")
    none: list[str] = []
    asked = (_ASKED, StatusTag("ждёт решения", "waiting", "clock"), none)
    ready = (_READY, StatusTag("передано", "good", "circle-check"), _TITLES)
    refused = (_REFUSED, StatusTag("отказано", "bad", "circle-x"), none)
    broken = (_BROKEN, StatusTag("пакет не собран", "bad", "triangle-alert"), none)
    choices = [
        (_ID, "Свидетельство об аккредитации, Анестезиология", "7724 030123456", 1, True),
        (_ID, "Диплом об образовании, Лечебное дело", "107704 0012345", 2, False),
    ]
    field = FieldView("reason", "Причина, её прочитает ведомство", "text", "")
    one = {"one": _ASKED, "line": asked, "open": True, "reason": field}
    closed = {**one, "open": False, "choices": [], "errors": []}
    wrong = "Укажите причину: от 3 до 500 знаков."
    listed: dict[str, Any] = {"rows": [asked, broken, ready, refused], "everything": True}
    return [
        Sample("handovers", "handovers/requests.html", desk, listed),
        Sample(
            "handovers-none", "handovers/requests.html", desk, {"rows": [], "everything": False}
        ),
        Sample(
            "handover", "handovers/request.html", desk, {**one, "choices": choices, "errors": []}
        ),
        Sample(
            "handover-wrong",
            "handovers/request.html",
            desk,
            {
                **one,
                "choices": [],
                "reason": replace(field, value="-", error=wrong),
                "errors": [ErrorItem(wrong, "#reason")],
            },
        ),
        Sample(
            "handover-ready",
            "handovers/request.html",
            desk,
            {**closed, "one": _READY, "line": ready},
        ),
        Sample(
            "handover-refused",
            "handovers/request.html",
            desk,
            {**closed, "one": _REFUSED, "line": refused},
        ),
        Sample("handovers-mine", "handovers/mine.html", here, {"rows": [ready]}),
        Sample("handovers-mine-none", "handovers/mine.html", here, {"rows": []}),
    ]
