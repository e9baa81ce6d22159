"""The archive of PostgreSQL's log, by which any point in time after a backup can be restored.

`pg_receivewal` streams the log into a spool of the home as it is written. Every few seconds what is
new in it is encrypted into the repository, the unfinished segment too, and once a minute the new
objects. So a lost machine takes only its last seconds with it.
"""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import psycopg
import structlog

from clients.database import Database
from clients.objects import Objects
from crypto.backup_files import BackupKey
from ops.backup import BackupError, configuration
from ops.backup.repository.encrypted_files import pieces_of, write_encrypted
from ops.backup.repository.manifest import Repository
from ops.backup.stores import objects
from ops.backup.stores.postgres_base import SLOT
from ops.backup.stores.postgres_programs import command, connect
from ops.backup.stores.wal_state import WalState, read_state, write_state
from ops.local.home import Home
from settings import Settings

log = structlog.get_logger(__name__)

EVERY = 5.0
OBJECTS_EVERY = 60.0
CAUGHT_UP_WITHIN = 10.0
# A file that was written this recently may be written again within the same time stamp.
SETTLED_AFTER = 1.0
PARTIAL = ".partial"
_SEGMENT = 24


def segments(repository: Repository) -> list[str]:
    """The names of all archived files: whole segments, unfinished ones, histories of timelines."""
    return sorted(each.name for each in repository.wal.glob("[0-9A-F]*") if each.is_file())


def needed(repository: Repository, since: str) -> list[str]:
    """The archived files that a recovery needs which begins at segment `since`, on any timeline."""
    return [
        name
        for name in segments(repository)
        if name.endswith(".history") or name[8:_SEGMENT] >= since[8:]
    ]


def gaps(names: list[str]) -> list[str]:
    """Segments that are missing between others of their timeline."""
    missing = []
    whole = sorted({name[:_SEGMENT] for name in names if not name.endswith(".history")})
    for one, other in pairwise(whole):
        if one[:8] == other[:8] and _number(other) != _number(one) + 1:
            missing.append(f"between {one} and {other}")
    return missing


def _number(segment: str) -> int:
    """The place of a segment in the log; each file id of the log has 256 segments of 16 MiB."""
    return int(segment[8:16], 16) * 256 + int(segment[16:24], 16)


class _There(NamedTuple):
    """How far the log was received, the segment in which that is, and the last number given."""

    at: datetime
    segment: str
    last_number: int


