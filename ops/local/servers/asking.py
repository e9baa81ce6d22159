"""Asking a server on this machine over HTTP whether it does its work."""

from functools import cache

import httpx


def ask(address: str, within: float = 2.0) -> httpx.Response:
    """What a page answers within so many seconds. Raises httpx.HTTPError."""
    return _client().get(address, timeout=within)


def answers(address: str) -> bool:
    """Whether a page answers with success within two seconds."""
    try:
        return ask(address).status_code == 200
    except httpx.HTTPError:
        return False


@cache
def _client() -> httpx.Client:
    """One client for all questions, since making one loads every certificate authority.

    Each question has a new connection, so that a server that was restarted is asked anew.
    """
    return httpx.Client(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
