"""How often a message is tried, how long a provider is asked for it, and when it is given up."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from rules.notices.kinds import Channel


class Outcome(StrEnum):
    """What came of one try, and what a provider's receipt says of it later."""

    TOLD = "told"
    LATER = "later"
    DOWN = "down"
    REFUSED = "refused"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    DELAYED = "delayed"
    """A server on the way has it and tries on."""


class DeliveryReport(StrEnum):
    """What a provider says became of a message that it took."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    UNKNOWN_NUMBER = "unknown_number"
    EXPIRED = "expired"
    DELAYED = "delayed"
    SILENT = "silent"
    """It was asked for days and knows nothing."""


FAILED_REPORTS = frozenset(
    {DeliveryReport.BOUNCED, DeliveryReport.UNKNOWN_NUMBER, DeliveryReport.EXPIRED}
)

_PAUSES = (2, 5, 10, 15, 20, 30, 30, 60, 120, 300, 900, 1800, 3600, 7200, 14400, 28800)
"""Seconds until the next try after the first, second, … refusal for now: 16 hours in all."""


def pause_after(tries: int) -> timedelta | None:
    """How long to wait after the `tries`-th refusal; None when it is given up."""
    if tries > len(_PAUSES):
        return None
    return timedelta(seconds=_PAUSES[tries - 1])


_ASKED_AFTER = (30, 120, 600, 3600, 6 * 3600, 24 * 3600, 48 * 3600)
"""Seconds after each question until a provider is asked again what became of a message."""


def asked_again_after(asks: int) -> timedelta | None:
    """How long to wait for a receipt after so many questions; None when no word is awaited."""
    return timedelta(seconds=_ASKED_AFTER[asks]) if asks < len(_ASKED_AFTER) else None


GIVEN_UP_AFTER: Mapping[Channel, timedelta] = {
    Channel.SMS: timedelta(days=1),
    Channel.PUSH: timedelta(days=1),
}
"""How long a channel may be down before its message is given up; mail waits as long as it takes."""
