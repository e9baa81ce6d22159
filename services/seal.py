"""The institution's seal: it signs documents (PAdES) and bytes (detached CMS).

The default seal is an ECDSA or RSA key in a PKCS#12 file. State practice requires GOST keys:
another implementation of `Seal` replaces it without any change elsewhere. A development
installation makes its own seal, which is called «Тестовая печать» wherever it is shown.
"""

import os
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from crypto.certificates import Certificate, common_name
from crypto.cms_signatures import CmsSigner, sign_content
from crypto.signing_keys import as_pkcs12, from_pkcs12, new_seal_signer
from rules.clock import now
from settings import Settings

TEST_SEAL = "Тестовая печать"


class SealError(Exception):
    """The seal is missing or cannot be read; the message names the remedy."""


class Seal(Protocol):
    """Whatever signs for the institution."""

    @property
    def certificate(self) -> Certificate:
        """The certificate that signatures name."""

    @property
    def test(self) -> bool:
        """Whether this is a seal of a development installation."""

    def sign_pdf(self, pdf: bytes, *, reason: str = "") -> bytes:
        """The PDF with a PAdES signature appended; its earlier bytes are unchanged.

        The field is invisible: a document shows the seal in its own text, as PDF/A requires.
        """

    def sign_bytes(self, data: bytes) -> bytes:
        """A detached CMS signature over the bytes, in DER."""

    def sign_enclosing(self, data: bytes) -> bytes:
        """A CMS signature that contains the bytes, in DER."""


@dataclass(frozen=True)
class FileSeal:
    """A seal with an ECDSA or RSA key from PKCS#12. Signing takes some 10 ms, without network."""

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
        """The PDF with a PAdES B-B signature. Call it outside the event loop."""
        # pyHanko takes half a second to import: workers do it at their start, others never need it.
        from crypto.pdf_signing import sign_pdf

        return sign_pdf(pdf, self.signer, reason)

    def sign_bytes(self, data: bytes) -> bytes:
        """A detached CMS signature with the certificate inside, in DER."""
        return self.signer.sign(sha256(data).digest(), signing_time=now())

    def sign_enclosing(self, data: bytes) -> bytes:
        """A CMS signature with the bytes and the certificate inside, in DER."""
        return sign_content(self.signer, data, now())


def open_seal(settings: Settings) -> Seal:
    """The seal of this installation, read once per process.

    If no file is configured, a development installation (`settings.demo`) makes a test seal under
    `settings.home` and keeps it; any other raises SealError with the remedy.
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
    """The PKCS#12 file of the test seal, made at the first call; processes may call at once."""
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
