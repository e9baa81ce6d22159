"""What is sent to PostgreSQL by a piece of work, apart from what goes on beside it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any
from unittest import mock

import psycopg
from sqlalchemy import event

from clients.database import Database

_asked: ContextVar[bool] = ContextVar("asked", default=False)


@contextmanager
def statements(database: Database, *, commits: bool = False) -> Iterator[list[str]]:
    """Collect the statements of this task, and `commit` for each commit if they are wanted.

    A task that was there before, such as the one that writes down who was active, is not heard:
    on a busy machine its turn may come at any time.
    """
    sent: list[str] = []

    def note_statement(*told: object) -> None:
        if _asked.get():
            sent.append(" ".join(str(told[2]).split()))

    def note_commit(*_: object) -> None:
        if _asked.get() and commits:
            sent.append("commit")

    @asynccontextmanager
    async def heard() -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A line whose statements are collected too: they go past SQLAlchemy."""
        async with line() as connection:
            say = connection.execute

            async def noting(query: str | bytes, *values: Any) -> Any:
                if _asked.get():
                    said = query if isinstance(query, str) else query.decode()
                    sent.append(" ".join(said.split()))
                return await say(query, *values)

            with mock.patch.object(connection, "execute", noting):
                yield connection

    line, engine = database.line, database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note_statement)
    event.listen(engine, "commit", note_commit)
    before = _asked.set(True)
    try:
        with mock.patch.object(database, "line", heard):
            yield sent
    finally:
        _asked.reset(before)
        event.remove(engine, "before_cursor_execute", note_statement)
        event.remove(engine, "commit", note_commit)
