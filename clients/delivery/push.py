"""The client of browsers' push services: messages are encrypted for the browser and signed by us.

The browser names its push service. Its address is only accepted if it leads to one of the known
hosts, so that nobody can make us call another server.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self
from urllib.parse import urlsplit

import httpx

from clients.answers import answer
from crypto.web_push import VapidKey, encrypt_for_browser
from settings import Settings

_ADDRESS = re.compile(r"[!#-\[\]_a-z~]+")
"""Printable ASCII without blank, double quote, backslash, caret, backtick, braces and bar."""


class PushLater(Exception):
    """The service refused for now, or does not answer: try this message again later."""


class PushGone(Exception):
    """The browser or its service has ended the subscription: delete it."""


class PushRefused(Exception):
    """The service will never accept this message."""


@dataclass(frozen=True)
class SubscribedBrowser:
    """A browser as it subscribed: the address for its messages, and its keys in base64url."""

    endpoint: str
    p256dh: str
    auth: str

    @property
    def sound(self) -> bool:
        """Whether its keys are valid: a point of P-256 and 16 bytes."""
        try:
            self.encrypted(b"{}")
        except ValueError:
            return False
        return True

    def encrypted(self, message: bytes) -> bytes:
        """The message so that only this browser can read it. Raises ValueError for invalid keys."""
        return encrypt_for_browser(message, self.p256dh, self.auth)


class PushSender:
    """Encrypts, signs and sends; safe to share between tasks. `timeout` is in seconds."""

    def __init__(
        self, key: str, contact: str, hosts: str, own_service: str = "", timeout: float = 10.0
    ) -> None:
        self._key = VapidKey(key) if key else None
        self._contact = contact
        self._hosts = [host.strip().lower() for host in hosts.split(",") if host.strip()]
        self._own = own_service.rstrip("/")
        self._timeout = timeout
        self._client: httpx.AsyncClient | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The sender of this installation."""
        return cls(
            settings.vapid_key.get_secret_value(),
            settings.push_contact,
            settings.push_hosts,
            settings.push_url if settings.demo else "",
        )

    @property
    def _http(self) -> httpx.AsyncClient:
        """The connections, opened at the first message: most processes only check addresses."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=httpx.Timeout(self._timeout, connect=min(self._timeout, 3.0)),
                trust_env=False,
                follow_redirects=False,
            )
        return self._client

    @property
    def public_key(self) -> str:
        """The key with which a browser subscribes, base64url; empty if push is not set up."""
        return self._key.public if self._key is not None else ""

    def knows(self, endpoint: str) -> bool:
        """Whether an address leads to a push service that we send to."""
        # An address that others parse differently could lead anywhere.
        if not _ADDRESS.fullmatch(endpoint) or "/../" in endpoint:
            return False
        try:
            parts = urlsplit(endpoint)
            port, host = parts.port, (parts.hostname or "").lower()
        except ValueError:
            return False
        if self._own and endpoint.startswith(f"{self._own}/"):
            return True
        if parts.scheme != "https" or port not in (None, 443) or parts.username is not None:
            return False
        return any(
            host == known or (known.startswith("*.") and host.endswith(known[1:]))
            for known in self._hosts
        )

    async def send(
        self, to: SubscribedBrowser, message: bytes, *, topic: str, lives: int, urgent: bool = False
    ) -> None:
        """Send one message. A later one of the same `topic` replaces it if it still waits.

        `lives` is how many seconds the service keeps it for a browser that is offline. Raises
        PushLater, PushGone and PushRefused; none of them contains the address.
        """
        if self._key is None or not self.knows(to.endpoint):
            raise PushRefused("not a known push service")
        parts = urlsplit(to.endpoint)
        try:
            body = to.encrypted(message)
        except ValueError:
            raise PushGone("keys that are none") from None
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(lives),
            "Topic": topic,
            "Urgency": "high" if urgent else "normal",
            **self._key.signed(self._contact, f"{parts.scheme}://{parts.netloc}"),
        }
        try:
            within = 3 * self._timeout
            reply = await answer(
                self._http, "POST", to.endpoint, within=within, content=body, headers=headers
            )
        except httpx.HTTPError as error:
            raise PushLater(type(error).__name__) from None
        _understand(reply.status_code)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


@lru_cache(maxsize=4)
def sender_of(settings: Settings) -> PushSender:
    """The sender of this installation, made once a process, for checking addresses and keys."""
    return PushSender.from_settings(settings)


def _understand(status: int) -> None:
    """Raise the error that an HTTP status of a service means (RFC 8030, sections 7.3 and 8.4)."""
    if status in (200, 201, 202, 204):
        return
    if status in (404, 410):
        raise PushGone(f"HTTP {status}")
    if status == 429 or status >= 500:
        raise PushLater(f"HTTP {status}")
    raise PushRefused(f"HTTP {status}")
