"""CMS signatures (RFC 5652) with the attributes that CAdES and PAdES require.

Making one takes under a millisecond, since whatever does not change between two signatures is
encoded once; a general library takes some 50 ms of the interpreter for the same bytes. Checking is
strict about the structure, and trusts only the certificates that it is given.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from asn1crypto import algos, cms, core, tsp  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from crypto.der import FIRST, OCTETS, SEQUENCE, SET, attribute, der, number, oid

_DATA = oid("1.2.840.113549.1.7.1")
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class SignatureError(ValueError):
    """The signature is invalid, or not made by a trusted certificate."""


class ContentChanged(SignatureError):
    """The content or the signature was changed after signing."""


class UnknownSigner(SignatureError):
    """The signature names a certificate that is not trusted here."""


def as_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """The certificate as asn1crypto has it."""
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


@dataclass(frozen=True)
class CmsSigner:
    """Signs SHA-256 digests with an ECDSA or RSA (PKCS #1 v1.5) key."""

    key: PrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @cached_property
    def _fixed(self) -> "_Fixed":
        own = as_asn1(self.certificate)
        rsa_key = isinstance(self.key, rsa.RSAPrivateKey)
        algorithm = "sha256_rsa" if rsa_key else "sha256_ecdsa"
        essence = tsp.SigningCertificateV2({"certs": [{"cert_hash": sha256(own.dump()).digest()}]})
        certificates = sorted(as_asn1(one).dump() for one in (self.certificate, *self.chain))
        return _Fixed(
            content_type=attribute(oid("1.2.840.113549.1.9.3"), _DATA),
            signing_certificate=attribute(oid("1.2.840.113549.1.9.16.2.47"), essence.dump()),
            digest_algorithm=algos.DigestAlgorithm({"algorithm": "sha256"}).dump(),
            signature_algorithm=algos.SignedDigestAlgorithm({"algorithm": algorithm}).dump(),
            certificates=der(FIRST, *certificates),
            signer=der(SEQUENCE, own.issuer.dump(), number(own.serial_number)),
        )

    @cached_property
    def most(self) -> int:
        """The most bytes that a signature takes: the length of ECDSA signatures varies by a few."""
        return len(self.sign(bytes(32))) + 32

    def sign(
        self, digest: bytes, *, signing_time: datetime | None = None, content: bytes | None = None
    ) -> bytes:
        """A signature over content with this SHA-256 digest, in DER; detached without `content`.

        For PAdES leave `signing_time` out: the PDF states the time (ETSI EN 319 142-1, 6.3).
        """
        fixed = self._fixed
        attributes = [
            fixed.content_type,
            fixed.signing_certificate,
            attribute(oid("1.2.840.113549.1.9.4"), der(OCTETS, digest)),
        ]
        if signing_time is not None:
            time = cms.Time({"utc_time": core.UTCTime(signing_time)}).dump()
            attributes.append(attribute(oid("1.2.840.113549.1.9.5"), time))
        attributes.sort()
        signed = der(SET, *attributes)
        version = number(1)
        inside = b"" if content is None else der(FIRST, der(OCTETS, content))
        signer_info = der(
            SEQUENCE,
            version,
            fixed.signer,
            fixed.digest_algorithm,
            der(FIRST, *attributes),
            fixed.signature_algorithm,
            der(OCTETS, self._sign_raw(signed)),
        )
        signed_data = der(
            SEQUENCE,
            version,
            der(SET, fixed.digest_algorithm),
            der(SEQUENCE, _DATA, inside),
            fixed.certificates,
            der(SET, signer_info),
        )
        return der(SEQUENCE, oid("1.2.840.113549.1.7.2"), der(FIRST, signed_data))

    def _sign_raw(self, data: bytes) -> bytes:
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


@dataclass(frozen=True)
class _Fixed:
    """The encoded parts that are the same in every signature of one key."""

    content_type: bytes
    signing_certificate: bytes
    digest_algorithm: bytes
    signature_algorithm: bytes
    certificates: bytes
    signer: bytes


@dataclass(frozen=True)
class Signed:
    """Signed content, and who signed it."""

    content: bytes
    certificate: x509.Certificate
    signed_at: datetime | None
    """The time that the signer states."""


def sign_content(signer: CmsSigner, content: bytes, at: datetime) -> bytes:
    """A signature that contains what it signs, in DER."""
    return signer.sign(sha256(content).digest(), signing_time=at, content=content)


def check_signature(
    data: bytes, signature: bytes, trusted: Iterable[x509.Certificate]
) -> x509.Certificate:
    """The trusted certificate by which this detached CMS signature over `data` was made.

    A certificate is trusted if it is given, byte for byte: no chain is followed, nothing is
    fetched. Raises SignatureError if the content differs or no trusted key made the signature.
    """
    return _check(_read(signature), data, trusted).certificate


def check_signed(signed: bytes, trusted: Iterable[x509.Certificate]) -> Signed:
    """The content of a CMS signature that includes it, and which trusted certificate signed it.

    Raises SignatureError, ContentChanged and UnknownSigner.
    """
    read = _read(signed)
    if read.content is None:
        raise SignatureError("the signature carries no content")
    return _check(read, read.content, trusted)


@dataclass(frozen=True)
class _Read:
    """The parts of a CMS with one signature."""

    content: bytes | None
    algorithm: hashes.HashAlgorithm
    stated: bytes
    of_type: str
    signed: bytes
    value: bytes
    signed_at: datetime | None
    certificates: frozenset[bytes]
    """The certificates that came with the signature; they are not trusted."""
    names: Any
    """The signer as the signature names it."""


def _read(signature: bytes) -> _Read:
    try:
        info = cms.ContentInfo.load(signature, strict=True)
        signed_data = info["content"]
        (signer,) = signed_data["signer_infos"]
        attributes = {one["type"].native: one["values"] for one in signer["signed_attrs"]}
        time = attributes.get("signing_time")
        named, inside = signer["sid"], signed_data["encap_content_info"]
        # Values are parsed when they are first read: errors have to show here.
        told = (named.native, signer["signature_algorithm"].signature_algo)
        if inside["content_type"].native != "data" or None in told:
            raise ValueError("not a signature over data")
        return _Read(
            content=inside["content"].native,
            algorithm=_HASHES[signer["digest_algorithm"]["algorithm"].native](),
            stated=attributes["message_digest"][0].native,
            of_type=attributes["content_type"][0].native,
            signed=signer["signed_attrs"].untag().dump(),
            value=signer["signature"].native,
            signed_at=time[0].native if time is not None else None,
            certificates=frozenset(one.dump() for one in signed_data["certificates"]),
            names=named,
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise SignatureError("not a signature this program can read") from error


def _check(read: _Read, data: bytes, trusted: Iterable[x509.Certificate]) -> Signed:
    digest = hashes.Hash(read.algorithm)
    digest.update(data)
    if read.of_type != "data" or digest.finalize() != read.stated:
        raise ContentChanged("the content was changed after it was signed")
    named = False
    for certificate in trusted:
        if _made_by(certificate, read.value, read.signed, read.algorithm):
            beside = not read.certificates or as_asn1(certificate).dump() in read.certificates
            if not beside or not names(read.names, certificate):
                raise ContentChanged("the signature names somebody else than its signer")
            return Signed(data, certificate, read.signed_at)
        named = named or names(read.names, certificate)
    if named:
        raise ContentChanged("the signature was changed, or is not by the key it names")
    raise UnknownSigner("not signed by a seal that is trusted here")


def names(identifier: Any, certificate: x509.Certificate) -> bool:
    """Whether a CMS identifier (RFC 5652, 5.3 and 6.2) means this certificate."""
    own = as_asn1(certificate)
    chosen = identifier.chosen
    if isinstance(chosen, cms.IssuerAndSerialNumber):
        same: bool = chosen["serial_number"].native == own.serial_number
        return same and bool(chosen["issuer"].dump() == own.issuer.dump())
    if isinstance(chosen, core.OctetString):
        return bool(chosen.native == own.key_identifier)
    return False


def _made_by(
    certificate: x509.Certificate, value: bytes, signed: bytes, algorithm: hashes.HashAlgorithm
) -> bool:
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, signed, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(value, signed, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True
