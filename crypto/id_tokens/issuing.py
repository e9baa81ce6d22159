"""Keys that sign id tokens: what the simulated provider has."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from crypto.id_tokens.checking import EC, RSA


class SigningKey:
    """One key of a provider, with its id."""

    def __init__(self, algorithm: str = EC) -> None:
        self.algorithm = algorithm
        self.kid = uuid4().hex
        self._key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
        if algorithm == RSA:
            self._key = rsa.generate_private_key(65537, 2048)
        else:
            self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> dict[str, str]:
        """The key as a JWK, without what signs."""
        named = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if isinstance(self._key, rsa.RSAPrivateKey):
            numbers = self._key.public_key().public_numbers()
            return named | {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
        point = self._key.public_key().public_numbers()
        sides = {"x": _text(point.x.to_bytes(32)), "y": _text(point.y.to_bytes(32))}
        return named | {"kty": "EC", "crv": "P-256"} | sides

    def signed(self, claims: Mapping[str, Any]) -> str:
        """The claims as a compact JWS."""
        header = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid}
        said = f"{_json(header)}.{_json(claims)}"
        if isinstance(self._key, rsa.RSAPrivateKey):
            signature = self._key.sign(said.encode(), padding.PKCS1v15(), SHA256())
        else:
            halves = decode_dss_signature(self._key.sign(said.encode(), ec.ECDSA(SHA256())))
            signature = b"".join(half.to_bytes(32) for half in halves)
        return f"{said}.{_text(signature)}"


def unsigned(claims: Mapping[str, Any]) -> str:
    """The claims under the algorithm `none`, which nobody may accept."""
    return f"{_json({'alg': 'none', 'typ': 'JWT'})}.{_json(claims)}."


def _json(value: Mapping[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
