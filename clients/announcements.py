"""What PostgreSQL announces when others commit (LISTEN): whoever waits for it here is woken.

An announcement can be lost, with the connection or before it was made. So whoever waits looks from
time to time anyway, and is woken whenever a new connection begins to listen.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import structlog
from psycopg import sql

from clients.database import Database

AGAIN_AFTER = 0.5
"""Seconds until a lost connection is replaced."""
CHECKED_EVERY = 30.0
"""Seconds without a word after which the connection is tried."""
CHECKED_WITHIN = 5.0

log = structlog.get_logger(__name__)


class Announcements:
    """The announcements of one topic, heard by one connection for all who wait in this process."""

    def __init__(self, database: Database, topic: str) -> None:
        self._database = database
        self._listen = sql.SQL("listen {}").format(sql.Identifier(topic))
        self._waiting: list[tuple[str, asyncio.Event]] = []
        self._listener: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def of(self, subject: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set when this subject was announced, or may have been.

        The connection is open as long as anybody waits.
        """
        one = subject, asyncio.Event()
        self._waiting.append(one)
        if self._listener is None:
            self._listener = asyncio.create_task(self._keep_listening())
        try:
            yield one[1]
        finally:
            self._waiting.remove(one)
            if not self._waiting:
                self._listener.cancel()
                self._listener = None

    async def _keep_listening(self) -> None:
        while True:
            try:
                async with await self._database.connect() as line:
                    await self._hear(line)
            except Exception as error:  # whatever it is, a new connection may help
                log.warning("announcements_not_heard", error=type(error).__name__)
            await asyncio.sleep(AGAIN_AFTER)

    async def _hear(self, line: psycopg.AsyncConnection[Any]) -> None:
        """Wake who is concerned, until the connection is lost: raises psycopg.Error or OSError."""
        await line.execute(self._listen)
        for _, event in self._waiting:
            event.set()
        while True:
            async for said in line.notifies(timeout=0):
                for subject, event in self._waiting:
                    if subject == said.payload:
                        event.set()
            if not await _speaks(line.fileno(), CHECKED_EVERY):
                await asyncio.wait_for(line.execute(self._listen), CHECKED_WITHIN)


async def _speaks(socket: int, within: float) -> bool:
    """Whether the server says something in time. psycopg's own wait looks ten times a second."""
    loop, said = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(socket, said.set)
    try:
        async with asyncio.timeout(within):
            await said.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(socket)
    return True
