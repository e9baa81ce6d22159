"""Loading the files that ship: what administrators have changed in the pages stays as it is."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.catalogue import CatalogueChange
from services.catalogue.loading import Loaded, Own, load
from services.catalogue_admin.entries import KINDS
from services.catalogue_admin.kinds import Entry


async def load_shipped(session: AsyncSession, files: Sequence[Path], zone: str) -> Loaded:
    """Make the catalogue match the files that ship, except for what administrators have changed.

    Raises CatalogueError, and then changes nothing.
    """
    return await load(session, files, zone=zone, own=await _own(session))


async def _own(session: AsyncSession) -> Own:
    """The entries that stand as an administrator saved them, by section and key."""
    subject, key = col(CatalogueChange.subject), col(CatalogueChange.key)
    latest = await session.exec(
        select(CatalogueChange)
        .ext(distinct_on(subject, key))
        .order_by(subject, key, col(CatalogueChange.at).desc())
    )
    changes = {(change.subject, change.key): change for change in latest.all()}
    return {
        kind.section: {
            entry.key: entry.kept
            for entry in await kind.listed(session)
            if _stands(changes.get((kind.subject, entry.key)), entry)
        }
        for kind in KINDS.values()
        if kind.section
    }


def _stands(change: CatalogueChange | None, entry: Entry) -> bool:
    """Whether an entry is what this change made of it, and no file was loaded over it since."""
    if change is None or change.after.get("offered", True) != entry.offered:
        return False
    return change.version == entry.version if entry.version else change.after == entry.kept
