"""The login journal (I4), and notices to people about their account.

Every try is a row of its own, whoever made it. What a person did with an account is added to that
person's chain of the journal at once, so that it cannot be changed unnoticed. Failed tries are
counted, and added to the chain as one entry for each hour: a thousand tries hide nothing, and a
request for an unknown address takes no less time than for a known one.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.accounts import LoginAttempt
from models.tables.journal import JournalEntry
from rules import clock
from rules.accounts import Outcome, Step
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.risks import NETWORKS_KNOWN, network_of
from rules.second_factor import Method
from services.accounts.sessions import Visitor
from services.journal import entries as journal
from services.notices import outbox

_JOURNALED = {
    Step.SIGN_OUT: JournalKind.ACCOUNT_SIGNED_OUT,
    Step.SESSION_ENDED: JournalKind.ACCOUNT_SIGNED_OUT,
    Step.SETUP: JournalKind.ACCOUNT_SECOND_FACTOR_SET,
    Step.FACTOR_REMOVED: JournalKind.ACCOUNT_SECOND_FACTOR_REMOVED,
    Step.RECOVERY_CODES: JournalKind.ACCOUNT_RECOVERY_CODES_MADE,
    Step.PASSWORD_CHANGE: JournalKind.ACCOUNT_PASSWORD_CHANGED,
    Step.PASSWORD_RESET: JournalKind.ACCOUNT_PASSWORD_CHANGED,
    Step.TOKEN_MADE: JournalKind.ACCOUNT_TOKEN_MADE,
    Step.TOKEN_ENDED: JournalKind.ACCOUNT_TOKEN_REVOKED,
    Step.CODE: JournalKind.ACCOUNT_SIGNED_IN,
    Step.PROVIDER_LINKED: JournalKind.ACCOUNT_PROVIDER_LINKED,
    Step.PROVIDER_UNLINKED: JournalKind.ACCOUNT_PROVIDER_UNLINKED,
}
_FAILURES = (Outcome.WRONG, Outcome.REUSED, Outcome.TOO_OFTEN, Outcome.LOCKED)
HOUR = timedelta(hours=1)
LOOKED_BACK = timedelta(days=3)
"""How far back failed tries are looked for, in case no process journaled them meanwhile."""
SHOWN_FOR = timedelta(days=90)
NAMED = 20
"""How many addresses and devices one entry names: those with the most tries."""


@dataclass(frozen=True)
class AttemptSeen:
    """A line of the login journal as people see it: one act, or `times` failures in an hour."""

    at: datetime
    step: str
    outcome: str
    method: str | None
    address: str
    device: str
    device_kind: str
    times: int


_SHOWN = ("at", "step", "outcome", "method", "address", "device", "device_kind")


def _hour_of(at: Any) -> Any:
    return func.date_trunc("hour", at, "UTC")


async def note(
    session: AsyncSession,
    step: Step,
    outcome: Outcome,
    visitor: Visitor,
    now: datetime,
    *,
    person_id: UUID | None = None,
    login: str | None = None,
    method: Method | None = None,
) -> None:
    """Write one entry; the caller's unit of work commits it.

    `login` is a blind index, never text.
    """
    session.add(
        LoginAttempt(
            at=now,
            person_id=person_id,
            login=login,
            step=step,
            outcome=outcome,
            method=method,
            address=visitor.address,
            device=visitor.device.name,
            device_kind=visitor.device.kind,
        )
    )
    kind = _JOURNALED.get(step)
    used = {"method": method.value} if method is not None else {}
    if person_id is not None and kind is not None and outcome is Outcome.PASSED:
        await journal.append(
            session,
            chain=person_id,
            kind=kind,
            at=now,
            by=person_id,
            facts={"step": step.value, "outcome": outcome.value} | used,
            contents={"address": visitor.address, "device": visitor.device.name},
            lock=True,
        )


async def failures_since_last_success(session: AsyncSession, person_id: UUID) -> int:
    """How often signing in as this person has failed since the person last signed in."""
    last = (
        select(func.max(LoginAttempt.at))
        .where(
            col(LoginAttempt.person_id) == person_id,
            col(LoginAttempt.step).in_([Step.CODE, Step.SETUP]),
            col(LoginAttempt.outcome) == Outcome.PASSED,
        )
        .scalar_subquery()
    )
    counted = await session.exec(
        select(func.count())
        .select_from(LoginAttempt)
        .where(
            col(LoginAttempt.person_id) == person_id,
            col(LoginAttempt.outcome).in_(_FAILURES),
            (last.is_(None)) | (col(LoginAttempt.at) > last),
        )
    )
    return counted.one()


async def knows_network(
    session: AsyncSession, person_id: UUID, visitor: Visitor, now: datetime
) -> bool:
    """Whether the person has signed in from this network within the last 90 days."""
    found = await session.exec(
        select(LoginAttempt.address)
        .distinct()
        .where(
            LoginAttempt.person_id == person_id,
            col(LoginAttempt.step).in_([Step.CODE, Step.SETUP]),
            LoginAttempt.outcome == Outcome.PASSED,
            LoginAttempt.at > now - NETWORKS_KNOWN,
        )
    )
    here = network_of(visitor.address)
    return any(network_of(address) == here for address in found)


async def attempts_of(
    session: AsyncSession, person_id: UUID, now: datetime, most: int = 50
) -> Sequence[AttemptSeen]:
    """The person's entries of 90 days, newest first; failures of an hour are one line."""
    at, outcome = col(LoginAttempt.at), col(LoginAttempt.outcome)
    alone = case((outcome == Outcome.PASSED, col(LoginAttempt.id)))
    alike = [col(LoginAttempt.step), col(LoginAttempt.method), outcome, alone, _hour_of(at)]
    shown = (
        select(  # type: ignore[call-overload]
            col(LoginAttempt.id),
            *(col(getattr(LoginAttempt, name)).label(name) for name in _SHOWN),
            func.count().over(partition_by=alike).label("times"),
            func.row_number().over(partition_by=alike, order_by=at.desc()).label("place"),
        )
        .where(col(LoginAttempt.person_id) == person_id, at > now - SHOWN_FOR)
        .subquery()
    )
    found = await session.exec(
        select(*(shown.c[name] for name in (*_SHOWN, "times")))
        .where(shown.c.place == 1)
        .order_by(shown.c.at.desc(), shown.c.id.desc())
        .limit(most)
    )
    return [AttemptSeen(*row) for row in found]


