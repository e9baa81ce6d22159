"""Removes old backups: the newest of so many days stay, with the log and objects they need."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from crypto.backup_files import BackupKey
from ops.backup.keys import keys_file
from ops.backup.repository.manifest import Backup, Repository
from ops.backup.stores.objects import hash_of
from ops.backup.stores.postgres_wal import needed, segments
from ops.backup.verify import objects_of


@dataclass(frozen=True)
class Removed:
    """What was let go."""

    backups: int = 0
    segments: int = 0
    objects: int = 0


def prune(repository: Repository, keys_folder: Path, key: BackupKey, days: int) -> Removed:
    """Keep the newest backup of each of the last `days` days that have one, with what these need.

    The backed-up keys of those that go are removed with them: the newest open all backups. Raises
    BackupError before anything is removed when a backup that stays cannot be read.
    """
    with repository.taken():
        backups = repository.backups(key)
        by_day: dict[str, Backup] = {each.manifest.id[:8]: each for each in backups}
        kept = list(by_day.values())[-days:]
        if not kept:
            return Removed()
        names = {hash_of(name) for each in kept for name, _ in objects_of(each, key)}
        gone = [each for each in backups if each not in kept]
        for each in gone:
            keys_file(keys_folder, each.manifest.id).unlink(missing_ok=True)
            # Without a manifest it is no backup any more, even if removing the rest is interrupted.
            (each.folder / "manifest.json").unlink()
            shutil.rmtree(each.folder)
        wanted = set(needed(repository, kept[0].manifest.wal_from))
        old = [name for name in segments(repository) if name not in wanted]
        for name in old:
            (repository.wal / name).unlink()
        newest = kept[-1].manifest.begun_at.timestamp()
        # Younger objects were archived for rows that no backup lists yet.
        stray = [
            path
            for path in repository.objects.glob("[0-9a-f][0-9a-f]/[0-9a-f]*")
            if path.name not in names and path.stat().st_mtime < newest
        ]
        for path in stray:
            path.unlink()
    return Removed(len(gone), len(old), len(stray))
