"""How simulators call back."""

import ssl
from functools import cache

import httpx


def caller() -> httpx.AsyncClient:
    """A client that uses no proxy, and believes the authorities that `SSL_CERT_FILE` names."""
    return httpx.AsyncClient(trust_env=False, timeout=5, verify=_authorities())


@cache
def _authorities() -> ssl.SSLContext:
    return ssl.create_default_context()
