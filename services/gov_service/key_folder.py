"""The key ring of the exchange with the gov service: our keys, and the gov service's certificates.

A ring is a folder. `own/` holds our keys as `k1`, `k2` …, `own/current` names the one that signs;
all of them decrypt what was encrypted for them. `theirs/` holds certificates of the other party:
any of them may have signed what comes, and what we send is encrypted for all that are valid. So
either party renews its key without agreeing on a moment: `medcab module-keys`.
"""

import os
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Generic, Protocol, TypeVar

from crypto.certificates import (
    Certificate,
    fingerprint,
    in_force,
    keep_certificate,
    kept_certificates,
)
from crypto.cms_signatures import Signed

OWN, THEIRS, CURRENT = "own", "theirs", "current"
_ID = re.compile(r"k([1-9][0-9]{0,5})")


class GovServiceKeysError(Exception):
    """The ring lacks something or cannot be read; the message names the remedy."""


class FolderKey(Protocol):
    """One of our keys: it signs, and decrypts what was encrypted for its certificate."""

    @property
    def id(self) -> str:
        """Its name in the ring."""

    @property
    def certificate(self) -> Certificate:
        """The certificate by which the other party knows it."""


K = TypeVar("K", bound=FolderKey)


@dataclass(frozen=True)
class LineKeyRing(Generic[K]):
    """The contents of a ring. `own` is newest first."""

    own: tuple[K, ...]
    current: str
    theirs: tuple[Certificate, ...]

    @property
    def signing(self) -> K:
        """The key that signs now."""
        return next(key for key in self.own if key.id == self.current)

    def signing_at(self, at: datetime) -> K:
        """The key that signs.

        Raises GovServiceKeysError if its certificate is not valid at that moment.
        """
        if not in_force(self.signing.certificate, at):
            raise GovServiceKeysError(
                f"the certificate of {self.current} is not valid now: `medcab module-keys rotate`"
            )
        return self.signing

    def readers_at(self, at: datetime) -> list[Certificate]:
        """The certificates to encrypt for.

        Raises GovServiceKeysError if none is valid at that moment.
        """
        readers = [each for each in self.theirs if in_force(each, at)]
        if not readers:
            raise GovServiceKeysError(
                "no valid certificate of the other side: `medcab module-keys trust FILE`"
            )
        return readers


