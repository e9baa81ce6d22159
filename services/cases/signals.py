"""Signalling the workflow of a case after a commit.

A person's request never waits for Temporal: the act is committed, and the signal is sent in the
background. A signal that fails is not lost: the case's row says when its workflow has to look at
it, and the sweeper wakes cases that are late.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from models.messages import WAKE_UP, CaseSignal, CaseState
from services.crash_points import CrashPoint, reach

Signaller = Callable[[CaseState, CaseSignal], Awaitable[bool]]


class CaseSignals:
    """Signals workflows in the background; `signaller` is Temporal's signal with start."""

    def __init__(self, signaller: Signaller, most: int = 64) -> None:
        self._signaller = signaller
        self._under_way: set[asyncio.Task[bool]] = set()
        self._most = most

    def send(self, case: CaseState, signal: CaseSignal) -> None:
        """Signal without waiting.

        If too many signals are under way, this is left to the sweeper.
        """
        reach(CrashPoint.ACT_COMMITTED)
        if len(self._under_way) >= self._most:
            return
        task = asyncio.create_task(self.send_now(case, signal))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    def wake(self, cases: Sequence[CaseState]) -> None:
        """Let the workflows of these cases look again, after the commit."""
        for case in cases:
            self.send(case, CaseSignal(signal=WAKE_UP))

    async def send_now(self, case: CaseState, signal: CaseSignal) -> bool:
        """Signal, and return whether Temporal accepted it. Does not raise if the server is down."""
        return await self._signaller(case, signal)

    async def settle(self, seconds: float = 5.0) -> None:
        """Wait for the signals under way, at most `seconds`: for an orderly shutdown."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=seconds)
