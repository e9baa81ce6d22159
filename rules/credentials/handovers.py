"""Handing documents over to authorities: what is asked, how far it is, and for how long (Q5)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from rules.accounts import Limit
from rules.refusals import Refusal


class HandoverState(StrEnum):
    """How far a hand-over is. Values are stored for ever."""

    ASKED = "asked"
    REFUSED = "refused"
    PACKING = "packing"
    """Released; the package is being made."""
    BROKEN = "broken"
    """Released, but no package could be made: an officer decides anew."""
    READY = "ready"
    """The authority may fetch the package."""
    OVER = "over"
    """The package was removed when its time was over."""


OPEN_STATES = frozenset({HandoverState.ASKED, HandoverState.BROKEN})
"""An officer has to decide."""

TOLD_STATES = frozenset({HandoverState.READY, HandoverState.OVER})
"""The person may know of it. What waits or was refused may be part of an inquiry."""

HANDOVER_WORDS: Mapping[HandoverState, str] = {
    HandoverState.ASKED: "ждёт решения",
    HandoverState.REFUSED: "отказано",
    HandoverState.PACKING: "готовится пакет",
    HandoverState.BROKEN: "пакет не собран",
    HandoverState.READY: "передано",
    HandoverState.OVER: "передано, срок получения истёк",
}
"""The states in words (msgids)."""

ASKS = Limit("handover_ask", 60, timedelta(hours=1))
"""How much one authority may ask."""
FETCHES = Limit("handover_fetch", 60, timedelta(hours=1))
"""How many packages one authority may fetch: each time is journaled."""
WRONG_SECRETS = Limit("authority_secret", 20, timedelta(hours=1))
"""How many wrong secrets are taken from one address."""

TERM = timedelta(days=14)
"""So long an officer has to decide."""
REMINDED_AFTER: Sequence[timedelta] = (timedelta(days=7), timedelta(days=12), TERM)
"""So long after the request officers are reminded; then once a week."""
WEEKLY = timedelta(days=7)
KEPT = timedelta(days=30)
"""So long a package can be fetched."""
MOST_CREDENTIALS = 50
MOST_BYTES = 64 * 1024 * 1024
"""How large the files of one package may be together: it is signed and encrypted in memory."""


def next_look(asked_at: datetime, reminded: int) -> datetime:
    """When officers are reminded next who were reminded so often."""
    if reminded < len(REMINDED_AFTER):
        return asked_at + REMINDED_AFTER[reminded]
    return asked_at + TERM + WEEKLY * (reminded - len(REMINDED_AFTER) + 1)


def asked_otherwise() -> Refusal:
    """The reference of the authority belongs to a request that says something else."""
    words = "Под этим номером уже есть другой запрос. Дайте новому запросу свой номер."
    return Refusal("reference_reused", words, 409)


def decided_already() -> Refusal:
    """Somebody decided meanwhile, or otherwise."""
    words = "По этому запросу уже есть решение. Откройте его заново."
    return Refusal("changed_meanwhile", words, 409)


def authority_ended() -> Refusal:
    """Nobody may fetch what would be handed over."""
    words = "Это ведомство больше не подключено: передать ему ничего нельзя."
    return Refusal("authority_ended", words, 409)


def not_ready() -> Refusal:
    """There is no package to fetch: not yet, never, or not any more."""
    return Refusal("not_ready", "Пакета нет: посмотрите состояние запроса.", 409)


def too_large() -> Refusal:
    """The chosen files are more than a package holds."""
    words = "Выбранные файлы больше 64 МБ вместе. Передайте их двумя запросами."
    return Refusal("too_large", words, 422)


def nothing_chosen() -> Refusal:
    """An officer released nothing."""
    words = "Выберите хотя бы один действующий документ с файлом или откажите с причиной."
    return Refusal("nothing_chosen", words, 422)
