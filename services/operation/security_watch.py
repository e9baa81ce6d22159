"""What information security looks at first: the last day in figures, and who caused them.

Failed sign-ins, what is unlike a usual day, who decrypted data, and rights that begin. There are
addresses and names here, but never texts that people wrote.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, String, cast, func
from sqlalchemy import select as choose
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto.certificates import Certificate
from models.tables.accounts import LoginAttempt
from models.tables.archive import Export
from models.tables.journal import JournalEntry
from models.tables.people import Person, RoleGrant, Unit
from rules.access import Actor
from rules.accounts import Outcome
from rules.journal.entries import JournalKind
from services.journal import declarations, integrity
from services.operation.servers import lately

LOOKED_BACK = timedelta(days=1)
MOST = 20
"""How many lines of one kind are shown; figures count all."""
GUESSING = 5
"""So many accounts tried in vain from one address are no typing errors."""
HAMMERED = 20
"""Nor are so many failed sign-ins from one address within a day."""


@dataclass(frozen=True)
class RefusedSignIns:
    """Failed sign-ins from one address: how many, for how many accounts, and the last one."""

    address: str
    times: int
    accounts: int
    last: datetime

    @property
    def odd(self) -> bool:
        """Whether these are more than typing errors."""
        return self.accounts >= GUESSING or self.times >= HAMMERED


@dataclass(frozen=True)
class Decoded:
    """Who had payloads of workflows decrypted, how many, and when last."""

    name: str
    payloads: int
    last: datetime


@dataclass(frozen=True)
class RightsChange:
    """A role that begins, with its person and unit."""

    name: str
    role: str
    unit: str
    at: datetime


@dataclass(frozen=True)
class SecuritySummary:
    """The figures of the last day."""

    since: datetime
    refused: int
    from_addresses: Sequence[RefusedSignIns]
    decoded: Sequence[Decoded]
    exported: Sequence[Decoded]
    """Who requested lists as files; `payloads` counts their rows."""
    acted: int
    """How many runs were terminated or reset in the Temporal UI."""
    waiting: Sequence[RightsChange]
    """Roles that begin in the future."""
    begun: Sequence[RightsChange]
    """Roles that began within the last day."""
    foreign: int
    """How many entries of the journal the application did not write."""
    unconfirmed: int
    """How many declarations about the journal wait for a confirmation."""

    @property
    def odd(self) -> list[RefusedSignIns]:
        """Addresses with more failures than typing errors."""
        return [one for one in self.from_addresses if one.odd]

    @property
    def attention(self) -> int:
        """How many things are unlike a usual day."""
        return len(self.odd) + bool(self.foreign) + self.unconfirmed


async def watch(
    session: AsyncSession, actor: Actor, trusted: Sequence[Certificate], now: datetime
) -> SecuritySummary:
    """The figures of the last day. Raises `forbidden` unless the person reads the journal."""
    journal = await integrity.known(session, actor)
    declared = await declarations.declared(session, actor, trusted)
    since = now - LOOKED_BACK
    refused, addresses = await _refused(session, since)
    return SecuritySummary(
        since,
        refused,
        addresses,
        await _decoded(session, now),
        await _exported(session, since),
        await _acted(session, now),
        await _rights(session, col(RoleGrant.valid_from) > now),
        await _rights(session, col(RoleGrant.valid_from).between(since, now)),
        journal.refused,
        sum(one.confirmed is None for one in declared),
    )


async def _refused(session: AsyncSession, since: datetime) -> tuple[int, list[RefusedSignIns]]:
    """Failed sign-ins by address. Unknown accounts count too: each login typed is one."""
    account = func.coalesce(col(LoginAttempt.login), cast(col(LoginAttempt.person_id), String))
    times = func.count()
    found = await session.exec(
        choose(  # type: ignore[call-overload]
            LoginAttempt.address,
            times,
            func.count(func.distinct(account)),
            func.max(LoginAttempt.at),
            func.sum(times).over(),
        )
        .where(col(LoginAttempt.at) > since, col(LoginAttempt.outcome) != Outcome.PASSED.value)
        .group_by(col(LoginAttempt.address))
        .order_by(times.desc(), col(LoginAttempt.address))
        .limit(MOST)
    )
    rows: Sequence[Any] = found.all()
    return int(rows[0][4]) if rows else 0, [RefusedSignIns(*row[:4]) for row in rows]


async def _decoded(session: AsyncSession, now: datetime) -> list[Decoded]:
    payloads = func.sum(cast(col(JournalEntry.facts)["payloads"].astext, Integer))
    last = func.max(JournalEntry.at)
    found = await session.exec(
        choose(Person.id, payloads, last)  # type: ignore[call-overload]
        .join(Person, col(Person.id) == col(JournalEntry.by_person))
        .where(*lately(JournalKind.PAYLOAD_DECODED, now))
        .group_by(col(Person.id))
        .order_by(last.desc())
        .limit(MOST)
    )
    return await _named(session, found.all())


async def _exported(session: AsyncSession, since: datetime) -> list[Decoded]:
    last = func.max(Export.asked_at)
    found = await session.exec(
        choose(Export.person_id, func.sum(Export.total), last)  # type: ignore[call-overload]
        .where(col(Export.asked_at) > since)
        .group_by(col(Export.person_id))
        .order_by(last.desc())
        .limit(MOST)
    )
    return await _named(session, found.all())


async def _named(
    session: AsyncSession, rows: Sequence[tuple[UUID, int, datetime]]
) -> list[Decoded]:
    """Replace ids by names. Names are encrypted columns, so the database cannot group by them."""
    ids = [row[0] for row in rows]
    found = await session.exec(select(Person.id, Person.name).where(col(Person.id).in_(ids)))
    names = dict(found.all())
    return [Decoded(names.get(person, ""), int(number), at) for person, number, at in rows]


async def _acted(session: AsyncSession, now: datetime) -> int:
    counted = await session.exec(
        select(func.count())
        .select_from(JournalEntry)
        .where(*lately(JournalKind.TEMPORAL_ACTED, now))
    )
    return counted.one()


async def _rights(session: AsyncSession, begins: Any) -> list[RightsChange]:
    found = await session.exec(
        select(RoleGrant, Person, Unit)
        .join(Person, col(Person.id) == col(RoleGrant.person_id))
        .join(Unit, col(Unit.id) == col(RoleGrant.unit_id))
        .where(begins)
        .order_by(col(RoleGrant.valid_from).desc())
        .limit(MOST)
    )
    return [
        RightsChange(person.name, grant.role, unit.name, grant.valid_from)
        for grant, person, unit in found.all()
    ]
