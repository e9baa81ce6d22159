"""The certificate of the front door on one machine, by an authority made for it alone.

The key of the authority signs once and is never stored, and its certificate allows no other names:
so a browser may be told to trust it, whoever reads the home later.
"""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto.certificates import Certificate, as_pem, from_pem

LIFE = timedelta(days=397)
RENEWED_BEFORE = timedelta(days=30)
ADDRESS, NAME = "127.0.0.1", "localhost"


@dataclass(frozen=True)
class DoorFiles:
    """PEM texts: the authority's certificate, the door's, and the door's key."""

    authority: str
    certificate: str
    key: str


def new_door(now: datetime) -> DoorFiles:
    """A new authority, and what it has signed: a key of P-256 for loopback."""
    signing, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _named("Medcab on this machine")
    only = x509.NameConstraints(
        [x509.DNSName(NAME), x509.IPAddress(ip_network(f"{ADDRESS}/32"))], None
    )
    root = _certificate(issuer, signing, now).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    root = root.issuer_name(issuer).add_extension(only, critical=True)
    names = [x509.DNSName(NAME), x509.IPAddress(ip_address(ADDRESS))]
    leaf = _certificate(_named(ADDRESS), key, now).issuer_name(issuer)
    leaf = leaf.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    leaf = leaf.add_extension(x509.SubjectAlternativeName(names), critical=False)
    serves = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    leaf = leaf.add_extension(serves, critical=False)
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    leaf = leaf.add_extension(by, critical=False)
    return DoorFiles(
        as_pem(root.sign(signing, hashes.SHA256())),
        as_pem(leaf.sign(signing, hashes.SHA256())),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


def lasts(certificate: bytes, now: datetime) -> bool:
    """Whether a certificate is good for a while yet. Raises ValueError for what is none."""
    found: Certificate = from_pem(certificate)
    return found.not_valid_after_utc - RENEWED_BEFORE > now.astimezone(UTC)


def believing(authority: Path | None) -> ssl.SSLContext:
    """What a client verifies certificates by: the usual authorities, and this one if given."""
    context = ssl.create_default_context()
    if authority is not None:
        context.load_verify_locations(authority)
    return context


def tls_1_3(context: ssl.SSLContext) -> None:
    """Let a server speak TLS 1.3 and nothing older (I10)."""
    context.minimum_version = ssl.TLSVersion.TLSv1_3


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
