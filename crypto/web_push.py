"""Web push: a message that one browser can read (RFC 8291), signed by its sender (RFC 8292)."""

import base64
import time

import http_ece  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02  # type: ignore[import-untyped]

TOKEN_LIVES = 3600
"""How many seconds our signature is valid; services accept a day at most."""


def encrypt_for_browser(message: bytes, p256dh: str, auth: str) -> bytes:
    """The message so that only the browser with these keys can read it.

    The keys are in base64url: a point of P-256 and 16 secret bytes. Raises ValueError for others.
    """
    secret = _decoded(auth)
    if len(secret) != 16:
        raise ValueError("the secret of a browser has 16 bytes")
    body: bytes = http_ece.encrypt(
        message,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_decoded(p256dh),
        auth_secret=secret,
        version="aes128gcm",
    )
    return body


def _decoded(key: str) -> bytes:
    """A key as browsers give it, base64url without padding. Raises ValueError."""
    return base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))


class VapidKey:
    """The key by which push services know the sender: 32 bytes in base64url, on P-256."""

    def __init__(self, text: str) -> None:
        self._vapid = Vapid02.from_raw(text.encode())

    @property
    def public(self) -> str:
        """The key with which a browser subscribes, base64url."""
        numbers = self._vapid.public_key.public_numbers()
        point = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()

    def signed(self, contact: str, origin: str) -> dict[str, str]:
        """The headers that tell the service at this origin who we are and whom to contact."""
        expires = int(time.time()) + TOKEN_LIVES
        headers: dict[str, str] = self._vapid.sign({"sub": contact, "aud": origin, "exp": expires})
        return headers
