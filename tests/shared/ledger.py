"""A journal in a database of its own, with hands that the application does not have."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.x509 import Certificate
from pydantic import SecretStr

from clients.database import Database
from clients.objects import Objects
from crypto.key_ring import KeyRing
from models.tables.journal import JournalCheckpoint, JournalEntry
from rules.access import Actor
from rules.journal.entries import JournalKind
from rules.journal.tags import ViewCode
from services.journal import checkpoints
from services.journal import entries as journal
from services.journal.checkpoint_files import checkpoints_folder
from services.journal.verification import VerificationReport, verify
from services.seal import FileSeal, ensure_test_seal
from settings import Settings
from tests.shared.servers import Servers
from tests.shared.statements import every_statement


@dataclass
class Ledger:
    """The application's hands on a journal, and those of someone with the owner's password."""

    database: Database
    objects: Objects
    seal: FileSeal
    ring: KeyRing
    folder: Path
    settings: Settings

    async def write(self, chain: UUID, *kinds: JournalKind, **more: Any) -> list[JournalEntry]:
        """Append entries in one unit of work."""
        async with self.database.work() as session:
            return [
                await journal.append(session, chain=chain, kind=kind, lock=True, **more)
                for kind in kinds
            ]

    async def story(self) -> UUID:
        """A chain of four entries, two of them with contents."""
        chain, person = uuid4(), uuid4()
        await self.write(chain, JournalKind.CASE_DRAFTED, by=person)
        contents = {"text": "Прошу рассмотреть", "hours": 36}
        await self.write(chain, JournalKind.CASE_SUBMITTED, by=person, step=1, contents=contents)
        await self.write(chain, JournalKind.CASE_CHECKED, system="check", facts={"wrong": []})
        await self.write(chain, JournalKind.CASE_APPROVED, by=uuid4(), contents={"reason": "Да"})
        return chain

    async def look(self, subject: UUID) -> None:
        """Record that someone looked."""
        async with self.database.work() as session:
            actor = Actor(uuid4(), "Кто-то", uuid4())
            await journal.record_view(session, actor, subject, ViewCode.CASE)

    async def put_seal(self, objects: Objects | None = None) -> JournalCheckpoint:
        """Seal what waits."""
        made = await self.try_seal(objects)
        assert made is not None
        return made

    async def try_seal(self, objects: Objects | None = None) -> JournalCheckpoint | None:
        """Seal what waits, if anything does."""
        return await checkpoints.take(self.database, self.seal, self.folder, objects)

    async def verify(
        self, trusted: Sequence[Certificate] | None = None, objects: Objects | None = None
    ) -> VerificationReport:
        """Check everything."""
        certificates = trusted or [self.seal.certificate]
        return await verify(self.database, self.folder, certificates, self.ring, objects)

    async def faults(self) -> str:
        """What is found, one line each."""
        return "\n".join(map(str, (await self.verify()).faults))

    def tamper(self, statement: str, *values: Any) -> None:
        """Change the tables as their owner, whom no grant stops."""
        with self.owner() as connection:
            done = connection.execute(statement, values)
            assert done.rowcount != 0, "nothing was tampered with"

    def owner(self) -> psycopg.Connection[Any]:
        """A connection of the tables' owner, whom no grant stops."""
        assert self.settings.database_owner_url is not None
        return psycopg.connect(self.settings.database_owner_url.get_secret_value())


@pytest.fixture(scope="session")
def journal_urls(servers: Servers, process_name: str) -> Iterator[dict[str, str]]:
    """The database of these tests; each test empties it."""
    name = f"journal_{process_name}"
    yield servers.new_database(name)
    servers.drop_database(name)


@pytest.fixture
async def ledger(
    settings: Settings, journal_urls: dict[str, str], tmp_path: Path
) -> AsyncIterator[Ledger]:
    """An empty journal."""
    own = settings.model_copy(
        update={
            "database_url": SecretStr(journal_urls["DATABASE_URL"]),
            "database_owner_url": SecretStr(journal_urls["DATABASE_OWNER_URL"]),
            "home": tmp_path,
            "demo": True,
            "seal_file": None,
            "s3_bucket": f"journal-{uuid4().hex}",
        }
    )
    ring = KeyRing.parse(settings.keys.get_secret_value())
    made = Ledger(
        Database.from_settings(own),
        Objects(own),
        FileSeal.read(ensure_test_seal(tmp_path, "Больница")),
        ring,
        checkpoints_folder(tmp_path),
        own,
    )
    made.tamper(
        "truncate journal_entry, record_view, patient_view, journal_seal, journal_seal_copy,"
        " journal_head, journal_pending"
    )
    yield made
    await made.database.close()
    await made.objects.close()


@pytest.fixture
def counted(ledger: Ledger) -> Iterator[Callable[[], int]]:
    """How many statements this process has sent."""
    del ledger
    sent: list[str] = []
    with every_statement(sent.append):
        yield lambda: len(sent)
