"""Grants that a change of rights makes or ends. A row is never deleted: it ends.

Callers hold the lock of the case and the turn of acts on people's accounts.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.people import Person, RoleChange, RoleGrant
from rules.access import demand_end, right_named
from rules.cases.access_changes import URGENT
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal
from rules.staff.people import has_left
from services import access
from services.cases import assignment
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.results import looking as results
from services.staff.acting import demand_manager_without
from services.staff.provenance import is_open


async def give(session: AsyncSession, change: RoleChange, now: datetime, *, by: UUID) -> RoleGrant:
    """Make the grant that was asked for, approved by the last of three people.

    Raises Refusal 409 if its time is over or the person has left, 422 for an auditor's without end.
    """
    await _demand_working(session, change.subject_id, now)
    begins = max(change.valid_from or now, now)
    if change.valid_until is not None and change.valid_until <= begins:
        words = "Срок, на который просили права, уже прошёл. Отклоните заявку."
        raise Refusal("time_is_over", words, 409)
    demand_end(right_named(change.role), begins, change.valid_until)
    await end_urgent(session, change, now, by=None, why="approved")
    return await _add(session, change, begins, change.valid_until, now, by=by, urgent=False)


async def give_urgently(session: AsyncSession, change: RoleChange, now: datetime) -> RoleGrant:
    """Make the grant at once, for a day at most: others judge afterwards."""
    await _demand_working(session, change.subject_id, now)
    until = min(now + URGENT, change.valid_until or now + URGENT)
    return await _add(session, change, now, until, now, by=change.asked_by, urgent=True)


async def take(session: AsyncSession, change: RoleChange, now: datetime, *, by: UUID) -> None:
    """End the grant that is to be taken. Raises Refusal 409 for the last who manages people."""
    grant = await session.get(
        RoleGrant, change.takes_grant_id, with_for_update=True, populate_existing=True
    )
    if grant is None or not is_open(grant, now):
        return
    await end(session, grant, now, by=by, why="changed", case_id=change.case_id)


async def end_urgent(
    session: AsyncSession, change: RoleChange, now: datetime, *, by: UUID | None, why: str
) -> None:
    """End what was given urgently: somebody said no, or the grant that was asked for follows."""
    found = await session.exec(
        select(RoleGrant)
        .where(RoleGrant.case_id == change.case_id, col(RoleGrant.urgent))
        .with_for_update()
    )
    for grant in found.all():
        if is_open(grant, now):
            await end(session, grant, now, by=by, why=why, case_id=None)


async def end(
    session: AsyncSession,
    grant: RoleGrant,
    now: datetime,
    *,
    by: UUID | None,
    why: str,
    case_id: UUID | None = None,
    reason: str = "",
) -> None:
    """End a locked grant now; one that would have begun later never begins. The person is told.

    Raises Refusal 409 if nobody else could manage the people of some unit.
    """
    if why != "approved":
        await demand_manager_without(session, grant, now)
    grant.valid_until = max(now, grant.valid_from)
    grant.ended_by, grant.ended_case_id = by, case_id
    session.add(grant)
    await session.flush()
    await results.person_changed(session, grant.person_id, now)
    await journal.append(
        session,
        chain=grant.person_id,
        kind=JournalKind.ROLE_ENDED,
        at=now,
        by=by,
        system=None if by else "workflow",
        facts={
            "role": grant.role,
            "unit": str(grant.unit_id),
            "until": grant.valid_until.isoformat(),
            "why": why,
            "case": str(case_id) if case_id else None,
        },
        contents={"reason": reason} if reason else None,
        lock=True,
    )
    if why != "approved":
        await _tell(session, grant, f"ended:{grant.id}", now)
        await assignment.reconcile(session, now)


async def _add(
    session: AsyncSession,
    change: RoleChange,
    begins: datetime,
    until: datetime | None,
    now: datetime,
    *,
    by: UUID,
    urgent: bool,
) -> RoleGrant:
    grant = RoleGrant(
        person_id=change.subject_id,
        role=change.role,
        unit_id=change.unit_id,
        valid_from=begins,
        valid_until=until,
        case_id=change.case_id,
        asked_by=change.asked_by,
        confirmed_by=None if urgent else change.confirmed_by,
        approved_by=None if urgent else by,
        urgent=urgent,
    )
    session.add(grant)
    await session.flush()
    await journal.append(
        session,
        chain=change.subject_id,
        kind=JournalKind.ROLE_GRANTED,
        at=now,
        by=by,
        facts={
            "role": change.role,
            "unit": str(change.unit_id),
            "case": str(change.case_id),
            "asked_by": str(change.asked_by),
            "confirmed_by": str(grant.confirmed_by) if grant.confirmed_by else None,
            "from": begins.isoformat(),
            "until": until.isoformat() if until else None,
            "urgent": urgent,
        },
        lock=True,
    )
    await _tell(session, grant, f"given:{grant.id}", now)
    await assignment.reconcile(session, now)
    return grant


async def _tell(session: AsyncSession, grant: RoleGrant, event: str, now: datetime) -> None:
    """Tell the person that their rights have changed: in which way, the profile says."""
    told = NoticeEvent(grant.person_id, NoticeKind.RIGHTS_CHANGED, event)
    await outbox.enqueue_all(session, [told], now)


async def _demand_working(session: AsyncSession, person_id: UUID, now: datetime) -> None:
    person = await session.get_one(
        Person, person_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if not access.works(person, now):
        raise has_left()
