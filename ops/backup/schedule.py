"""Regular backups, taken by the process that archives the log.

The first one is taken by a person, who is shown the recovery phrase. The archiver takes those after
it.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from ops.backup import configuration
from ops.backup.pruning import prune
from ops.backup.take import take
from ops.local.home import Home
from rules.clock import now
from settings import Settings

log = structlog.get_logger(__name__)

LOOK_EVERY = 60.0
AGAIN_AFTER = 600.0


def due(home: Home, settings: Settings, moment: datetime) -> bool:
    """Whether the newest backup is older than `MEDCAB_BACKUP_EVERY` says."""
    where = configuration.known(home, settings)
    newest = where.repository.newest() if where else None
    if newest is None or not settings.backup_every:
        return False
    return moment - newest.manifest.begun_at >= timedelta(hours=settings.backup_every)


async def back_up_regularly(home: Home, settings: Settings, stop: asyncio.Event) -> None:
    """Take backups when they are due, until told to stop.

    One that fails is tried again in ten minutes.
    """
    while not stop.is_set():
        pause = LOOK_EVERY
        try:
            if await asyncio.to_thread(due, home, settings, now()):
                await back_up_once(home, settings)
        except Exception as error:
            log.warning("backup_not_taken", error=f"{type(error).__name__}: {error}"[:300])
            pause = AGAIN_AFTER
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)


async def back_up_once(home: Home, settings: Settings) -> None:
    """Take a backup where the last one went, then remove old ones. Raises BackupError."""
    where, _ = configuration.arrange(home, settings, None)
    taken = await take(home, settings, where, lambda name, text: None, archive=True)
    log.info(
        "backup_taken",
        backup=taken.backup.folder.name,
        seconds=round(taken.seconds, 1),
        faults=len(taken.problems),
    )
    if settings.backup_keep:
        key = configuration.key_of(settings)
        await asyncio.to_thread(
            prune, where.repository, where.keys_folder, key, settings.backup_keep
        )
