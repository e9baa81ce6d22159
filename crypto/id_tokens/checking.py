"""Who signed an id token, and what it says; `rules.sign_in.identity_provider` judges what is said.

Two algorithms are accepted, by name: what the token itself proposes decides nothing, so neither
`none` nor a key used as a password gets through (RFC 8725, 3.1 and 3.2).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jws
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

RSA, EC = "RS256", "ES256"
_KINDS: Mapping[str, type[RSAKey] | type[ECKey]] = {"RSA": RSAKey, "EC": ECKey}
LONGEST = 16 * 1024
WEAKEST = 2048
"""Bits of the shortest key of RSA that is accepted."""


class IdTokenError(Exception):
    """The token is not what a provider signs."""


class UnknownKeyError(IdTokenError):
    """It names a key that is not among these: the provider may have changed its keys."""


def claims_of(token: str, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What the token says, once one of the keys (JWK of RFC 7517) has proved to have signed it.

    Raises IdTokenError.
    """
    if len(token) > LONGEST:
        raise IdTokenError("it is too long")
    try:
        signed = jws.deserialize_compact(token, _usable(keys), algorithms=[RSA, EC])
        claims = json.loads(signed.payload)
    except InvalidKeyIdError:
        raise UnknownKeyError("another key") from None
    except (JoseError, KeyError, TypeError, ValueError, RecursionError):
        raise IdTokenError("it is not signed by the key that it names") from None
    if not isinstance(claims, dict):
        raise IdTokenError("it is no object")
    return claims


def _usable(keys: Sequence[Mapping[str, Any]]) -> KeySet:
    """The keys for signatures; others, among them those too weak, are as if they were not there."""
    usable: list[Key] = []
    for one in keys:
        kind = _KINDS.get(str(one.get("kty")))
        if kind is None or one.get("use", "sig") != "sig" or not one.get("kid"):
            continue
        try:
            key = kind.import_key(dict(one))
        except (JoseError, KeyError, TypeError, ValueError):
            continue
        if isinstance(key, RSAKey) and key.public_key.key_size < WEAKEST:
            continue
        usable.append(key)
    return KeySet(usable)
