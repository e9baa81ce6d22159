"""How the rows of one table are journaled: in whose chain, in whose name, with what always."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from rules.journal.entries import JournalKind
from services.journal import entries as journal
from services.journal.entries import Along

Row = TypeVar("Row")


@dataclass(frozen=True)
class RowJournal(Generic[Row]):
    """The journal of rows that are no cases. `facts` of a row stand in each of its entries.

    `system` is the part of the program that acted where no person did. Without `owns_chain` the
    lock of a row does not keep others from the chain, which is then locked itself. `along` gives
    what is written together with an entry.
    """

    system: str
    chain: Callable[[Row], UUID]
    facts: Callable[[Row], Mapping[str, Any]]
    owns_chain: bool = False
    along: Callable[[Row, JournalKind, datetime, Mapping[str, Any]], Along | None] | None = None

    async def note(
        self,
        session: AsyncSession,
        row: Row,
        kind: JournalKind,
        now: datetime,
        by: UUID | None,
        facts: Mapping[str, Any] | None = None,
        contents: Mapping[str, Any] | None = None,
    ) -> None:
        """Journal what happened to a locked row, by a person or by the program."""
        await journal.append(
            session,
            chain=self.chain(row),
            kind=kind,
            at=now,
            by=by,
            system=None if by else self.system,
            facts={**self.facts(row), **(facts or {})},
            contents=dict(contents) if contents else None,
            lock=not self.owns_chain,
            along=self.along(row, kind, now, facts or {}) if self.along else None,
        )
