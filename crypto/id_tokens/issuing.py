"""Keys that sign id tokens: what the simulated provider has."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from joserfc import jws
from joserfc.jwk import ECKey, KeyParameters, RSAKey

from crypto.id_tokens.checking import EC, RSA


class SigningKey:
    """One key of a provider, with its id."""

    def __init__(self, algorithm: str = EC) -> None:
        self.algorithm = algorithm
        self.kid = uuid4().hex
        named: KeyParameters = {"kid": self.kid, "use": "sig", "alg": algorithm}
        self._key = (
            RSAKey.generate_key(2048, named)
            if algorithm == RSA
            else ECKey.generate_key("P-256", named)
        )

    @property
    def public(self) -> dict[str, Any]:
        """The key as a JWK, without what signs."""
        return self._key.as_dict(private=False)

    def signed(self, claims: Mapping[str, Any]) -> str:
        """The claims as a compact JWS."""
        return _signed(self.algorithm, claims, self._key, self.kid)


def unsigned(claims: Mapping[str, Any]) -> str:
    """The claims under the algorithm `none`, which nobody may accept."""
    return _signed("none", claims, None, None)


def _signed(
    algorithm: str, claims: Mapping[str, Any], key: RSAKey | ECKey | None, kid: str | None
) -> str:
    header = {"alg": algorithm, "typ": "JWT"} | ({"kid": kid} if kid else {})
    return jws.serialize_compact(header, json.dumps(claims), key, algorithms=[algorithm])
