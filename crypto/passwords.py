"""Hashing passwords: argon2id in a few threads, so that many sign-ins cannot exhaust the machine.

19 MiB, two passes and one lane are OWASP's minimum; a hash made with less is renewed when its owner
signs in. Hashing has a few threads of its own, so that it does not delay other requests.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_THREADS = ThreadPoolExecutor(max(1, min(4, os.cpu_count() or 1)), thread_name_prefix="argon2")


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(os.urandom(16).hex())


def _matches(known: str | None, password: str) -> bool:
    nobodys = _nobodys_hash()
    try:
        return _HASHER.verify(known or nobodys, password) and known is not None
    except (VerificationError, InvalidHashError):
        return False


def hash_now(password: str) -> str:
    """The hash to store. Takes some 30 ms of the calling thread."""
    return _HASHER.hash(password)


async def hashed(password: str) -> str:
    """The hash to store, computed in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, hash_now, password)


async def matches(known: str | None, password: str) -> bool:
    """Whether the password has this hash. Without a hash it takes as long, and returns False."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _matches, known, password)


def is_outdated(known: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(known)
