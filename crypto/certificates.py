"""Certificates: read, named, and stored as files beside what they signed."""

import os
import threading
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

Certificate: TypeAlias = x509.Certificate


def fitting(name: str) -> str:
    """The name shortened to what a certificate takes: 64 octets, without half a letter."""
    return name.encode()[:64].decode(errors="ignore").rstrip()


def common_name(certificate: Certificate) -> str:
    """The holder's name in the certificate."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


def serial_number(certificate: Certificate) -> str:
    """The serial number that the issuer gave the certificate, in hex."""
    return f"{certificate.serial_number:X}"


def fingerprint(certificate: Certificate) -> str:
    """SHA-256 of the certificate, in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def in_force(certificate: Certificate, at: datetime) -> bool:
    """Whether the certificate is valid at a moment."""
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def as_pem(certificate: Certificate) -> str:
    """The certificate as text, for files and people."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def from_pem(text: bytes) -> Certificate:
    """The first certificate in the text. Raises ValueError."""
    return x509.load_pem_x509_certificate(text)


def ends_at(der: bytes) -> datetime:
    """When a certificate ends, given as DER. Raises ValueError."""
    return x509.load_der_x509_certificate(der).not_valid_after_utc


def keep_certificate(folder: Path, certificate: Certificate) -> None:
    """Store a certificate beside what it signed, which can then be verified after the next one."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{fingerprint(certificate)[:32]}.pem"
    if not file.exists():
        # Several threads of one process may write it at once.
        draft = file.with_suffix(f".{os.getpid()}-{threading.get_ident()}.new")
        draft.write_text(as_pem(certificate), encoding="ascii")
        draft.replace(file)


def kept_certificates(folder: Path) -> list[Certificate]:
    """All certificates stored in a folder. Raises ValueError if one cannot be read."""
    try:
        return [from_pem(file.read_bytes()) for file in sorted(folder.glob("*.pem"))]
    except ValueError as error:
        raise ValueError(f"a certificate in {folder} cannot be read") from error
