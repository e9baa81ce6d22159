"""Long activities: repeating something for a shift, and heartbeats beside slow work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from temporalio import activity

SHIFT_SECONDS = 60.0
"""Short enough that Temporal reports every minute of a task that was started and finished."""
BEAT = 4.0
"""Seconds between heartbeats beside the work. For the shortest timeout, 10 s, the SDK passes only
one of them on in 8 s."""


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Heartbeat while the work is done, so that slow work does not look like a dead worker."""

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
    """Call `do` every `every` seconds for SHIFT_SECONDS, with heartbeats.

    Returns early when the worker shuts down. An error ends the activity, and Temporal retries it.
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
