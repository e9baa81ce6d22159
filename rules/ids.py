"""Fresh ids of whatever is made: rows, acts, messages; and what an id was used for."""

import hashlib
from typing import Any
from uuid import UUID

import rfc8785
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A UUIDv7: unique, and sorted by the time it was made."""
    return uuid7()


def hash_of(said: Any) -> str:
    """SHA-256 in hexadecimal of the canonical JSON (RFC 8785) of what was said.

    An act that comes again under its id with another hash is another act.
    """
    return hashlib.sha256(rfc8785.dumps(said)).hexdigest()
