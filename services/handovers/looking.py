"""What the clock does to a hand-over: officers are reminded, packages made and removed."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col

from clients.database import Database
from clients.objects import Objects
from models.messages import WorkflowName
from models.tables.handovers import Handover
from rules.clock import now as present
from rules.credentials.handovers import HandoverState, next_look
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from services.handovers import packing, rows
from services.own_workflows import OwnWorkflow
from services.seal import Seal

OWN = OwnWorkflow(
    name=WorkflowName.HANDOVER,
    table=Handover,
    due="looks_at",
    lives=lambda: col(Handover.looks_at).is_not(None),
    held=timedelta(minutes=10),
)
"""What the sweeper has to know of hand-overs."""


async def look(
    database: Database, objects: Objects, seal: Seal, institution: str, handover_id: UUID
) -> datetime | None:
    """Do what is due. Returns when to look again; None when it is over.

    Raises ObjectsDownError while the object store is down.
    """
    async with database.reading() as session:
        row = await session.get(Handover, handover_id)
    if row is None:
        return None
    if row.state == HandoverState.PACKING:
        await packing.pack(database, objects, seal, institution, handover_id)
    now = present()
    async with database.work() as session:
        row = await rows.locked(session, handover_id)
        if row is None or row.looks_at is None:
            return None
        if row.looks_at > now:
            return row.looks_at
        state = HandoverState(row.state)
        if state is HandoverState.ASKED:
            row.reminded += 1
            row.looks_at = max(next_look(row.asked_at, row.reminded), now + timedelta(hours=1))
            session.add(row)
            await session.flush()
            await rows.tell_officers(session, row, NoticeKind.HANDOVER_WAITS, now)
            return row.looks_at
        key = row.package_key
        if state is HandoverState.READY:
            row.state = HandoverState.OVER.value
            kind, facts = JournalKind.HANDOVER_OVER, {"fetched": row.fetched_at is not None}
            await rows.note(session, row, kind, now, None, facts)
            if row.fetched_at is None:
                await rows.tell_officers(session, row, NoticeKind.HANDOVER_NOT_FETCHED, now)
        row.looks_at = row.package_key = None
        session.add(row)
    if key is not None:
        await objects.remove(key)
    return None
