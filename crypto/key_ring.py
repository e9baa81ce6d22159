"""Encryption of stored data: AES-256-GCM with a ring of keys, and blind indexes for look-ups.

A ciphertext is `version (1 byte) | length of key id | key id | nonce (12) | ciphertext and tag`.
The first key of the ring encrypts; all of them decrypt, so keys are rotated without downtime. The
version says what the ciphertext is bound to; for columns see `models.encrypted_columns`.
"""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FOR_WORKFLOW, FOR_ROW = 1, 2
"""What a ciphertext is bound to: a payload to its workflow, a column's value to its row.

Values of columns from before migration 0014 have the first version, and are no longer decrypted.
"""

_NONCE = 12


class UndecryptableError(ValueError):
    """The bytes were not encrypted by a key of this ring, for this place."""


@dataclass(frozen=True)
class KeyRing:
    """Keys by id, newest first."""

    keys: dict[str, bytes]

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read `id:base64 of 32 bytes`, comma separated, newest first. Raises ValueError."""
        keys: dict[str, bytes] = {}
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            key_id, _, encoded = part.partition(":")
            key = base64.b64decode(encoded, validate=True)
            if not key_id or len(key_id) > 32 or len(key) != 32 or key_id in keys:
                raise ValueError("MEDCAB_KEYS: write id:base64 of 32 bytes, comma separated")
            keys[key_id] = key
        if not keys:
            raise ValueError("MEDCAB_KEYS is empty: `medcab up` makes a ring for development")
        return cls(keys)

    def encrypt(self, plain: bytes, aad: bytes, version: int = FOR_WORKFLOW) -> bytes:
        """Encrypt with the newest key. Decrypting needs the same `aad`, which names the place."""
        key_id, key = next(iter(self.keys.items()))
        name = key_id.encode()
        head = bytes([version, len(name)]) + name
        nonce = os.urandom(_NONCE)
        return head + nonce + AESGCM(key).encrypt(nonce, plain, head + aad)

    def decrypt(self, encrypted: bytes, aad: bytes, version: int = FOR_WORKFLOW) -> bytes:
        """Decrypt with the key that the bytes name. Raises UndecryptableError."""
        try:
            if encrypted[0] != version:
                raise UndecryptableError(f"version {encrypted[0]}, not {version}")
            end = 2 + encrypted[1]
            head, nonce, body = (
                encrypted[:end],
                encrypted[end : end + _NONCE],
                encrypted[end + _NONCE :],
            )
            return AESGCM(self.keys[head[2:].decode()]).decrypt(nonce, body, head + aad)
        except UndecryptableError:
            raise
        except Exception as error:
            raise UndecryptableError(type(error).__name__) from None

    def blind(self, text: str) -> str:
        """A keyed hash by which an encrypted value can be looked up. It uses the oldest key."""
        oldest = list(self.keys.values())[-1]
        key = HKDF(SHA256(), 32, salt=None, info=b"medcab blind index").derive(oldest)
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def attest(self, data: bytes) -> bytes:
        """The application's attestation of these bytes: HMAC-SHA256 with the newest key."""
        return _attestation(next(iter(self.keys.values())), data)

    def attests(self, data: bytes, attestation: bytes) -> bool:
        """Whether a key of this ring has attested these bytes."""
        return any(
            hmac.compare_digest(_attestation(key, data), attestation) for key in self.keys.values()
        )


def _attestation(key: bytes, data: bytes) -> bytes:
    return hmac.digest(_attesting_key(key), data, "sha256")


@lru_cache(maxsize=16)
def _attesting_key(key: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"medcab journal attestation").derive(key)


_ring: KeyRing | None = None


def use_key_ring(ring: KeyRing) -> None:
    """Set the ring that the rows of this process are encrypted with: that of its database."""
    global _ring
    _ring = ring


def key_ring() -> KeyRing:
    """The ring of this process. Raises RuntimeError where its database came without keys."""
    if _ring is None:
        raise RuntimeError("there are no keys: set MEDCAB_KEYS")
    return _ring
