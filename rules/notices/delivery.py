"""When sending is tried again, when a provider is asked for a report, when both are given up."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from rules.notices.kinds import Channel


class DeliveryOutcome(StrEnum):
    """The result of one try to send, or of what a provider reports later."""

    TOLD = "told"
    LATER = "later"
    DOWN = "down"
    REFUSED = "refused"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    DELAYED = "delayed"
    """A server on the way has the message and keeps trying."""


class DeliveryReport(StrEnum):
    """What a provider says became of a message that it accepted."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    UNKNOWN_NUMBER = "unknown_number"
    EXPIRED = "expired"
    DELAYED = "delayed"
    SILENT = "silent"
    """The provider was asked for days and gave no final answer."""


FAILED_REPORTS = frozenset(
    {DeliveryReport.BOUNCED, DeliveryReport.UNKNOWN_NUMBER, DeliveryReport.EXPIRED}
)

_PAUSES = (2, 5, 10, 15, 20, 30, 30, 60, 120, 300, 900, 1800, 3600, 7200, 14400, 28800)
"""Seconds to the next try after the first, second, … temporary refusal: 16 hours in all."""


def pause_after(tries: int) -> timedelta | None:
    """How long to wait after the `tries`-th refusal; None if the message is given up."""
    if tries > len(_PAUSES):
        return None
    return timedelta(seconds=_PAUSES[tries - 1])


_ASKED_AFTER = (30, 120, 600, 3600, 6 * 3600, 24 * 3600, 48 * 3600)
"""Seconds until a provider is first asked about a message, then from each question to the next."""


def asked_again_after(asks: int) -> timedelta | None:
    """How long to wait for a delivery report after so many questions; None to stop asking."""
    return timedelta(seconds=_ASKED_AFTER[asks]) if asks < len(_ASKED_AFTER) else None


GIVEN_UP_AFTER: Mapping[Channel, timedelta] = {
    Channel.SMS: timedelta(days=1),
    Channel.PUSH: timedelta(days=1),
}
"""How long a channel may be down before its message is given up; mail waits without a limit."""
