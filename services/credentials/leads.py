"""How many days ahead a person wants to be reminded of the end of credentials (Q4)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.credentials import Credential, ReminderLeads
from models.tables.people import Person
from rules.access import Actor
from rules.credentials.reminders import DEFAULT_LEADS, demand_leads, planned
from services import access, turns
from services.credentials import reminder_rows, rows


async def of_person(session: AsyncSession, person_id: UUID) -> Sequence[int]:
    """The days that the person chose, or those of everybody else."""
    chosen = await session.get(ReminderLeads, person_id)
    return DEFAULT_LEADS if chosen is None else chosen.days


async def choose(
    session: AsyncSession, actor: Actor, leads: Collection[int], now: datetime
) -> None:
    """Choose other days; they apply at once to all credentials. Raises Refusal 422."""
    days = list(demand_leads(leads))
    # Locked, so that two windows choose one after the other.
    await turns.of_person(session, actor.person_id)
    await session.exec(
        insert(ReminderLeads)
        .values(person_id=actor.person_id, days=days, changed_at=now)
        .on_conflict_do_update(index_elements=["person_id"], set_={"days": days, "changed_at": now})
    )
    await _plan_anew(session, actor.person_id, days, now)


async def _plan_anew(
    session: AsyncSession, owner_id: UUID, chosen: Sequence[int], now: datetime
) -> None:
    """Plan the reminders of all credentials of a person by other days, chosen just now.

    Those whose moment has passed are not made up for.
    """
    person = await session.get_one(Person, owner_id)
    zone = await access.zone_of(session, person.unit_id)
    found = await session.exec(
        select(Credential)
        .where(Credential.owner_id == owner_id, col(Credential.wakes_at).is_not(None))
        .order_by(col(Credential.id))
        .with_for_update()
    )
    for row in found.all():
        if row.valid_until is None:
            continue
        known = await reminder_rows.of_end(session, row.id, row.valid_until)
        wanted = planned(row.valid_until, chosen, zone, known, since=now, now=now)
        await reminder_rows.keep(session, row.id, row.valid_until, known, wanted, now)
        rows.ask_to_look(row, now)
        session.add(row)
