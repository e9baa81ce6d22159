"""Counts the commits of one database exactly, by commit records in PostgreSQL's write-ahead log.

`xact_commit` counts transactions that only read as well. A commit record is written, and waited
for, only by a transaction that wrote. The record does not name the database, so each commit is
attributed by what its transaction wrote before.
"""

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString
from uuid import uuid4

from psycopg import AsyncConnection as Connection

_LINE = re.compile(r"rmgr: (\w+)\s.*?tx:\s*(\d+), lsn: .*?desc: (\w+)")
_PLACE = re.compile(r"rel \d+/(\d+)/(\d+)")
_WITHIN = re.compile(r"subxacts: ([\d ]+)")
_WRITES = {"INSERT", "UPDATE", "HOT_UPDATE", "DELETE", "MULTI_INSERT"}


@dataclass
class WalWritten:
    """What was written to the log while a block ran, known once it has ended."""

    commits: Sequence[frozenset[str]] = ()
    """The tables that each commit of the database wrote to."""
    octets: int = 0


@dataclass(frozen=True)
class Log:
    """The write-ahead log of a server.

    `url` is a superuser's, for the database that is examined.
    """

    url: str
    programs: Path

    @asynccontextmanager
    async def written(self) -> AsyncIterator[WalWritten]:
        """What the block writes. Raises RuntimeError when `pg_waldump` fails."""
        told = WalWritten()
        async with await Connection.connect(self.url, autocommit=True) as connection:
            # Behind a slot no checkpoint removes a file of the log or uses it again.
            slot = "select pg_create_physical_replication_slot(%s, true, true)"
            await connection.execute(slot, (f"medcab_{uuid4().hex}",))
            start = await _end(connection)
            yield told
            end = await _end(connection)
            told.octets = await _one(connection, "select (%s::pg_lsn - %s)::bigint", end, start)
            told.commits = await self._commits(connection, start, end)

    async def _commits(
        self, connection: Connection, start: str, end: str
    ) -> Sequence[frozenset[str]]:
        rows = await connection.execute(
            "select pg_relation_filenode(oid), relname from pg_class where relkind = 'r'"
        )
        tables = {int(number): str(name) for number, name in await rows.fetchall() if number}
        own = "select oid::int from pg_database where datname = current_database()"
        database = await _one(connection, own)
        folder = await _one(connection, "select current_setting('data_directory')")
        # Unless it is told a file, `pg_waldump` asks any one there for the size of all, and those
        # that wait to be written to are empty.
        first = await _one(connection, "select pg_walfile_name(%s::pg_lsn + 1)", start)
        told = await asyncio.to_thread(
            subprocess.run,
            [
                str(self.programs / "pg_waldump"),
                f"--path={folder}/pg_wal",
                f"--start={start}",
                f"--end={end}",
                first,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode != 0:
            raise RuntimeError(f"pg_waldump: {told.stderr.strip()}")
        return _read(told.stdout.splitlines(), database, tables)


async def _end(connection: Connection) -> str:
    """The present end of the log; all before it is on disk, for a later commit was waited for."""
    await connection.execute("set synchronous_commit to on")
    await connection.execute("select pg_logical_emit_message(true, 'medcab', 'here')")
    return str(await _one(connection, "select pg_current_wal_flush_lsn()"))


async def _one(connection: Connection, query: LiteralString, *given: str) -> Any:
    found = await (await connection.execute(query, given)).fetchone()
    assert found is not None
    return found[0]


def _read(lines: Sequence[str], database: int, tables: dict[int, str]) -> list[frozenset[str]]:
    written: dict[int, set[str]] = {}
    found: list[frozenset[str]] = []
    for line in lines:
        matched = _LINE.match(line)
        if matched is None:
            continue
        manager, number, verb = matched[1], int(matched[2]), matched[3]
        if manager in ("Heap", "Heap2") and verb.partition("+")[0] in _WRITES:
            for of, node in _PLACE.findall(line):
                if int(of) == database and int(node) in tables:
                    written.setdefault(number, set()).add(tables[int(node)])
        elif manager == "Transaction" and verb == "COMMIT":
            inner = _WITHIN.search(line)
            numbers = [number, *map(int, inner[1].split() if inner else [])]
            of_it = {table for one in numbers for table in written.pop(one, set())}
            if of_it:
                found.append(frozenset(of_it))
    return found
