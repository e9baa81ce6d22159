"""What the clock does to a hand-over: officers are reminded, packages made and removed."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col

from clients.database import Database
from clients.objects import Objects
from models.messages import WorkflowName
from models.tables.handovers import Authority, Handover
from rules.clock import now as present
from rules.credentials.handovers import OPEN_STATES, WEEKLY, HandoverState, next_look
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from services.handovers import packing, rows
from services.handovers.packing import UnpackableError
from services.own_workflows import OwnWorkflow
from services.seal import Seal

ENDED = "Ведомство больше не подключено."

OWN = OwnWorkflow(
    name=WorkflowName.HANDOVER,
    table=Handover,
    due="looks_at",
    lives=lambda: col(Handover.looks_at).is_not(None),
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
    if await _give_up_if_ended(database, handover_id):
        return None
    if row.state == HandoverState.PACKING:
        try:
            await packing.pack(database, objects, seal, institution, handover_id)
        except UnpackableError as error:
            await _break(database, row, str(error))
    now = present()
    async with database.work() as session:
        row = await rows.locked(session, handover_id)
        if row is None or row.looks_at is None:
            return None
        if row.looks_at > now:
            return row.looks_at
        state = HandoverState(row.state)
        if state in OPEN_STATES:
            row.reminded += 1
            row.looks_at = max(next_look(row.asked_at, row.reminded), now + timedelta(hours=1))
            session.add(row)
            await session.flush()
            await rows.tell_officers(session, row, NoticeKind.HANDOVER_WAITS, now)
            return row.looks_at
        if state is HandoverState.PACKING:
            # Released anew, or the authority ended, while this look was at work.
            return now
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


async def _give_up_if_ended(database: Database, handover_id: UUID) -> bool:
    """Refuse what waits for an authority that has ended: nobody could fetch it."""
    now = present()
    async with database.work() as session:
        row = await rows.locked(session, handover_id)
        if row is None or row.state not in {*OPEN_STATES, HandoverState.PACKING}:
            return False
        if (await session.get_one(Authority, row.authority_id)).ended_at is None:
            return False
        row.state, row.reason, row.looks_at = HandoverState.REFUSED.value, ENDED, None
        row.decided_at, row.decided_by = now, None
        session.add(row)
        await rows.drop_files(session, row.id)
        said = {"reason": ENDED}
        await rows.note(session, row, JournalKind.HANDOVER_REFUSED, now, None, None, said)
    return True


async def _break(database: Database, released: Handover, why: str) -> None:
    """Let an officer decide anew: of what was released no package can be made."""
    now = present()
    async with database.work() as session:
        row = await rows.locked(session, released.id)
        if row is None or (row.state, row.decided_at) != (released.state, released.decided_at):
            return
        row.state, row.reminded = HandoverState.BROKEN.value, row.reminded + 1
        row.looks_at = now + WEEKLY
        session.add(row)
        await rows.drop_files(session, row.id)
        await rows.note(session, row, JournalKind.HANDOVER_BROKEN, now, None, {"why": why})
        await rows.tell_officers(session, row, NoticeKind.HANDOVER_BROKEN, now)
