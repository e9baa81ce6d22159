"""The life of a credential by the clock: its reminders and its end (Q4).

PostgreSQL says what was told; the workflow only says when to look. Each reminder of each end is one
row, and so is having told that the end has come: looking again tells nobody twice.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CredentialLook, WorkflowName
from models.tables.credentials import Credential
from models.tables.people import Person, Unit
from rules.clock import now as present
from rules.credentials.reminders import (
    Reminder,
    due,
    known_since,
    next_moment,
    over_at,
    planned,
)
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from services import access
from services.credentials import ending, leads, reminder_rows, rows
from services.credentials.acts import stands
from services.credentials.ending import Propose
from services.credentials.seen import standing_of
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.own_workflows import OwnWorkflow

OWN = OwnWorkflow(
    name=WorkflowName.CREDENTIAL,
    table=Credential,
    due="wakes_at",
    lives=lambda: col(Credential.wakes_at).is_not(None),
)
"""What the sweeper has to know: a credential without `wakes_at` needs no workflow."""


@dataclass(frozen=True)
class Tended:
    """A credential under lock, its owner, and the unit whose days count."""

    row: Credential
    owner: Person
    unit: Unit

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the owner's unit."""
        return ZoneInfo(self.unit.time_zone)


async def look(database: Database, credential_id: UUID, propose: Propose) -> CredentialLook:
    """Do what is due: remind the owner, or tell of the end. Returns when to look again."""
    now = present()
    async with database.work() as session:
        row = await rows.locked(session, credential_id)
        if row is None:
            return CredentialLook(status="gone")
        owner = await session.get_one(Person, row.owner_id)
        held = Tended(row, owner, await session.get_one(Unit, owner.unit_id))
        last_day = row.valid_until if stands(row) and access.works(owner, now) else None
        row.wakes_at = await _tend(session, held, last_day, now, propose)
        session.add(row)
        return CredentialLook(
            looks_at=row.wakes_at,
            status=standing_of(row).status(now.astimezone(held.zone).date()).value,
            category=row.category,
            unit=held.unit.code,
            ends_at=over_at(row.valid_until, held.zone) if row.valid_until else None,
        )


async def _tend(
    session: AsyncSession, held: Tended, last_day: date | None, now: datetime, propose: Propose
) -> datetime | None:
    """Bring the reminders up to date and tell what is due. Returns when the next is due.

    `last_day` is None if there is no end, or nothing to remind of any more.
    """
    row, zone = held.row, held.zone
    await reminder_rows.drop_others(session, row.id, last_day)
    if last_day is None:
        return None
    version = await rows.current(session, row)
    since = known_since(version.made_at, by_owner=version.made_by is not None)
    chosen = await leads.of_credential(session, row)
    known = await reminder_rows.of_end(session, row.id, last_day)
    result = due(planned(last_day, chosen, zone, known, since=since, now=now), last_day, zone, now)
    await reminder_rows.keep(session, row.id, last_day, known, result.all, now)
    if result.send is not None:
        await _remind(session, held, last_day, result.send, now)
    over = over_at(last_day, zone)
    if over <= now and await reminder_rows.end_is_news(
        session, row.id, last_day, over, now, news=over > since
    ):
        await ending.take_effect(session, row, held.owner, last_day, now, propose)
    return next_moment(result.all, last_day, zone, now)


async def _remind(
    session: AsyncSession, held: Tended, last_day: date, reminder: Reminder, now: datetime
) -> None:
    row = held.row
    facts = {"credential": str(row.id), "valid_until": last_day.isoformat()}
    key = f"{row.id}:{last_day}:{reminder.days}"
    told = NoticeEvent(row.owner_id, NoticeKind.CREDENTIAL_ENDS, key, facts=facts)
    await outbox.enqueue_all(session, [told], now)
    about = {"days": reminder.days, "until": last_day.isoformat()}
    await rows.note(session, row, JournalKind.CREDENTIAL_REMINDED, now, None, about)
