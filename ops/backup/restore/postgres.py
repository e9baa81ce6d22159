"""Restoring PostgreSQL: the base is laid out, then the log is replayed to the point asked for."""

import io
import os
import re
import shlex
import shutil
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from crypto.backup_files import BackupKey
from ops.backup import BackupError, DamagedError, Say
from ops.backup.repository.encrypted_files import read_encrypted
from ops.backup.repository.manifest import DATABASE, Backup, Repository
from ops.backup.stores.postgres_base import SLOT
from ops.backup.stores.postgres_wal import gaps, names_for_recovery, needed
from ops.backup.stores.wal_state import WalState, read_state
from ops.local.home import Home
from ops.local.servers import OsAccount, ServerFailed
from ops.local.servers.postgres import Postgres
from ops.local.servers.process import ServerProcess

NO_PROGRESS_FOR = 300.0
LOG_FOLDER = "restored-log"
_OF_A_RECOVERY = ("restore_command", "recovery_target")
_POINT = re.compile(r"last completed transaction was at log time (\S+ \S+)\+00")
_TOO_LATE = "recovery ended before configured recovery target was reached"


@dataclass(frozen=True)
class Recovered:
    """The restored database, as of the last transaction replayed; None where there was none."""

    point: datetime | None
    segments: int


def recover(
    home: Home,
    repository: Repository,
    backup: Backup,
    key: BackupKey,
    at: datetime | None,
    say: Say,
) -> Recovered:
    """Put the database in place and replay the log, to `at` or to its end.

    Data that is there already is put aside, never removed, and comes back where the replay fails.
    Raises BackupError.
    """
    server = Postgres(home, None)
    place = server.data.parent
    aside, log = place / ".restoring", place / LOG_FOLDER
    for left in (aside, log):
        shutil.rmtree(left, ignore_errors=True)
    try:
        say("database", "laying out")
        _extract(aside, backup, key)
        segments = _lay_log(log, repository, backup, key, at, say)
        _give(log, server.account)
        settled = _settled(aside)
        _configure(aside, settled, log, at)
        _give(aside, server.account)
        with _in_place_of(server.data):
            aside.rename(server.data)
            point = _replay(home, log, settled, at, read_state(repository, key), say)
    finally:
        for left in (aside, log):
            shutil.rmtree(left, ignore_errors=True)
    say("database", "ready")
    return Recovered(point, segments)


