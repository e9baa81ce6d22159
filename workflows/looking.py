"""What workflows share that look at their row again and again: at a moment, or when woken."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import WAKE_UP
    from models.visibility import OpsText

LOOKS = 100
"""After so many looks a new run keeps the history short."""


class LookingWorkflow:
    """The row in the database says how far it is, so a run may start at any point."""

    def __init__(self) -> None:
        self._woken = False

    async def _look_until_over(
        self, look: Callable[[], Awaitable[datetime | None]], ref: Any, waits: str
    ) -> None:
        """Look whenever the moment has come that the last look gave, or somebody acted.

        Ends when a look gives no moment.
        """
        for _ in range(LOOKS):
            self._woken = False
            looks_at = await look()
            if looks_at is None:
                return
            try:
                await workflow.wait_condition(
                    lambda: self._woken,
                    timeout=max(looks_at - workflow.now(), timedelta(0)),
                    timeout_summary=OpsText(waits),
                )
            except TimeoutError:
                continue
        workflow.continue_as_new(ref)

    @workflow.signal(name=WAKE_UP)
    def wake_up(self) -> None:
        """Somebody acted on the row."""
        self._woken = True
