"""How many days ahead a person wants to be reminded of the end of credentials (Q4)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.credentials import Credential, ReminderLeads
from models.tables.people import Person
from rules.access import Actor, Permission
from rules.credentials.reminders import DEFAULT_LEADS, demand_leads, planned
from rules.credentials.versions import not_standing
from rules.refusals import not_found
from services import access, turns
from services.credentials import reminder_rows, rows


async def of_person(session: AsyncSession, person_id: UUID) -> Sequence[int]:
    """The days that the person chose, or those of everybody else."""
    chosen = await session.get(ReminderLeads, person_id)
    return DEFAULT_LEADS if chosen is None else chosen.days


async def of_credential(session: AsyncSession, row: Credential) -> Sequence[int]:
    """The days of one credential: its own, or else those of its owner."""
    return await of_person(session, row.owner_id) if row.leads is None else row.leads


async def choose(
    session: AsyncSession, actor: Actor, leads: Collection[int], now: datetime
) -> None:
    """Choose other days; they apply at once to all credentials without days of their own.

    Raises Refusal 422.
    """
    days = list(demand_leads(leads))
    # Locked, so that two windows choose one after the other.
    await turns.of_person(session, actor.person_id)
    await session.exec(
        insert(ReminderLeads)
        .values(person_id=actor.person_id, days=days, changed_at=now)
        .on_conflict_do_update(index_elements=["person_id"], set_={"days": days, "changed_at": now})
    )
    await _plan_anew(session, actor.person_id, days, now)


async def choose_for(
    session: AsyncSession,
    actor: Actor,
    credential_id: UUID,
    leads: Collection[int] | None,
    now: datetime,
) -> None:
    """Choose other days for one credential; None: those of all others again.

    Raises Refusal 404, 422, and 409 for one that does not stand or has no end.
    """
    actor.demand(Permission.KEEP_DOCUMENTS)
    days = None if leads is None else list(demand_leads(leads))
    await turns.of_person(session, actor.person_id)
    row = await rows.locked(session, credential_id)
    if row is None or row.owner_id != actor.person_id:
        raise not_found()
    if row.valid_until is None or row.withdrawn_at is not None or row.replaced_by is not None:
        raise not_standing()
    row.leads = days
    session.add(row)
    if row.wakes_at is not None:
        person = await session.get_one(Person, row.owner_id)
        zone = await access.zone_of(session, person.unit_id)
        await _plan(session, row, await of_credential(session, row), zone, now)


async def _plan_anew(
    session: AsyncSession, owner_id: UUID, chosen: Sequence[int], now: datetime
) -> None:
    """Plan the reminders of a person by other days, of all credentials without days of their own.

    Those whose moment has passed are not made up for.
    """
    person = await session.get_one(Person, owner_id)
    zone = await access.zone_of(session, person.unit_id)
    found = await session.exec(
        select(Credential)
        .where(
            Credential.owner_id == owner_id,
            col(Credential.wakes_at).is_not(None),
            col(Credential.leads).is_(None),
        )
        .order_by(col(Credential.id))
        .with_for_update()
    )
    for row in found.all():
        await _plan(session, row, chosen, zone, now)


async def _plan(
    session: AsyncSession, row: Credential, chosen: Sequence[int], zone: ZoneInfo, now: datetime
) -> None:
    """Plan the reminders of a locked credential by days that were chosen just now."""
    if row.valid_until is None:
        return
    known = await reminder_rows.of_end(session, row.id, row.valid_until)
    wanted = planned(row.valid_until, chosen, zone, known, since=now, now=now)
    await reminder_rows.keep(session, row.id, row.valid_until, known, wanted, now)
    rows.ask_to_look(row, now)
    session.add(row)
