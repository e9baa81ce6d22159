"""Keys of the line to the gov-service module, on elliptic curves or RSA: a ring of PKCS#12."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from crypto.cms_encryption import decrypt, encrypt
from crypto.cms_signatures import CmsSigner, PrivateKey, Signed, check_signed, sign_content
from services.gov_service.key_folder import KeyFolder, ModuleKeysError
from services.seal.institution import fitting

LIFE = timedelta(days=2 * 365)
_LEAST_RSA = 2048


@dataclass(frozen=True)
class StandardKey:
    """One of our keys, with its certificate and those above it."""

    id: str
    key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @cached_property
    def signer(self) -> CmsSigner:
        """What signs with it."""
        return CmsSigner(self.key, self.certificate, self.chain)


class StandardKeys(KeyFolder[StandardKey]):
    """A ring of ECDSA and RSA keys. Signing and encrypting take some 2 ms."""

    suffix = ".p12"

    def wrap(self, content: bytes, at: datetime) -> bytes:
        """The content, signed by us and encrypted for the other side. Raises ModuleKeysError."""
        ring = self.ring()
        readers = ring.readers_at(at)
        return encrypt(sign_content(ring.signing_at(at).signer, content, at), readers)

    def unwrap(self, envelope: bytes) -> bytes:
        """What was encrypted for us. Raises CipherError, NotForUs, NotDecrypted."""
        return decrypt(envelope, self.ring().own)

    def check(self, signed: bytes) -> Signed:
        """What the other side signed. Raises SignatureError, ContentChanged, UnknownSigner."""
        return check_signed(signed, self.ring().theirs)

    def add(self, name: str, organisation: str) -> StandardKey:
        """A new key with a certificate of its own making; it signs once it is `use`d."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._keep(key, self_signed(key, name, organisation), ())

    def take(self, file: Path, password: str) -> StandardKey:
        """A key that an authority certified, out of PKCS#12; it signs once it is `use`d."""
        found = self.read_key(file, password)
        return self._keep(found.key, found.certificate, found.chain)

    def read_key(self, file: Path, password: str) -> StandardKey:
        """A key of the ring, named as its file. Raises ModuleKeysError."""
        try:
            key, certificate, chain = pkcs12.load_key_and_certificates(
                file.read_bytes(), password.encode() or None
            )
        except (OSError, ValueError) as error:
            raise ModuleKeysError(f"the key {file} cannot be read: {error}") from error
        if certificate is None or not isinstance(
            key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        ):
            raise ModuleKeysError(f"the key {file} must be ECDSA or RSA, with its certificate")
        self.suits(certificate)
        return StandardKey(file.stem, key, certificate, tuple(chain))

    def suits(self, certificate: x509.Certificate) -> None:
        """Raise ModuleKeysError unless it holds an elliptic curve key, or RSA of 2048 bits."""
        try:
            public: object = certificate.public_key()
        except UnsupportedAlgorithm:
            public = None
        if isinstance(public, ec.EllipticCurvePublicKey):
            return
        if not isinstance(public, rsa.RSAPublicKey) or public.key_size < _LEAST_RSA:
            raise ModuleKeysError(
                "the certificate must hold an elliptic curve key, or RSA of 2048 bits"
            )

    def _keep(
        self, key: PrivateKey, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...]
    ) -> StandardKey:
        secret = self.password.encode()
        packed = pkcs12.serialize_key_and_certificates(
            b"medcab",
            key,
            certificate,
            list(chain) or None,
            serialization.BestAvailableEncryption(secret)
            if secret
            else serialization.NoEncryption(),
        )
        return StandardKey(self.keep(packed), key, certificate, chain)


def self_signed(key: ec.EllipticCurvePrivateKey, name: str, organisation: str) -> x509.Certificate:
    """A certificate that nobody else vouches for, for signatures and key agreement."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, fitting(name)),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, fitting(organisation)),
            x509.NameAttribute(NameOID.COUNTRY_NAME, "RU"),
        ]
    )
    start = datetime.now(UTC) - timedelta(minutes=5)
    others = ("key_encipherment", "data_encipherment", "key_cert_sign", "crl_sign")
    usage = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=True, key_agreement=True, **usage
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
