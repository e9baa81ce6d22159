"""What every act on people's accounts shares: it is done once, by the rights of that moment.

Acts wait for one another, so that the rights of whoever acts are those after the act before: of two
administrators who act on each other at once, the second is told that the right is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.people import Person, RoleGrant, StaffAct
from rules.access import Actor, Permission, permissions_of, right_named
from rules.clock import now as present
from rules.ids import hash_of
from rules.journal.entries import JournalKind
from rules.refusals import Refusal, act_id_reused, forbidden, not_found
from rules.staff.people import StaffActKind, last_manager, oneself
from services import access
from services.journal import entries as journal

_ACTING = 1_245_662_041
COMMAND = "command"
"""The system that journal entries name where nobody signed in: an operator at the command line."""


@dataclass
class StaffActing:
    """An act under way; `known` is the answer that it got before, if it was done."""

    id: UUID
    actor: Actor | None
    at: datetime
    kind: StaffActKind
    body_hash: str
    known: dict[str, Any] | None
    answer: dict[str, Any]

    @property
    def by(self) -> UUID | None:
        """The person who acts."""
        return self.actor.person_id if self.actor else None


async def begin(
    session: AsyncSession,
    actor: Actor | None,
    act_id: UUID,
    kind: StaffActKind,
    body: Any,
    needs: Sequence[Permission] = (Permission.MANAGE_PEOPLE,),
) -> StaffActing:
    """Wait for the acts before, and read the actor's rights as they are then.

    `needs`: the permissions of which the actor has to hold one. Raises Refusal 403 without, 422
    for an id that was used for something else.
    """
    await take_turn(session)
    now = present()
    by = actor.person_id if actor else None
    said = {"by": str(by), "kind": kind.value, **body}
    body_hash = hash_of(said)
    if actor is not None:
        actor = await _as_of_now(session, actor, now, needs)
    known = await session.get(StaffAct, act_id)
    if known is not None and known.body_hash != body_hash:
        raise act_id_reused()
    return StaffActing(act_id, actor, now, kind, body_hash, known.answer if known else None, {})


async def _as_of_now(
    session: AsyncSession, actor: Actor, now: datetime, needs: Sequence[Permission]
) -> Actor:
    """The actor with the rights of this moment. Raises Refusal 403 if they are gone."""
    allowed = await session.exec(
        select(Person.id).where(Person.id == actor.person_id, access.can_sign_in()),
        params={"now": now},
    )
    if allowed.one_or_none() is None:
        raise forbidden()
    try:
        fresh = replace(await access.actor_for(session, actor.person_id, now), scope=actor.scope)
    except Refusal:
        raise forbidden() from None
    if not any(fresh.may(permission) for permission in needs):
        raise forbidden()
    return fresh


async def managed(session: AsyncSession, act: StaffActing, person_id: UUID) -> Person:
    """The person, locked until the act ends.

    Raises Refusal 404 unless the actor manages people of the unit, 409 for the actor themselves.
    """
    found = await session.exec(
        select(Person)
        .where(col(Person.id) == person_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    person = found.one_or_none()
    if person is None or (
        act.actor is not None and not act.actor.may(Permission.MANAGE_PEOPLE, person.unit_id)
    ):
        raise not_found()
    if person.id == act.by:
        raise oneself()
    return person


async def take_turn(session: AsyncSession) -> None:
    """Wait until no other act on people's accounts is under way."""
    await session.exec(select(func.pg_advisory_xact_lock(_ACTING)))


async def demand_successor(
    session: AsyncSession, person_id: UUID, now: datetime, keeps: frozenset[UUID] = frozenset()
) -> None:
    """Raise Refusal 409 if without this person nobody could manage the people of some unit.

    Whoever follows has an account, is not locked or about to leave, and has the right without an
    end. The person keeps the right in `keeps`. The caller has waited for its turn.
    """
    try:
        person = await access.actor_for(session, person_id, now)
    except Refusal:
        return
    units = person.units_with(Permission.MANAGE_PEOPLE) - keeps
    if not units:
        return
    others = access.holding_for_good(Permission.MANAGE_PEOPLE)
    found = await session.exec(
        select(others.c.unit_id).distinct().where(others.c.person_id != person_id),
        params={"now": now},
    )
    if units - set(found.all()):
        raise last_manager()


def manages_people(grant: RoleGrant) -> bool:
    """Whether the grant lets its holder manage people."""
    return Permission.MANAGE_PEOPLE in permissions_of(right_named(grant.role))


async def demand_manager_without(session: AsyncSession, grant: RoleGrant, now: datetime) -> None:
    """Raise Refusal 409 if nobody could manage people somewhere once this grant has ended.

    The caller has waited for its turn.
    """
    if not manages_people(grant):
        return
    held = await session.exec(
        select(RoleGrant).where(
            RoleGrant.person_id == grant.person_id,
            RoleGrant.id != grant.id,
            col(RoleGrant.valid_from) <= now,
            col(RoleGrant.valid_until).is_(None),
        )
    )
    keeps = [
        await access.units_below(session, one.unit_id) for one in held.all() if manages_people(one)
    ]
    await demand_successor(session, grant.person_id, now, frozenset().union(*keeps))


async def note(
    session: AsyncSession,
    act: StaffActing,
    person_id: UUID,
    kind: JournalKind,
    facts: dict[str, Any] | None = None,
    contents: Any = None,
) -> None:
    """Journal what was done to a person, in the person's chain."""
    await journal.append(
        session,
        chain=person_id,
        kind=kind,
        at=act.at,
        by=act.by,
        system=None if act.by else COMMAND,
        facts={"act": str(act.id), **(facts or {})},
        contents=contents,
        lock=True,
    )


async def note_own(
    session: AsyncSession,
    act: StaffActing,
    kind: JournalKind,
    facts: dict[str, Any],
    contents: Any = None,
) -> None:
    """Journal what was done in the chain of whoever did it."""
    if act.by is not None:
        await note(session, act, act.by, kind, {"by_me": True, **facts}, contents)


async def keep(session: AsyncSession, act: StaffActing, answer: dict[str, Any]) -> None:
    """Keep the act by its id, with the answer that it gets when it is sent again."""
    act.answer = answer
    session.add(
        StaffAct(
            id=act.id,
            by=act.by,
            at=act.at,
            kind=act.kind.value,
            body_hash=act.body_hash,
            answer=answer,
        )
    )
    await session.flush()
