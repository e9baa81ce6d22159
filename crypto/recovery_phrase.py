"""A recovery phrase: 160 random bits that people keep on paper, and the X25519 key made of them.

With the public half alone, anybody can encrypt for the phrase: each file has a key pair of its own
(ECDH), and the file's key is derived from the shared secret together with both public halves.
"""

import base64
import binascii
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.backup_files import BackupKey

_BITS = 160
_GROUPS, _GROUP = 8, 4


def new_phrase() -> str:
    """A phrase of eight groups of four characters."""
    text = base64.b32encode(os.urandom(_BITS // 8)).decode()
    return "-".join(text[n : n + _GROUP] for n in range(0, _GROUPS * _GROUP, _GROUP))


@dataclass(frozen=True)
class RecoveryPhrase:
    """The private key that belongs to a phrase."""

    private: X25519PrivateKey

    @classmethod
    def read(cls, phrase: str) -> "RecoveryPhrase":
        """Read a phrase as people type it. Raises ValueError."""
        plain = "".join(phrase.split()).replace("-", "").upper()
        try:
            bits = base64.b32decode(plain)
        except binascii.Error:
            bits = b""
        if 8 * len(bits) != _BITS:
            raise ValueError(
                "a recovery phrase is eight groups of four letters or digits from 2 to 7"
            )
        raw = HKDF(SHA256(), 32, salt=None, info=b"medcab recovery phrase").derive(bits)
        return cls(X25519PrivateKey.from_private_bytes(raw))

    @property
    def public(self) -> bytes:
        """The public half, which the machine keeps."""
        return self.private.public_key().public_bytes_raw()

    def key_of(self, once: bytes) -> BackupKey:
        """The key of a file, from the public half of the file's own key pair."""
        return _shared(self.private, once, once, self.public)


def key_for(public: bytes) -> tuple[bytes, BackupKey]:
    """A key for a file that only the phrase can decrypt, and what to store with the file.

    To be stored is the public half of the file's own key pair. `public` is that of the phrase.
    Raises ValueError if it is invalid.
    """
    own = X25519PrivateKey.generate()
    once = own.public_key().public_bytes_raw()
    return once, _shared(own, public, once, public)


def _shared(mine: X25519PrivateKey, theirs: bytes, once: bytes, public: bytes) -> BackupKey:
    secret = mine.exchange(X25519PublicKey.from_public_bytes(theirs))
    derived = HKDF(SHA256(), 32, salt=once + public, info=b"medcab backed-up keys")
    return BackupKey(derived.derive(secret))
