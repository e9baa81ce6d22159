"""The journal in two figures: when the last checkpoint was made, and what checkpoints refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.journal import JournalCheckpoint, journal_pending
from rules.access import Actor, Permission
from rules.refusals import forbidden


@dataclass(frozen=True)
class Integrity:
    """When the last checkpoint was made (None: never), and how many rows it refused."""

    sealed_at: datetime | None
    refused: int


async def known(session: AsyncSession, actor: Actor) -> Integrity:
    """The figures. Raises `forbidden` unless the person reads the journal."""
    if not actor.may(Permission.READ_JOURNAL):
        raise forbidden()
    sealed = (await session.exec(select(func.max(col(JournalCheckpoint.at))))).one()
    return Integrity(sealed, (await session.exec(refused())).one())


def refused() -> Any:
    """How many rows the last checkpoint refused because the application did not write them."""
    return (
        select(func.count())
        .select_from(journal_pending)
        .where(journal_pending.c.refused.is_not(None))
    )
