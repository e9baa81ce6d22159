"""Which events of credentials other systems hear of, and how long a delivery is tried."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from rules.journal.entries import JournalKind
from rules.refusals import FieldError, Refusal


class EventType(StrEnum):
    """Types of events as they stand in what is sent. Receivers know them: add, never rename."""

    ADDED = "ru.medcab.credential.added"
    CHANGED = "ru.medcab.credential.changed"
    EXPIRED = "ru.medcab.credential.expired"
    RENEWED = "ru.medcab.credential.renewed"
    WITHDRAWN = "ru.medcab.credential.withdrawn"


TEST = "ru.medcab.subscriber.test"
"""The type of the event that an administrator sends to try a receiver."""

EVENT_WORDS: Mapping[EventType, str] = {
    EventType.ADDED: "внесён документ",
    EventType.CHANGED: "документ изменён",
    EventType.EXPIRED: "истёк срок действия",
    EventType.RENEWED: "документ продлён новым",
    EventType.WITHDRAWN: "документ отмечен как ошибочный",
}
"""The types in words (msgids)."""

EVENT_OF: Mapping[JournalKind, EventType] = {
    JournalKind.CREDENTIAL_ADDED: EventType.ADDED,
    JournalKind.CREDENTIAL_UPDATED: EventType.CHANGED,
    JournalKind.CREDENTIAL_CORRECTED: EventType.CHANGED,
    JournalKind.CREDENTIAL_ACCEPTED: EventType.CHANGED,
    JournalKind.CREDENTIAL_CONFIRMED: EventType.CHANGED,
    JournalKind.CREDENTIAL_STANDS_AGAIN: EventType.CHANGED,
    JournalKind.CREDENTIAL_RENEWAL_OPENED: EventType.CHANGED,
    JournalKind.CREDENTIAL_RENEWAL_CLOSED: EventType.CHANGED,
    JournalKind.CREDENTIAL_REPLACED: EventType.RENEWED,
    JournalKind.CREDENTIAL_EXPIRED: EventType.EXPIRED,
    JournalKind.CREDENTIAL_WITHDRAWN: EventType.WITHDRAWN,
}
"""What happened to a credential, as an event. A reminder concerns its owner alone."""


class DeliveryState(StrEnum):
    """How far the delivery of one event to one subscriber is. Values are stored for ever."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up: it waits for somebody who sends it again."""


DELIVERY_WORDS: Mapping[DeliveryState, str] = {
    DeliveryState.WAITING: "ждёт отправки",
    DeliveryState.DELIVERED: "доставлено",
    DeliveryState.DEAD: "не доставлено",
}
"""The states in words (msgids)."""

PAUSES: Sequence[timedelta] = tuple(
    timedelta(seconds=one) for one in (5, 10, 20, 60, 300, 900, 3600)
)
"""After the first failure, the second and so on; the last one holds from then on."""
TERM = timedelta(days=3)
"""A failure of what has waited so long is the last one."""
TOLD_AFTER = timedelta(hours=1)
"""So long a subscriber fails until somebody is told of it; then again each day."""
KEPT = timedelta(days=90)
"""So long events are kept, delivered or not."""
OVERLAP = timedelta(days=1)
"""So long the secret before is used as well after a new one was made."""

AT_A_TIME = 20
"""How many deliveries are read at once."""
IN_A_ROW = 3
"""After so many failures without a success between them nothing else is tried for a while."""
MOST = 50
"""How many subscribers there may be: each change of a credential writes a row for each."""
MOST_SHOWN = 100
LONGEST_ADDRESS = 1000


def pause(failures: int) -> timedelta:
    """How long to wait after so many failures, from 1."""
    return PAUSES[min(failures, len(PAUSES)) - 1]


def is_over(waits_since: datetime, now: datetime) -> bool:
    """Whether what has waited since then is given up by a failure now."""
    return waits_since + TERM <= now


def name_taken() -> Refusal:
    """Another subscriber has this name."""
    words = "Подписчик с таким названием уже есть. Назовите этого иначе."
    return Refusal("name_taken", words, 409, [FieldError("name", words)])


def too_many() -> Refusal:
    """There is no room for another one."""
    words = "Подписчиков уже 50. Отключите того, который больше не нужен."
    return Refusal("too_many", words, 409)


def ended() -> Refusal:
    """The subscriber was disconnected: nothing can be done with it."""
    words = "Этот подписчик отключён навсегда. Добавьте его заново."
    return Refusal("subscriber_ended", words, 409)


def unusable_address(words: str) -> Refusal:
    """Nothing can be sent to this address; the words say why."""
    return Refusal("unusable_address", words, 422, [FieldError("url", words)])
