"""A uvicorn that rests while nobody asks it anything: by itself it looks ten times a second."""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email.utils import formatdate
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.server import ServerState


class _DatedState(ServerState):
    """What all answers bear, with the date of the answer: uvicorn itself sets it by its clock."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._config = config
        super().__init__()

    @property
    def default_headers(self) -> list[tuple[bytes, bytes]]:
        """The date and the configured headers."""
        date = formatdate(time.time(), usegmt=True).encode()
        return [(b"date", date), *self._config.encoded_headers]

    @default_headers.setter
    def default_headers(self, headers: list[tuple[bytes, bytes]]) -> None:
        """Nothing: they are made anew for each answer."""


class RestingServer(uvicorn.Server):
    """The server of a process, which ends as soon as a signal says so."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.server_state = _DatedState(config)
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Wait until the process is told to stop."""
        self._loop = asyncio.get_running_loop()
        if not self.should_exit:
            await self._told.wait()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Wake the loop, which may be waiting."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)


class _Companion(RestingServer):
    """One of several servers of a process, which all end at the same word."""

    def __init__(self, config: uvicorn.Config, told: asyncio.Event) -> None:
        super().__init__(config)
        self._told = told

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs them all."""
        yield


def serve(app: Any, port: int) -> None:
    """Serve an application on loopback until the process is told to stop."""
    serve_all([(app, port)])


def serve_all(apps: Sequence[tuple[Any, int]]) -> None:
    """Serve applications on loopback, each on its port, until the process is told to stop.

    If one of them cannot be started, the process ends with exit code 1.
    """
    told = asyncio.Event()
    servers = [
        _Companion(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"), told)
        for app, port in apps
    ]

    async def together() -> None:
        with RestingServer.capture_signals(servers[0]):
            async with asyncio.TaskGroup() as group:
                for each in servers:
                    group.create_task(each.serve())

    with (
        suppress(KeyboardInterrupt),
        asyncio.Runner(loop_factory=servers[0].config.get_loop_factory()) as runner,
    ):
        runner.run(together())
    if not all(each.started for each in servers):
        sys.exit(1)
