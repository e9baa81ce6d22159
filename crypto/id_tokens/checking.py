"""Who signed an id token, and what it says; `rules.sign_in.identity_provider` judges what is said.

Two algorithms are accepted, by name: what the token itself proposes decides nothing, so neither
`none` nor a key used as a password gets through (RFC 8725, 3.1 and 3.2).
"""

import json
from base64 import urlsafe_b64decode
from binascii import Error
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

RSA, EC = "RS256", "ES256"
LONGEST = 16 * 1024
WEAKEST = 2048


class IdTokenError(Exception):
    """The token is not what a provider signs."""


class UnknownKeyError(IdTokenError):
    """It names a key that is not among these: the provider may have changed its keys."""


def claims_of(token: str, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What the token says, once one of the keys (JWK of RFC 7517) has proved to have signed it.

    Raises IdTokenError.
    """
    parts = token.split(".")
    if len(token) > LONGEST or len(parts) != 3:
        raise IdTokenError("it is no compact JWS")
    header, claims = _object(parts[0]), _object(parts[1])
    if header.get("alg") not in (RSA, EC) or "crit" in header:
        raise IdTokenError("another algorithm")
    key = next((one for one in keys if one.get("kid") == header.get("kid")), None)
    if key is None:
        raise UnknownKeyError("another key")
    try:
        _verify(header["alg"], key, f"{parts[0]}.{parts[1]}".encode(), _bytes(parts[2]))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        raise IdTokenError("the signature is not that of the key") from None
    return claims


def _verify(algorithm: str, key: Mapping[str, Any], signed: bytes, signature: bytes) -> None:
    """Raise if the key has not signed this, or is of another kind than the algorithm."""
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm:
        raise ValueError("the key is for something else")
    if algorithm == RSA and key["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
        if public.key_size < WEAKEST:
            raise ValueError("the key is too short")
        public.verify(signature, signed, padding.PKCS1v15(), SHA256())
    elif algorithm == EC and key["kty"] == "EC" and key["crv"] == "P-256" and len(signature) == 64:
        point = ec.EllipticCurvePublicNumbers(_number(key["x"]), _number(key["y"]), ec.SECP256R1())
        halves = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
        public_point = point.public_key()
        public_point.verify(encode_dss_signature(*halves), signed, ec.ECDSA(SHA256()))
    else:
        raise ValueError("the key is of another kind")


def _bytes(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (Error, ValueError):
        raise IdTokenError("it is no base64") from None


def _number(text: str) -> int:
    return int.from_bytes(_bytes(text))


def _object(part: str) -> dict[str, Any]:
    try:
        read = json.loads(_bytes(part))
    except (ValueError, RecursionError):
        raise IdTokenError("it is no JSON") from None
    if not isinstance(read, dict):
        raise IdTokenError("it is no object")
    return read
