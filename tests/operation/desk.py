"""The ops desk over an office, as tests use it."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlmodel import select

from models.tables.journal import JournalEntry
from rules.access import Actor
from rules.journal.entries import JournalKind
from rules.operation.states import Remedy, Trouble
from services.operation import desk as operation
from services.operation.lines import AttentionLine
from services.operation.remedies import Done, OperationActs, RemedyOrder
from services.operation.temporal_health import Standings
from tests.shared.office import Heard, Office

GRACE = 60.0
WHY = "Причина устранена."


@dataclass
class Desk:
    """The desk of one ops person over an office."""

    office: Office
    heard: Heard
    standings: Standings
    acts: OperationActs
    ops: Actor

    async def lines(self, trouble: Trouble, actor: Actor | None = None) -> dict[str, AttentionLine]:
        """The lines of one kind, by what they are about."""
        shown = await operation.desk(self.office.database, self.standings, actor or self.ops, GRACE)
        return {
            line.subject: line
            for section in shown.sections
            if section.trouble is trouble
            for line in section.lines
        }

    async def do(self, remedy: Remedy, subject: object, act_id: UUID | None = None) -> Done:
        """Do a remedy with a good reason."""
        wanted = RemedyOrder(remedy, str(subject), WHY)
        return await self.acts.act(self.ops, act_id or uuid4(), wanted)

    async def journaled(self, chain: UUID, kind: JournalKind) -> list[JournalEntry]:
        """The entries of this kind by this person."""
        async with self.office.database.work() as session:
            found = await session.exec(
                select(JournalEntry).where(
                    JournalEntry.chain == chain,
                    JournalEntry.kind == kind.value,
                    JournalEntry.by_person == self.ops.person_id,
                )
            )
            return list(found.all())
