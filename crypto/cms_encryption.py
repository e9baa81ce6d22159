"""CMS encryption for given recipients: AuthEnvelopedData (RFC 5083), AES-256 in GCM (RFC 5084).

The content's key is wrapped for each recipient: by ECDH with an ephemeral key (RFC 5753, X9.63 with
SHA-256, AES-256 key wrap) if the certificate holds an elliptic curve key, by RSA-OAEP with SHA-256
(RFC 8017) if it holds an RSA key. `openssl cms` reads and writes the same.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from asn1crypto import cms  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

from crypto.cms_signatures import PrivateKey, as_asn1, names
from crypto.der import BITS, FIRST, OCTETS, SECOND, SEQUENCE, SET, THIRD, der, number, oid

_KEY, _NONCE, _TAG = 32, 12, 16
_ENVELOPED = "authenticated_enveloped_data"
_ECDH = "1.3.132.1.11.1"
"""dhSinglePass-stdDH-sha256kdf-scheme."""
_WRAP = "2.16.840.1.101.3.4.1.45"
_WRAP_ALGORITHM = der(SEQUENCE, oid(_WRAP))
_SHARED_INFO = der(
    SEQUENCE, _WRAP_ALGORITHM, der(THIRD, der(OCTETS, (8 * _KEY).to_bytes(4, "big")))
)
"""ECC-CMS-SharedInfo (RFC 5753, 7.2)."""
_SHA256 = der(SEQUENCE, oid("2.16.840.1.101.3.4.2.1"))
_OAEP_ALGORITHM = der(
    SEQUENCE,
    oid("1.2.840.113549.1.1.7"),
    der(
        SEQUENCE,
        der(FIRST, _SHA256),
        der(SECOND, der(SEQUENCE, oid("1.2.840.113549.1.1.8"), _SHA256)),
    ),
)
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_IMPLICIT_CONTENT = 0x80
_NOT_USED = ("originator_info", "auth_attrs", "unauth_attrs")


class CipherError(ValueError):
    """The bytes are no such envelope, or cannot be decrypted."""


class NotForUs(CipherError):
    """None of the given keys is among the recipients."""


class NotDecrypted(CipherError):
    """A given key is among the recipients, but the envelope was changed on the way."""


class Holder(Protocol):
    """Who decrypts: a private key, and the certificate that others encrypt for."""

    @property
    def key(self) -> PrivateKey:
        """The private key."""

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate of the key."""


def encrypt(plain: bytes, recipients: Sequence[x509.Certificate]) -> bytes:
    """Encrypt the bytes so that each of the recipients can decrypt them alone. Returns DER.

    Raises CipherError without a recipient.
    """
    if not recipients:
        raise CipherError("an envelope needs a recipient")
    key, nonce = os.urandom(_KEY), os.urandom(_NONCE)
    encrypted = AESGCM(key).encrypt(nonce, plain, None)
    parameters = der(SEQUENCE, der(OCTETS, nonce), number(_TAG))
    content = der(
        SEQUENCE,
        oid("1.2.840.113549.1.7.1"),
        der(SEQUENCE, oid("2.16.840.1.101.3.4.1.46"), parameters),
        der(_IMPLICIT_CONTENT, encrypted[:-_TAG]),
    )
    enveloped = der(
        SEQUENCE,
        number(0),
        der(SET, *sorted(_recipient(each, key) for each in recipients)),
        content,
        der(OCTETS, encrypted[-_TAG:]),
    )
    return der(SEQUENCE, oid("1.2.840.113549.1.9.16.1.23"), der(FIRST, enveloped))


def _recipient(certificate: x509.Certificate, key: bytes) -> bytes:
    own = as_asn1(certificate)
    identifier = der(SEQUENCE, own.issuer.dump(), number(own.serial_number))
    public = certificate.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        wrapped = der(OCTETS, public.encrypt(key, _OAEP))
        return der(SEQUENCE, number(0), identifier, _OAEP_ALGORITHM, wrapped)
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise CipherError("a recipient must hold an elliptic curve or RSA key")
    once = ec.generate_private_key(public.curve)
    wrapped = keywrap.aes_key_wrap(_agreed(once.exchange(ec.ECDH(), public)), key)
    point = once.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    originator = der(SECOND, der(SEQUENCE, oid("1.2.840.10045.2.1")), der(BITS, b"\x00", point))
    return der(
        SECOND,
        number(3),
        der(FIRST, originator),
        der(SEQUENCE, oid(_ECDH), _WRAP_ALGORITHM),
        der(SEQUENCE, der(SEQUENCE, identifier, der(OCTETS, wrapped))),
    )


