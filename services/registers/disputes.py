"""What people say against a register, and what the personnel department answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.people import Person, Unit
from models.tables.registers import RegisterDispute
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.credentials.categories import CategoryDefinition
from rules.credentials.versions import own_original
from rules.journal.entries import JournalKind
from rules.journal.tags import ViewCode
from rules.notices.kinds import NoticeKind
from rules.refusals import act_id_reused, forbidden, not_found
from rules.registers.comparison import (
    FieldDifference,
    answered_already,
    disputed_already,
)
from rules.registers.kinds import RegisterName
from rules.staff.people import demand_reason
from services import access
from services.credentials import categories
from services.journal import entries as journal
from services.notices import outbox
from services.registers.differences import known_by_key, lock_said

MOST = 200
"""How many disputes one list shows, the oldest first."""


@dataclass(frozen=True)
class DisputeSeen:
    """A dispute: what both said then, the person's words, and the answer."""

    id: UUID
    person_id: UUID
    name: str
    unit: str
    subject: str
    register: RegisterName
    category: CategoryDefinition
    fields: Sequence[FieldDifference]
    words: str
    at: datetime
    answer: str | None
    answered_at: datetime | None


class Disputes:
    """The acts on disputes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def dispute(self, actor: Actor, act: UUID, key: str, words: str) -> None:
        """Say that a register is wrong, and why. The same act again changes nothing.

        Raises Refusal 409 if what the person saw has changed, or is disputed already; 422.
        """
        actor.demand(Permission.KEEP_DOCUMENTS)
        now, said = present(), demand_reason(words)
        async with self._database.work() as session:
            await lock_said(session, actor.person_id)
            if (known := await session.get(RegisterDispute, act)) is not None:
                if (known.person_id, known.words) != (actor.person_id, said):
                    raise act_id_reused()
                return
            today = await access.day_in(session, actor.unit_id, now)
            seen = await known_by_key(session, actor.person_id, key, today)
            session.add(
                RegisterDispute(
                    id=act,
                    person_id=actor.person_id,
                    credential_id=seen.credential_id,
                    source=seen.register.value,
                    category=seen.category.key,
                    subject=seen.subject,
                    fields=[_stored(one) for one in seen.fields],
                    words=said,
                    at=now,
                )
            )
            try:
                await session.flush()
            except IntegrityError as error:
                if "register_dispute_once" not in str(error.orig):
                    raise
                raise disputed_already() from None
            facts = {"dispute": str(act), "register": seen.register.value}
            await _note(session, actor.person_id, JournalKind.REGISTER_DISPUTED, actor, now, facts)
            permission = Permission.CONFIRM_CREDENTIALS
            for person in await access.people_with(session, permission, actor.unit_id, now):
                if person != actor.person_id:
                    await outbox.enqueue(
                        session,
                        person_id=person,
                        kind=NoticeKind.REGISTER_DISPUTED,
                        event_key=f"{act}:disputed",
                        now=now,
                    )

    async def answer(self, actor: Actor, dispute_id: UUID, words: str) -> None:
        """Answer a dispute of somebody in one's units. Raises Refusal 404, 409, 422."""
        now, said = present(), demand_reason(words)
        async with self._database.work() as session:
            row = await session.get(RegisterDispute, dispute_id, with_for_update=True)
            if row is None:
                raise not_found()
            person = await session.get_one(Person, row.person_id)
            if row.person_id == actor.person_id and actor.may(Permission.CONFIRM_CREDENTIALS):
                raise own_original()
            if not actor.may(Permission.CONFIRM_CREDENTIALS, person.unit_id):
                raise not_found()
            if row.answered_at is not None:
                if (row.answered_by, row.answer) == (actor.person_id, said):
                    return
                raise answered_already()
            row.answer, row.answered_at, row.answered_by = said, now, actor.person_id
            session.add(row)
            await session.flush()
            facts = {"dispute": str(row.id), "register": row.source}
            kind = JournalKind.REGISTER_DISPUTE_ANSWERED
            await _note(session, row.person_id, kind, actor, now, facts)
            await outbox.enqueue(
                session,
                person_id=row.person_id,
                kind=NoticeKind.REGISTER_ANSWERED,
                event_key=f"{row.id}:answered",
                now=now,
            )


async def own(session: AsyncSession, person_id: UUID) -> Mapping[str, DisputeSeen]:
    """The newest dispute of each thing, by its subject."""
    found = await session.exec(
        select(RegisterDispute)
        .where(RegisterDispute.person_id == person_id)
        .order_by(col(RegisterDispute.at))
    )
    return {row.subject: await _seen(session, row, "", "") for row in found.all()}


async def waiting(session: AsyncSession, actor: Actor) -> Sequence[DisputeSeen]:
    """The disputes that wait for an answer in the actor's units; that they looked is recorded.

    Raises Refusal 403.
    """
    units = actor.units_with(Permission.CONFIRM_CREDENTIALS)
    if not units:
        raise forbidden()
    found = await session.exec(
        select(RegisterDispute, Person, Unit.name)
        .join(Person, col(Person.id) == col(RegisterDispute.person_id))
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .where(
            col(RegisterDispute.answered_at).is_(None),
            col(Person.unit_id).in_(units),
            col(Person.id) != actor.person_id,
        )
        .order_by(col(RegisterDispute.at))
        .limit(MOST)
    )
    seen = [await _seen(session, row, person.name, unit) for row, person, unit in found.all()]
    for one in {one.person_id for one in seen}:
        await journal.record_view(session, actor, one, ViewCode.CREDENTIALS)
    return seen


async def _seen(session: AsyncSession, row: RegisterDispute, name: str, unit: str) -> DisputeSeen:
    return DisputeSeen(
        id=row.id,
        person_id=row.person_id,
        name=name,
        unit=unit,
        subject=row.subject,
        register=RegisterName(row.source),
        category=await categories.newest(session, row.category),
        fields=[FieldDifference(one["name"], one["ours"], one["theirs"]) for one in row.fields],
        words=row.words,
        at=row.at,
        answer=row.answer,
        answered_at=row.answered_at,
    )


def _stored(one: FieldDifference) -> dict[str, Any]:
    return {"name": one.name, "ours": one.ours, "theirs": one.theirs}


async def _note(
    session: AsyncSession,
    chain: UUID,
    kind: JournalKind,
    actor: Actor,
    now: datetime,
    facts: Mapping[str, Any],
) -> None:
    await journal.append(
        session, chain=chain, kind=kind, at=now, by=actor.person_id, facts=facts, lock=True
    )
