"""`medcab restore`: bring back what was lost, on a home in which nothing runs.

Keys first, then the database to a point in time, then the objects its rows name, then Temporal's
file. The rest is made right by `reconcile`, which must come before anybody works: a restored home
does not start without it.
"""

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Collection
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict

from clients.database import Database
from clients.objects import Objects
from crypto.backup_files import BackupKey
from ops.backup import BackupError, Say
from ops.backup.configuration import key_of, keys_beside, known, read_key, remember
from ops.backup.keys import SEAL_FILE, SETTINGS, differing, open_keys, put_keys, write_key
from ops.backup.repository.encrypted_files import read_encrypted
from ops.backup.repository.manifest import TEMPORAL, Backup, Repository, choose
from ops.backup.restore.postgres import Recovered, beyond, lay_out_for_others, recover
from ops.backup.restore.stopped_home import (
    alone,
    held,
    is_given,
    named,
    reached,
    settings_at_rest,
    started,
    system_at_rest,
)
from ops.backup.stores import objects
from ops.backup.stores.postgres_wal import WalArchiver
from ops.backup.stores.temporal import put_temporal, temporal_file
from ops.backup.stores.wal_state import WalState, read_state
from ops.local.buckets import prepare_buckets
from ops.local.home import RESTORED, Home, write_private
from ops.local.lost import DATABASE, lost_parts
from ops.local.servers.postgres import occupied
from ops.upkeep.migrate import migrate_database
from rules.clock import now
from settings import Settings

RECOVERED = "recovered-settings.json"
RECOVERED_SEAL = "recovered-seal.p12"


class Part(StrEnum):
    """A part of an installation that can be lost, and restored, by itself."""

    KEYS = "keys"
    DATABASE = "database"
    OBJECTS = "objects"
    TEMPORAL = "temporal"


class Mark(BaseModel):
    """Left in a home that was restored, until it is reconciled.

    `point` is the time as of which the database was restored, absent where it was not. `lost_until`
    is the last moment at which the system is known to have worked after that, absent where nothing
    is lost.
    """

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    backup: str
    point: AwareDatetime | None = None
    lost_until: AwareDatetime | None = None
    last_number: int = 0

    @classmethod
    def read(cls, home: Home) -> "Mark | None":
        """The mark, where there is one."""
        try:
            return cls.model_validate_json((home.folder / RESTORED).read_bytes())
        except FileNotFoundError:
            return None

    def write(self, home: Home) -> None:
        """Leave the mark in a home."""
        write_private(home.folder / RESTORED, self.model_dump(mode="json"))


@dataclass(frozen=True)
class Restored:
    """What was brought back. `point` is the last transaction that the database has."""

    backup: Backup
    parts: tuple[Part, ...]
    point: datetime | None
    objects: int
    missing: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class RestoreOptions:
    """What is asked for. Without `parts`: everything, the keys only where there are none."""

    where: Path
    at: datetime | None = None
    parts: Collection[Part] = ()
    keys: Path | None = None
    replace: bool = False


def restore(home: Home, order: RestoreOptions, phrase: Callable[[], str], say: Say) -> Restored:
    """Restore what the order says. Refusals come before anything is changed. Raises BackupError."""
    began = time.monotonic()
    with held(home):
        parts = _parts(home, order)
        given_keys = _open_keys(home, order, phrase) if Part.KEYS in parts else None
        key = _key(home, given_keys)
        repository, backup = choose(order.where.resolve(), key, order.at)
        _refuse(home, backup, order, parts)
        _check(backup, parts)
        if given_keys is not None:
            _put_keys(home, given_keys, say)
            remember(home, repository.folder, order.keys or keys_beside(order.where))
        state = read_state(repository, key)
        recovered = Recovered(None, 0)
        if Part.DATABASE in parts:
            _archive_spool(home, system_at_rest(home).settings, repository, key)
            recovered = recover(home, repository, backup, key, order.at, say)
        if Part.TEMPORAL in parts:
            say("temporal", "putting back")
            put_temporal(
                home, read_encrypted(backup.folder / TEMPORAL, key, backup.name_of(TEMPORAL))
            )
            say("temporal", "ready")
        mark = Mark.read(home) or Mark(at=now(), backup=backup.manifest.id)
        if Part.DATABASE in parts:
            mark = _mark(backup, state, order, recovered.point or backup.manifest.ended_at)
        mark.write(home)
        copied = objects.Copied()
        if Part.OBJECTS in parts:
            copied = _objects(home, repository, key, order, say)
    return Restored(
        backup,
        tuple(parts),
        recovered.point,
        copied.objects,
        tuple(copied.missing + copied.differing),
        time.monotonic() - began,
    )


def _mark(backup: Backup, state: WalState | None, order: RestoreOptions, point: datetime) -> Mark:
    until = max([backup.manifest.ended_at, *([state.until] if state else [])])
    return Mark(
        at=now(),
        backup=backup.manifest.id,
        point=point,
        lost_until=until if order.at is not None and order.at < until else None,
        last_number=max(backup.manifest.last_number, state.last_number if state else 0),
    )


