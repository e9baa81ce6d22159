"""The rows of hand-overs: found, locked, journaled, told of."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.handovers import Handover, HandoverFile
from models.tables.people import Person
from rules.access import Permission
from rules.journal.entries import SYSTEM_CHAIN
from rules.notices.kinds import NoticeKind
from services import access
from services.journal.rows import RowJournal
from services.notices import outbox
from services.notices.outbox import NoticeEvent


async def locked(session: AsyncSession, handover_id: UUID) -> Handover | None:
    """A hand-over, locked until the unit of work ends."""
    return await session.get(Handover, handover_id, with_for_update=True, populate_existing=True)


async def by_reference(session: AsyncSession, authority_id: UUID, reference: str) -> Handover:
    """What an authority asked under this reference."""
    found = await session.exec(
        select(Handover).where(
            Handover.authority_id == authority_id, Handover.reference == reference
        )
    )
    return found.one()


async def drop_files(session: AsyncSession, handover_id: UUID) -> None:
    """Forget which files were to go out: none of them did."""
    await session.flush()
    await session.exec(delete(HandoverFile).where(col(HandoverFile.handover_id) == handover_id))


async def officers(session: AsyncSession, row: Handover, now: datetime) -> Sequence[UUID]:
    """Who may decide: those with the right in the unit of the person, but not the person."""
    if row.person_id is None:
        return []
    person = await session.get_one(Person, row.person_id)
    able = await access.people_with(session, Permission.RELEASE_CREDENTIALS, person.unit_id, now)
    return [one for one in able if one != row.person_id]


async def tell_officers(
    session: AsyncSession, row: Handover, kind: NoticeKind, now: datetime
) -> None:
    """Tell those who may decide; where there is nobody, those who can see to it that there is."""
    key = f"{row.id}:{kind}:{row.reminded}"
    people = await officers(session, row, now)
    if not people:
        kind = NoticeKind.HANDOVER_NOBODY
        held = access.holding(Permission.MANAGE_PEOPLE, of_unit=False)
        found = await session.exec(select(held.c.person_id).distinct(), params={"now": now})
        people = [one for one in found.all() if one != row.person_id]
    await outbox.enqueue_all(session, [_event(one, row, kind, key) for one in people], now)


async def tell_person(
    session: AsyncSession, row: Handover, kind: NoticeKind, now: datetime
) -> None:
    """Tell the person whose documents they are."""
    if row.person_id is not None:
        event = _event(row.person_id, row, kind, f"{row.id}:{kind}")
        await outbox.enqueue_all(session, [event], now)


def _event(person_id: UUID, row: Handover, kind: NoticeKind, key: str) -> NoticeEvent:
    return NoticeEvent(person_id, kind, key, contents={"handover": str(row.id)})


note = RowJournal[Handover](
    system="handovers",
    chain=lambda row: row.person_id or SYSTEM_CHAIN,
    facts=lambda row: {"handover": str(row.id), "authority": str(row.authority_id)},
).note
"""Journals what happened, in the chain of the person, or of the system if nobody is known."""
