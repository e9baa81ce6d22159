"""`medcab backup`: take a backup of what runs."""

import asyncio
import importlib.metadata
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from clients.database import Database
from clients.objects import Objects, ObjectsDownError
from crypto.backup_files import BackupKey
from ops.backup import BackupError, Say
from ops.backup.configuration import Places, key_of
from ops.backup.keys import back_up_keys
from ops.backup.repository.encrypted_files import write_encrypted
from ops.backup.repository.manifest import (
    CONFIGURATION,
    DATABASE,
    OBJECTS,
    TEMPORAL,
    Backup,
    FileLine,
    Manifest,
    Repository,
    id_at,
    line_of,
)
from ops.backup.stores import objects
from ops.backup.stores.postgres_base import back_up_database
from ops.backup.stores.temporal import TemporalNotCopiedError, back_up_temporal, temporal_file
from ops.local.home import Home
from rules.clock import now
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from services.journal import entries as journal
from settings import Settings


@dataclass
class Taken:
    """A backup that was taken. `problems` are files that the store itself has lost."""

    backup: Backup
    keys: Path
    seconds: float
    copied: int
    copied_bytes: int
    problems: list[str] = field(default_factory=list)


async def take(home: Home, settings: Settings, places: Places, say: Say, *, archive: bool) -> Taken:
    """Take a backup. Whatever fails, the backups before stay whole. Raises BackupError.

    With `archive` the log from here on is kept for the archiver, which has to run.
    """
    key, repository = key_of(settings), places.repository
    began = time.monotonic()
    with repository.taken():
        begun_at = now()
        id_ = id_at(begun_at)
        if (repository.folder / id_).exists():
            raise BackupError(f"{repository.folder / id_} is there already: wait a second")
        with repository.unfinished(id_) as folder:
            try:
                taken = await _take(home, settings, repository, folder, id_, key, say, archive)
            except (ObjectsDownError, SQLAlchemyError, OSError) as error:
                raise BackupError(f"{type(error).__name__}: {error}") from error
            manifest, copied = taken
            manifest = manifest.model_copy(update={"begun_at": begun_at, "ended_at": now()})
            backup = repository.finish(Backup(folder, manifest), key)
    say("keys", "encrypting for the recovery phrase")
    try:
        kept = await asyncio.to_thread(
            back_up_keys, places.keys_folder, id_, places.recipient, home, settings
        )
    except OSError as error:
        raise BackupError(
            f"{backup.folder} is whole, but its keys are not backed up: {error}"
        ) from error
    say("keys", "ready")
    await _journaled(settings, backup)
    return Taken(
        backup,
        kept,
        time.monotonic() - began,
        copied.objects,
        copied.bytes,
        [f"{name} is missing in the object store" for name in copied.missing]
        + [f"{name} is not what its row says" for name in copied.differing],
    )


async def _journaled(settings: Settings, backup: Backup) -> None:
    """Journal the backup: the ops desk warns when the last one is too old."""
    database = Database.from_settings(settings)
    try:
        async with database.work() as session:
            await journal.append(
                session,
                chain=SYSTEM_CHAIN,
                kind=JournalKind.INSTALLATION_BACKED_UP,
                system="medcab backup",
                facts={"backup": backup.folder.name},
            )
    except SQLAlchemyError as error:
        raise BackupError(
            f"{backup.folder} is whole, but not journaled: {type(error).__name__}"
        ) from error
    finally:
        await database.close()


async def _take(
    home: Home,
    settings: Settings,
    repository: Repository,
    folder: Path,
    id_: str,
    key: BackupKey,
    say: Say,
    archive: bool,
) -> tuple[Manifest, objects.Copied]:
    files: list[FileLine] = []

    def named(name: str) -> str:
        return f"{id_}/{name}"

    say("settings", "writing")
    content = json.dumps(_configuration(settings), ensure_ascii=False, indent=2).encode()
    written = write_encrypted(folder / CONFIGURATION, key, named(CONFIGURATION), [content])
    files.append(line_of(CONFIGURATION, written))
    say("settings", "ready")
    say("database", "copying")
    base = await asyncio.to_thread(
        back_up_database,
        folder / DATABASE,
        key,
        named(DATABASE),
        settings,
        say,
        archive=archive,
    )
    files.append(line_of(DATABASE, base.written))
    say("database", f"ready: {base.written.size >> 10} KiB, encrypted")
    if temporal_file(home).exists():
        say("temporal", "copying")
        # Histories are a convenience: without them the backup is whole, and each run begins anew.
        try:
            written = await asyncio.to_thread(
                back_up_temporal, folder / TEMPORAL, key, named(TEMPORAL), home
            )
        except TemporalNotCopiedError as error:
            say("temporal", f"left out: {error}")
        else:
            files.append(line_of(TEMPORAL, written))
            say("temporal", f"ready: {written.size >> 10} KiB, encrypted")
    # After the database: every object that a row of the base names is in the store by now.
    say("objects", "comparing")
    database, store = Database.from_settings(settings), Objects(settings)
    try:
        rows = await objects.wanted(database)
        number = await objects.last_number(database)
        tables = await _revision(database)
        copied = await objects.copy_out(
            store,
            repository,
            key,
            rows,
            objects.archived(repository),
            lambda done, whole: say("objects", f"copying: {done} of {whole}"),
        )
    finally:
        await store.close()
        await database.close()
    lines = (
        json.dumps({"key": each.key, "file": objects.hash_of(each.key), "sha256": each.sha256})
        for each in rows.values()
    )
    source = (f"{line}\n".encode() for line in lines)
    written = write_encrypted(folder / OBJECTS, key, named(OBJECTS), source, pack=True)
    files.append(line_of(OBJECTS, written))
    say("objects", f"ready: {len(rows)}, {copied.objects} of them new")
    manifest = Manifest(
        id=id_,
        begun_at=now(),
        ended_at=now(),
        medcab=importlib.metadata.version("medcab"),
        tables=tables,
        key_id=key.id.hex(),
        postgres=base.postgres,
        wal_from=base.wal_from,
        objects=len(rows),
        object_bytes=sum(each.size or 0 for each in rows.values()),
        last_number=number,
        files=tuple(files),
    )
    return manifest, copied


def _configuration(settings: Settings) -> dict[str, str]:
    """All settings but secrets, which are backed up with the keys."""
    told = ((name, getattr(settings, name)) for name in type(settings).model_fields)
    return {name: str(value) for name, value in told if not isinstance(value, SecretStr)}


async def _revision(database: Database) -> str:
    async with database.engine.connect() as connection:
        try:
            found = await connection.execute(text("select version_num from alembic_version"))
            return str(found.scalar())
        except SQLAlchemyError:
            return ""