@contextmanager
def _in_place_of(data: Path) -> Iterator[None]:
    """Meanwhile put the data aside. It comes back if what takes its place fails."""
    old = data.with_name(f"data.replaced-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    if data.exists():
        data.rename(old)
    try:
        yield
    except BaseException:
        shutil.rmtree(data, ignore_errors=True)
        if old.exists():
            old.rename(data)
        raise


def lay_out_for_others(
    folder: Path, repository: Repository, backup: Backup, key: BackupKey, at: datetime | None
) -> None:
    """Lay out base and log for somebody else's server, which replays the log when it starts.

    The server has to own both folders below this one: `data` and the log beside it. Raises
    BackupError, and then leaves nothing there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data, log = folder / "data", folder / LOG_FOLDER
    if data.exists() or log.exists():
        raise BackupError(f"{folder} holds a database already")
    try:
        _extract(data, backup, key)
        _lay_log(log, repository, backup, key, at, lambda name, text: None)
        _configure(data, _settled(data), log, at)
    except BaseException:
        for left in (data, log):
            shutil.rmtree(left, ignore_errors=True)
        raise


def beyond(until: datetime | None) -> str:
    """Why a point in time cannot be reached."""
    return (
        "the log does not go that far: it is complete until "
        + (f"{until:%Y-%m-%d %H:%M:%S} UTC" if until else "the end of the backup")
        + ". Ask for an earlier time, or for none to have all of it"
    )


def _extract(folder: Path, backup: Backup, key: BackupKey) -> None:
    backup.check(DATABASE)
    pieces = read_encrypted(backup.folder / DATABASE, key, backup.name_of(DATABASE))
    folder.mkdir(mode=0o700)
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Stream(pieces)), mode="r|") as archive:
            archive.extractall(folder, filter="data")
        for _ in pieces:
            pass
    except tarfile.TarError as error:
        raise DamagedError(f"{DATABASE} is no whole archive: {error}") from error
    for each in (folder, *folder.rglob("*")):
        each.chmod(0o700 if each.is_dir() else 0o600)


class _Stream(io.RawIOBase):
    """A file for tarfile to read from, made of pieces as they come."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces, self._held = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any, /) -> int:
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._held = memoryview(piece)
        size = min(len(room), len(self._held))
        room[:size], self._held = self._held[:size], self._held[size:]
        return size


def _lay_log(
    folder: Path,
    repository: Repository,
    backup: Backup,
    key: BackupKey,
    at: datetime | None,
    say: Say,
) -> int:
    names = needed(repository, backup.manifest.wal_from)
    # A point before a gap can be reached; one after it is refused by the replay.
    if at is None and (missing := gaps(names)):
        raise DamagedError(f"log segments are missing {', '.join(missing)}")
    folder.mkdir(mode=0o700)
    wanted = list(names_for_recovery(names))
    for number, (name, plain) in enumerate(wanted, start=1):
        say("database", f"decrypting the log: {number} of {len(wanted)}")
        with (folder / plain).open("wb") as file:
            for piece in read_encrypted(repository.wal / name, key, f"wal/{name}"):
                file.write(piece)
    return len(wanted)


def _settled(data: Path) -> str:
    """The server's own settings, without what an earlier recovery left there."""
    lines = (data / "postgresql.auto.conf").read_text().splitlines()
    return "".join(f"{one}\n" for one in lines if not one.startswith(_OF_A_RECOVERY))


def _fetch(log: Path) -> str:
    """The command by which the server fetches a segment. Exit code 1: the log ends here.

    Exit code 126 stops the recovery: a log that cannot be read must not be taken for its end.
    """
    place = shlex.quote(str(log).replace("%", "%%"))
    line = (
        f'test -x {place} || exit 126; test -e {place}/"%f" || exit 1; '
        f'cp {place}/"%f" "%p" || exit 126'
    )
    return line.replace("\\", "\\\\").replace("'", "''")


def _configure(data: Path, settled: str, log: Path, at: datetime | None) -> None:
    lines = [
        settled.rstrip("\n"),
        f"restore_command = '{_fetch(log)}'",
        "recovery_target_timeline = 'latest'",
        "recovery_target_action = 'promote'",
    ]
    if at is not None:
        lines.append(f"recovery_target_time = '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00'")
    (data / "postgresql.auto.conf").write_text("\n".join(lines) + "\n")
    (data / "recovery.signal").touch()


def _give(folder: Path, runner: OsAccount | None) -> None:
    if runner is None:
        return
    for each in (folder, *folder.rglob("*")):
        os.chown(each, runner.uid, runner.gid)


def _replay(
    home: Home, log: Path, settled: str, at: datetime | None, state: WalState | None, say: Say
) -> datetime | None:
    """Run the server until it has replayed the log and is promoted, then stop it in order."""
    until = state.until if state else None
    told = _run_until_promoted(home, say)
    if told is not None and _TOO_LATE in told and at is not None:
        if until is None or at > until:
            raise BackupError(beyond(until))
        # Nothing was committed between the point asked for and the end of the log: take all of it.
        data = Postgres(home, None).data
        _configure(data, settled, log, None)
        _give(data / "postgresql.auto.conf", Postgres(home, None).account)
        first, told = told, _run_until_promoted(home, say)
        points = _POINT.findall(first)
    else:
        points = []
    if told is not None:
        raise BackupError(f"the database cannot be brought back:\n{told[-1500:]}")
    words = (home.logs / "postgres.log").read_text(errors="replace")
    points += _POINT.findall(words)
    data = Postgres(home, None).data
    (data / "postgresql.auto.conf").write_text(settled)
    _give(data / "postgresql.auto.conf", Postgres(home, None).account)
    return datetime.fromisoformat(points[-1]).replace(tzinfo=UTC) if points else None


def _run_until_promoted(home: Home, say: Say) -> str | None:
    """None once the server is promoted; its log when it ends before.

    Raises BackupError when it hangs.
    """
    server = Postgres(home, None)
    process = ServerProcess(server, home.logs)
    try:
        server.obtain(lambda text: None)
        server.prepare()
        process.start({})
        seen, moved_at = "", time.monotonic()
        while process.exit_code is None:
            place = replayed(server)
            if place is None:
                _keep_log(server)
                return None
            if place != seen:
                seen, moved_at = place, time.monotonic()
                say("database", f"replaying: {place}" if place else "replaying")
            if time.monotonic() > moved_at + NO_PROGRESS_FOR:
                raise BackupError(f"the replay stands still at {place}: see {process.log}")
            time.sleep(0.1)
        return process.log.read_text(errors="replace")
    except ServerFailed as error:
        raise BackupError(str(error)) from error
    finally:
        process.stop()


def replayed(server: Postgres) -> str | None:
    """How far the replay has come; None once the server is promoted."""
    try:
        with psycopg.connect(server.url("postgres", "postgres"), connect_timeout=2) as connection:
            row = connection.execute(
                "select pg_is_in_recovery(), pg_last_wal_replay_lsn()::text"
            ).fetchone()
    except psycopg.Error:
        return ""
    return None if row is not None and not row[0] else str(row[1] if row else "")


def _keep_log(server: Postgres) -> None:
    """Let the restored server keep its log for the archive: no gap until that begins."""
    with psycopg.connect(
        server.url("postgres", "postgres"), connect_timeout=5, autocommit=True
    ) as connection:
        connection.execute("select pg_create_physical_replication_slot(%s, true)", [SLOT])
