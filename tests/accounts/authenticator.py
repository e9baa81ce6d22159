"""An authenticator in software: what a stick or a telephone would answer (WebAuthn)."""

import hashlib
import json
import os
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

ORIGIN = "https://cabinet.example"


def text_of(octets: bytes) -> str:
    """Bytes as the browser writes them."""
    return urlsafe_b64encode(octets).decode().rstrip("=")


@dataclass
class Authenticator:
    """One key, and how often it has signed; 0 for ever if it does not count."""

    counts: bool = True
    count: int = 0
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    id: bytes = field(default_factory=lambda: os.urandom(16))

    def make(self, options: str, origin: str = ORIGIN) -> str:
        """The answer to a challenge to make a passkey."""
        asked = json.loads(options)
        point = self.key.public_key().public_numbers()
        cose = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        )
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        data = self._data(asked["rp"]["id"], 0x41) + attested
        made = {"fmt": "none", "attStmt": {}, "authData": data}
        response = {"attestationObject": text_of(cbor2.dumps(made))}
        return self._answer("webauthn.create", asked["challenge"], origin, response)

    def sign(self, options: str, origin: str = ORIGIN, rp_id: str = "") -> str:
        """The answer to a challenge to sign."""
        asked = json.loads(options)
        self.count += self.counts
        data = self._data(rp_id or asked["rpId"], 0x01)
        client = self._client("webauthn.get", asked["challenge"], origin)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"authenticatorData": text_of(data), "signature": text_of(signature)}
        return self._answer("webauthn.get", asked["challenge"], origin, response)

    def _data(self, rp_id: str, flags: int) -> bytes:
        digest = hashlib.sha256(rp_id.encode()).digest()
        return digest + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str, origin: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()

    def _answer(self, kind: str, challenge: str, origin: str, response: dict[str, Any]) -> str:
        client = text_of(self._client(kind, challenge, origin))
        return json.dumps(
            {
                "id": text_of(self.id),
                "rawId": text_of(self.id),
                "type": "public-key",
                "clientExtensionResults": {},
                "response": {**response, "clientDataJSON": client},
            }
        )
