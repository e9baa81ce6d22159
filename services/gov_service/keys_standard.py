"""Keys of the line to the gov-service module, on elliptic curves or RSA: a ring of PKCS#12."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crypto.certificates import Certificate
from crypto.cms_encryption import decrypt, encrypt
from crypto.cms_signatures import CmsSigner, Signed, check_signed, sign_content
from crypto.signing_keys import as_pkcs12, from_pkcs12, is_sound, new_line_signer
from services.gov_service.key_folder import KeyFolder, ModuleKeysError


@dataclass(frozen=True)
class StandardKey:
    """One of our keys: it signs with its certificate."""

    id: str
    signer: CmsSigner

    @property
    def certificate(self) -> Certificate:
        """What the other side knows it by."""
        return self.signer.certificate


class StandardKeys(KeyFolder[StandardKey]):
    """A ring of ECDSA and RSA keys. Signing and encrypting take some 2 ms."""

    suffix = ".p12"

    def wrap(self, content: bytes, at: datetime) -> bytes:
        """The content, signed by us and encrypted for the other side. Raises ModuleKeysError."""
        ring = self.key_ring()
        readers = ring.readers_at(at)
        return encrypt(sign_content(ring.signing_at(at).signer, content, at), readers)

    def unwrap(self, envelope: bytes) -> bytes:
        """What was encrypted for us. Raises CipherError, NotForUs, NotDecrypted."""
        return decrypt(envelope, [key.signer for key in self.key_ring().own])

    def check(self, signed: bytes) -> Signed:
        """What the other side signed. Raises SignatureError, ContentChanged, UnknownSigner."""
        return check_signed(signed, self.key_ring().theirs)

    def add(self, name: str, organisation: str) -> StandardKey:
        """A new key with a certificate of its own making; it signs once it is `use`d."""
        return self._keep(new_line_signer(name, organisation))

    def take(self, file: Path, password: str) -> StandardKey:
        """A key that an authority certified, out of PKCS#12; it signs once it is `use`d."""
        return self._keep(self.read_key(file, password).signer)

    def read_key(self, file: Path, password: str) -> StandardKey:
        """A key of the ring, named as its file. Raises ModuleKeysError."""
        try:
            signer = from_pkcs12(file.read_bytes(), password)
        except (OSError, ValueError) as error:
            raise ModuleKeysError(f"the key {file} cannot be read: {error}") from error
        self.suits(signer.certificate)
        return StandardKey(file.stem, signer)

    def suits(self, certificate: Certificate) -> None:
        """Raise ModuleKeysError unless it holds an elliptic curve key, or RSA of 2048 bits."""
        if not is_sound(certificate):
            raise ModuleKeysError(
                "the certificate must hold an elliptic curve key, or RSA of 2048 bits"
            )

    def _keep(self, signer: CmsSigner) -> StandardKey:
        return StandardKey(self.keep(as_pkcs12(signer, "medcab", self.password)), signer)
