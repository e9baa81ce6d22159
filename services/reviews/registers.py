"""A check that has to wait, since the register that it asks does not answer."""

from uuid import UUID

from clients.database import Database
from models.messages import CaseState
from rules.cases.process import Party, Status
from rules.clock import now as present
from rules.journal.entries import JournalKind
from services import outages
from services.cases.transitions import lock, state_of
from services.journal import entries as journal


async def wait(database: Database, case_id: UUID, step: int, register: Party) -> CaseState:
    """Note the outage, let the case wait, and set the next try: within 10 minutes at most."""
    now = present()
    async with database.work() as session:
        case = await lock(session, case_id)
        if case.step != step or case.status != Status.CHECKING:
            return await state_of(session, case)
        again = await outages.begin(session, outages.SYSTEMS[register], now)
        if case.waits_for != register:
            case.waits_for = register.value
            await journal.append(
                session,
                chain=case.id,
                kind=JournalKind.CASE_REGISTER_DOWN,
                at=now,
                system="check",
                step=case.step,
                facts={"number": case.number},
            )
        case.wakes_at = again
        case.rings, case.rung_at = 0, None
        session.add(case)
        return await state_of(session, case)