async def chain_refused(database: Database, now: datetime) -> None:
    """Add the failures of each full hour of the last days to the journal, one entry for a person.

    Several processes may do this at once; each hour is added once.
    """
    begun = now.replace(minute=0, second=0, microsecond=0)
    async with database.work() as session:
        hour = _hour_of(col(LoginAttempt.at))
        waiting = await session.exec(
            select(col(LoginAttempt.person_id), hour)
            .distinct()
            .where(
                col(LoginAttempt.person_id).is_not(None),
                col(LoginAttempt.outcome).in_(_FAILURES),
                col(LoginAttempt.at) >= begun - LOOKED_BACK,
                col(LoginAttempt.at) < begun,
            )
        )
        hours = [(person_id, since) for person_id, since in waiting if person_id is not None]
    for person_id, since in sorted(hours):
        async with database.work() as session:
            await _chain_hour(session, person_id, since, now)


async def _chain_hour(
    session: AsyncSession, person_id: UUID, since: datetime, now: datetime
) -> None:
    await journal.lock_chain(session, person_id)
    named = since.isoformat()
    chained = await session.exec(
        select(JournalEntry.id).where(
            JournalEntry.chain == person_id,
            JournalEntry.kind == JournalKind.ACCOUNT_SIGN_IN_FAILED,
            col(JournalEntry.facts)["hour"].astext == named,
        )
    )
    if chained.first() is not None:
        return
    rows = await session.exec(
        select(LoginAttempt).where(
            LoginAttempt.person_id == person_id,
            col(LoginAttempt.outcome).in_(_FAILURES),
            LoginAttempt.at >= since,
            LoginAttempt.at < since + HOUR,
        )
    )
    refused = rows.all()
    await journal.append(
        session,
        chain=person_id,
        kind=JournalKind.ACCOUNT_SIGN_IN_FAILED,
        at=now,
        system="sign-in",
        facts={
            "hour": named,
            "refused": dict(Counter(f"{one.step}.{one.outcome}" for one in refused)),
        },
        contents={
            "addresses": dict(Counter(one.address for one in refused).most_common(NAMED)),
            "devices": dict(Counter(one.device for one in refused).most_common(NAMED)),
        },
    )


async def keep_chaining(database: Database, every: float = 300.0) -> None:
    """Run `chain_refused` every `every` seconds, for ever."""
    while True:
        await asyncio.sleep(every)
        with suppress(SQLAlchemyError, OSError):
            await chain_refused(database, clock.now())


async def tell(
    session: AsyncSession,
    person_id: UUID,
    kind: NoticeKind,
    now: datetime,
    *,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Send the person a security notice, which cannot be turned off (N2)."""
    await outbox.enqueue(
        session,
        person_id=person_id,
        kind=kind,
        event_key=f"{person_id}:{kind.value}:{now.isoformat()}",
        now=now,
        facts=facts,
    )
