"""A repository of backups, and what each of them says of itself.

    repository/
        20261123T121700Z/    manifest.json, database.tar, temporal.db, configuration.json,
                             objects.jsonl
        wal/                 log segments of PostgreSQL since the oldest backup, and how far they go
        objects/ab/…         each object once, whichever backups name it

A manifest names every file with its SHA-256 and is authenticated by the backup key. It holds
nothing about people, so it can be read without a key.
"""

import fcntl
import hmac
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import rfc8785
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from crypto.backup_files import BackupKey
from ops.backup import BackupError, DamagedError, WrongKeyError
from ops.backup.repository.encrypted_files import Written, sha256_of, sync_folder

MANIFEST = "manifest.json"
DATABASE, TEMPORAL = "database.tar", "temporal.db"
CONFIGURATION, OBJECTS = "configuration.json", "objects.jsonl"
FORMAT = 1
_UNFINISHED = ".unfinished-"


class FileLine(BaseModel):
    """One encrypted file of a backup."""

    model_config = ConfigDict(frozen=True)

    name: str
    size: int
    sha256: str


class Manifest(BaseModel):
    """What a backup says of itself. Times are UTC."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    id: str
    begun_at: AwareDatetime
    ended_at: AwareDatetime
    medcab: str
    tables: str
    """Revision of the migrations."""
    key_id: str
    postgres: str = ""
    """Version of the server; empty where the database is not part of it."""
    wal_from: str = ""
    """The first log segment that its base needs."""
    objects: int
    object_bytes: int
    last_number: int
    """The last number of a case that had been drawn."""
    files: tuple[FileLine, ...]

    def file(self, name: str) -> FileLine | None:
        """The line of a file; None where the backup has none of that name."""
        return next((each for each in self.files if each.name == name), None)


class Backup:
    """One finished backup in its folder."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @classmethod
    def read(cls, folder: Path, key: BackupKey | None = None) -> "Backup":
        """Read the manifest; with a key it must be authentic.

        Raises WrongKeyError and DamagedError.
        """
        if folder.name.startswith(_UNFINISHED):
            raise DamagedError(f"{folder} is half a backup: it was broken off. Choose a whole one")
        try:
            whole = json.loads((folder / MANIFEST).read_bytes())
            manifest = Manifest.model_validate(whole["manifest"])
            signature = str(whole["hmac"])
        except FileNotFoundError:
            raise DamagedError(f"{folder} is no whole backup: it has no {MANIFEST}") from None
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            raise DamagedError(f"{folder / MANIFEST} cannot be read") from error
        if manifest.format != FORMAT:
            raise BackupError(f"{folder} has format {manifest.format}: use the Medcab that made it")
        if key is not None:
            if manifest.key_id != key.id.hex():
                raise WrongKeyError(
                    f"{folder.name} was made with backup key {manifest.key_id}, the key given is "
                    f"{key.id.hex()}: set MEDCAB_BACKUP_KEY, or restore the keys (--part keys)"
                )
            if not hmac.compare_digest(key.sign(rfc8785.dumps(whole["manifest"])), signature):
                raise DamagedError(f"{folder / MANIFEST} was changed after it was written")
        return cls(folder, manifest)

    def write(self, key: BackupKey) -> None:
        """Write the manifest, the last file of a backup."""
        stated = self.manifest.model_dump(mode="json")
        whole = {"manifest": stated, "hmac": key.sign(rfc8785.dumps(stated))}
        (self.folder / MANIFEST).write_text(json.dumps(whole, indent=2, ensure_ascii=False))

    def check(self, name: str) -> Path:
        """The path of a file that is as the manifest says. Raises DamagedError."""
        line = self.manifest.file(name)
        if line is None:
            raise DamagedError(f"{self.folder} holds no {name}")
        path = self.folder / name
        if sha256_of(path) != line.sha256:
            raise DamagedError(f"{path} is not what the manifest says: it was changed or cut")
        return path

    def name_of(self, name: str) -> str:
        """The name under which a file of this backup is authenticated."""
        return f"{self.manifest.id}/{name}"


class Repository:
    """A folder of backups."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def wal(self) -> Path:
        """The folder of the log segments."""
        return self.folder / "wal"

    @property
    def objects(self) -> Path:
        """The folder of the objects."""
        return self.folder / "objects"

    def backups(self, key: BackupKey | None = None) -> list[Backup]:
        """All whole backups, oldest first. Raises as `Backup.read` does."""
        if not self.folder.is_dir():
            return []
        folders = sorted(each.parent for each in self.folder.glob(f"[0-9]*/{MANIFEST}"))
        return [Backup.read(folder, key) for folder in folders]

    def newest(self) -> Backup | None:
        """The last backup whose manifest can be read, unchecked."""
        for manifest in sorted(self.folder.glob(f"[0-9]*/{MANIFEST}"), reverse=True):
            try:
                return Backup.read(manifest.parent)
            except BackupError:
                continue
        return None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the repository for one writer of backups. Raises BackupError when another has it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(f"another backup to {self.folder} is under way") from None
            for left in self.folder.glob(f"{_UNFINISHED}*"):
                shutil.rmtree(left)
            yield

    @contextmanager
    def unfinished(self, id_: str) -> Iterator[Path]:
        """A folder for an unfinished backup, which `finish` renames. It is removed on any error."""
        folder = self.folder / f"{_UNFINISHED}{id_}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def finish(self, made: Backup, key: BackupKey) -> Backup:
        """Give a finished backup its name: from now on it counts."""
        made.write(key)
        sync_folder(made.folder)
        target = self.folder / made.manifest.id
        made.folder.rename(target)
        sync_folder(self.folder)
        return Backup(target, made.manifest)


def choose(where: Path, key: BackupKey, at: datetime | None) -> tuple[Repository, Backup]:
    """The backup to restore: the one named, or the newest that ended before the time asked for.

    Raises BackupError.
    """
    if (where / MANIFEST).exists() or where.name.startswith(_UNFINISHED):
        backup = Backup.read(where, key)
        chosen: Sequence[Backup] = [backup]
        repository = Repository(where.parent)
    else:
        repository = Repository(where)
        chosen = repository.backups(key)
    if not chosen:
        raise BackupError(f"there is no whole backup in {where}")
    early = [each for each in chosen if at is None or each.manifest.ended_at <= at]
    if not early:
        first = chosen[0].manifest.ended_at
        raise BackupError(
            f"no backup is as old as that: the first one ended {first:%Y-%m-%d %H:%M:%S} UTC"
        )
    return repository, early[-1]


def id_at(at: datetime) -> str:
    """The name of a backup that begins at this moment."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def line_of(name: str, written: Written) -> FileLine:
    """The line of a file that was just written."""
    return FileLine(name=name, size=written.size, sha256=written.sha256)
