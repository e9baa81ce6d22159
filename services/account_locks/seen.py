"""Locks as those see them who open them, and as the owner sees the own one by the link."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import AccountLock
from models.tables.meetings import Meeting
from models.tables.people import Person, Unit
from rules.access import Actor, Permission
from rules.account_locks import LockState, unlock_link_over
from rules.meetings import Purpose
from rules.refusals import forbidden
from services import access
from services.account_locks import rows
from services.meetings import seen as meetings
from services.meetings import times
from services.meetings.seen import MeetingSeen
from services.meetings.times import Offered

MOST = 200


@dataclass(frozen=True)
class LockSeen:
    """A lock with the names of those it is about."""

    id: UUID
    person_id: UUID
    name: str
    unit: str
    how: str
    at: datetime
    state: LockState
    since: datetime
    operator_id: UUID | None
    operator: str | None
    approver: str | None
    factors: Sequence[str]
    """What the owner and the operator have gone through and confirmed."""


async def locks(
    session: AsyncSession, actor: Actor, *, still_open: bool = True
) -> Sequence[LockSeen]:
    """The locks of people in whose units the actor agrees, 200 at most. Raises Refusal 403."""
    if not actor.may(Permission.APPROVE_UNLOCK):
        raise forbidden()
    query = (
        select(AccountLock, Person, Unit.name, Meeting.marked)
        .outerjoin(Meeting, col(Meeting.id) == col(AccountLock.meeting_id))
        .join(Person, col(Person.id) == col(AccountLock.person_id))
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .where(col(Person.unit_id).in_(actor.units_with(Permission.APPROVE_UNLOCK)))
        .order_by(col(AccountLock.state), col(AccountLock.since).desc())
        .limit(MOST)
    )
    if still_open:
        query = query.where(col(AccountLock.ended_at).is_(None))
    found = (await session.exec(query)).all()
    names = await _names(session, [lock for lock, *_ in found])
    return [
        LockSeen(
            lock.id,
            lock.person_id,
            person.name,
            unit,
            lock.how,
            lock.at,
            LockState(lock.state),
            lock.since,
            lock.operator_id,
            names.get(lock.operator_id),
            names.get(lock.approver_id),
            marked or (),
        )
        for lock, person, unit, marked in found
    ]


async def _names(session: AsyncSession, of: Sequence[AccountLock]) -> Mapping[UUID | None, str]:
    """The names of operators and approvers."""
    wanted = {one for lock in of for one in (lock.operator_id, lock.approver_id) if one}
    found = await session.exec(select(Person).where(col(Person.id).in_(wanted)))
    return {person.id: person.name for person in found}


@dataclass(frozen=True)
class Unlocking:
    """What the owner sees by the link: how far it is, the meeting, and the free times.

    `zone` is that of the owner's unit, as in the mails about the meeting.
    """

    state: LockState
    zone: str
    meeting: MeetingSeen | None
    offered: Sequence[Offered]


async def choice(session: AsyncSession, secret: str, now: datetime) -> Unlocking:
    """What the link of the mail opens. It names nobody. Raises Refusal 409 if it is over."""
    row = await rows.by_secret(session, secret)
    if row is None:
        raise unlock_link_over()
    of_person = await meetings.of_person(session, row.person_id, Purpose.UNLOCK)
    booked = next((one for one in of_person if one.booked), None)
    free = booked is None and row.state == LockState.MEETING
    offered = await times.offered(session, row.person_id, now) if free else []
    zone = await access.zone_of(session, await rows.unit_of(session, row))
    return Unlocking(LockState(row.state), zone.key, booked, offered)
