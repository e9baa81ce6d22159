"""Long activities: doing something again and again in a shift, heartbeats beside slow work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from temporalio import activity

SHIFT_SECONDS = 60.0
"""So short that Temporal tells every minute of a task that was taken and ended."""
BEAT = 2.0
"""Seconds between heartbeats beside the work: a fifth of what the shortest timeout allows."""


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Heartbeat beside the work: one slow message must not look like a dead sender."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT)

    beats = asyncio.create_task(beat())
    try:
        yield
    finally:
        beats.cancel()


async def in_a_shift(do: Callable[[], Awaitable[object]], every: float) -> None:
    """Do something every so many seconds for a minute, heartbeating.

    Ends early, and well, when the worker is drained. An error ends it and is retried by Temporal.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + SHIFT_SECONDS
    while loop.time() < end and not activity.is_worker_shutdown():
        await do()
        activity.heartbeat()
        pause = every
        while pause > 0 and not activity.is_worker_shutdown():
            try:
                async with asyncio.timeout(min(pause, 5.0)):
                    await activity.wait_for_worker_shutdown()
            except TimeoutError:
                activity.heartbeat()
            pause -= 5.0
