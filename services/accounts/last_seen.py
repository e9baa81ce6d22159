"""When sessions and access tokens were last used.

Activity is held in the process, and written every two seconds for all sessions at once. So idle
time is measured exactly, and a page view costs no commit of its own; a process that is killed loses
two seconds of activity at most.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from clients.database import Database

log = structlog.get_logger(__name__)

_WRITE = {
    table: text(
        f"UPDATE {table} t SET {column} = v.at"  # noqa: S608 - names from below, never from outside
        " FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS v(id, at)"
        f" WHERE t.id = v.id AND t.ended_at IS NULL AND (t.{column} IS NULL OR t.{column} < v.at)"
    )
    for table, column in (("account_session", "last_active"), ("access_token", "last_used_at"))
}


@dataclass
class Activity:
    """What was used and when, until it is written. Keys are ids of rows."""

    sessions: dict[UUID, datetime] = field(default_factory=dict)
    tokens: dict[UUID, datetime] = field(default_factory=dict)

    async def flush(self, database: Database) -> None:
        """Write what was noted. If that fails, it is kept for the next time."""
        for noted, table in ((self.sessions, "account_session"), (self.tokens, "access_token")):
            if not noted:
                continue
            batch = sorted(noted.items())
            async with database.work() as session:
                await (await session.connection()).execute(
                    _WRITE[table],
                    {"ids": [key for key, _ in batch], "times": [at for _, at in batch]},
                )
            for key, at in batch:
                if noted.get(key) == at:
                    del noted[key]

    async def keep_flushing(self, database: Database, every: float = 2.0) -> None:
        """Flush every `every` seconds, for ever. If the database is down, the notes wait."""
        while True:
            await asyncio.sleep(every)
            try:
                await self.flush(database)
            except (SQLAlchemyError, OSError) as error:
                log.warning("activity is written later", error=type(error).__name__)
