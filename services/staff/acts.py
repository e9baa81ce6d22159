"""What is done to people's accounts: each act once by its id, with the rights of that moment.

Acts wait for one another, so that the rights of whoever acts are those after the act before: of two
administrators who act on each other at once, the second is told that the right is gone.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.people import Person, StaffAct
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.refusals import Refusal, act_id_reused, forbidden, not_found
from rules.staff.people import (
    MOST_AT_ONCE,
    LeftAlone,
    StaffActKind,
    nobody_to_invite,
    not_invited,
)
from services import access
from services.journal import entries as journal
from services.staff import invitations
from services.staff.directory import may_manage

_ACTING = 1_245_662_041
COMMAND = "command"
"""The system that journal entries name where nobody signed in: an operator at the command line."""


@dataclass(frozen=True)
class Invitations:
    """Who was invited, and who was left alone and why."""

    invited: Sequence[UUID]
    left_alone: Sequence[tuple[UUID, LeftAlone]]


class StaffActs:
    """What administrators do to the accounts of people; an actor of None is the command line."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def invite(
        self, actor: Actor | None, act_id: UUID, people: Sequence[UUID]
    ) -> Invitations:
        """Invite people who have no account; an earlier invitation of theirs ends.

        Raises Refusal 403, 404 for somebody whom the actor does not manage, 409 or 422 if nobody of
        them could be invited.
        """
        wanted = list(dict.fromkeys(people))
        if not 1 <= len(wanted) <= MOST_AT_ONCE:
            raise nobody_to_invite()
        kind = StaffActKind.INVITE
        body = {"people": sorted(map(str, wanted))}
        async with self._database.work() as session:
            act = await _begin(session, actor, act_id, kind, body)
            if act.known is None:
                await self._invite(session, act, sorted(wanted))
            answer = act.known or act.answer
        return Invitations(
            [UUID(one) for one in answer["invited"]],
            [(UUID(one), LeftAlone(why)) for one, why in answer["left_alone"]],
        )

    async def _invite(self, session: AsyncSession, act: "_Act", wanted: Sequence[UUID]) -> None:
        invited, left_alone = [], []
        for person_id in wanted:
            person = await _managed(session, act, person_id)
            why = await invitations.why_not(session, person, act.at)
            if why is not None:
                left_alone.append((str(person_id), why.value))
                continue
            await invitations.invite(session, person, act.by, act.at)
            await _note(session, act, person_id, JournalKind.PERSON_INVITED)
            invited.append(str(person_id))
        if not invited:
            raise nobody_to_invite(LeftAlone(left_alone[0][1]))
        await _note_own(
            session, act, JournalKind.PERSON_INVITED, {"count": len(invited)}, {"people": invited}
        )
        await _keep(session, act, {"invited": invited, "left_alone": left_alone})

    async def revoke_invitation(self, actor: Actor | None, act_id: UUID, person_id: UUID) -> None:
        """End the open invitation of a person. Raises Refusal 403, 404, 409 if there is none."""
        async with self._database.work() as session:
            kind = StaffActKind.REVOKE_INVITATION
            act = await _begin(session, actor, act_id, kind, {"person": str(person_id)})
            if act.known is not None:
                return
            person = await _managed(session, act, person_id)
            if not await invitations.end(session, person.id, "revoked", act.at):
                raise not_invited()
            await _note(session, act, person_id, JournalKind.PERSON_INVITATION_REVOKED)
            await _note_own(
                session, act, JournalKind.PERSON_INVITATION_REVOKED, {"person": str(person_id)}
            )
            await _keep(session, act, {})


@dataclass
class _Act:
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


async def _begin(
    session: AsyncSession, actor: Actor | None, act_id: UUID, kind: StaffActKind, body: Any
) -> _Act:
    """Wait for the acts before, and read the actor's rights as they are then.

    Raises Refusal 403 without the right, 422 for an id that was used for something else.
    """
    await session.exec(select(func.pg_advisory_xact_lock(_ACTING)))
    now = present()
    by = actor.person_id if actor else None
    said = {"by": str(by), "kind": kind.value, **body}
    body_hash = hashlib.sha256(rfc8785.dumps(said)).hexdigest()
    if actor is not None:
        actor = await _as_of_now(session, actor, now)
    known = await session.get(StaffAct, act_id)
    if known is not None and known.body_hash != body_hash:
        raise act_id_reused()
    return _Act(act_id, actor, now, kind, body_hash, known.answer if known else None, {})


async def _as_of_now(session: AsyncSession, actor: Actor, now: datetime) -> Actor:
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
    if not fresh.may(Permission.MANAGE_PEOPLE):
        raise forbidden()
    return fresh


async def _managed(session: AsyncSession, act: _Act, person_id: UUID) -> Person:
    """The person, locked until the act ends. Raises Refusal 404 unless the actor manages them."""
    found = await session.exec(
        select(Person)
        .where(col(Person.id) == person_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    person = found.one_or_none()
    if person is None or (act.actor is not None and not may_manage(act.actor, person)):
        raise not_found()
    return person


async def _note(
    session: AsyncSession,
    act: _Act,
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


async def _note_own(
    session: AsyncSession,
    act: _Act,
    kind: JournalKind,
    facts: dict[str, Any],
    contents: Any = None,
) -> None:
    """Journal what was done in the chain of whoever did it."""
    if act.by is not None:
        await _note(session, act, act.by, kind, {"by_me": True, **facts}, contents)


async def _keep(session: AsyncSession, act: _Act, answer: dict[str, Any]) -> None:
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
