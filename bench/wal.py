"""Counts the commits of one database exactly, by commit records in PostgreSQL's write-ahead log.

`xact_commit` counts transactions that only read as well. A commit record is written, and waited
for, only by a transaction that wrote. The record does not name the database, so each commit is
attributed by what its transaction wrote before.
"""

import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

TRIES = 25
_LINE = re.compile(r"rmgr: (\w+)\s.*?tx:\s*(\d+), lsn: .*?desc: (\w+)")
_PLACE = re.compile(r"rel \d+/(\d+)/(\d+)")
_WITHIN = re.compile(r"subxacts: ([\d ]+)")
_WRITES = {"INSERT", "UPDATE", "HOT_UPDATE", "DELETE", "MULTI_INSERT"}


@dataclass(frozen=True)
class Log:
    """The write-ahead log of a server.

    `url` is a superuser's, for the database that is examined.
    """

    url: str
    programs: Path

    def position(self) -> str:
        """The present end of the log, once all before it is on disk."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            asked = connection.execute("select pg_current_wal_insert_lsn()").fetchone()
            assert asked is not None
            flushed = "select pg_current_wal_flush_lsn() >= %s::pg_lsn"
            while connection.execute(flushed, asked).fetchone() != (True,):
                time.sleep(0.02)
        return str(asked[0])

    def commits(self, start: str, end: str) -> Sequence[frozenset[str]]:
        """The tables that each commit of the database wrote to, between two positions of the log.

        Raises RuntimeError when `pg_waldump` fails.
        """
        with psycopg.connect(self.url, autocommit=True) as connection:
            rows = connection.execute(
                "select pg_relation_filenode(oid), relname from pg_class where relkind = 'r'"
            ).fetchall()
            place = connection.execute(
                "select oid::int, current_setting('data_directory'), pg_walfile_name(%s),"
                " pg_walfile_name(%s) from pg_database where datname = current_database()",
                [start, end],
            ).fetchone()
        assert place is not None
        database, data, *files = place
        tables = {int(number): str(name) for number, name in rows if number}
        # Where no file is named, the next one may be looked at, which is still empty.
        told = self._dumped(f"--path={data}/pg_wal", f"--start={start}", f"--end={end}", *files)
        return _read(told.splitlines(), database, tables)

    def _dumped(self, *asked: str) -> str:
        """What `pg_waldump` says. Where a file of the log is just being made, it is asked again."""
        for _ in range(TRIES):
            told = subprocess.run(  # noqa: S603 - a program of our own server
                [str(self.programs / "pg_waldump"), *asked],
                capture_output=True,
                text=True,
                check=False,
            )
            if told.returncode == 0:
                return told.stdout
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute("select pg_logical_emit_message(false, 'medcab', 'goes on')")
            time.sleep(0.2)
        raise RuntimeError(f"pg_waldump: {told.stderr.strip()}")


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
