"""The device token: which account was confirmed on a device, and for how long a copy is worth it.

It consists of a family, which stays, and a secret, which changes every 24 hours. So whoever shows
the family with a secret that is over has a copy, or has missed a change, and nothing has to be
kept of the secrets before. Source: requirement I2; OWASP ASVS 5.0, 7.2.2 and 10.4.5.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.refusals import Refusal

ROTATES_AFTER = timedelta(hours=24)
GRACE = timedelta(seconds=30)
"""How long the secret before is good for reading: requests that were under way lose nothing."""
LIVES = timedelta(days=400)
"""How long a token that is not used stays: as long as browsers keep a cookie."""


class Standing(StrEnum):
    """What a token that was shown is worth."""

    PRESENT = "present"
    DUE = "due"
    """The present one, and time to change it."""
    OLD = "old"
    """The one before, within its last half minute."""
    SPENT = "spent"


@dataclass(frozen=True)
class TokenText:
    """A token as the cookie holds it."""

    family: str
    secret: str

    def __str__(self) -> str:
        return f"{self.family}.{self.secret}"

    def renewed(self, salt: str) -> "TokenText":
        """The token that follows. Both this one and the stored salt are needed to make it.

        So whoever shows this one within its grace can be given the next one again, although no
        token is stored.
        """
        digest = hmac.new(self.secret.encode(), salt.encode(), hashlib.sha256).digest()
        return TokenText(self.family, urlsafe_b64encode(digest).decode().rstrip("="))


def drawn() -> TokenText:
    """The first token of a family."""
    return TokenText(secrets.token_urlsafe(16), secrets.token_urlsafe(32))


def read(text: str | None) -> TokenText | None:
    """The token in a cookie; None for what cannot be one."""
    family, dot, secret = (text or "").partition(".")
    return TokenText(family, secret) if dot and family and 0 < len(secret) <= 64 else None


def standing(
    shown_hash: str, present_hash: str, before_hash: str | None, rotated_at: datetime, now: datetime
) -> Standing:
    """What the secret with this hash is worth in its family."""
    if hmac.compare_digest(shown_hash, present_hash):
        return Standing.DUE if now - rotated_at >= ROTATES_AFTER else Standing.PRESENT
    was_before = before_hash is not None and hmac.compare_digest(shown_hash, before_hash)
    return Standing.OLD if was_before and now - rotated_at < GRACE else Standing.SPENT


def reads_only() -> Refusal:
    """The token has just changed, and the one before is good for reading."""
    words = "Ключ этого устройства только что сменился. Ничего не изменено, повторите действие."
    return Refusal("device_token_old", words, 409)
