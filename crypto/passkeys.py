"""Passkeys (WebAuthn): challenges for browsers, and checking what authenticators sign.

A passkey is asked for after the password, so it proves possession, and the authenticator need not
ask for a PIN besides (`discouraged`). Attestation is not wanted: any authenticator will do.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, generate_challenge
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

_UNVERIFIED = UserVerificationRequirement.DISCOURAGED
LIVES_MS = 300_000
"""How long a browser lets a person look for the authenticator."""


@dataclass(frozen=True)
class RelyingParty:
    """To whom a passkey belongs: the host of the address that people open, and the address."""

    id: str
    origin: str

    @classmethod
    def at(cls, public_url: str) -> "RelyingParty | None":
        """The party at this address; None for a number, which no browser makes passkeys for."""
        parts = urlsplit(public_url)
        host = parts.hostname or ""
        with suppress(ValueError):
            ip_address(host)
            return None
        return cls(host, f"{parts.scheme}://{parts.netloc}") if host else None


@dataclass(frozen=True)
class Challenge:
    """What an authenticator is to sign, and the options that take it to the browser, as JSON."""

    challenge: bytes
    options: str


@dataclass(frozen=True)
class NewKey:
    """What is kept of a passkey: its id, its public key, and how often it has signed."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def _described(ids: Sequence[bytes]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=one) for one in ids]


def to_make(
    party: RelyingParty, institution: str, user: bytes, name: str, known: Sequence[bytes]
) -> Challenge:
    """A challenge to make a passkey on an authenticator that holds none of the `known` ones."""
    challenge = generate_challenge()
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=institution,
        user_id=user,
        user_name=name,
        challenge=challenge,
        timeout=LIVES_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=_UNVERIFIED
        ),
        exclude_credentials=_described(known),
    )
    return Challenge(challenge, options_to_json(options))


def made(party: RelyingParty, challenge: bytes, answer: str) -> NewKey | None:
    """The passkey that an authenticator has made for this challenge; None if it has not."""
    try:
        verified = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return NewKey(verified.credential_id, verified.credential_public_key, verified.sign_count)


def to_sign(party: RelyingParty, known: Sequence[bytes]) -> Challenge:
    """A challenge for one of the `known` passkeys."""
    challenge = generate_challenge()
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=LIVES_MS,
        allow_credentials=_described(known),
        user_verification=_UNVERIFIED,
    )
    return Challenge(challenge, options_to_json(options))


def id_of(answer: str) -> bytes | None:
    """The id of the passkey that an answer says it is of."""
    try:
        return base64url_to_bytes(json.loads(answer)["id"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def signed(party: RelyingParty, challenge: bytes, answer: str, key: NewKey) -> int | None:
    """How often the passkey has signed by now, if it has signed this challenge; else None.

    A count that has not grown is refused, as the key may have been copied. Passkeys that count
    nothing say 0 always.
    """
    try:
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None
    return verified.new_sign_count
