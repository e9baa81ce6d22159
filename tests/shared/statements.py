"""What is sent to PostgreSQL by a piece of work, apart from what goes on beside it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from unittest import mock

import psycopg
from sqlalchemy import event

from clients.database import Database

_AT_FIRST = ("select pg_catalog.version()", "select current_schema()", "show ")
"""What SQLAlchemy asks of a server when it first connects."""

_asked: ContextVar[bool] = ContextVar("asked", default=False)


@contextmanager
def every_statement(hear: Callable[[str], None]) -> Iterator[None]:
    """Hear each statement that this process sends, by SQLAlchemy or past it."""
    execute = psycopg.AsyncCursor.execute

    async def noting(cursor: Any, query: Any, *values: Any, **options: Any) -> Any:
        said = query.decode() if isinstance(query, bytes) else query
        # What the driver asks of types is no text.
        if isinstance(said, str) and not said.lower().startswith(_AT_FIRST):
            hear(" ".join(said.split()))
        return await execute(cursor, query, *values, **options)

    with mock.patch.object(psycopg.AsyncCursor, "execute", noting):
        yield


@contextmanager
def statements(database: Database, *, commits: bool = False) -> Iterator[list[str]]:
    """Collect the statements of this task, and `commit` for each commit if they are wanted.

    A task that was there before, such as the one that writes down who was active, is not heard:
    on a busy machine its turn may come at any time.
    """
    sent: list[str] = []

    def note(said: str) -> None:
        if _asked.get():
            sent.append(said)

    def note_commit(*_: object) -> None:
        if commits:
            note("commit")

    engine = database.engine.sync_engine
    event.listen(engine, "commit", note_commit)
    before = _asked.set(True)
    try:
        with every_statement(note):
            yield sent
    finally:
        _asked.reset(before)
        event.remove(engine, "commit", note_commit)
