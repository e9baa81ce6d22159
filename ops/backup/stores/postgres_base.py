"""The base backup of PostgreSQL."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from crypto.backup_files import BackupKey
from ops.backup import BackupError, Say
from ops.backup.repository.encrypted_files import Written, write_encrypted
from ops.backup.stores.postgres_programs import command, connect, output_of
from settings import Settings

SLOT = "medcab_archive"


@dataclass(frozen=True)
class Base:
    """A base backup that was taken."""

    written: Written
    postgres: str
    wal_from: str


def back_up_database(
    path: Path, key: BackupKey, name: str, settings: Settings, say: Say, *, archive: bool
) -> Base:
    """Take a base backup with the log that it needs, so that it can be restored alone.

    With `archive` the server keeps its log from here on until the archive has fetched it. Raises
    BackupError.
    """
    if archive:
        reserve_log(settings)
    line, environment = command(
        "pg_basebackup",
        settings,
        *("-D", "-", "-F", "t", "-X", "fetch", "-c", "fast", "-v", "-l", f"medcab {name}"),
    )
    with tempfile.TemporaryFile() as told:
        source = output_of(
            line, environment, told, lambda passed: say("database", f"copying: {passed >> 20} MiB")
        )
        written = write_encrypted(path, key, name, source, pack=True)
        told.seek(0)
        words = told.read().decode(errors="replace")
    start = re.search(r"start point: ([0-9A-F]+/[0-9A-F]+) on timeline (\d+)", words)
    if start is None:
        raise BackupError("pg_basebackup does not say where its log begins")
    with connect(settings) as connection:
        asked = "select pg_walfile_name(%s::pg_lsn), current_setting('server_version')"
        row = connection.execute(asked, [start[1]]).fetchone()
    if row is None:
        raise BackupError("PostgreSQL does not say where its log begins")
    return Base(written, str(row[1]), str(row[0]))


def reserve_log(settings: Settings) -> None:
    """Let the server keep its log until the archive has it. Raises BackupError.

    A replication slot that the server gave up, because the archive was away for too long, is made
    anew: the archive goes on from this backup.
    """
    with connect(settings) as connection:
        try:
            connection.execute(
                "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
                " where slot_name = %s and wal_status = 'lost' and not active",
                [SLOT],
            )
            connection.execute("select pg_create_physical_replication_slot(%s, true)", [SLOT])
        except psycopg.errors.DuplicateObject:
            return
        except psycopg.Error as error:
            raise BackupError(f"the log cannot be kept for the archive: {error}") from None
