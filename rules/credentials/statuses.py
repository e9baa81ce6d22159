"""What a credential is worth today. The status is derived and never stored (Q6).

Days are days in the zone of the owner's unit: a credential is valid through the end of its last
day. Who asks passes that day as `today`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

NEAR = 90
"""So many days before its end a credential is shown as ending."""


class CredentialStatus(StrEnum):
    """What a credential is worth."""

    ACTIVE = "active"
    RENEWING = "renewing"
    EXPIRED = "expired"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


STATUS_WORDS: Mapping[CredentialStatus, str] = {
    CredentialStatus.ACTIVE: "активен",
    CredentialStatus.RENEWING: "в процессе продления",
    CredentialStatus.EXPIRED: "просрочен",
    CredentialStatus.REPLACED: "заменён",
    CredentialStatus.WITHDRAWN: "внесён ошибочно",
}
"""The statuses in words (msgids)."""


@dataclass(frozen=True)
class CredentialStanding:
    """What the status of a credential is derived from."""

    valid_until: date | None
    renewing: bool = False
    replaced: bool = False
    withdrawn: bool = False

    def status(self, today: date) -> CredentialStatus:
        """The status on a day.

        One that is over is expired, whether or not a renewal is under way: nobody may take a
        renewal for a right to work.
        """
        if self.withdrawn:
            return CredentialStatus.WITHDRAWN
        if self.replaced:
            return CredentialStatus.REPLACED
        if self.is_over(today):
            return CredentialStatus.EXPIRED
        return CredentialStatus.RENEWING if self.renewing else CredentialStatus.ACTIVE

    def is_over(self, today: date) -> bool:
        """Whether the last day has passed."""
        return self.valid_until is not None and self.valid_until < today

    def days_left(self, today: date) -> int | None:
        """How many days follow today until the last one; negative after it, None without an end."""
        return None if self.valid_until is None else (self.valid_until - today).days

    def ends_soon(self, today: date) -> bool:
        """Whether a valid one ends within `NEAR` days."""
        left = self.days_left(today)
        return left is not None and 0 <= left <= NEAR
