"""Systems that hear of changes of credentials, with invented contents."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from cabinet.frame.views import ErrorItem, FieldView
from cabinet.subscribers.pages import event_words, line, offered, standing
from rules.subscribers import TEST, DeliveryState, EventType
from services.subscribers.seen import DeliverySeen, SubscriberSeen
from tests.cabinet.samples.cases import AT, frame
from tests.cabinet.samples.sample import Sample

_ID = UUID("0199f0aa-3a41-7d2c-9a11-5b0c4f6d7e80")
_TYPES = [one.value for one in EventType]
_WORKS = SubscriberSeen(
    id=_ID,
    name="Медицинская информационная система поликлинического отделения № 3",
    url="https://integration.his.hospital.example/medcab/webhooks/credentials?facility=7712345678",
    types=_TYPES,
    added_at=AT,
    paused_at=None,
    ended_at=None,
    failing_since=None,
    next_try_at=None,
    earlier_until=AT + timedelta(days=1),
    waiting=0,
    dead=0,
)
_FAILS = replace(
    _WORKS,
    name="Кадровый учёт",
    failing_since=AT,
    next_try_at=AT + timedelta(hours=1),
    waiting=1204,
    dead=37,
)
_PAUSED = replace(_WORKS, name="Портал обучения", paused_at=AT, waiting=12)
_ENDED = replace(_WORKS, name="Прежняя система", ended_at=AT, earlier_until=None)
_SENT = DeliverySeen(
    event_id=_ID,
    type=EventType.EXPIRED.value,
    subject=_ID,
    at=AT,
    state=DeliveryState.DELIVERED,
    tries=1,
    tried_at=AT,
    next_at=AT,
    status=204,
    fault=None,
)
_WAITS = replace(_SENT, type=TEST, state=DeliveryState.WAITING, tries=0, tried_at=None, status=None)
_DEAD = replace(
    _SENT,
    type=EventType.RENEWED.value,
    state=DeliveryState.DEAD,
    tries=74,
    status=None,
    fault="timeout",
)


def subscriber_pages() -> list[Sample]:
    """The list, and one of them in each of its states."""
    here = frame("/subscribers")
    address = FieldView(
        "url",
        "Адрес, на который отправлять события",
        "text",
        hint="Начинается с https://. Перенаправлений мы не выполняем.",
    )
    named = FieldView("name", "Название системы", "text")
    listed: dict[str, Any] = {
        "rows": [(one, standing(one)) for one in (_WORKS, _FAILS, _PAUSED, _ENDED)],
        "fields": [named, address],
        "types": offered(_TYPES),
        "types_error": "",
        "errors": [],
    }
    wrong, nothing = "Адрес должен начинаться с https://.", "Выберите хотя бы одно событие."
    errors = [ErrorItem(wrong, "#field-url"), ErrorItem(nothing, "#field-types")]
    return [
        Sample("subscribers", "subscribers/list.html", here, listed),
        Sample("subscribers-none", "subscribers/list.html", here, {**listed, "rows": []}),
        Sample(
            "subscribers-wrong",
            "subscribers/list.html",
            here,
            {
                **listed,
                "fields": [named, replace(address, value="http://his", error=wrong)],
                "types": offered([]),
                "types_error": nothing,
                "errors": errors,
            },
        ),
        Sample(
            "subscriber",
            "subscribers/subscriber.html",
            here,
            {**_shown(_WORKS, address), "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"},
        ),
        Sample("subscriber-fails", "subscribers/subscriber.html", here, _shown(_FAILS, address)),
        Sample(
            "subscriber-paused",
            "subscribers/subscriber.html",
            here,
            {**_shown(_PAUSED, address), "lines": []},
        ),
        Sample(
            "subscriber-dead",
            "subscribers/subscriber.html",
            here,
            {**_shown(_FAILS, address), "lines": [line(_DEAD)], "dead_only": True},
        ),
        Sample("subscriber-ended", "subscribers/subscriber.html", here, _shown(_ENDED, address)),
    ]


def _shown(one: SubscriberSeen, address: FieldView) -> dict[str, Any]:
    return {
        "one": one,
        "standing": standing(one),
        "events": [event_words(each) for each in one.types],
        "lines": [line(each) for each in (_WAITS, _DEAD, _SENT)],
        "dead_only": False,
        "secret": "",
        "address": replace(address, value=one.url),
        "types": offered(one.types),
        "types_error": "",
        "errors": [],
    }
