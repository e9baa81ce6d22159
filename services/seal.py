"""The institution's seal: it signs documents (PAdES) and bytes (detached CMS).

The default seal is an ECDSA or RSA key in a PKCS#12 file. State practice asks for GOST keys:
another implementation of `Seal` takes its place without a change elsewhere. An installation for
development makes its own seal and calls it «Тестовая печать» wherever it is shown.
"""

import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from crypto.certificates import Certificate, common_name
from crypto.cms_signatures import CmsSigner
from crypto.signing_keys import as_pkcs12, from_pkcs12, new_seal_signer
from rules.clock import now
from settings import Settings

TEST_SEAL = "Тестовая печать"


class SealError(Exception):
    """The seal is missing or cannot be read; the message says the remedy."""


class Seal(Protocol):
    """What signs for the institution."""

    @property
    def certificate(self) -> Certificate:
        """The certificate that signatures name."""

    @property
    def test(self) -> bool:
        """Whether this is a seal of a development installation."""

    def sign_pdf(self, pdf: bytes, *, reason: str = "") -> bytes:
        """The PDF with a PAdES signature appended; what was there stays as it was.

        The field is invisible: a document shows its seal in its own type, as PDF/A wants it.
        """

    def sign_bytes(self, data: bytes) -> bytes:
        """A detached CMS signature over the bytes, DER."""


@dataclass(frozen=True)
class FileSeal:
    """A seal whose ECDSA or RSA key was read from PKCS#12. Signing takes some 10 ms, no network."""

    signer: CmsSigner

    @classmethod
    def read(cls, file: Path, password: str = "") -> "FileSeal":
        """Read PKCS#12. Raises SealError with the remedy."""
        try:
            return cls(from_pkcs12(file.read_bytes(), password))
        except (OSError, ValueError) as error:
            raise SealError(f"the seal {file} cannot be read: {error}") from error

    @property
    def certificate(self) -> Certificate:
        """The certificate that signatures name."""
        return self.signer.certificate

    @property
    def test(self) -> bool:
        """Whether the certificate calls itself a test seal."""
        return TEST_SEAL in common_name(self.certificate)

    def sign_pdf(self, pdf: bytes, *, reason: str = "") -> bytes:
        """The PDF with a PAdES B-B signature. Not to be called on a running event loop's thread."""
        # pyHanko takes half a second to load: workers do it when they start, others never need it.
        from crypto.pdf_signing import sign_pdf

        return sign_pdf(pdf, self.signer, reason)

    def sign_bytes(self, data: bytes) -> bytes:
        """A detached CMS signature, DER, with the certificate inside."""
        return self.signer.sign(sha256(data).digest(), signing_time=now())


def open_seal(settings: Settings) -> Seal:
    """The seal of this installation, read once per process.

    Where no file is configured, a development installation (`settings.demo`) makes a test seal
    under `settings.home` and keeps it; any other raises SealError with the remedy.
    """
    password = settings.seal_password.get_secret_value()
    if settings.seal_file is not None:
        return _read_once(settings.seal_file, password)
    if not settings.demo:
        raise SealError("set MEDCAB_SEAL_FILE to the PKCS#12 file of the institution's seal")
    return _read_once(ensure_test_seal(settings.home, settings.institution), "")


@lru_cache(maxsize=4)
def _read_once(file: Path, password: str) -> FileSeal:
    return FileSeal.read(file, password)


def ensure_test_seal(home: Path, institution: str) -> Path:
    """The PKCS#12 file of the test seal, made at the first call; safe when processes race."""
    target = home / "seal" / "test-seal.p12"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    packed = as_pkcs12(new_seal_signer(TEST_SEAL, institution), TEST_SEAL)
    with tempfile.NamedTemporaryFile(dir=target.parent) as draft:
        draft.write(packed)
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, target)
        except FileExistsError:
            return target
    return target
