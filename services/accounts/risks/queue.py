"""The queue of risk events, for information security."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.accounts import Account, RiskEvent
from models.tables.people import Person, Unit
from rules.access import Actor, Permission
from rules.journal.entries import JournalKind
from rules.refusals import Refusal, forbidden, not_found
from rules.risks import RiskKind, RiskOutcome
from services.journal import entries as journal

MOST = 200


@dataclass(frozen=True)
class RiskSeen:
    """An event with the person it is about."""

    event: RiskEvent
    name: str
    unit: str
    locked: bool


async def events(
    session: AsyncSession,
    actor: Actor,
    now: datetime,
    *,
    kind: RiskKind | None = None,
    still_open: bool = True,
    days: int = 90,
    person_id: UUID | None = None,
) -> Sequence[RiskSeen]:
    """The newest events of people in whose units the actor watches, 200 at most.

    Raises Refusal 403 if there is no such unit.
    """
    if not actor.may(Permission.WATCH_RISKS):
        raise forbidden()
    query = (
        select(RiskEvent, Person.name, Unit.name, Account.locked_at)
        .join(Person, col(Person.id) == col(RiskEvent.person_id))
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .join(Account, col(Account.person_id) == col(RiskEvent.person_id))
        .where(
            col(Person.unit_id).in_(actor.units_with(Permission.WATCH_RISKS)),
            RiskEvent.at > now - timedelta(days=days),
        )
        .order_by(col(RiskEvent.at).desc(), col(RiskEvent.id).desc())
        .limit(MOST)
    )
    if kind is not None:
        query = query.where(RiskEvent.kind == kind.value)
    if still_open:
        query = query.where(col(RiskEvent.closed_at).is_(None))
    if person_id is not None:
        query = query.where(RiskEvent.person_id == person_id)
    found = await session.exec(query)
    return [RiskSeen(event, name, unit, locked is not None) for event, name, unit, locked in found]


async def event_of(session: AsyncSession, actor: Actor, event_id: UUID) -> RiskEvent:
    """One event, locked. Raises Refusal 404 for one that the actor does not watch, 409 for an own.

    Nobody judges what is said of the own account.
    """
    found = await session.exec(
        select(RiskEvent, Person.unit_id)
        .join(Person, col(Person.id) == col(RiskEvent.person_id))
        .where(RiskEvent.id == event_id)
        .with_for_update(of=RiskEvent)
    )
    row = found.first()
    if row is None or not actor.may(Permission.WATCH_RISKS, row[1]):
        raise not_found()
    if row[0].person_id == actor.person_id:
        words = "Это событие о вашей учётной записи. Попросите другого сотрудника отдела."
        raise Refusal("oneself", words, 409)
    return row[0]


async def close(session: AsyncSession, actor: Actor, event_id: UUID, now: datetime) -> None:
    """Close an event as harmless. Raises Refusal 404, 409 if it is closed or about the actor."""
    event = await event_of(session, actor, event_id)
    if event.closed_at is not None:
        raise Refusal("changed_meanwhile", "Событие уже закрыто.", 409)
    event.closed_at, event.closed_by = now, actor.person_id
    event.outcome = RiskOutcome.HARMLESS.value
    session.add(event)
    await session.flush()
    await journal.append(
        session,
        chain=event.person_id,
        kind=JournalKind.ACCOUNT_RISK_CLOSED,
        at=now,
        by=actor.person_id,
        facts={"event": str(event.id), "risk": event.kind},
        lock=True,
    )


async def forget(session: AsyncSession, now: datetime) -> None:
    """Delete events of more than a year ago; the journal keeps that they were."""
    await session.exec(delete(RiskEvent).where(col(RiskEvent.at) < now - timedelta(days=366)))


async def close_all(session: AsyncSession, person_id: UUID, by: UUID | None, now: datetime) -> None:
    """Close the person's events, as the account is locked, and make their links worthless."""
    await session.exec(
        update(RiskEvent)
        .where(col(RiskEvent.person_id) == person_id, col(RiskEvent.closed_at).is_(None))
        .values(closed_at=now, closed_by=by, outcome=RiskOutcome.LOCKED.value, secret_hash=None)
        .execution_options(synchronize_session=False)
    )
