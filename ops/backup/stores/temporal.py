"""The database file of Temporal's development server.

In production Temporal stores its data in PostgreSQL and is backed up with it, or not at all: the
state of a case says what happens next, and `reconcile` starts every run anew.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from crypto.backup_files import BackupKey
from ops.backup import BackupError
from ops.backup.repository.encrypted_files import Written, pieces_of, write_encrypted
from ops.local.home import Home


class TemporalNotCopiedError(BackupError):
    """The server's file cannot be copied now; the backup goes on without it."""


def temporal_file(home: Home) -> Path:
    """Where the server keeps its database."""
    return home.folder / "temporal" / "temporal.db"


def back_up_temporal(path: Path, key: BackupKey, name: str, home: Home) -> Written:
    """Copy the file while the server uses it. Raises TemporalNotCopiedError.

    This needs a write-ahead log, beside which a reader blocks no writer. The copy is made in one
    step, whose view of the file stays the same: between steps the server would write, and the copy
    would begin anew.
    """
    source = temporal_file(home)
    with tempfile.TemporaryDirectory(dir=source.parent, prefix=".copy-") as folder:
        copy = Path(folder) / "temporal.db"
        try:
            with (
                closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=10)) as reading,
                closing(sqlite3.connect(copy)) as writing,
            ):
                (kept,) = reading.execute("pragma journal_mode").fetchone()
                if kept != "wal":
                    raise TemporalNotCopiedError(
                        "a copy would hold up its server, which was started by an older version"
                    )
                reading.backup(writing)
        except sqlite3.Error as error:
            raise TemporalNotCopiedError(str(error)) from None
        return write_encrypted(path, key, name, pieces_of(copy), pack=True)


def put_temporal(home: Home, content: Iterable[bytes]) -> None:
    """Put a copy in place while the server does not run. What was there is kept as `.replaced`."""
    target = temporal_file(home)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = target.with_name(".temporal.db.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        for piece in content:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    for ending in ("", "-wal", "-shm"):
        old = target.with_name(f"{target.name}{ending}")
        if old.exists():
            old.replace(old.with_name(f"{old.name}.replaced"))
    part.replace(target)
