"""Encryption of stored data: AES-256-GCM with a ring of keys, and blind indexes for look-ups.

A ciphertext is `version (1 byte) | length of key id | key id | nonce (12) | ciphertext and tag`.
The newest key in use encrypts; all of them decrypt, so keys are rotated without downtime. The
version says what the ciphertext is bound to; for columns see `models.encrypted_columns`.

A blind index has two places, `first.second`: keys with an odd number fill the first, the others the
second. While a key replaces another, values have both, so that a unique index on each place holds
throughout. See docs/keys.md.
"""

import base64
import hashlib
import hmac
import os
import re
import time
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FOR_WORKFLOW, FOR_ROW = 1, 2
"""What a ciphertext is bound to: a payload to its workflow, a column's value to its row.

Values of columns from before migration 0014 have the first version, and are no longer decrypted.
"""

LOOK_EVERY = 1.0
"""Seconds after which a process looks whether the ring's file has changed."""

_NONCE = 12
_KEY = re.compile(r"(?P<id>[^:]{1,32}):(?P<key>[^:]+)(?::(?P<since>\d{1,12}))?(?P<reads>:reads)?")


class UndecryptableError(ValueError):
    """The bytes were not encrypted by a key of this ring, for this place."""


@dataclass
class KeyRing:
    """Keys by id, newest first. Those in `reads` only decrypt what they once encrypted.

    `since` says at which second since 1970 a key came into use. A ring with a `file` follows it:
    what another process writes there holds here within LOOK_EVERY, and a key that is not known yet
    is looked for there at once.
    """

    keys: dict[str, bytes]
    reads: frozenset[str] = frozenset()
    since: dict[str, int] = field(default_factory=dict)
    file: Path | None = None
    _seen: tuple[int, ...] = field(default=(), compare=False, repr=False)
    _look_at: float = field(default=0.0, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read `id:base64 of 32 bytes`, comma separated, newest first. Raises ValueError.

        A key may be followed by the second in which it came into use, and by `:reads`.
        """
        ring = cls({})
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            found = _KEY.fullmatch(part)
            key = base64.b64decode(found["key"], validate=True) if found else b""
            if found is None or len(key) != 32 or found["id"] in ring.keys:
                raise ValueError("MEDCAB_KEYS: write id:base64 of 32 bytes, comma separated")
            ring.keys[found["id"]] = key
            if found["reads"]:
                ring.reads |= {found["id"]}
            if found["since"]:
                ring.since[found["id"]] = int(found["since"])
        if not ring.keys:
            raise ValueError("MEDCAB_KEYS is empty: `medcab up` makes a ring for development")
        if not ring.in_use:
            raise ValueError("MEDCAB_KEYS: one key at least must encrypt")
        return ring

    @classmethod
    def installed(cls, keys: str, home: Path) -> "KeyRing":
        """The ring of an installation: its file, or `keys` where no key was rotated yet."""
        ring = cls.parse(keys)
        ring.file = ring_file(home)
        ring.look()
        return ring

    def text(self) -> str:
        """The ring as `parse` reads it."""
        parts = []
        for key_id, key in self.keys.items():
            since = f":{self.since[key_id]}" if key_id in self.since else ""
            reads = ":reads" if key_id in self.reads else ""
            parts.append(f"{key_id}:{base64.b64encode(key).decode()}{since}{reads}")
        return ",".join(parts)

    @property
    def in_use(self) -> list[str]:
        """The ids of the keys that encrypt or index, newest first; the first one encrypts."""
        return [key_id for key_id in self.keys if key_id not in self.reads]

    def look(self) -> None:
        """Take over what the file says now."""
        self._look_at = time.monotonic() + LOOK_EVERY
        if self.file is None:
            return
        try:
            status = self.file.stat()
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen == self._seen:
                return
            now = KeyRing.parse(self.file.read_text())
        except FileNotFoundError:
            return
        self.keys, self.reads, self.since, self._seen = now.keys, now.reads, now.since, seen

    def _look_sometimes(self) -> None:
        if self.file is not None and time.monotonic() >= self._look_at:
            self.look()

    def encrypt(self, plain: bytes, aad: bytes, version: int = FOR_WORKFLOW) -> bytes:
        """Encrypt with the newest key. Decrypting needs the same `aad`, which names the place."""
        self._look_sometimes()
        key_id = self.in_use[0]
        name = key_id.encode()
        head = bytes([version, len(name)]) + name
        nonce = os.urandom(_NONCE)
        return head + nonce + AESGCM(self.keys[key_id]).encrypt(nonce, plain, head + aad)

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
            key_id = head[2:].decode()
            if key_id not in self.keys:
                self.look()
            return AESGCM(self.keys[key_id]).decrypt(nonce, body, head + aad)
        except UndecryptableError:
            raise
        except Exception as error:
            raise UndecryptableError(type(error).__name__) from None

    def blind(self, text: str) -> str:
        """A keyed hash by which an encrypted value can be looked up: a blind index.

        It is of the oldest key in use, and beside that of the newest, if its place is the other.
        """
        self._look_sometimes()
        used = self.in_use
        places = ["", ""]
        for key_id in (used[0], used[-1]):
            places[place_of(key_id)] = _blind(self.keys[key_id], text)
        return ".".join(places).rstrip(".")

    def is_blind(self, index: str, text: str) -> bool:
        """Whether a blind index was made of this text, by whichever key of the ring."""
        self._look_sometimes()
        made = [_blind(key, text) for key in self.keys.values()]
        parts = [part for _, part in places_in(index)]
        return any(hmac.compare_digest(part, one) for part in parts for one in made)

    def label(self, text: str) -> str:
        """A keyed hash that changes only when the oldest key is retired."""
        self._look_sometimes()
        return _blind(list(self.keys.values())[-1], text)

    def attest(self, data: bytes) -> bytes:
        """The application's attestation of these bytes: HMAC-SHA256 with the newest key."""
        self._look_sometimes()
        return _attestation(self.keys[self.in_use[0]], data)

    def attests(self, data: bytes, attestation: bytes) -> bool:
        """Whether a key of this ring has attested these bytes."""
        self._look_sometimes()
        return any(
            hmac.compare_digest(_attestation(key, data), attestation) for key in self.keys.values()
        )

    def with_new_key(self) -> "KeyRing":
        """The ring with a new key that does nothing yet but decrypt.

        Of the others only two stay in use: the one that encrypts, and the one that indexes. If both
        fill the same place of an index, the older of them goes on indexing.
        """
        encrypts, indexes = self.in_use[0], self.in_use[-1]
        if place_of(encrypts) == place_of(indexes):
            encrypts = indexes
        number = 1 + max((_number(key_id) for key_id in self.keys), default=0)
        number += place_of(f"k{number}") == place_of(indexes)
        made = f"k{number}"
        keys = {made: os.urandom(32), **self.keys}
        return replace(self, keys=keys, reads=frozenset(keys) - {encrypts, indexes})

    def with_newest_in_use(self, now: int) -> "KeyRing":
        """The ring whose newest key encrypts, and indexes beside the one that indexed so far."""
        newest = next(iter(self.keys))
        kept = {newest, self.in_use[-1]}
        since = {**self.since, newest: now}
        return replace(self, reads=frozenset(self.keys) - kept, since=since)

    def with_newest_alone(self) -> "KeyRing":
        """The ring whose newest key does everything, while the others only decrypt."""
        return replace(self, reads=frozenset(list(self.keys)[1:]))

    def without(self, key_id: str) -> "KeyRing":
        """The ring without a key."""
        keys = {name: key for name, key in self.keys.items() if name != key_id}
        since = {name: at for name, at in self.since.items() if name != key_id}
        return replace(self, keys=keys, reads=self.reads - {key_id}, since=since)


def ring_file(home: Path) -> Path:
    """Where a home keeps its ring, once a key was rotated."""
    return home / "keys" / "ring"


def place_of(key_id: str) -> int:
    """Which place of a blind index a key fills: 0 with an odd number or none, otherwise 1."""
    number = _number(key_id)
    return int(number > 0 and number % 2 == 0)


def _number(key_id: str) -> int:
    found = re.search(r"\d+$", key_id)
    return int(found[0]) if found else 0


def places_in(index: str) -> list[tuple[int, str]]:
    """The places of a blind index that are filled, each with its number."""
    return [(place, part) for place, part in enumerate(index.split(".")) if part]


def _blind(key: bytes, text: str) -> str:
    return hmac.new(_indexing_key(key), text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=16)
def _indexing_key(key: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"medcab blind index").derive(key)


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
