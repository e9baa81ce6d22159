"""How simulators call back."""

import os
import ssl
from functools import cache
from pathlib import Path

import httpx

from crypto.front_door import believing


def caller() -> httpx.AsyncClient:
    """A client that uses no proxy, and believes the authority of the cabinet's own certificate."""
    return httpx.AsyncClient(trust_env=False, timeout=5, verify=_authorities())


@cache
def _authorities() -> ssl.SSLContext:
    own = os.environ.get("MEDCAB_TLS_AUTHORITY")
    return believing(Path(own) if own else None)
