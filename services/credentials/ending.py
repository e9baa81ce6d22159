"""What follows from the end of a credential: who is told, and which rights rest on it (Q4, I7).

Nobody loses a right by the clock: that it ends is proposed, and two people decide.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.credentials import Credential
from models.tables.people import Person, RoleGrant
from rules.access import Permission
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from services import access
from services.credentials import categories, rows
from services.notices import outbox
from services.notices.outbox import NoticeEvent

Propose = Callable[[AsyncSession, RoleGrant, str, datetime], Awaitable[None]]
"""Proposes, in the caller's unit of work, that a grant ends, with the reason in Russian."""


async def take_effect(
    session: AsyncSession,
    row: Credential,
    owner: Person,
    last_day: date,
    now: datetime,
    propose: Propose,
) -> None:
    """Tell the owner and the nearest heads, and propose that the rights end which rest on it."""
    facts = {"until": last_day.isoformat()}
    await rows.note(session, row, JournalKind.CREDENTIAL_EXPIRED, now, None, facts)
    facts = {"credential": str(row.id), "valid_until": last_day.isoformat()}
    key = f"{row.id}:{last_day}:expired"
    told = [NoticeEvent(owner.id, NoticeKind.CREDENTIAL_EXPIRED, key, facts=facts)]
    told += [
        NoticeEvent(head, NoticeKind.CREDENTIAL_EXPIRED_STAFF, key, facts=facts)
        for head in await _heads(session, owner, now)
    ]
    await outbox.enqueue_all(session, told, now)
    title = (await categories.newest(session, row.category)).title
    reason = f"Истёк срок действия документа «{title}»: {last_day:%d.%m.%Y}."
    for grant in await _resting_on(session, row, last_day, now):
        await propose(session, grant, reason, now)


async def _heads(session: AsyncSession, owner: Person, now: datetime) -> Sequence[UUID]:
    """The heads of the owner's unit, or of the nearest one above that has one; else personnel."""
    if heads := await access.nearest_heads(session, owner.unit_id, owner.id, now):
        return heads
    people = await access.people_with(session, Permission.VIEW_CREDENTIALS, owner.unit_id, now)
    return [one for one in people if one != owner.id]


async def _resting_on(
    session: AsyncSession, row: Credential, last_day: date, now: datetime
) -> Sequence[RoleGrant]:
    """The owner's grants that need such a credential, where no other one that stands will do."""
    known = await categories.offered(session)
    needed = known[row.category].needed_for if row.category in known else ()
    if not needed:
        return ()
    found = await session.exec(
        select(Credential.category).where(
            Credential.owner_id == row.owner_id,
            Credential.id != row.id,
            col(Credential.withdrawn_at).is_(None),
            col(Credential.replaced_by).is_(None),
            col(Credential.valid_until).is_(None) | (col(Credential.valid_until) > last_day),
        )
    )
    also = {role for key in found.all() if key in known for role in known[key].needed_for}
    roles = sorted(set(needed) - also)
    grants = await session.exec(
        select(RoleGrant)
        .where(
            RoleGrant.person_id == row.owner_id,
            col(RoleGrant.role).in_(roles),
            access.is_valid_now(),
        )
        .order_by(col(RoleGrant.id)),
        params={"now": now},
    )
    return grants.all()
