"""An identity provider, as ЕСИА is one, simulated: `python -m simulators.oidc`.

Discovery, a page on which one says who one is, codes with PKCE, tokens, and keys that can be
changed. `PUT /tokens` spoils what it signs, `PUT /faults` the server itself.
"""

import argparse
import hashlib
import secrets
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from enum import StrEnum
from html import escape
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.params import Depends
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel

from clients.serving import serve
from crypto.id_tokens.issuing import SigningKey, unsigned
from simulators.faults import FaultSwitch, FaultyServer

CODE_LIVES = 60.0
MOST_CODES = 1000


class TokenFault(StrEnum):
    """How what is signed can be wrong."""

    NONE = "none"
    UNSIGNED = "unsigned"
    OTHER_KEY = "other_key"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    NONCE = "nonce"
    EXPIRED = "expired"


class Spoilt(BaseModel):
    """The fault of the next tokens."""

    fault: TokenFault


class Provider:
    """What the provider knows: its client, its keys, and the codes that were not used yet."""

    def __init__(self, client_id: str, secret: str) -> None:
        self.client_id, self.secret = client_id, secret
        self.keys = [SigningKey()]
        self.fault = TokenFault.NONE
        self._codes: dict[str, tuple[float, Mapping[str, str], str]] = {}

    def grant(self, asked: Mapping[str, str], subject: str) -> str:
        """A code for somebody who said who they are."""
        code = secrets.token_urlsafe(24)
        while len(self._codes) >= MOST_CODES:
            self._codes.pop(next(iter(self._codes)))
        self._codes[code] = (time.monotonic(), asked, subject)
        return code

    def redeem(self, form: Mapping[str, str], issuer: str) -> str:
        """The id token for a code, once. Raises HTTPException 400."""
        since, asked, subject = self._codes.pop(form["code"], (-CODE_LIVES, {}, ""))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            time.monotonic() - since > CODE_LIVES
            or form["redirect_uri"] != asked.get("redirect_uri")
            or challenge != asked.get("code_challenge")
        ):
            raise HTTPException(400, "invalid_grant")
        return self._token(issuer, asked.get("nonce", ""), subject)

    def _token(self, issuer: str, nonce: str, subject: str) -> str:
        moment, fault = int(time.time()), self.fault
        claims: dict[str, Any] = {
            "iss": "https://other.example" if fault is TokenFault.ISSUER else issuer,
            "aud": "somebody-else" if fault is TokenFault.AUDIENCE else self.client_id,
            "nonce": "another" if fault is TokenFault.NONCE else nonce,
            "sub": subject,
            "iat": moment,
            "exp": moment - 1 if fault is TokenFault.EXPIRED else moment + 300,
        }
        if fault is TokenFault.UNSIGNED:
            return unsigned(claims)
        key = self.keys[-1]
        if fault is TokenFault.OTHER_KEY:
            key = SigningKey()
            key.kid = self.keys[-1].kid
        return key.signed(claims)


def create_app(client_id: str = "medcab", secret: str = "simulated") -> FastAPI:  # noqa: S107
    """The provider for one client; `app.state.provider` is what it knows."""
    app = FastAPI(title="Поставщик входа (имитация)", version="1")
    switch, provider = FaultSwitch(), Provider(client_id, secret)
    app.state.faults, app.state.provider = switch, provider
    app.include_router(switch.router())
    app.add_middleware(FaultyServer, switch=switch)

    def issuer_of(request: Request) -> str:
        return str(request.base_url).rstrip("/")

    @app.get("/.well-known/openid-configuration")
    async def discovery(request: Request) -> dict[str, Any]:
        """What the provider says of itself."""
        issuer = issuer_of(request)
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }

    @app.get("/jwks")
    async def jwks() -> dict[str, Any]:
        """The keys that are in use."""
        return {"keys": [key.public for key in provider.keys]}

    @app.put("/keys", status_code=204)
    async def change_keys() -> None:
        """Sign with a new key from now on; the one before is not shown any more."""
        provider.keys = [SigningKey()]

    @app.put("/tokens", status_code=204)
    async def spoil(spoilt: Spoilt) -> None:
        """Spoil the next tokens."""
        provider.fault = spoilt.fault

    @app.get("/authorize")
    async def page(request: Request) -> HTMLResponse:
        """The page on which one says who one is."""
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
            for name, value in request.query_params.items()
        )
        return HTMLResponse(
            '<!doctype html><html lang="ru"><title>Поставщик входа</title>'
            f'<h1>Вход (имитация)</h1><form method="post">{hidden}'
            '<label>Кто вы <input name="subject" required></label> <button>Войти</button></form>'
        )

    @app.post("/authorize")
    async def authorize(request: Request) -> RedirectResponse:
        """Send the browser back with a code."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        back = {"state": form["state"], "iss": issuer_of(request)}
        if form.get("subject"):
            back["code"] = provider.grant(form, form["subject"])
        else:
            back["error"] = "access_denied"
        return RedirectResponse(f"{form['redirect_uri']}?{urlencode(back)}", 303)

    @app.post("/token")
    async def token(
        request: Request,
        known: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())],
        code: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
    ) -> dict[str, Any]:
        """The id token for a code and its verifier."""
        if (known.username, known.password) != (provider.client_id, provider.secret):
            raise HTTPException(401, "invalid_client")
        form = {"code": code, "redirect_uri": redirect_uri, "code_verifier": code_verifier}
        id_token = provider.redeem(form, issuer_of(request))
        return {"access_token": "none", "token_type": "Bearer", "id_token": id_token}

    return app


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator that these options describe, and its port on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8028)
    return create_app(), parser.parse_args(options).port


def main() -> None:
    """Serve on loopback until told to stop."""
    serve(*made(sys.argv[1:]))


if __name__ == "__main__":
    main()
