"""External identity providers: an interface, and OpenID Connect by code and PKCE (I11)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import httpx

from clients.answers import answer
from crypto.id_tokens.checking import IdTokenError, UnknownKeyError, claims_of
from settings import Settings

TIMEOUT = 5.0
LONGEST = 256 * 1024
KNOWN_FOR = 3600.0
"""Seconds for which what a provider says of itself is remembered."""


class ProviderDownError(Exception):
    """The provider did not answer, or answered nothing that can be read."""


@dataclass(frozen=True)
class Asked:
    """What the browser is to bring back, and where to."""

    redirect_uri: str
    state: str
    nonce: str
    challenge: str


class IdentityProvider(Protocol):
    """Somebody else who knows who a person is."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def issuer(self) -> str:
        """What its statements are issued by."""

    @property
    def client_id(self) -> str:
        """What it calls us."""

    async def address(self, asked: Asked) -> str:
        """Where the browser has to go. Raises ProviderDownError."""

    async def claims(self, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """What it says of the person, signed by it. Raises ProviderDownError, IdTokenError."""

    async def close(self) -> None:
        """Close its connections."""


class OidcProvider:
    """A provider of OpenID Connect, known by its issuer."""

    def __init__(self, name: str, issuer: str, client_id: str, secret: str) -> None:
        self.name, self.issuer, self.client_id = name, issuer, client_id
        self._auth = httpx.BasicAuth(client_id, secret)
        self._http = httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, follow_redirects=False)
        self._told: dict[str, Any] = {}
        self._keys: Sequence[Mapping[str, Any]] = ()
        self._known_until = 0.0

    async def address(self, asked: Asked) -> str:
        """The address of its page, with what was asked."""
        await self._know()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.client_id,
                "scope": "openid",
                "redirect_uri": asked.redirect_uri,
                "state": asked.state,
                "nonce": asked.nonce,
                "code_challenge": asked.challenge,
                "code_challenge_method": "S256",
            }
        )
        return f"{self._told['authorization_endpoint']}?{query}"

    async def claims(self, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """Exchange the code. A key that is not known yet is asked for once."""
        await self._know()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        answer = await self._json("POST", self._told["token_endpoint"], data=form, auth=self._auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise IdTokenError("there is no id token")
        try:
            return claims_of(token, self._keys)
        except UnknownKeyError:
            self._known_until = 0.0
            await self._know()
            return claims_of(token, self._keys)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def _know(self) -> None:
        """Ask the provider of itself, unless that is known. It has to be that of our settings."""
        if time.monotonic() < self._known_until:
            return
        told = await self._json("GET", f"{self.issuer}/.well-known/openid-configuration")
        places = [
            told.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        ]
        scheme = urlsplit(self.issuer).scheme
        if told.get("issuer") != self.issuer or not all(
            isinstance(one, str) and urlsplit(one).scheme in ("https", scheme) for one in places
        ):
            raise ProviderDownError
        keys = (await self._json("GET", told["jwks_uri"])).get("keys")
        if not isinstance(keys, list) or not all(isinstance(one, dict) for one in keys):
            raise ProviderDownError
        self._told, self._keys = told, keys
        self._known_until = time.monotonic() + KNOWN_FOR

    async def _json(self, method: str, url: str, **sent: Any) -> dict[str, Any]:
        try:
            reply = await answer(self._http, method, url, within=3 * TIMEOUT, limit=LONGEST, **sent)
            if reply.status_code != 200:
                raise ProviderDownError
            read = reply.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError):
            raise ProviderDownError from None
        if not isinstance(read, dict):
            raise ProviderDownError
        return read


def provider_of(settings: Settings) -> IdentityProvider | None:
    """The provider of this installation; None without one."""
    if not settings.oidc_issuer:
        return None
    return OidcProvider(
        settings.oidc_name,
        settings.oidc_issuer.rstrip("/"),
        settings.oidc_client_id,
        settings.oidc_client_secret.get_secret_value(),
    )
