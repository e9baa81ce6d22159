"""Records of the personnel register that wait for a person: seen, tried again, closed (I8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.personnel import StaffRecord
from models.tables.people import PersonnelRecord, Unit
from rules.access import Actor, Permission
from rules.journal.entries import JournalKind
from rules.refusals import not_found
from rules.staff.people import StaffActKind, demand_reason
from rules.staff.personnel import RecordTrouble
from services.staff import personnel
from services.staff.acting import StaffActing, begin, keep, note_own

MOST = 200
"""How many records the list shows, those that wait longest first."""
_NEEDS = (Permission.RECONCILE_STAFF,)


@dataclass(frozen=True)
class RecordSeen:
    """A record that could not be carried out, and why."""

    id: UUID
    number: str
    name: str
    position: str
    unit: str
    """Its name; the code that the register has where nobody knows it."""
    left_on: date | None
    trouble: RecordTrouble
    since: datetime
    person_id: UUID | None
    """Whom it is about, where that is known."""


async def waiting(session: AsyncSession, actor: Actor) -> Sequence[RecordSeen]:
    """The records that wait, for whoever sees to them. Raises Refusal 403."""
    actor.demand(Permission.RECONCILE_STAFF)
    found = await session.exec(
        select(PersonnelRecord)
        .where(col(PersonnelRecord.trouble).is_not(None))
        .order_by(col(PersonnelRecord.trouble_since), col(PersonnelRecord.id))
        .limit(MOST)
    )
    units = dict((await session.exec(select(Unit.code, Unit.name))).all())
    return [_seen(row, units) for row in found.all()]


async def number_waiting(session: AsyncSession, actor: Actor) -> int:
    """How many records wait, counted up to `MOST`. Raises Refusal 403."""
    actor.demand(Permission.RECONCILE_STAFF)
    some = select(PersonnelRecord.id).where(col(PersonnelRecord.trouble).is_not(None)).limit(MOST)
    return (await session.exec(select(func.count()).select_from(some.subquery()))).one()


def _seen(row: PersonnelRecord, units: Mapping[str, str]) -> RecordSeen:
    said = StaffRecord.model_validate(row.record)
    return RecordSeen(
        row.id,
        said.number,
        said.name,
        said.position,
        units.get(said.unit, said.unit),
        said.left_on,
        RecordTrouble(row.trouble or ""),
        row.trouble_since or row.heard_at,
        row.person_id,
    )


class PersonnelActs:
    """What HR and administrators do with records that wait."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def retry(self, actor: Actor, act_id: UUID, record_id: UUID) -> bool:
        """Try to carry a record out again. Returns whether it waits no longer.

        Raises Refusal 403, 404.
        """
        async with self._database.work() as session:
            body = {"record": str(record_id)}
            act = await begin(session, actor, act_id, StaffActKind.RETRY_RECORD, body, _NEEDS)
            if act.known is not None:
                return bool(act.known["done"])
            row = await _locked(session, record_id)
            if row.trouble is not None:
                await personnel.settle(session, row, StaffRecord.model_validate(row.record), act.at)
            await keep(session, act, {"done": row.trouble is None})
            return row.trouble is None

    async def close(self, actor: Actor, act_id: UUID, record_id: UUID, reason: str) -> None:
        """Take a record off the list until the register says something new of it.

        Raises Refusal 403, 404, 422 without a reason.
        """
        said = demand_reason(reason)
        body = {"record": str(record_id), "reason": said}
        async with self._database.work() as session:
            act = await begin(session, actor, act_id, StaffActKind.CLOSE_RECORD, body, _NEEDS)
            if act.known is None:
                await self._close(session, act, await _locked(session, record_id), said)

    async def _close(
        self, session: AsyncSession, act: StaffActing, row: PersonnelRecord, said: str
    ) -> None:
        facts = {"record": str(row.id), "version": row.version, "trouble": row.trouble}
        row.trouble = row.trouble_since = None
        session.add(row)
        await note_own(session, act, JournalKind.STAFF_RECORD_CLOSED, facts, {"reason": said})
        await keep(session, act, {})


async def _locked(session: AsyncSession, record_id: UUID) -> PersonnelRecord:
    row = await session.get(
        PersonnelRecord, record_id, with_for_update=True, populate_existing=True
    )
    if row is None:
        raise not_found()
    return row
