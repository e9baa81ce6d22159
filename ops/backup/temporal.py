"""The database file of Temporal's development server.

In a server room Temporal stands on PostgreSQL and is backed up with it, or not at all: what happens
next follows from what is, and `reconcile` starts every run anew.
"""

import os
import sqlite3
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from ops.backup import BackupError
from ops.backup.sealed import BackupKey, Written, pieces_of, write_sealed
from ops.home import Home

WITHIN = 120.0
PAGES_AT_ONCE = 2000


def temporal_file(home: Home) -> Path:
    """Where the server keeps its database."""
    return home.folder / "temporal" / "temporal.db"


def back_up_temporal(path: Path, key: BackupKey, name: str, home: Home) -> Written:
    """Copy the file while the server uses it. Raises BackupError."""
    source = temporal_file(home)
    with tempfile.TemporaryDirectory(dir=source.parent, prefix=".copy-") as folder:
        copy = Path(folder) / "temporal.db"
        end = time.monotonic() + WITHIN

        def in_time(status: int, remaining: int, total: int) -> None:
            del status, remaining, total
            if time.monotonic() > end:
                raise BackupError(f"Temporal's file was not copied within {WITHIN:.0f} s")

        try:
            reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=10)
            writing = sqlite3.connect(copy)
            reading.backup(writing, pages=PAGES_AT_ONCE, progress=in_time, sleep=0.05)
            for each in (writing, reading):
                each.close()
        except sqlite3.Error as error:
            raise BackupError(f"Temporal's file cannot be copied: {error}") from None
        return write_sealed(path, key, name, pieces_of(copy), pack=True)


def put_temporal(home: Home, content: Iterable[bytes]) -> None:
    """Put a copy in place; the server does not run. What was there is kept as `.replaced`."""
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
