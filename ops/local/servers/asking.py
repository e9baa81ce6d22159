"""Asking a server on this machine over HTTP whether it does its work."""

from functools import cache
from pathlib import Path

import httpx

from crypto.front_door import believing


def ask(address: str, within: float = 2.0, authority: Path | None = None) -> httpx.Response:
    """What a page answers within so many seconds. Raises httpx.HTTPError.

    An address by https is believed if this authority has signed its certificate.
    """
    return _client(authority).get(address, timeout=within)


def answers(address: str, authority: Path | None = None) -> bool:
    """Whether a page answers with success within two seconds."""
    try:
        return ask(address, authority=authority).status_code == 200
    except httpx.HTTPError:
        return False


@cache
def _client(authority: Path | None) -> httpx.Client:
    """One client for all questions, since making one loads every certificate authority.

    Each question has a new connection, so that a server that was restarted is asked anew.
    """
    verify = believing(authority) if authority else True
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(trust_env=False, limits=limits, verify=verify)