def _agreed(secret: bytes) -> bytes:
    return X963KDF(hashes.SHA256(), _KEY, _SHARED_INFO).derive(secret)


def decrypt(envelope: bytes, holders: Iterable[Holder]) -> bytes:
    """The contents, decrypted by whichever of the keys is among the recipients.

    Raises CipherError if it is no such envelope, NotForUs, NotDecrypted.
    """
    try:
        info = cms.ContentInfo.load(envelope, strict=True)
        if info["content_type"].native != _ENVELOPED:
            raise CipherError("not an AuthEnvelopedData")
        enveloped = info["content"]
        recipients = list(enveloped["recipient_infos"])
        inner = enveloped["auth_encrypted_content_info"]
        algorithm = inner["content_encryption_algorithm"]
        nonce, size = algorithm["parameters"].native.values()
        content, tag = inner["encrypted_content"].native, enveloped["mac"].native
        known = algorithm["algorithm"].native == "aes256_gcm" and size == _TAG
        bare = (
            enveloped["version"].native == "v0"
            and inner["content_type"].native == "data"
            and all(enveloped[name].native is None for name in _NOT_USED)
        )
    except CipherError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CipherError("not an envelope this program can read") from error
    if not (known and bare) or len(nonce) != _NONCE or len(tag) != _TAG:
        raise CipherError("not encrypted with AES-256 in GCM")
    try:
        key = _content_key(recipients, list(holders))
    except CipherError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, keywrap.InvalidUnwrap) as error:
        raise NotDecrypted("the key of the content cannot be unwrapped") from error
    if len(key) != _KEY:
        raise NotDecrypted("the key of the content has a wrong length")
    try:
        return AESGCM(key).decrypt(nonce, content + tag, None)
    except (InvalidTag, ValueError) as error:
        raise NotDecrypted("the content was changed") from error


def _content_key(recipients: Sequence[Any], holders: Sequence[Holder]) -> bytes:
    for recipient in recipients:
        info = recipient.chosen
        if recipient.name == "ktri":
            for holder in holders:
                if names(info["rid"], holder.certificate):
                    return _unwrapped_rsa(info, holder.key)
        elif recipient.name == "kari":
            for each in info["recipient_encrypted_keys"]:
                for holder in holders:
                    if names(each["rid"], holder.certificate):
                        return _unwrapped_ecdh(info, each["encrypted_key"].native, holder.key)
    raise NotForUs("encrypted for others")


def _unwrapped_rsa(info: Any, key: PrivateKey) -> bytes:
    algorithm = info["key_encryption_algorithm"]
    if algorithm["algorithm"].native != "rsaes_oaep" or not isinstance(key, rsa.RSAPrivateKey):
        raise CipherError("the key is not wrapped by RSA-OAEP")
    told = algorithm["parameters"].native
    mask = told["mask_gen_algorithm"]["parameters"]["algorithm"]
    if (told["hash_algorithm"]["algorithm"], mask) != ("sha256", "sha256"):
        raise CipherError("the key is not wrapped by RSA-OAEP with SHA-256")
    return key.decrypt(info["encrypted_key"].native, _OAEP)


def _unwrapped_ecdh(info: Any, wrapped: bytes, key: PrivateKey) -> bytes:
    expected = der(SEQUENCE, oid(_ECDH), _WRAP_ALGORITHM)
    if info["key_encryption_algorithm"].dump() != expected or info["ukm"].native is not None:
        raise CipherError("the key is not wrapped by ECDH with SHA-256 and AES-256")
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CipherError("the recipient holds no elliptic curve key")
    point = info["originator"].chosen["public_key"].native
    other = ec.EllipticCurvePublicKey.from_encoded_point(key.curve, point)
    return keywrap.aes_key_unwrap(_agreed(key.exchange(ec.ECDH(), other)), wrapped)
