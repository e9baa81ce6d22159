"""Keys that sign, ECDSA or RSA, each with its certificate chain: PKCS#12 files."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto.certificates import Certificate, fitting
from crypto.cms_signatures import CmsSigner, PrivateKey

_SEAL_LIFE = timedelta(days=3650)
LINE_LIFE = timedelta(days=2 * 365)
_LEAST_RSA = 2048
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_SIGNING = ("digital_signature", "content_commitment")


def new_seal_signer(name: str, organisation: str) -> CmsSigner:
    """A new key that signs documents, with a self-signed certificate."""
    documents = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    return _self_signed(name, organisation, _SEAL_LIFE, _SIGNING, documents)


def new_line_signer(name: str, organisation: str) -> CmsSigner:
    """A new key that signs messages and decrypts those encrypted for it.

    Its certificate is self-signed: the other party of the exchange is given it.
    """
    return _self_signed(name, organisation, LINE_LIFE, (*_SIGNING, "key_agreement"))


def _self_signed(
    name: str,
    organisation: str,
    life: timedelta,
    usages: Collection[str],
    *others: x509.ExtensionType,
) -> CmsSigner:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, fitting(name)),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, fitting(organisation)),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "RU"),
        ]
    )
    start = datetime.now(UTC) - timedelta(minutes=5)
    usage = x509.KeyUsage(**{each: each in usages for each in _USAGES})
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
    )
    for one in (*others, x509.SubjectKeyIdentifier.from_public_key(key.public_key())):
        builder = builder.add_extension(one, critical=False)
    return CmsSigner(key, builder.sign(key, hashes.SHA256()))


def from_pkcs12(content: bytes, password: str) -> CmsSigner:
    """The key in a PKCS#12 file with its certificates. Raises ValueError."""
    key, certificate, others = pkcs12.load_key_and_certificates(content, password.encode() or None)
    if certificate is None or not isinstance(key, PrivateKey):
        raise ValueError("it must hold an ECDSA or RSA key and its certificate")
    return CmsSigner(key, certificate, tuple(others))


def as_pkcs12(signer: CmsSigner, name: str, password: str = "") -> bytes:
    """The key and its certificates as a PKCS#12 file, which is encrypted if there is a password."""
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(
        name.encode(), signer.key, signer.certificate, list(signer.chain) or None, encryption
    )


def is_sound(certificate: Certificate) -> bool:
    """Whether its key suits signatures and encryption: elliptic curve, or RSA of 2048 bits."""
    try:
        public: object = certificate.public_key()
    except UnsupportedAlgorithm:
        return False
    if isinstance(public, rsa.RSAPublicKey):
        return public.key_size >= _LEAST_RSA
    return isinstance(public, ec.EllipticCurvePublicKey)