class KeyFolder(ABC, Generic[K]):
    """A ring in a folder. `key_ring()` sees what another process has changed there.

    Subclasses implement the cryptography.
    """

    suffix: ClassVar[str]

    def __init__(self, folder: Path, password: str = "") -> None:
        self.folder = folder
        self.password = password
        self._seen: tuple[object, ...] = ()
        self._key_ring: LineKeyRing[K] | None = None

    @abstractmethod
    def wrap(self, content: bytes, at: datetime) -> bytes:
        """Sign the content and encrypt it for the other party. Raises GovServiceKeysError."""

    @abstractmethod
    def unwrap(self, envelope: bytes) -> bytes:
        """Decrypt what was encrypted for us. Raises CipherError, NotForUs, NotDecrypted."""

    @abstractmethod
    def check(self, signed: bytes) -> Signed:
        """Verify what the other party signed.

        Raises SignatureError, ContentChanged, UnknownSigner.
        """

    @abstractmethod
    def add(self, name: str, organisation: str) -> K:
        """Add a new key with a self-signed certificate; it signs after `use`."""

    @abstractmethod
    def take(self, file: Path, password: str) -> K:
        """Add a key that an authority has certified; it signs after `use`."""

    @abstractmethod
    def read_key(self, file: Path, password: str) -> K:
        """Read a key of the ring, named after its file. Raises GovServiceKeysError."""

    @abstractmethod
    def suits(self, certificate: Certificate) -> None:
        """Raise GovServiceKeysError if this cryptography cannot use the certificate."""

    def key_ring(self) -> LineKeyRing[K]:
        """The present contents of the ring. Raises GovServiceKeysError with the remedy."""
        seen = tuple(self._changes())
        if self._key_ring is None or seen != self._seen:
            self._key_ring, self._seen = self._read(), seen
        return self._key_ring

    def _read(self) -> LineKeyRing[K]:
        own = tuple(self.read_key(self._file(id_), self.password) for id_ in self.ids())
        if not own:
            raise GovServiceKeysError(
                f"no key in {self.folder / OWN}: `medcab module-keys rotate` makes or takes one"
            )
        try:
            current = (self.folder / OWN / CURRENT).read_text("ascii").strip()
        except OSError:
            current = own[-1].id
        if current not in {key.id for key in own}:
            raise GovServiceKeysError(
                f"{self.folder / OWN / CURRENT} names {current}, which is gone"
            )
        try:
            theirs = tuple(kept_certificates(self.folder / THEIRS))
        except ValueError as error:
            raise GovServiceKeysError(str(error)) from error
        return LineKeyRing(own, current, theirs)

    def ids(self) -> list[str]:
        """The names of our keys, newest first."""
        found = (file.stem for file in (self.folder / OWN).glob(f"*{self.suffix}"))
        return sorted(filter(_ID.fullmatch, found), key=_number, reverse=True)

    def use(self, id_: str) -> None:
        """Sign with this key from now on. Raises GovServiceKeysError if there is no such key."""
        if id_ not in self.ids():
            raise GovServiceKeysError(f"there is no key {id_} in {self.folder / OWN}")
        with _draft(self.folder / OWN, id_.encode()) as draft:
            draft.replace(self.folder / OWN / CURRENT)

    def retire(self, id_: str) -> None:
        """Remove a key: what was encrypted for it alone can never be decrypted again.

        Raises GovServiceKeysError for the key that signs, and for one that does not exist.
        """
        if id_ == self.key_ring().current:
            raise GovServiceKeysError(f"{id_} signs now: use another key first")
        if id_ not in self.ids():
            raise GovServiceKeysError(f"there is no key {id_} in {self.folder / OWN}")
        self._file(id_).unlink()

    def trust(self, certificate: Certificate) -> None:
        """Add a certificate of the other party.

        Raises GovServiceKeysError for an unsuitable key.
        """
        self.suits(certificate)
        keep_certificate(self.folder / THEIRS, certificate)

    def distrust(self, begins: str) -> int:
        """Remove the other party's certificates whose fingerprint begins so. Returns how many."""
        found = [
            file
            for file in (self.folder / THEIRS).glob("*.pem")
            if begins and file.stem.startswith(begins.lower())
        ]
        for file in found:
            file.unlink()
        return len(found)

    def described(self) -> Iterator[tuple[str, str, str, datetime]]:
        """The ring for people: whose key, its id or fingerprint, its use, how long it is valid."""
        ring = self.key_ring()
        for key in ring.own:
            newer = _number(key.id) > _number(ring.current)
            state = "signs" if key.id == ring.current else "announced" if newer else "opens only"
            yield "ours", key.id, state, key.certificate.not_valid_after_utc
        for one in ring.theirs:
            yield "theirs", fingerprint(one)[:32], "trusted", one.not_valid_after_utc

    def keep(self, content: bytes) -> str:
        """Add a file with a key to the ring. Returns the key's name."""
        own = self.folder / OWN
        own.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _draft(own, content) as draft:
            for _ in range(100):
                id_ = f"k{max(map(_number, self.ids()), default=0) + 1}"
                try:
                    os.link(draft, self._file(id_))
                except FileExistsError:
                    continue
                return id_
        raise GovServiceKeysError(f"no key could be added in {own}")

    def _file(self, id_: str) -> Path:
        return self.folder / OWN / f"{id_}{self.suffix}"

    def _changes(self) -> Iterator[object]:
        """Values that change whenever the ring does."""
        own, theirs = self.folder / OWN, self.folder / THEIRS
        for place in (own, theirs, own / CURRENT):
            try:
                yield place.stat().st_mtime_ns
            except OSError:
                yield None


def _number(id_: str) -> int:
    return int(id_[1:])


@contextmanager
def _draft(folder: Path, content: bytes) -> Iterator[Path]:
    """A private temporary file beside its destination; removed at the end unless it was moved."""
    number, name = tempfile.mkstemp(dir=folder, prefix=".")
    path = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield path
    finally:
        path.unlink(missing_ok=True)
