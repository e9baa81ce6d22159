"""The institution's seal: it signs documents (PAdES) and bytes (detached CMS).

The default seal is an ECDSA or RSA key in a PKCS#12 file. State practice asks for GOST keys:
another implementation of `Seal` takes its place without a change elsewhere. An installation for
development makes its own seal and calls it «Тестовая печать» wherever it is shown.
"""

import os
import tempfile
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto.cms_signatures import CmsSigner, PrivateKey
from rules.clock import now
from settings import Settings

TEST_SEAL = "Тестовая печать"


class SealError(Exception):
    """The seal is missing or cannot be read; the message says the remedy."""


class Seal(Protocol):
    """What signs for the institution."""

    @property
    def certificate(self) -> x509.Certificate:
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

    key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @classmethod
    def read(cls, file: Path, password: str = "") -> "FileSeal":
        """Read PKCS#12. Raises SealError with the remedy."""
        try:
            key, certificate, others = pkcs12.load_key_and_certificates(
                file.read_bytes(), password.encode() or None
            )
        except (OSError, ValueError) as error:
            raise SealError(f"the seal {file} cannot be read: {error}") from error
        if certificate is None or not isinstance(
            key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        ):
            raise SealError(f"the seal {file} must hold an ECDSA or RSA key and its certificate")
        return cls(key, certificate, tuple(others))

    @property
    def test(self) -> bool:
        """Whether the certificate calls itself a test seal."""
        return TEST_SEAL in common_name(self.certificate)

    @cached_property
    def _cms(self) -> CmsSigner:
        return CmsSigner(self.key, self.certificate, self.chain)

    @cached_property
    def _room(self) -> int:
        """Hex digits to keep free for a signature: ECDSA's own length varies by a few bytes."""
        return 2 * len(self._cms.sign(bytes(32))) + 64

    def sign_pdf(self, pdf: bytes, *, reason: str = "") -> bytes:
        """The PDF with a PAdES B-B signature. Not to be called on a running event loop's thread."""
        # pyHanko takes half a second to load: workers do it when they start, others never need it.
        from services.seal.pdf import sign_pdf

        return sign_pdf(pdf, self._cms, self._room, common_name(self.certificate), reason)

    def sign_bytes(self, data: bytes) -> bytes:
        """A detached CMS signature, DER, with the certificate inside."""
        return self._cms.sign(sha256(data).digest(), signing_time=now())


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
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _test_certificate(key, institution)
    packed = pkcs12.serialize_key_and_certificates(
        TEST_SEAL.encode(), key, certificate, None, serialization.NoEncryption()
    )
    with tempfile.NamedTemporaryFile(dir=target.parent) as draft:
        draft.write(packed)
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, target)
        except FileExistsError:
            return target
    return target


def _test_certificate(key: ec.EllipticCurvePrivateKey, institution: str) -> x509.Certificate:
    """Self-signed for ten years, and saying in its name that it is for tests."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, TEST_SEAL),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, fitting(institution)),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "RU"),
        ]
    )
    start = datetime.now(UTC) - timedelta(minutes=5)
    usage = dict.fromkeys(
        (
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, content_commitment=True, **usage), critical=True
        )
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def fitting(name: str) -> str:
    """As much of a name as a certificate takes: 64 octets, without half a letter at the end."""
    return name.encode()[:64].decode(errors="ignore").rstrip()


def common_name(certificate: x509.Certificate) -> str:
    """The name that the certificate gives its holder."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def serial_number(certificate: x509.Certificate) -> str:
    """The number that its issuer gave the certificate, in hex."""
    return f"{certificate.serial_number:X}"


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate, in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def as_pem(certificate: x509.Certificate) -> str:
    """The certificate as text, for files and people."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def keep_certificate(folder: Path, certificate: x509.Certificate) -> None:
    """Keep a certificate beside what it sealed, so that a later seal does not orphan it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{fingerprint(certificate)[:32]}.pem"
    if not file.exists():
        # Several threads of one process may come here at once.
        draft = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}.new")
        draft.write_text(as_pem(certificate), encoding="ascii")
        draft.replace(file)


def kept_certificates(folder: Path) -> list[x509.Certificate]:
    """All certificates that were kept in a folder. Raises SealError when one cannot be read."""
    try:
        return [
            x509.load_pem_x509_certificate(file.read_bytes())
            for file in sorted(folder.glob("*.pem"))
        ]
    except ValueError as error:
        raise SealError(f"a certificate in {folder} cannot be read") from error
