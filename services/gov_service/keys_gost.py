"""Keys of the line to the gov-service module by GOST, through the engine `gost` of OpenSSL.

Signatures are GOST R 34.10-2012 with Streebog (256 bits), content is encrypted by GOST 28147-89,
keys are wrapped by VKO. Kuznyechik would be newer, but the engine (3.0.1) cannot read what it
encrypted with it beyond 4 KiB. Where legal force is wanted the cryptography has to be certified
besides; this engine is not. Each act is a run of `openssl`, some 20 ms, and leaves no plain content
on the disk.
"""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from asn1crypto import cms  # type: ignore[import-untyped]
from cryptography import x509

from crypto.cms_encryption import CipherError, NotDecrypted, NotForUs
from crypto.cms_signatures import ContentChanged, SignatureError, Signed, UnknownSigner, names
from services.gov_service.key_folder import KeyFolder, ModuleKeysError
from services.seal.institution import as_pem, fitting

REMEDY = "install the OpenSSL engine `gost` (Debian: apt install libengine-gost-openssl)"
LIFE_DAYS = 2 * 365
_ENGINE = ("-engine", "gost")
_CIPHER = "gost89"
_GOST_KEYS = ("1.2.643.7.1.1.1.1", "1.2.643.7.1.1.1.2")
"""GOST R 34.10-2012 of 256 and 512 bits."""
_WITHIN = 30.0


@dataclass(frozen=True)
class GostKey:
    """One of our keys: a PEM file with the private key and its certificate."""

    id: str
    file: Path
    certificate: x509.Certificate


