"""Encrypted files on the disk: written whole and durably; errors of reading name the cause.

`crypto.backup_files` defines the format.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from crypto.backup_files import (
    PIECE,
    BackupKey,
    NotAsWritten,
    OtherKey,
    decrypt_file,
    encrypt_file,
)
from ops.backup import DamagedError, WrongKeyError


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
            digest, size = hashlib.sha256(), 0
            for encrypted in encrypt_file(key, name, source, pack=pack):
                file.write(encrypted)
                digest.update(encrypted)
                size += len(encrypted)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)
    return Written(size, digest.hexdigest())


def read_encrypted(path: Path, key: BackupKey, name: str, *, skip: int = 0) -> Iterator[bytes]:
    """The plain bytes, each piece only after it was found to be what was written.

    `skip` is the length of the preface. Raises WrongKeyError and DamagedError; a file that was cut
    shows at its end.
    """
    try:
        with path.open("rb") as file:
            file.seek(skip)
            yield from decrypt_file(file, key, name)
    except OSError as error:
        raise DamagedError(f"{path} cannot be read: {error.strerror}") from error
    except OtherKey as error:
        raise WrongKeyError(f"{path.name} {error}") from None
    except NotAsWritten as error:
        raise DamagedError(f"{path} {error}") from None


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
