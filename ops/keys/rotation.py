"""A new key takes over from the one before, while processes run and cases are open.

The ring stands in a file of the home, which every process follows. So a rotation is a few changes
of that file, and batches of rows between them; whatever is cut off goes on where it was.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from clients.database import Database, driver_url
from crypto.key_ring import LOOK_EVERY, KeyRing, place_of, ring_file
from ops.backup import BackupError, configuration
from ops.backup.keys import back_up_keys, write_key
from ops.backup.repository.encrypted_files import sync_folder
from ops.backup.repository.manifest import id_at
from ops.local.home import Home, write_private
from rules.clock import now
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from services.encrypted_values.rotation import (
    PAUSE,
    NotAllEncryptedError,
    Rotated,
    rotate_indexes,
    rotate_values,
    stored,
)
from services.journal import entries as journal
from settings import Settings

LEARNED = 2 * LOOK_EVERY
"""Seconds after which every process has seen a change of the ring, and uses it."""
WRITING_AT_MOST = 60.0
"""Seconds for which transactions that began before are waited for; ours end within half of it."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Installation:
    """A home whose keys rotate, with the settings that lead to its database."""

    home: Home
    settings: Settings
    say: Say

    def ring(self) -> KeyRing:
        """The ring as it is now."""
        return KeyRing.installed(self.settings.keys.get_secret_value(), self.home.folder)

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[AsyncEngine]:
        """The database as the owner of its tables: nobody else may touch stored entries."""
        url = self.settings.database_owner_url or self.settings.database_url
        options = "-c timezone=UTC -c lock_timeout=5s"
        engine = create_async_engine(
            driver_url(url.get_secret_value()),
            hide_parameters=True,
            connect_args={"connect_timeout": 5, "options": options},
        )
        try:
            yield engine
        finally:
            await engine.dispose()

    async def rotate(self, *, go_on: bool) -> Rotated | None:
        """Give the ring a new key and bring everything stored under it; first end what was begun.

        With `go_on` only what was begun is ended; None where nothing was. Raises
        NotAllEncryptedError, BackupError and SQLAlchemyError: call it again.
        """
        ring = self.ring()
        async with self.engine() as engine:
            if not await unfinished(engine, ring):
                if go_on:
                    return None
                ring = ring.with_new_key()
                self.write(ring)
            newest = next(iter(ring.keys))
            if newest in ring.reads:
                self._back_up()
                ring = ring.with_newest_in_use(int(time.time()))
                self.write(ring)
                await self.journal(JournalKind.KEY_IN_USE, newest)
            self.say(f"{newest} encrypts; earlier keys only read")
            await _learned(engine)
            done = Rotated()
            async for _ in rotate_values(engine, ring, done):
                self.say(f"{done.encrypted} rows encrypted anew")
            async for _ in rotate_indexes(engine, ring, done):
                self.say(f"{done.indexed} blind indexes made anew")
            if not done.unmatched and len(ring.in_use) > 1:
                ring = ring.with_newest_alone()
                self.write(ring)
                await _learned(engine)
                async for _ in rotate_indexes(engine, ring, done):
                    self.say(f"{done.indexed} blind indexes made anew")
        return done

    def write(self, ring: KeyRing) -> None:
        """Put a ring in the place of the one before; readers see the old or the new one."""
        path = ring_file(self.home.folder)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name("ring.part")
        write_key(part, ring.text().encode())
        part.replace(path)
        sync_folder(path.parent)
        if (self.home.folder / "secrets.json").exists():
            known = self.home.secrets()
            write_private(self.home.folder / "secrets.json", vars(known) | {"keys": ring.text()})

    def _back_up(self) -> None:
        """Back up the keys before the new one encrypts anything: a backup without it is lost."""
        places = configuration.known(self.home, self.settings)
        if places is None:
            self.say(f"no backups are taken here: only {ring_file(self.home.folder)} has the key")
            return
        try:
            path = back_up_keys(
                places.keys_folder, id_at(now()), places.recipient, self.home, self.settings
            )
        except OSError as error:
            raise BackupError(
                f"the new key cannot be backed up, so it is not used: {error}"
            ) from None
        self.say(f"the keys are backed up: {path}")

    async def journal(self, kind: JournalKind, key_id: str) -> None:
        """Journal what happened to a key."""
        database = Database.from_settings(self.settings)
        try:
            async with database.work() as session:
                await journal.append(
                    session,
                    chain=SYSTEM_CHAIN,
                    kind=kind,
                    system="medcab keys",
                    facts={"key": key_id},
                )
        finally:
            await database.close()


async def _learned(engine: AsyncEngine) -> None:
    """Wait until every process uses the ring as it is, and nobody still writes by the one before.

    A row that is stored later would be left behind by every pass. Raises NotAllEncryptedError.
    """
    await asyncio.sleep(LEARNED)
    async with engine.connect() as connection:
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        begun = await connection.scalar(_NEWEST)
        ends = time.monotonic() + WRITING_AT_MOST
        while await connection.scalar(_OLDEST) <= begun:
            if time.monotonic() > ends:
                raise NotAllEncryptedError("a transaction does not end: call it again later")
            await asyncio.sleep(PAUSE)


_NEWEST = text("select pg_current_xact_id()::text::bigint")
_OLDEST = text("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
"""Transactions that write are numbered as they begin: the last number, and the first that runs."""


async def unfinished(engine: AsyncEngine, ring: KeyRing) -> bool:
    """Whether a rotation was begun and has not ended."""
    newest = next(iter(ring.keys))
    if newest in ring.reads:
        return True
    if len(ring.in_use) > 1:
        # Written by hand, where both fill one place of an index: another key comes after both.
        return place_of(newest) != place_of(ring.in_use[-1])
    async with engine.connect() as connection:
        found = (await stored(connection, ring)).indexes
    return any(number for key_id, number in found.items() if key_id != newest)
