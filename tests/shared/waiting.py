"""Waiting in tests for what comes as soon as the machine has time for it, or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

MOST_RARELY = 0.5
PATIENCE = 120.0
"""Seconds until a wait of a test counts as one without an end: a busy machine is no fault."""


async def until(
    look: Callable[[], Awaitable[T]], seconds: float = PATIENCE, every: float = 0.05
) -> T:
    """What `look` gives as soon as it is true. Raises TimeoutError.

    What takes long is asked more and more rarely: looking itself keeps a busy machine busy.
    """
    async with asyncio.timeout(seconds):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(every)
            every = min(every * 1.1, max(every, MOST_RARELY))
