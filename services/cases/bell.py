"""Signalling the workflow of a case after a commit.

A person's request never waits for Temporal: the act is committed, and the signal is sent in the
background. A signal that fails is not lost: the case's row says when its workflow has to look at
it, and the sweeper wakes cases that are late.
"""

import asyncio
from collections.abc import Awaitable, Callable

from models.messages import CaseState, Ring
from services.crash_points import CrashPoint, reach

Ringer = Callable[[CaseState, Ring], Awaitable[bool]]


class Bell:
    """Signals workflows in the background; `ringer` is Temporal's signal with start."""

    def __init__(self, ringer: Ringer, most: int = 64) -> None:
        self._ringer = ringer
        self._under_way: set[asyncio.Task[bool]] = set()
        self._most = most

    def ring(self, case: CaseState, ring: Ring) -> None:
        """Signal without waiting.

        If too many signals are under way, this is left to the sweeper.
        """
        reach(CrashPoint.ACT_COMMITTED)
        if len(self._under_way) >= self._most:
            return
        task = asyncio.create_task(self.ring_now(case, ring))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def ring_now(self, case: CaseState, ring: Ring) -> bool:
        """Signal, and return whether Temporal accepted it. Does not raise if the server is down."""
        return await self._ringer(case, ring)

    async def settle(self, seconds: float = 5.0) -> None:
        """Wait for the signals under way, at most `seconds`: for an orderly shutdown."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=seconds)
