"""PostgreSQL's own programs for backups, run with time limits."""

import os
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import psycopg

from ops.backup import BackupError
from ops.local.servers import ServerFailed
from ops.local.servers.postgres import find_client
from settings import Settings

SILENT_FOR = 60.0
"""Seconds without a byte after which a program counts as hanging."""


def backup_url(settings: Settings) -> str:
    """The address for backups. Raises BackupError with the remedy."""
    if settings.database_backup_url is None:
        raise BackupError(
            "set DATABASE_BACKUP_URL to a role that may log in and replicate: "
            "create role medcab_backup login replication password '…'; "
            "grant pg_read_all_stats to medcab_backup"
        )
    return settings.database_backup_url.get_secret_value()


def connect(settings: Settings) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection as the role for backups. Raises BackupError when the server does not answer."""
    try:
        return psycopg.connect(
            backup_url(settings),
            connect_timeout=10,
            autocommit=True,
            options="-c statement_timeout=30s",
        )
    except psycopg.OperationalError as error:
        raise BackupError(f"PostgreSQL does not answer: {error}") from None


def command(name: str, settings: Settings, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """The command line of a program for this server, and its environment with the password."""
    url = urlsplit(backup_url(settings))
    with connect(settings) as connection:
        version = connection.info.server_version
    try:
        program = find_client(name, version // 10000)
    except ServerFailed as error:
        raise BackupError(str(error)) from None
    where = [
        "-h",
        url.hostname or "",
        "-p",
        str(url.port or 5432),
        "-U",
        unquote(url.username or ""),
    ]
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PGPASSWORD": unquote(url.password or ""),
        "PGCONNECT_TIMEOUT": "10",
    }
    return [str(program), *where, "--no-password", *arguments], environment


def output_of(
    line: list[str], environment: dict[str, str], told: BinaryIO, passed: Callable[[int], None]
) -> Iterator[bytes]:
    """Run a program and yield what it writes to stdout; its stderr goes to the file `told`.

    `passed` is called every half second with the number of bytes so far. Raises BackupError when
    the program fails or hangs.
    """
    program = subprocess.Popen(
        line,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=told,
        cwd="/",
    )
    total, last = 0, time.monotonic()
    try:
        out = program.stdout
        while out is not None:
            ready, _, _ = select.select([out], [], [], SILENT_FOR)
            if not ready:
                raise BackupError(f"{line[0]} has been silent for {SILENT_FOR:.0f} s")
            piece = os.read(out.fileno(), 1 << 20)
            if not piece:
                break
            total += len(piece)
            if time.monotonic() > last + 0.5:
                passed(total)
                last = time.monotonic()
            yield piece
        if program.wait(SILENT_FOR) != 0:
            told.seek(0)
            words = told.read().decode(errors="replace").strip().splitlines()
            raise BackupError(f"{line[0]} failed: {' / '.join(words[-3:])}")
    except subprocess.TimeoutExpired:
        raise BackupError(f"{line[0]} does not end") from None
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()
        if program.stdout is not None:
            program.stdout.close()