@dataclass
class WalArchiver:
    """The archiver of one home."""

    home: Home
    settings: Settings
    _copied: dict[str, tuple[int, int]] = field(default_factory=dict)
    _program: subprocess.Popen[bytes] | None = None
    _known: set[str] | None = None
    _known_of: Path | None = None
    _objects_at: float = 0.0

    @property
    def spool(self) -> Path:
        """Where the log arrives."""
        return self.home.folder / "wal"

    async def run(self, stop: asyncio.Event) -> None:
        """Archive until told to stop. What fails is tried again. Idle before the first backup."""
        try:
            while not stop.is_set():
                try:
                    await self.round()
                except Exception as error:
                    log.warning("log_not_archived", error=f"{type(error).__name__}: {error}"[:300])
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), EVERY)
        finally:
            await asyncio.to_thread(self.close)

    async def round(self) -> bool:
        """Archive what is new. False where there is no repository yet."""
        where = configuration.known(self.home, self.settings)
        if where is None or where.repository.newest() is None:
            return False
        key = configuration.key_of(self.settings)
        await asyncio.to_thread(self._receive)
        there = await asyncio.to_thread(self._catch_up)
        await asyncio.to_thread(self.copy, where.repository, key)
        if there is not None:
            if not self._holds(where.repository, there.segment):
                # Its files were removed while it writes to them, so it has to begin anew.
                await asyncio.to_thread(self.close)
                raise BackupError(f"{there.segment} was not received: begun anew")
            before = read_state(where.repository, key)
            number = max(there.last_number, before.last_number if before else 0)
            write_state(where.repository, key, WalState(until=there.at, last_number=number))
        if time.monotonic() > self._objects_at + OBJECTS_EVERY:
            await self._copy_objects(where.repository, key)
            self._objects_at = time.monotonic()
        return True

    def close(self) -> None:
        """Stop receiving. The server keeps the log meanwhile."""
        if self._program is not None and self._program.poll() is None:
            self._program.terminate()
            try:
                self._program.wait(10)
            except subprocess.TimeoutExpired:
                self._program.kill()
                self._program.wait()

    def _receive(self) -> None:
        if self._program is not None and self._program.poll() is None:
            return
        if self._program is not None:
            log.warning("receiving_ended", code=self._program.returncode)
        self.spool.mkdir(mode=0o700, exist_ok=True)
        create, environment = command(
            "pg_receivewal", self.settings, "-S", SLOT, "--create-slot", "--if-not-exists"
        )
        done = subprocess.run(
            create, env=environment, cwd="/", capture_output=True, timeout=30, check=False
        )
        if done.returncode != 0:
            raise BackupError(done.stderr.decode(errors="replace").strip())
        with connect(self.settings) as connection:
            # End the receiver of an archiver that was killed: only this archiver may use the slot.
            connection.execute(
                "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots"
                " where slot_name = %s and active",
                [SLOT],
            )
        line, environment = command(
            "pg_receivewal",
            self.settings,
            "-D",
            str(self.spool),
            "-S",
            SLOT,
            "-s",
            "1",
            "--no-loop",
        )
        self._program = subprocess.Popen(
            line,
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _catch_up(self) -> _There | None:
        """Wait until all that was committed by now is received; None when that takes too long."""
        url = self.settings.database_url.get_secret_value()
        with psycopg.connect(url, connect_timeout=5) as connection:
            row = connection.execute(
                "select last_value from pg_sequences where sequencename = 'case_number'"
            ).fetchone()
        number = int(row[0] or 0) if row else 0
        with connect(self.settings) as connection:
            now = connection.execute(
                "select clock_timestamp(), lsn, pg_walfile_name(lsn) from pg_current_wal_lsn() lsn"
            ).fetchone()
            end = time.monotonic() + CAUGHT_UP_WITHIN
            while now is not None and time.monotonic() < end:
                there = connection.execute(
                    "select 1 from pg_stat_replication"
                    " where application_name = 'pg_receivewal' and write_lsn >= %s::pg_lsn",
                    [now[1]],
                ).fetchone()
                if there is not None and isinstance(now[0], datetime):
                    return _There(now[0].astimezone(UTC), str(now[2]), number)
                time.sleep(0.1)
        return None

    def _holds(self, repository: Repository, segment: str) -> bool:
        """Whether a segment is archived whole, or lies in the spool for the next copy."""
        spooled = (self.spool / segment, self.spool / f"{segment}{PARTIAL}")
        return any(each.exists() for each in (repository.wal / segment, *spooled))

    def copy(self, repository: Repository, key: BackupKey) -> None:
        """Encrypt what is new in the spool into the repository."""
        for path in sorted(self.spool.glob("[0-9A-F]*")):
            stat = path.stat()
            seen = (stat.st_mtime_ns, stat.st_ino)
            if self._copied.get(path.name) == seen:
                continue
            settled = stat.st_mtime < time.time() - SETTLED_AFTER
            self._put(repository, key, path)
            if path.name.endswith(PARTIAL):
                if settled:
                    self._copied[path.name] = seen
                continue
            for folder in (repository.wal, self.spool):
                (folder / f"{path.name}{PARTIAL}").unlink(missing_ok=True)
            path.unlink()

    @staticmethod
    def _put(repository: Repository, key: BackupKey, path: Path) -> None:
        target = repository.wal / path.name
        write_encrypted(target, key, f"wal/{path.name}", pieces_of(path), pack=True)

    async def _copy_objects(self, repository: Repository, key: BackupKey) -> None:
        if self._known is None or self._known_of != repository.folder:
            self._known = await asyncio.to_thread(objects.archived, repository)
            self._known_of = repository.folder
        database, store = Database.from_settings(self.settings), Objects(self.settings)
        try:
            rows = await objects.wanted(database)
            await objects.copy_out(store, repository, key, rows, self._known)
        finally:
            await store.close()
            await database.close()


def names_for_recovery(names: list[str]) -> Iterator[tuple[str, str]]:
    """Archived files, each with the name by which the server asks for it.

    An unfinished segment stands in for a whole one that never came.
    """
    there = set(names)
    for name in names:
        plain = name.removesuffix(PARTIAL)
        if plain == name or plain not in there:
            yield name, plain
