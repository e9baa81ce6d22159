"""`medcab backup --verify`: is the backup what was written, and can it be read with this key?"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from crypto.backup_files import BackupKey
from ops.backup import BackupError, DamagedError, Say
from ops.backup.repository.encrypted_files import read_encrypted
from ops.backup.repository.manifest import MANIFEST, OBJECTS, Backup, Repository
from ops.backup.stores.objects import Archived, hash_of, place_of
from ops.backup.stores.postgres_wal import gaps, needed, segments
from ops.backup.stores.wal_state import read_state


@dataclass
class Checked:
    """What was read, and which faults were found."""

    backups: int = 0
    files: int = 0
    segments: int = 0
    objects: int = 0
    faults: list[str] = field(default_factory=list)


def verify(where: Path, key: BackupKey, say: Say) -> Checked:
    """Read everything in a repository, or of one backup in it, as a restore would.

    Raises BackupError when there is nothing to check or the key is the wrong one.
    """
    done = Checked()
    if (where / MANIFEST).exists():
        repository, folders = Repository(where.parent), [where]
    else:
        repository = Repository(where)
        folders = sorted(each for each in where.glob("[0-9]*") if each.is_dir())
    if not folders:
        # An unfinished backup, or nothing: reading it raises the reason.
        Backup.read(where, key)
    seen: set[str] = set()
    since = ""
    for folder in folders:
        try:
            backup = Backup.read(folder, key)
            done.backups += 1
            since = min(since or backup.manifest.wal_from, backup.manifest.wal_from)
            for line in backup.manifest.files:
                say("backups", f"reading: {folder.name}, {line.name}")
                backup.check(line.name)
                _exhaust(read_encrypted(folder / line.name, key, backup.name_of(line.name)))
                done.files += 1
            _objects(repository, backup, key, seen, done, say)
        except DamagedError as error:
            done.faults.append(str(error))
    if len(folders) != 1 or folders[0] != where:
        # Objects archived after the last backup, for rows that only the log has.
        listed = {hash_of(name) for name in seen}
        for path in sorted(repository.objects.glob("[0-9a-f][0-9a-f]/[0-9a-f]*")):
            if path.name not in listed:
                _object(path, key, None, done, say)
    _wal(repository, key, since, done, say)
    for name in ("backups", "objects", "log"):
        say(name, "ready")
    if not done.files and not done.faults:
        raise BackupError(f"there is no whole backup in {where}")
    return done


def objects_of(backup: Backup, key: BackupKey) -> Iterator[tuple[str, str | None]]:
    """Key and SHA-256, as far as a row says it, of every object of a backup."""
    backup.check(OBJECTS)
    whole = b"".join(read_encrypted(backup.folder / OBJECTS, key, backup.name_of(OBJECTS)))
    for line in whole.splitlines():
        told = json.loads(line)
        yield str(told["key"]), told["sha256"]


def _objects(
    repository: Repository, backup: Backup, key: BackupKey, seen: set[str], done: Checked, say: Say
) -> None:
    for name, sha256 in objects_of(backup, key):
        if name in seen:
            continue
        seen.add(name)
        _object(place_of(repository, name), key, sha256, done, say)


def _object(path: Path, key: BackupKey, sha256: str | None, done: Checked, say: Say) -> None:
    try:
        found = Archived(path, key)
        digest = hashlib.sha256()
        for chunk in found.chunks():
            digest.update(chunk)
        if digest.hexdigest() != found.sha256 or sha256 not in (None, found.sha256):
            raise DamagedError(f"object {found.key} has other bytes than it should")
    except DamagedError as error:
        done.faults.append(str(error))
    done.objects += 1
    if done.objects % 100 == 0:
        say("objects", f"reading: {done.objects}")


def _wal(repository: Repository, key: BackupKey, since: str, done: Checked, say: Say) -> None:
    names = needed(repository, since) if since else segments(repository)
    for name in names:
        say("log", f"reading: {name}")
        try:
            _exhaust(read_encrypted(repository.wal / name, key, f"wal/{name}"))
        except DamagedError as error:
            # No fault if the archiver has replaced the unfinished segment by the whole one.
            if (repository.wal / name).exists():
                done.faults.append(str(error))
        done.segments += 1
    done.faults += [f"log segments are missing {gap}" for gap in gaps(names)]
    if read_state(repository, key) != read_state(repository, None):
        done.faults.append(f"the record of how far {repository.wal} goes was changed")


def _exhaust(pieces: Iterator[bytes]) -> None:
    for _ in pieces:
        pass
