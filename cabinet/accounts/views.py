"""The account, its sessions and tokens, as their pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup


@dataclass(frozen=True)
class SecondFactorSetupView:
    """The first set-up of the authenticator app: a QR code and the same secret in letters."""

    qr: Markup
    secret: str
    account: str


@dataclass(frozen=True)
class PasskeyView:
    """A passkey of the person."""

    id: str
    name: str
    created_at: datetime
    last_used: datetime | None


@dataclass(frozen=True)
class SessionView:
    """One place where the person is signed in."""

    id: str
    device: str
    address: str
    since: datetime
    last_seen: datetime
    current: bool


@dataclass(frozen=True)
class LoginLine:
    """One attempt to sign in."""

    at: datetime
    outcome: str
    good: bool
    device: str
    address: str


@dataclass(frozen=True)
class TokenLine:
    """A personal access token; its text was shown once, when it was made."""

    id: str
    name: str
    scope: str
    created_at: datetime
    expires_at: datetime
    last_used: datetime | None
    revoke_url: str


@dataclass(frozen=True)
class Profile:
    """What the institution knows of the person."""

    facts: Sequence[tuple[str, str]]
    roles: Sequence[tuple[str, str]]
    sessions: Sequence[SessionView]
    logins: Sequence[LoginLine]
    provider: str = ""
    """What people call the external provider; empty where there is none."""
