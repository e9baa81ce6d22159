"""GOST keys of the exchange with the gov service: a ring of PEM files (`crypto.gost`)."""

from datetime import datetime
from pathlib import Path

from crypto.certificates import Certificate
from crypto.cms_signatures import Signed
from crypto.gost import (
    REMEDY,
    GostKey,
    OpensslFailed,
    check_signed,
    decrypt,
    encrypt,
    gost_works,
    is_gost,
    new_key,
    sign_content,
)
from services.gov_service.key_folder import GovServiceKeysError, KeyFolder


class GostKeys(KeyFolder[GostKey]):
    """A ring of GOST keys. Raises GovServiceKeysError if the engine is not installed."""

    suffix = ".pem"

    def __init__(self, folder: Path, password: str = "") -> None:
        if not gost_works():
            raise GovServiceKeysError(f"MEDCAB_MODULE_CRYPTO=gost: {REMEDY}")
        super().__init__(folder, password)

    def wrap(self, content: bytes, at: datetime) -> bytes:
        """Sign the content and encrypt it for the other party. Raises GovServiceKeysError."""
        ring = self.key_ring()
        readers, signing = ring.readers_at(at), ring.signing_at(at)
        try:
            return encrypt(sign_content(signing, content), readers)
        except OpensslFailed as error:
            raise GovServiceKeysError(str(error)) from error

    def unwrap(self, envelope: bytes) -> bytes:
        """Decrypt what was encrypted for us. Raises CipherError, NotForUs, NotDecrypted."""
        return decrypt(envelope, self.key_ring().own)

    def check(self, signed: bytes) -> Signed:
        """Verify what the other party signed.

        Raises SignatureError, ContentChanged, UnknownSigner.
        """
        return check_signed(signed, self.key_ring().theirs)

    def add(self, name: str, organisation: str) -> GostKey:
        """Add a new key with a self-signed certificate; it signs after `use`."""
        try:
            return self._keep(new_key(name, organisation))
        except OpensslFailed as error:
            raise GovServiceKeysError(str(error)) from error

    def take(self, file: Path, password: str) -> GostKey:
        """Add a key that an authority has certified: PEM with key and certificate, no password."""
        if password:
            raise GovServiceKeysError("GOST keys are taken as PEM without a password")
        self.read_key(file, "")
        return self._keep(file.read_bytes())

    def read_key(self, file: Path, password: str) -> GostKey:
        """Read a key of the ring, named after its file. Raises GovServiceKeysError."""
        try:
            key = GostKey.read(file)
        except (OSError, ValueError) as error:
            raise GovServiceKeysError(f"the key {file} cannot be read: {error}") from error
        self.suits(key.certificate)
        return key

    def suits(self, certificate: Certificate) -> None:
        """Raise GovServiceKeysError unless it holds a GOST key."""
        if not is_gost(certificate):
            raise GovServiceKeysError("the certificate must hold a GOST R 34.10-2012 key")

    def _keep(self, content: bytes) -> GostKey:
        return self.read_key(self._file(self.keep(content)), "")
