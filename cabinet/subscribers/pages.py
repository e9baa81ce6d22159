"""«Системы-подписчики»: who hears of changes of credentials, what arrived, what did not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.frame.states import StatusTag, Tone
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Inside, Visit
from rules.clock import now
from rules.refusals import Refusal
from rules.subscribers import (
    DELIVERY_WORDS,
    EVENT_WORDS,
    LONGEST_ADDRESS,
    TEST,
    DeliveryState,
    EventType,
)
from services.subscribers import seen
from services.subscribers.keeping import NewSubscriber
from services.subscribers.seen import DeliverySeen, SubscriberSeen
from words.translation import gettext, in_words, marked

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/subscribers")

Types = Annotated[list[str] | None, Form(max_length=20)]
Text = Annotated[str, Form(max_length=5000)]
_LOOKS: Mapping[DeliveryState, tuple[Tone, str]] = {
    DeliveryState.WAITING: ("waiting", "clock"),
    DeliveryState.DELIVERED: ("good", "circle-check"),
    DeliveryState.DEAD: ("bad", "circle-x"),
}
_FAULTS: Mapping[str, str] = {
    "name": marked("имя сервера не найдено"),
    "private": marked("адрес внутри сети, вызывать его не разрешено"),
    "timeout": marked("нет ответа за 10 секунд"),
    "connect": marked("соединение не установлено"),
    "endless": marked("ответ длиннее 16 КБ"),
    "broken": marked("соединение оборвалось"),
}


@dataclass(frozen=True)
class EventLine:
    """A delivery as it is drawn."""

    one: DeliverySeen
    state: StatusTag
    what: str
    answer: str


@router.get("")
async def list_page(visit: Inside, session: Work) -> Response:
    """All subscribers, and the form for another."""
    return await _listed(visit, session)


@router.post("")
async def add(
    visit: Inside, session: Work, name: Text = "", url: Text = "", types: Types = None
) -> Response:
    """Add a subscriber. Its secret is shown on this response only."""
    visit.signed_in.demand_fresh(now())
    chosen = types or []
    new = NewSubscriber(name, url, chosen)
    try:
        id_, secret = await visit.container.subscribers.add(visit.actor, new)
    except Refusal as refusal:
        if not refusal.fields and refusal.code != "too_many":
            raise
        return await _listed(visit, session, refusal, name=name, url=url, types=chosen)
    return await _shown(visit, session, id_, secret=secret)


@router.get("/{subscriber_id}")
async def subscriber_page(
    subscriber_id: UUID,
    visit: Inside,
    session: Work,
    state: Annotated[DeliveryState | None, Query()] = None,
) -> Response:
    """One subscriber, with its last deliveries."""
    return await _shown(visit, session, subscriber_id, state=state)


@router.post("/{subscriber_id}/reception")
async def change(
    subscriber_id: UUID, visit: Inside, session: Work, url: Text = "", types: Types = None
) -> Response:
    """Give another address or other types. Asks for a code when the last is older."""
    visit.signed_in.demand_fresh(now())
    chosen = types or []
    try:
        await visit.container.subscribers.change(visit.actor, subscriber_id, url, chosen)
    except Refusal as refusal:
        if not refusal.fields:
            raise
        return await _shown(visit, session, subscriber_id, refusal, url=url, types=chosen)
    return visit.go(f"/subscribers/{subscriber_id}", "subscriber_changed")


@router.post("/{subscriber_id}/secret")
async def rotate(
    subscriber_id: UUID,
    visit: Inside,
    session: Work,
    leaked: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Make a new secret. It is shown on this response only."""
    visit.signed_in.demand_fresh(now())
    secret = await visit.container.subscribers.rotate(
        visit.actor, subscriber_id, leaked=leaked == "yes"
    )
    return await _shown(visit, session, subscriber_id, secret=secret)


@router.post("/{subscriber_id}/pause")
async def pause(subscriber_id: UUID, visit: Inside) -> Response:
    """Send nothing until told to go on."""
    await visit.container.subscribers.set_paused(visit.actor, subscriber_id, paused=True)
    return visit.go(f"/subscribers/{subscriber_id}", "subscriber_paused")


@router.post("/{subscriber_id}/resume")
async def resume(subscriber_id: UUID, visit: Inside) -> Response:
    """Go on, with what has waited."""
    await visit.container.subscribers.set_paused(visit.actor, subscriber_id, paused=False)
    return visit.go(f"/subscribers/{subscriber_id}", "subscriber_resumed")


@router.post("/{subscriber_id}/test")
async def test(subscriber_id: UUID, visit: Inside) -> Response:
    """Send an event that says nothing."""
    await visit.container.subscribers.test(visit.actor, subscriber_id)
    return visit.go(f"/subscribers/{subscriber_id}", "subscriber_tested")


