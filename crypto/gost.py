"""Signatures and encryption of messages by GOST, through the engine `gost` of OpenSSL.

Signatures are GOST R 34.10-2012 with Streebog (256 bits), content is encrypted by GOST 28147-89,
keys are wrapped by VKO. Kuznyechik would be newer, but the engine (3.0.1) cannot decrypt its own
output beyond 4 KiB. For legal force the cryptography must also be certified; this engine is not.
Each operation is a run of `openssl`, some 20 ms, and leaves no plain content on the disk.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from asn1crypto import cms  # type: ignore[import-untyped]

from crypto.certificates import Certificate, as_pem, fitting, from_pem
from crypto.cms_encryption import CipherError, NotDecrypted, NotForUs
from crypto.cms_signatures import ContentChanged, SignatureError, Signed, UnknownSigner, names
from crypto.signing_keys import LINE_LIFE

REMEDY = "install the OpenSSL engine `gost` (Debian: apt install libengine-gost-openssl)"
_ENGINE = ("-engine", "gost")
_CIPHER = "gost89"
_KEYS = ("1.2.643.7.1.1.1.1", "1.2.643.7.1.1.1.2")
"""GOST R 34.10-2012 of 256 and 512 bits."""
_WITHIN = 30.0


class OpensslFailed(Exception):
    """A run of `openssl` failed."""


@dataclass(frozen=True)
class GostKey:
    """A PEM file with a private key and its certificate; the key is named after the file."""

    file: Path
    certificate: Certificate

    @classmethod
    def read(cls, file: Path) -> "GostKey":
        """The key in a file. Raises OSError and ValueError."""
        content = file.read_bytes()
        certificate = from_pem(content)
        if b"PRIVATE KEY-----" not in content:
            raise ValueError("it must hold a private key and its certificate")
        return cls(file, certificate)

    @property
    def id(self) -> str:
        """The name of the key."""
        return self.file.stem


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


def is_gost(certificate: Certificate) -> bool:
    """Whether the certificate holds a GOST key."""
    return certificate.public_key_algorithm_oid.dotted_string in _KEYS


def new_key(name: str, organisation: str) -> bytes:
    """A new key and a self-signed certificate, as PEM. Raises OpensslFailed."""
    subject = f"/CN={_quoted(name)}/O={_quoted(organisation)}/C=RU"
    key = _openssl(
        b"",
        *("genpkey", *_ENGINE, "-algorithm", "gost2012_256", "-pkeyopt", "paramset:A"),
    )
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(key)
        file.flush()
        certificate = _openssl(
            b"",
            *("req", "-x509", "-new", *_ENGINE, "-key", file.name, "-utf8", "-subj", subject),
            *("-days", str(LINE_LIFE.days), "-addext", "basicConstraints=critical,CA:FALSE"),
            *("-addext", "keyUsage=critical,digitalSignature,keyAgreement,keyEncipherment"),
        )
    return key + certificate


def sign_content(signer: GostKey, content: bytes) -> bytes:
    """A signature that contains what it signs, in DER. Raises OpensslFailed."""
    return _openssl(
        content,
        *("cms", "-sign", *_ENGINE, "-binary", "-outform", "DER", "-nodetach"),
        *("-md", "md_gost12_256", "-signer", str(signer.file)),
    )


def encrypt(plain: bytes, recipients: Sequence[Certificate]) -> bytes:
    """Encrypt the bytes for these recipients. Returns DER. Raises OpensslFailed."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{n}.pem" for n in range(len(recipients))]
        for file, recipient in zip(files, recipients, strict=True):
            file.write_text(as_pem(recipient), "ascii")
        return _openssl(
            plain,
            *("cms", "-encrypt", *_ENGINE, "-binary", "-outform", "DER", f"-{_CIPHER}"),
            *map(str, files),
        )


def decrypt(envelope: bytes, holders: Iterable[GostKey]) -> bytes:
    """The contents, decrypted by whichever of the keys is among the recipients.

    Raises CipherError if it is no such envelope, NotForUs, NotDecrypted.
    """
    try:
        enveloped = cms.ContentInfo.load(envelope, strict=True)["content"]
        recipients = [one.chosen["rid"] for one in enveloped["recipient_infos"]]
        mine = [key for key in holders if any(names(each, key.certificate) for each in recipients)]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CipherError("not an envelope this program can read") from error
    if not mine:
        raise NotForUs("encrypted for others")
    file = str(mine[0].file)
    try:
        return _openssl(
            envelope,
            *("cms", "-decrypt", *_ENGINE, "-binary", "-inform", "DER"),
            *("-inkey", file, "-recip", file),
        )
    except OpensslFailed as error:
        raise NotDecrypted("the content was changed") from error


def check_signed(signed: bytes, trusted: Iterable[Certificate]) -> Signed:
    """The content of a CMS signature that includes it, and which trusted certificate signed it.

    Raises SignatureError, ContentChanged and UnknownSigner.
    """
    try:
        (signer,) = cms.ContentInfo.load(signed, strict=True)["content"]["signer_infos"]
        times = [
            one["values"][0].native
            for one in signer["signed_attrs"]
            if one["type"].native == "signing_time"
        ]
        by = [one for one in trusted if names(signer["sid"], one)]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SignatureError("not a signature this program can read") from error
    if not by:
        raise UnknownSigner("not signed by a seal that is trusted here")
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(as_pem(by[0]))
        file.flush()
        try:
            content = _openssl(
                signed,
                *("cms", "-verify", *_ENGINE, "-binary", "-inform", "DER"),
                # Use the given certificate, and none that came with the signature.
                *("-noverify", "-nointern", "-certfile", file.name),
            )
        except OpensslFailed as error:
            raise ContentChanged("the content was changed after it was signed") from error
    return Signed(content, by[0], times[0] if times else None)


def _openssl(content: bytes, *words: str) -> bytes:
    """The output of `openssl` for the content. Raises OpensslFailed."""
    try:
        done = subprocess.run(  # noqa: S603 - nothing from outside stands in the words
            ["openssl", *words],  # noqa: S607 - the machine's own
            input=content,
            capture_output=True,
            check=False,
            timeout=_WITHIN,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OpensslFailed(f"openssl did not run: {type(error).__name__}") from error
    if done.returncode:
        raise OpensslFailed(f"openssl {words[0]} {words[1]} ended with {done.returncode}")
    return done.stdout


def _quoted(name: str) -> str:
    """A name escaped for `openssl req -subj`."""
    return re.sub(r"([/+=\\])", r"\\\1", fitting(name))
