"""Long activities that do something again and again, as the standing workflows want it."""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio import activity

SHIFT_SECONDS = 600.0


async def in_a_shift(do: Callable[[], Awaitable[object]], every: float) -> None:
    """Do something every so many seconds for ten minutes, heartbeating.

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
