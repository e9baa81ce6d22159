"""Joining patients who are one person, and parting them again (W2).

Two people join: one proposes, another one makes it. It is a link; no row of either patient changes,
so parting them leaves exactly what each had, with all that was written for either meanwhile.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.encrypted_columns import bound, bound_row
from models.tables.patients import Patient, PatientLink
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.refusals import Refusal, not_found
from rules.staff.people import demand_reason
from services.journal import entries as journal
from services.patients import links


class Joining:
    """What those do who register patients."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def propose(self, actor: Actor, from_id: UUID, to_id: UUID, reason: str) -> UUID:
        """Propose that one patient is another. The same again by the same person changes nothing.

        Raises Refusal 403, 404, 409 where one of them is joined already, 422 without a reason.
        """
        now, said = present(), demand_reason(reason)
        async with self._database.work() as session:
            await _both(session, actor, from_id, to_id)
            await _demand_roots(session, from_id, to_id)
            row = PatientLink(
                id=new_id(),
                from_id=from_id,
                to_id=to_id,
                reason=said,
                proposed_by=actor.person_id,
                proposed_at=now,
            )
            made = await session.exec(
                insert(PatientLink)
                .values(bound_row(row))
                .on_conflict_do_nothing()
                .returning(col(PatientLink.id))
            )
            if made.first() is None:
                open_one = await session.exec(
                    select(PatientLink).where(
                        PatientLink.from_id == from_id, col(PatientLink.ended_at).is_(None)
                    )
                )
                known = open_one.one()
                if (known.to_id, known.proposed_by) != (to_id, actor.person_id):
                    raise proposed_already()
                return known.id
            await _note(session, row, JournalKind.PATIENT_LINK_PROPOSED, actor, now, said)
        return row.id

    async def make(self, actor: Actor, link_id: UUID) -> None:
        """Join, as the second of two people. Raises Refusal 403, 404, 409."""
        now = present()
        async with self._database.work() as session:
            row = await _locked(session, actor, link_id)
            if row.made_by == actor.person_id and row.ended_at is None:
                return
            if row.proposed_by == actor.person_id:
                words = "Объединение предложили вы. Подтверждает его другой сотрудник."
                raise Refusal("oneself", words, 409)
            await _demand_roots(session, row.from_id, row.to_id)
            done = await session.exec(
                update(PatientLink)
                .where(
                    col(PatientLink.id) == link_id,
                    col(PatientLink.made_at).is_(None),
                    col(PatientLink.ended_at).is_(None),
                )
                .values(made_by=actor.person_id, made_at=now)
                .execution_options(synchronize_session=False)
            )
            if not done.rowcount:
                raise changed_meanwhile()
            await _note(session, row, JournalKind.PATIENT_LINKED, actor, now)

    async def end(self, actor: Actor, link_id: UUID, reason: str) -> None:
        """Part what was joined, or refuse what was proposed. The same again changes nothing.

        Raises Refusal 403, 404, 422 without a reason.
        """
        now, said = present(), demand_reason(reason)
        async with self._database.work() as session:
            row = await _locked(session, actor, link_id)
            done = await session.exec(
                update(PatientLink)
                .where(col(PatientLink.id) == link_id, col(PatientLink.ended_at).is_(None))
                .values(ended_by=actor.person_id, ended_at=now, end_reason=bound(said, link_id))
                .execution_options(synchronize_session=False)
            )
            if done.rowcount:
                stood = row.made_at is not None
                kind = JournalKind.PATIENT_PARTED if stood else JournalKind.PATIENT_LINK_REFUSED
                await _note(session, row, kind, actor, now, said)


async def _locked(session: AsyncSession, actor: Actor, link_id: UUID) -> PatientLink:
    """The link as it stands once its patients are locked. Raises Refusal 403, 404."""
    row = await session.get(PatientLink, link_id)
    if row is None:
        raise not_found()
    await _both(session, actor, row.from_id, row.to_id)
    await session.refresh(row)
    return row


async def _both(session: AsyncSession, actor: Actor, *ids: UUID) -> None:
    """Lock both patients, always in the same order. Raises Refusal 403, 404."""
    actor.demand(Permission.REGISTER_PATIENTS)
    found = await session.exec(
        select(Patient.id, Patient.unit_id)
        .where(col(Patient.id).in_(ids))
        .order_by(col(Patient.id))
        .with_for_update(key_share=True)
    )
    units = dict(found.all())
    if len(units) != len(set(ids)) or len(units) < 2:
        raise not_found()
    for unit_id in units.values():
        actor.demand(Permission.REGISTER_PATIENTS, unit_id)


async def _demand_roots(session: AsyncSession, *ids: UUID) -> None:
    """Raise Refusal 409 if one of them, whose rows are locked, is joined to another one already.

    Joining only those that are not keeps links trees, whoever joins whom at the same time.
    """
    found = await session.exec(
        select(PatientLink.id).where(col(PatientLink.from_id).in_(ids), links.stands())
    )
    if found.first() is not None:
        words = "Одна из карт уже объединена с другой. Откройте основную карту."
        raise Refusal("joined_already", words, 409)


async def _note(
    session: AsyncSession,
    row: PatientLink,
    kind: JournalKind,
    actor: Actor,
    now: datetime,
    reason: str = "",
) -> None:
    """Journal it in the chains of both patients, in the order in which they are locked."""
    for chain in sorted((row.from_id, row.to_id)):
        await journal.append(
            session,
            chain=chain,
            kind=kind,
            at=now,
            by=actor.person_id,
            facts={"link": str(row.id), "from": str(row.from_id), "to": str(row.to_id)},
            contents={"reason": reason} if reason else None,
            lock=True,
        )


def proposed_already() -> Refusal:
    """The patient waits to be joined, or is."""
    words = "Для этой карты уже предложено объединение. Сначала решите его."
    return Refusal("proposed_already", words, 409)


def changed_meanwhile() -> Refusal:
    """Somebody ended the proposal meanwhile."""
    words = "Пока вы смотрели, объединение изменилось. Откройте список заново."
    return Refusal("changed_meanwhile", words, 409)
