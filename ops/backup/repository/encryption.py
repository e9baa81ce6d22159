"""Files at rest: AES-256-GCM in pieces, so that they are written and read as streams.

A file is `magic | flags | key id (8) | salt (16)`, then pieces of one MiB, each with its tag. The
key of a file is derived from the backup key and its salt; the nonce of a piece is its number and
whether it is the last one, so that pieces cannot be cut off, dropped or reordered (the STREAM
construction of Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO 2015). The name of the file is
authenticated: one file cannot stand in another's place.
"""

import base64
import binascii
import hashlib
import hmac
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ops.backup import BackupError, DamagedError, WrongKeyError

MAGIC = b"MEDCAB BACKUP 1\n"
PIECE = 1 << 20
_TAG, _SALT, _ID = 16, 16, 8
_PLAIN, _PACKED = b"\x00", b"\x01"
_HEAD = len(MAGIC) + 1 + _ID + _SALT


@dataclass(frozen=True)
class BackupKey:
    """32 bytes from which the keys of files and of manifests are derived."""

    raw: bytes

    @classmethod
    def parse(cls, text: str) -> "BackupKey":
        """Read base64 of 32 bytes. Raises BackupError with the remedy."""
        try:
            raw = base64.b64decode(text, validate=True)
        except binascii.Error:
            raw = b""
        if len(raw) != 32:
            raise BackupError(
                "MEDCAB_BACKUP_KEY must be base64 of 32 bytes: openssl rand -base64 32"
            )
        return cls(raw)

    @property
    def id(self) -> bytes:
        """Tells keys apart and nothing else about them."""
        return self.derive(b"medcab backup key id", b"")[:_ID]

    def derive(self, purpose: bytes, salt: bytes) -> bytes:
        """32 bytes for one purpose."""
        return HKDF(SHA256(), 32, salt=salt or None, info=purpose).derive(self.raw)

    def sign(self, content: bytes) -> str:
        """HMAC-SHA256 under a key for manifests, in hexadecimal."""
        key = self.derive(b"medcab backup manifest", b"")
        return hmac.new(key, content, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Written:
    """A file as it stands on the disk: its size and the SHA-256 of its bytes, encrypted."""

    size: int
    sha256: str


def write_encrypted(
    path: Path,
    key: BackupKey,
    name: str,
    source: Iterable[bytes],
    *,
    pack: bool = False,
    preface: bytes = b"",
) -> Written:
    """Encrypt what comes from the source; `pack` compresses it first, `preface` stays as it is.

    The file is there whole and durable, or not at all.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(preface)
            written = _write(file, key, name, source, pack=pack)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
    return written


def _write(
    file: BinaryIO, key: BackupKey, name: str, source: Iterable[bytes], *, pack: bool
) -> Written:
    salt = os.urandom(_SALT)
    flags = _PACKED if pack else _PLAIN
    head = MAGIC + flags + key.id + salt
    cipher, aad = AESGCM(key.derive(b"medcab backup file", salt)), head + name.encode()
    digest, size = hashlib.sha256(head), len(head)
    file.write(head)
    pieces = _cut(_packed(source) if pack else source)
    for number, (piece, last) in enumerate(pieces):
        encrypted = cipher.encrypt(_nonce(number, last=last), piece, aad)
        file.write(encrypted)
        digest.update(encrypted)
        size += len(encrypted)
    return Written(size, digest.hexdigest())


def read_encrypted(path: Path, key: BackupKey, name: str, *, skip: int = 0) -> Iterator[bytes]:
    """The plain bytes, each piece only after it was found to be what was written.

    `skip` is the length of the preface. Raises WrongKeyError and DamagedError; a file that was cut
    shows at its end.
    """
    try:
        with path.open("rb") as file:
            file.seek(skip)
            yield from _read(file, key, name, path)
    except OSError as error:
        raise DamagedError(f"{path} cannot be read: {error.strerror}") from error


def _read(file: BinaryIO, key: BackupKey, name: str, path: Path) -> Iterator[bytes]:
    head = file.read(_HEAD)
    if len(head) < _HEAD or not head.startswith(MAGIC):
        raise DamagedError(f"{path} is not a file of a Medcab backup, or was cut")
    flags, key_id = head[len(MAGIC) : len(MAGIC) + 1], head[len(MAGIC) + 1 : -_SALT]
    if key_id != key.id:
        raise WrongKeyError(
            f"{path.name} was encrypted with key {key_id.hex()}, the key given is {key.id.hex()}"
        )
    cipher = AESGCM(key.derive(b"medcab backup file", head[-_SALT:]))
    pieces = _opened(file, cipher, head + name.encode(), path)
    yield from _unpacked(pieces, path) if flags == _PACKED else pieces


def _opened(file: BinaryIO, cipher: AESGCM, aad: bytes, path: Path) -> Iterator[bytes]:
    number, piece = 0, file.read(PIECE + _TAG)
    while True:
        following = file.read(PIECE + _TAG)
        try:
            yield cipher.decrypt(_nonce(number, last=not following), piece, aad)
        except InvalidTag:
            raise DamagedError(f"{path} was changed, cut or put in another's place") from None
        if not following:
            return
        number, piece = number + 1, following


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _cut(source: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Pieces of one size; the last may be shorter, and is there even when nothing else is."""
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


def _unpacked(source: Iterable[bytes], path: Path) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    for chunk in source:
        plain = unpacker.decompress(chunk, PIECE)
        while plain:
            yield plain
            plain = unpacker.decompress(unpacker.unconsumed_tail, PIECE)
    if not unpacker.eof:
        raise DamagedError(f"{path} ends too early")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as it stands. Raises DamagedError when it is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DamagedError(f"{path} cannot be read: {error.strerror}") from error


def pieces_of(path: Path) -> Iterator[bytes]:
    """The bytes of a plain file."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