@lru_cache(maxsize=1)
def gost_works() -> bool:
    """Whether this machine's OpenSSL has the engine and can use it."""
    try:
        done = subprocess.run(
            ["openssl", "engine", "-t", "gost"],  # noqa: S607 - the machine's own
            capture_output=True,
            check=False,
            timeout=_WITHIN,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and b"[ available ]" in done.stdout


class GostKeys(KeyFolder[GostKey]):
    """A ring of GOST keys. Raises ModuleKeysError where the engine is not installed."""

    suffix = ".pem"

    def __init__(self, folder: Path, password: str = "") -> None:
        if not gost_works():
            raise ModuleKeysError(f"MEDCAB_MODULE_CRYPTO=gost: {REMEDY}")
        super().__init__(folder, password)

    def wrap(self, content: bytes, at: datetime) -> bytes:
        """The content, signed by us and encrypted for the other side. Raises ModuleKeysError."""
        ring = self.ring()
        readers, signing = ring.readers_at(at), ring.signing_at(at)
        made = ("-binary", "-outform", "DER")
        signed = self._openssl(
            content,
            *("cms", "-sign", *_ENGINE, *made, "-nodetach", "-md", "md_gost12_256"),
            *("-signer", str(signing.file)),
        )
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / f"{n}.pem" for n in range(len(readers))]
            for file, reader in zip(files, readers, strict=True):
                file.write_text(as_pem(reader), "ascii")
            return self._openssl(
                signed,
                *("cms", "-encrypt", *_ENGINE, *made, f"-{_CIPHER}"),
                *map(str, files),
            )

    def unwrap(self, envelope: bytes) -> bytes:
        """What was encrypted for us. Raises CipherError, NotForUs, NotDecrypted."""
        try:
            enveloped = cms.ContentInfo.load(envelope, strict=True)["content"]
            recipients = [one.chosen["rid"] for one in enveloped["recipient_infos"]]
            mine = [
                key
                for key in self.ring().own
                if any(names(each, key.certificate) for each in recipients)
            ]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CipherError("not an envelope this program can read") from error
        if not mine:
            raise NotForUs("encrypted for others")
        file = str(mine[0].file)
        try:
            return self._openssl(
                envelope,
                *("cms", "-decrypt", *_ENGINE, "-binary", "-inform", "DER"),
                *("-inkey", file, "-recip", file),
            )
        except ModuleKeysError as error:
            raise NotDecrypted("the content was changed") from error

    def check(self, signed: bytes) -> Signed:
        """What the other side signed. Raises SignatureError, ContentChanged, UnknownSigner."""
        try:
            (signer,) = cms.ContentInfo.load(signed, strict=True)["content"]["signer_infos"]
            times = [
                one["values"][0].native
                for one in signer["signed_attrs"]
                if one["type"].native == "signing_time"
            ]
            by = [one for one in self.ring().theirs if names(signer["sid"], one)]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SignatureError("not a signature this program can read") from error
        if not by:
            raise UnknownSigner("not signed by a seal that is trusted here")
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as trusted:
            trusted.write(as_pem(by[0]))
            trusted.flush()
            try:
                content = self._openssl(
                    signed,
                    *("cms", "-verify", *_ENGINE, "-binary", "-inform", "DER"),
                    # The certificate that was given, and none that came with the signature.
                    *("-noverify", "-nointern", "-certfile", trusted.name),
                )
            except ModuleKeysError as error:
                raise ContentChanged("the content was changed after it was signed") from error
        return Signed(content, by[0], times[0] if times else None)

    def add(self, name: str, organisation: str) -> GostKey:
        """A new key with a certificate of its own making; it signs once it is `use`d."""
        subject = f"/CN={_quoted(name)}/O={_quoted(organisation)}/C=RU"
        key = self._openssl(
            b"",
            *("genpkey", *_ENGINE, "-algorithm", "gost2012_256", "-pkeyopt", "paramset:A"),
        )
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(key)
            file.flush()
            certificate = self._openssl(
                b"",
                *("req", "-x509", "-new", *_ENGINE, "-key", file.name, "-utf8", "-subj", subject),
                *("-days", str(LIFE_DAYS), "-addext", "basicConstraints=critical,CA:FALSE"),
                *("-addext", "keyUsage=critical,digitalSignature,keyAgreement,keyEncipherment"),
            )
        return self._keep(key + certificate)

    def take(self, file: Path, password: str) -> GostKey:
        """A key that an authority certified: PEM with key and certificate, without a password."""
        if password:
            raise ModuleKeysError("GOST keys are taken as PEM without a password")
        self.read_key(file, "")
        return self._keep(file.read_bytes())

    def read_key(self, file: Path, password: str) -> GostKey:
        """A key of the ring, named as its file. Raises ModuleKeysError."""
        try:
            content = file.read_bytes()
            certificate = x509.load_pem_x509_certificate(content)
        except (OSError, ValueError) as error:
            raise ModuleKeysError(f"the key {file} cannot be read: {error}") from error
        if b"PRIVATE KEY-----" not in content:
            raise ModuleKeysError(f"the key {file} must hold a private key and its certificate")
        self.suits(certificate)
        return GostKey(file.stem, file, certificate)

    def suits(self, certificate: x509.Certificate) -> None:
        """Raise ModuleKeysError unless it holds a GOST key."""
        if certificate.public_key_algorithm_oid.dotted_string not in _GOST_KEYS:
            raise ModuleKeysError("the certificate must hold a GOST R 34.10-2012 key")

    def _keep(self, content: bytes) -> GostKey:
        return self.read_key(self._file(self.keep(content)), "")

    def _openssl(self, content: bytes, *words: str) -> bytes:
        """What a run of `openssl` makes of the content. Raises ModuleKeysError when it fails."""
        try:
            done = subprocess.run(  # noqa: S603 - nothing from outside stands in the words
                ["openssl", *words],  # noqa: S607 - the machine's own
                input=content,
                capture_output=True,
                check=False,
                timeout=_WITHIN,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ModuleKeysError(f"openssl did not run: {type(error).__name__}") from error
        if done.returncode:
            raise ModuleKeysError(f"openssl {words[0]} {words[1]} ended with {done.returncode}")
        return done.stdout


def _quoted(name: str) -> str:
    """A name as `openssl req -subj` takes it."""
    return re.sub(r"([/+=\\])", r"\\\1", fitting(name))
