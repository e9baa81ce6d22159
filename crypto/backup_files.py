"""Files of a backup: AES-256-GCM in pieces, so that they are written and read as streams.

A file is `magic | flags | key id (8) | salt (16)`, then pieces of one MiB, each with its tag. The
key of a file is derived from the backup key and its salt; the nonce of a piece is its number and
whether it is the last one, so that pieces cannot be cut off, dropped or reordered (the STREAM
construction of Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO 2015). The name of the file is
authenticated, so that no file can take the place of another.
"""

import base64
import binascii
import hashlib
import hmac
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_MAGIC = b"MEDCAB BACKUP 1\n"
PIECE = 1 << 20
_TAG, _SALT, _ID = 16, 16, 8
_PLAIN, _PACKED = b"\x00", b"\x01"
_HEAD = len(_MAGIC) + 1 + _ID + _SALT


class OtherKey(ValueError):
    """The file was encrypted with another key; the message says with which."""


class NotAsWritten(ValueError):
    """The file is not what was written: it was changed, cut or swapped with another."""


@dataclass(frozen=True)
class BackupKey:
    """32 bytes from which the keys of files and of manifests are derived."""

    raw: bytes

    @classmethod
    def parse(cls, text: str) -> "BackupKey":
        """Read base64 of 32 bytes. Raises ValueError with the remedy."""
        try:
            raw = base64.b64decode(text, validate=True)
        except binascii.Error:
            raw = b""
        if len(raw) != 32:
            raise ValueError(
                "MEDCAB_BACKUP_KEY must be base64 of 32 bytes: openssl rand -base64 32"
            )
        return cls(raw)

    @property
    def id(self) -> bytes:
        """Distinguishes keys, and reveals nothing else about them."""
        return self.derive(b"medcab backup key id", b"")[:_ID]

    def derive(self, purpose: bytes, salt: bytes) -> bytes:
        """32 bytes derived for one purpose."""
        return HKDF(SHA256(), 32, salt=salt or None, info=purpose).derive(self.raw)

    def sign(self, content: bytes) -> str:
        """HMAC-SHA256 under a key for manifests, in hexadecimal."""
        key = self.derive(b"medcab backup manifest", b"")
        return hmac.new(key, content, hashlib.sha256).hexdigest()


def encrypt_file(
    key: BackupKey, name: str, source: Iterable[bytes], *, pack: bool
) -> Iterator[bytes]:
    """The encrypted bytes of a file of this name; `pack` compresses the contents before."""
    salt = os.urandom(_SALT)
    head = _MAGIC + (_PACKED if pack else _PLAIN) + key.id + salt
    yield head
    cipher, aad = AESGCM(key.derive(b"medcab backup file", salt)), head + name.encode()
    pieces = _cut(_packed(source) if pack else source)
    for number, (piece, last) in enumerate(pieces):
        yield cipher.encrypt(_nonce(number, last=last), piece, aad)


def decrypt_file(file: BinaryIO, key: BackupKey, name: str) -> Iterator[bytes]:
    """The plain bytes; each piece is returned only after it was verified.

    Raises OtherKey and NotAsWritten. That a file was cut shows only at its end.
    """
    head = file.read(_HEAD)
    if len(head) < _HEAD or not head.startswith(_MAGIC):
        raise NotAsWritten("is not a file of a Medcab backup, or was cut")
    flags, key_id = head[len(_MAGIC) : len(_MAGIC) + 1], head[len(_MAGIC) + 1 : -_SALT]
    if key_id != key.id:
        raise OtherKey(f"was encrypted with key {key_id.hex()}, the key given is {key.id.hex()}")
    cipher = AESGCM(key.derive(b"medcab backup file", head[-_SALT:]))
    pieces = _opened(file, cipher, head + name.encode())
    yield from _unpacked(pieces) if flags == _PACKED else pieces


def _opened(file: BinaryIO, cipher: AESGCM, aad: bytes) -> Iterator[bytes]:
    number, piece = 0, file.read(PIECE + _TAG)
    while True:
        following = file.read(PIECE + _TAG)
        try:
            yield cipher.decrypt(_nonce(number, last=not following), piece, aad)
        except InvalidTag:
            raise NotAsWritten("was changed, cut or put in another's place") from None
        if not following:
            return
        number, piece = number + 1, following


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _cut(source: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Pieces of PIECE bytes. The last one may be shorter, even empty, and always comes."""
    held = bytearray()
    for chunk in source:
        held += chunk
        while len(held) > PIECE:
            yield bytes(held[:PIECE]), False
            del held[:PIECE]
    yield bytes(held), True


def _packed(source: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1)
    for chunk in source:
        yield packer.compress(chunk)
    yield packer.flush()


def _unpacked(source: Iterable[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    for chunk in source:
        plain = unpacker.decompress(chunk, PIECE)
        while plain:
            yield plain
            plain = unpacker.decompress(unpacker.unconsumed_tail, PIECE)
    if not unpacker.eof:
        raise NotAsWritten("ends too early")
