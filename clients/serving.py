"""A uvicorn that rests while nobody asks it anything: by itself it looks ten times a second."""

import asyncio
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn

LOOKS_EVERY = 1.0
"""Seconds: so old may the date be that its answers bear."""


class RestingServer(uvicorn.Server):
    """The server of a process: it ends as soon as a signal says so."""

    _told: asyncio.Event
    _loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Look once a second, and when the process is told to stop."""
        self._told, self._loop = asyncio.Event(), asyncio.get_running_loop()
        # The count is that of a tick at which the date is looked at.
        while not await self.on_tick(0):
            try:
                async with asyncio.timeout(LOOKS_EVERY):
                    await self._told.wait()
            except TimeoutError:
                continue

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Wake the loop, which may be waiting."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)


def serve(app: Any, port: int) -> None:
    """Serve an application on loopback until the process is told to stop."""
    server = RestingServer(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"),
    )
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(1)
