"""Journals that a server which ran and did no work was replaced, so that ops see it."""

import asyncio

from clients.database import Database
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from services.journal import entries as journal
from settings import Settings


def journal_replacing(settings: Settings, server: str) -> None:
    """Journal that the server was replaced; the ops desk shows it. Raises SQLAlchemyError."""
    asyncio.run(_journal(settings, server))


async def _journal(settings: Settings, server: str) -> None:
    database = Database.from_settings(settings)
    try:
        async with database.work() as session:
            await journal.append(
                session,
                chain=SYSTEM_CHAIN,
                kind=JournalKind.INSTALLATION_SERVER_REPLACED,
                system="medcab up",
                facts={"server": server},
            )
    finally:
        await database.close()
