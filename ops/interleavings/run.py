"""`medcab interleave`: a thousand seeds of each family, on a PostgreSQL of its own."""

import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from clients.database import Database
from crypto.key_ring import KeyRing, use_key_ring
from ops.data.seed import CATALOGUE
from ops.interleavings.absences import ABSENCES
from ops.interleavings.answering import ANSWERING
from ops.interleavings.bookings import BOOKINGS
from ops.interleavings.clinic import InterleavedClinic
from ops.interleavings.confirming import CONFIRMING
from ops.interleavings.merging import MERGING
from ops.interleavings.scenes import Family, Played, play
from ops.interleavings.stepping import Stepper
from ops.interleavings.writing import WRITING
from ops.local.home import Home
from ops.local.servers.postgres import Postgres, data_folder_aside
from ops.local.system import System
from ops.upkeep.migrate import migrate_database
from services.catalogue import loading
from settings import Settings

FAMILIES: Sequence[Family] = (BOOKINGS, CONFIRMING, ANSWERING, MERGING, WRITING, ABSENCES)
SHOWN = 5
"""So many faults of a family are printed."""


def run(seeds: int, first: int, only: str) -> int:
    """Do the seeds of each family and print what was compared: 0 where nothing was wrong."""
    chosen = [one for one in FAMILIES if only in one.name]
    if not chosen:
        _say(f"No family has {only!r} in its name.")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="medcab-interleavings-"))
    folder.chmod(0o711)
    home = Home(folder)
    system = System(home, given={"MEDCAB_DEMO": "true"}, usual=False)
    system.outer = [one for one in system.outer if isinstance(one, Postgres)]
    try:
        system.obtain()
        system.start_outer()
        settings = system.settings
        migrate_database(settings)
        use_key_ring(KeyRing.installed(settings.keys.get_secret_value(), settings.home))
        good = asyncio.run(_all(settings, chosen, range(first, first + seeds)))
    finally:
        system.stop()
        shutil.rmtree(data_folder_aside(home), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


async def _all(settings: Settings, families: Sequence[Family], seeds: range) -> bool:
    database = Database.from_settings(settings)
    async with database.work() as session:
        await loading.load(session, sorted(CATALOGUE.glob("*.yaml")))
    good = True
    for family in families:
        good = await _one(database, family, seeds) and good
    await database.close()
    return good


async def _one(database: Database, family: Family, seeds: range) -> bool:
    began, used = time.monotonic(), time.process_time()
    clinic = await InterleavedClinic.gather(database)
    async with Stepper(database) as stepper:
        played = [await play(family, clinic, stepper, seed) for seed in seeds]
        stops = stepper.stops
    done, refused = sum(one.done for one in played), sum(one.refused for one in played)
    wrong = [one for one in played if one.faults]
    _say(
        f"{family.name}: {len(played)} interleavings, {stops} statements and commits in turn,"
        f" {done} acts done, {refused} refused, {len(wrong)} wrong;"
        f" {time.process_time() - used:.0f} s of processor, {time.monotonic() - began:.0f} s"
    )
    _say(f"  compared: {family.compares}")
    for one in wrong[:SHOWN]:
        _say(f"  seed {one.seed}: {'; '.join(one.faults)}")
    return not wrong and _tried(played)


def _tried(played: Sequence[Played]) -> bool:
    """A run in which nothing was done, or nothing was in another's way, has proved nothing."""
    return any(one.done for one in played) and any(one.refused for one in played)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
