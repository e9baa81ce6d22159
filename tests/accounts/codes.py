"""One-time codes as a person types them: read early enough to hold when they arrive."""

import asyncio

import pyotp

from rules.clock import now

HALF_MINUTE = 30
ENOUGH = 10
"""Seconds that must be left of a half minute: a busy machine is no fault."""


async def fresh_code(secret: str) -> str:
    """The code that an app with a secret shows, at the latest in the next half minute."""
    left = HALF_MINUTE - now().timestamp() % HALF_MINUTE
    if left < ENOUGH:
        await asyncio.sleep(left + 0.2)
    return pyotp.TOTP(secret).at(now())
