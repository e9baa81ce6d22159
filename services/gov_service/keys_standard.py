"""ECDSA and RSA keys of the exchange with the gov service: a ring of PKCS#12 files."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from crypto.certificates import Certificate
from crypto.cms_encryption import decrypt, encrypt
from crypto.cms_signatures import CmsSigner, Signed, check_signed, sign_content
from crypto.signing_keys import as_pkcs12, from_pkcs12, is_sound, new_line_signer
from services.gov_service.key_folder import GovServiceKeysError, KeyFolder


@dataclass(frozen=True)
class StandardKey:
    """One of our keys: it signs with its certificate."""

    id: str
    signer: CmsSigner

    @property
    def certificate(self) -> Certificate:
        """The certificate by which the other party knows it."""
        return self.signer.certificate


class StandardKeys(KeyFolder[StandardKey]):
    """A ring of ECDSA and RSA keys. Signing and encrypting take some 2 ms."""

    suffix = ".p12"

    def wrap(self, content: bytes, at: datetime) -> bytes:
        """Sign the content and encrypt it for the other party. Raises GovServiceKeysError."""
        ring = self.key_ring()
        readers = ring.readers_at(at)
        return encrypt(sign_content(ring.signing_at(at).signer, content, at), readers)

    def unwrap(self, envelope: bytes) -> bytes:
        """Decrypt what was encrypted for us. Raises CipherError, NotForUs, NotDecrypted."""
        return decrypt(envelope, [key.signer for key in self.key_ring().own])

    def check(self, signed: bytes) -> Signed:
        """Verify what the other party signed.

        Raises SignatureError, ContentChanged, UnknownSigner.
        """
        return check_signed(signed, self.key_ring().theirs)

    def add(self, name: str, organisation: str) -> StandardKey:
        """Add a new key with a self-signed certificate; it signs after `use`."""
        return self._keep(new_line_signer(name, organisation))

    def take(self, file: Path, password: str) -> StandardKey:
        """Add a key that an authority has certified, from PKCS#12; it signs after `use`."""
        return self._keep(self.read_key(file, password).signer)

    def read_key(self, file: Path, password: str) -> StandardKey:
        """Read a key of the ring, named after its file. Raises GovServiceKeysError."""
        try:
            signer = from_pkcs12(file.read_bytes(), password)
        except (OSError, ValueError) as error:
            raise GovServiceKeysError(f"the key {file} cannot be read: {error}") from error
        self.suits(signer.certificate)
        return StandardKey(file.stem, signer)

    def suits(self, certificate: Certificate) -> None:
        """Raise GovServiceKeysError unless it holds an elliptic curve key, or RSA of 2048 bits."""
        if not is_sound(certificate):
            raise GovServiceKeysError(
                "the certificate must hold an elliptic curve key, or RSA of 2048 bits"
            )

    def _keep(self, signer: CmsSigner) -> StandardKey:
        return StandardKey(self.keep(as_pkcs12(signer, "medcab", self.password)), signer)