@router.post("/{subscriber_id}/resend")
async def resend(
    subscriber_id: UUID, visit: Inside, event_id: Annotated[UUID | None, Form()] = None
) -> Response:
    """Send again what was given up: one event, or all."""
    await visit.container.subscribers.resend(visit.actor, subscriber_id, event_id)
    return visit.go(f"/subscribers/{subscriber_id}", "subscriber_resent")


@router.post("/{subscriber_id}/end")
async def end(subscriber_id: UUID, visit: Inside) -> Response:
    """Disconnect a subscriber for good."""
    await visit.container.subscribers.end(visit.actor, subscriber_id)
    return visit.go("/subscribers", "subscriber_ended")


async def _listed(
    visit: Visit,
    session: Work,
    refusal: Refusal | None = None,
    *,
    name: str = "",
    url: str = "",
    types: Collection[str] = tuple(EventType),
) -> Response:
    faults = _faults(refusal)
    named = FieldView(
        "name", gettext("Название системы"), "text", name, error=faults.get("name", "")
    )
    return visit.page(
        "subscribers/list.html",
        status=refusal.status if refusal else 200,
        rows=[(one, standing(one)) for one in await seen.every(session, visit.actor)],
        fields=[named, _address(url, faults)],
        types=offered(types),
        types_error=faults.get("types", ""),
        errors=_items(refusal),
    )


async def _shown(
    visit: Visit,
    session: Work,
    subscriber_id: UUID,
    refusal: Refusal | None = None,
    *,
    state: DeliveryState | None = None,
    secret: str = "",
    url: str | None = None,
    types: Collection[str] | None = None,
) -> Response:
    one = await seen.one(session, visit.actor, subscriber_id)
    found = await seen.deliveries(session, visit.actor, subscriber_id, state)
    faults = _faults(refusal)
    return visit.page(
        "subscribers/subscriber.html",
        status=refusal.status if refusal else 200,
        one=one,
        standing=standing(one),
        events=[event_words(each) for each in one.types],
        lines=[line(each) for each in found],
        dead_only=state is DeliveryState.DEAD,
        secret=secret,
        address=_address(one.url if url is None else url, faults),
        types=offered(one.types if types is None else types),
        types_error=faults.get("types", ""),
        errors=_items(refusal),
    )


def standing(one: SubscriberSeen) -> StatusTag:
    """Where a subscriber stands, as it is drawn."""
    if one.ended_at:
        return StatusTag(gettext("отключена"), "idle", "archive")
    if one.paused_at:
        return StatusTag(gettext("приостановлена"), "paused", "clock")
    if one.failing_since:
        return StatusTag(gettext("не принимает события"), "bad", "triangle-alert")
    if one.dead:
        return StatusTag(gettext("есть недоставленное"), "waiting", "triangle-alert")
    return StatusTag(gettext("работает"), "good", "circle-check")


def line(one: DeliverySeen) -> EventLine:
    """A delivery as it is drawn."""
    answer = gettext(_FAULTS[one.fault]) if one.fault else ""
    if one.status is not None:
        answer = gettext("ответ %(status)s") % {"status": one.status}
    state = StatusTag(gettext(DELIVERY_WORDS[one.state]), *_LOOKS[one.state])
    return EventLine(one, state, event_words(one.type), answer)


def event_words(type_: str) -> str:
    """A type of event in words."""
    if type_ == TEST:
        return gettext("пробное событие")
    return gettext(EVENT_WORDS[EventType(type_)])


def offered(chosen: Collection[str]) -> Sequence[tuple[str, str, bool]]:
    """The types that can be chosen: value, words, whether ticked."""
    return [(one.value, gettext(EVENT_WORDS[one]), one.value in chosen) for one in EventType]


def _address(url: str, faults: Mapping[str, str]) -> FieldView:
    return FieldView(
        "url",
        gettext("Адрес, на который отправлять события"),
        "text",
        url,
        hint=gettext("Начинается с https://. Перенаправлений мы не выполняем."),
        max_length=LONGEST_ADDRESS,
        error=faults.get("url", ""),
    )


def _faults(refusal: Refusal | None) -> Mapping[str, str]:
    return {one.path: in_words(one.message) for one in refusal.fields} if refusal else {}


def _items(refusal: Refusal | None) -> list[ErrorItem]:
    if refusal is None:
        return []
    faults = _faults(refusal)
    if not faults:
        return [ErrorItem(in_words(refusal.message), "")]
    return [ErrorItem(words, f"#field-{at}") for at, words in faults.items()]
