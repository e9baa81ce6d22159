"""Ringing the workflow of a case after a commit.

The answer to a person never waits for Temporal: the act is committed, and rings run beside the
request. A ring that fails is not lost either, because the case row says when it wants to be rung,
and the sweeper rings whatever is late.
"""

import asyncio
from collections.abc import Awaitable, Callable

from models.messages import CaseState, Ring
from services.crash_points import CrashPoint, reach

Ringer = Callable[[CaseState, Ring], Awaitable[bool]]


class Bell:
    """Rings workflows in the background; `ringer` is the signal-with-start of Temporal."""

    def __init__(self, ringer: Ringer, most: int = 64) -> None:
        self._ringer = ringer
        self._under_way: set[asyncio.Task[bool]] = set()
        self._most = most

    def ring(self, case: CaseState, ring: Ring) -> None:
        """Ring without waiting. With too many rings under way the sweeper is left to do it."""
        reach(CrashPoint.ACT_COMMITTED)
        if len(self._under_way) >= self._most:
            return
        task = asyncio.create_task(self.ring_now(case, ring))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def ring_now(self, case: CaseState, ring: Ring) -> bool:
        """Ring and say whether Temporal took it. Never raises for a server that is down."""
        return await self._ringer(case, ring)

    async def settle(self, seconds: float = 5.0) -> None:
        """Wait for the rings under way, at most `seconds`: for a shutdown in good order."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=seconds)