def lay_out(home: Home, order: RestoreOptions, folder: Path) -> bool:
    """Lay base and log out for a server that is not ours, which replays the log when it starts.

    If the database of this installation is such a server, this is its restore: the home is marked,
    whatever waits in the spool is archived first, and True is returned. Otherwise it is only a look
    at the past, which does not concern this home. Raises BackupError.
    """
    ours = is_given("postgres")
    with held(home) if ours else nullcontext():
        settings = settings_at_rest(home)
        key = key_of(settings)
        repository, backup = choose(order.where.resolve(), key, order.at)
        with alone(home) if ours else nullcontext():
            if ours:
                _archive_spool(home, settings, repository, key)
            state = read_state(repository, key)
            until = state.until if state else backup.manifest.ended_at
            if order.at is not None and order.at > until:
                raise BackupError(beyond(until))
            lay_out_for_others(folder.resolve(), repository, backup, key, order.at)
            if ours:
                _mark(backup, state, order, order.at or until).write(home)
    return ours


def _parts(home: Home, order: RestoreOptions) -> list[Part]:
    if order.parts:
        return [each for each in Part if each in order.parts]
    parts = list(Part)
    if (home.folder / "secrets.json").exists() and order.keys is None:
        parts.remove(Part.KEYS)
    return parts


def _open_keys(home: Home, order: RestoreOptions, phrase: Callable[[], str]) -> dict[str, bytes]:
    keys = open_keys(order.keys or keys_beside(order.where), phrase())
    other = differing(home, keys)
    if other and not order.replace:
        raise BackupError(
            f"this home holds other keys ({', '.join(other)}): --replace puts them aside"
        )
    return keys


def _key(home: Home, keys: dict[str, bytes] | None) -> BackupKey:
    if keys is not None and SETTINGS in keys:
        return read_key(json.loads(keys[SETTINGS])["backup_key"])
    if not (home.folder / "secrets.json").exists():
        return key_of(Settings())
    return key_of(system_at_rest(home).settings)


def _refuse(home: Home, backup: Backup, order: RestoreOptions, parts: Collection[Part]) -> None:
    """Raise BackupError, before anything is changed, where data would be overwritten unasked."""
    if Part.OBJECTS in parts and Part.DATABASE not in parts and DATABASE in lost_parts(home):
        raise BackupError(
            "the database is lost too, and says which objects are wanted: --part database first"
        )
    others = {Part.DATABASE: "postgres", Part.TEMPORAL: "temporal"}
    for part, server in others.items():
        if part in parts and is_given(server):
            raise BackupError(
                f"the {part} is not run by this home, since the environment names its address: "
                "docs/backup.md says how it is restored there; name the parts that are ours with "
                "--part"
            )
    if order.replace:
        return
    there = [Part.DATABASE] if Part.DATABASE in parts and occupied(home) else []
    if Part.TEMPORAL in parts and temporal_file(home).exists():
        there.append(Part.TEMPORAL)
    if there:
        raise BackupError(
            f"this home holds data already ({', '.join(there)}): --replace puts it aside; "
            "where only a part is lost, name it with --part"
        )
    if Part.TEMPORAL in parts and backup.manifest.file(TEMPORAL) is None and order.parts:
        raise BackupError(f"{backup.folder} holds nothing of Temporal")


def _check(backup: Backup, parts: list[Part]) -> None:
    """Raise DamagedError unless every file of the backup is as it was written."""
    if Part.TEMPORAL in parts and backup.manifest.file(TEMPORAL) is None:
        parts.remove(Part.TEMPORAL)
    for line in backup.manifest.files:
        backup.check(line.name)


def _put_keys(home: Home, keys: dict[str, bytes], say: Say) -> None:
    put_keys(home, keys)
    told = json.loads(keys[SETTINGS])
    if json.loads(keys.get("secrets.json", b"{}")).get("keys") != told["keys"]:
        # This installation has its keys in the environment, where people put them again.
        write_private(home.folder / RECOVERED, told)
        if SEAL_FILE in keys:
            write_key(home.folder / RECOVERED_SEAL, keys[SEAL_FILE])
    say("keys", "ready")


def _archive_spool(home: Home, settings: Settings, repository: Repository, key: BackupKey) -> None:
    """Archive the spool, which may hold seconds of the log that the lost database had written.

    A spool that belongs to other backups is put aside.
    """
    archiver = WalArchiver(home, settings)
    if not archiver.spool.exists():
        return
    where = known(home, settings)
    if where is not None and where.folder.resolve() == repository.folder.resolve():
        archiver.copy(repository, key)
        shutil.rmtree(archiver.spool)
    else:
        archiver.spool.rename(home.folder / f"wal.replaced-{now():%Y%m%dT%H%M%S%fZ}")


def _objects(
    home: Home,
    repository: Repository,
    key: BackupKey,
    order: RestoreOptions,
    say: Say,
) -> objects.Copied:
    """Start database and object store, migrate the tables, then put the objects back."""
    system = system_at_rest(home, say)
    with started(system, named(system, "postgres", "minio")):
        settings = system.settings
        with reached():
            migrate_database(settings)
            prepare_buckets(settings)
        say("objects", "comparing")
        with reached():
            copied = asyncio.run(_put_objects(settings, repository, key, order, say))
        say("objects", f"ready: {copied.objects} put back")
        return copied


async def _put_objects(
    settings: Settings, repository: Repository, key: BackupKey, order: RestoreOptions, say: Say
) -> objects.Copied:
    database, store = Database.from_settings(settings), Objects(settings)
    try:
        rows = await objects.wanted(database)
        return await objects.put_back(
            store,
            repository,
            key,
            rows,
            replace=order.replace,
            passed=lambda done, whole: say("objects", f"putting back: {done} of {whole}"),
        )
    finally:
        await store.close()
        await database.close()
