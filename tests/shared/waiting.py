"""Waiting in tests for what comes as soon as the machine has time for it, or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds until a wait of a test counts as one without an end: a busy machine is no fault."""


async def until(
    look: Callable[[], Awaitable[T]], seconds: float = PATIENCE, every: float = 0.05
) -> T:
    """What `look` gives as soon as it is true. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(every)
