"""Who in one's units has what, ending when; and how many, without names (Q9).

Each question is one statement and asks for no more than a page. Days are those of each owner's
unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, and_, bindparam, case, func, or_, true
from sqlalchemy import cast as sql_cast
from sqlalchemy import select as choose
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.base import UtcDateTime
from models.tables.credentials import Credential, CredentialReminder, CredentialVersion
from models.tables.people import Person, Unit
from rules.access import Actor, Permission
from rules.credentials.categories import CategoryDefinition
from rules.credentials.reminders import END, ReminderState
from rules.credentials.small_cells import guarded, with_sums
from rules.credentials.statuses import NEAR
from rules.forms.fields import display
from rules.journal.tags import ViewCode
from rules.refusals import forbidden
from services import access
from services.credentials import categories
from services.journal import entries as journal

PAGE = 50
MONTHS = 12


class StaffStanding(StrEnum):
    """Where a credential stands, as one of a list."""

    VALID = "valid"
    SOON = "soon"
    RENEWING = "renewing"
    EXPIRED = "expired"
    ENDLESS = "endless"


STANDING_WORDS: Mapping[StaffStanding, str] = {
    StaffStanding.VALID: "действует",
    StaffStanding.SOON: "заканчивается",
    StaffStanding.RENEWING: "в процессе продления",
    StaffStanding.EXPIRED: "просрочен",
    StaffStanding.ENDLESS: "без срока",
}
"""The same in words (msgids)."""


@dataclass(frozen=True)
class StaffQuery:
    """What the list is narrowed to. `month` is the first day of the month in which they end."""

    unit_id: UUID | None = None
    """The unit with those below it."""
    category: str | None = None
    standing: StaffStanding | None = None
    month: date | None = None


@dataclass(frozen=True)
class StaffCredential:
    """A credential of somebody, and what they were told of its end."""

    id: UUID
    owner_id: UUID
    name: str
    position: str
    unit: str
    category: CategoryDefinition
    about: str
    valid_until: date | None
    standing: StaffStanding
    sent: int
    """How many reminders of the present end were sent."""
    last_sent: datetime | None
    answered: datetime | None


@dataclass(frozen=True)
class StaffCredentials:
    """A page of the list, what ends soonest first; `after` is where the next one begins."""

    lines: Sequence[StaffCredential]
    after: tuple[date | None, UUID] | None

    @property
    def cursor(self) -> str:
        """`after` in one word, as `after_cursor` reads it; empty on the last page."""
        if self.after is None:
            return ""
        until, credential_id = self.after
        return f"{until.isoformat() if until else ''}_{credential_id}"


_NOW = bindparam("now", type_=UtcDateTime())
_TODAY = sql_cast(func.timezone(col(Unit.time_zone), _NOW), Date)
_UNTIL = col(Credential.valid_until)
_WHERE: Mapping[StaffStanding, ColumnElement[bool]] = {
    StaffStanding.EXPIRED: _UNTIL < _TODAY,
    StaffStanding.RENEWING: col(Credential.renewal_case_id).is_not(None)
    & or_(_UNTIL.is_(None), _UNTIL >= _TODAY),
    StaffStanding.SOON: and_(
        _UNTIL >= _TODAY, _UNTIL <= _TODAY + NEAR, col(Credential.renewal_case_id).is_(None)
    ),
    StaffStanding.ENDLESS: _UNTIL.is_(None) & col(Credential.renewal_case_id).is_(None),
    StaffStanding.VALID: and_(_UNTIL > _TODAY + NEAR, col(Credential.renewal_case_id).is_(None)),
}
_STANDING = case(*((condition, name.value) for name, condition in _WHERE.items()))


def after_cursor(cursor: str) -> tuple[date | None, UUID] | None:
    """Where the page begins that a cursor names; None, the first page, for anything else."""
    until, _, last = cursor.partition("_")
    try:
        return (date.fromisoformat(until) if until else None, UUID(last))
    except ValueError:
        return None


async def units_of(session: AsyncSession, actor: Actor) -> Sequence[tuple[UUID, str]]:
    """The units that the actor sees, by name. Raises Refusal 403 where there are none."""
    found = await session.exec(
        choose(col(Unit.id), col(Unit.name))  # type: ignore[call-overload]
        .where(col(Unit.id).in_(_seen(actor)))
        .order_by(col(Unit.name))
    )
    return [(unit_id, name) for unit_id, name in found.all()]


async def page(
    session: AsyncSession,
    actor: Actor,
    query: StaffQuery,
    now: datetime,
    after: tuple[date | None, UUID] | None = None,
    size: int = PAGE,
) -> StaffCredentials:
    """The credentials of the people in one's units; the look is recorded. Raises Refusal 403."""
    narrowed = await _narrowed(session, actor, query, now)
    await journal.record_view(session, actor, actor.person_id, ViewCode.CREDENTIALS_STAFF)
    if after is not None:
        narrowed.append(_comes_after(*after))
    told = (
        choose(
            func.count().label("sent"),
            func.max(CredentialReminder.sent_at).label("last_sent"),
            func.max(CredentialReminder.answered_at).label("answered"),
        )
        .where(
            col(CredentialReminder.credential_id) == col(Credential.id),
            col(CredentialReminder.last_day) == _UNTIL,
            col(CredentialReminder.state) == ReminderState.SENT.value,
            col(CredentialReminder.days) != END,
        )
        .lateral("told")
    )
    # Chosen first: of what is not on the page no version and no reminder is looked up.
    chosen = (
        choose(
            col(Credential.id).label("id"),
            col(Unit.name).label("unit"),
            _STANDING.label("standing"),
        )
        .join(Person, col(Person.id) == col(Credential.owner_id))
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .where(*narrowed)
        .order_by(_UNTIL, col(Credential.id))
        .limit(size + 1)
        .subquery("chosen")
    )
    found = await session.exec(
        choose(
            Credential,
            Person,
            chosen.c.unit,
            CredentialVersion,
            chosen.c.standing,
            told.c.sent,
            told.c.last_sent,
            told.c.answered,
        )  # type: ignore[call-overload]
        .join(chosen, chosen.c.id == col(Credential.id))
        .join(Person, col(Person.id) == col(Credential.owner_id))
        .join(CredentialVersion, col(CredentialVersion.credential_id) == col(Credential.id))
        .join(told, true())
        .where(col(CredentialVersion.replaced_at).is_(None))
        .order_by(_UNTIL, col(Credential.id)),
        params={"now": now},
    )
    rows: Sequence[Any] = found.all()
    lines = [await _line(session, *row) for row in rows[:size]]
    last = lines[-1] if len(rows) > size else None
    return StaffCredentials(lines, (last.valid_until, last.id) if last else None)


async def coming(
    session: AsyncSession, actor: Actor, query: StaffQuery, now: datetime, today: date
) -> Sequence[tuple[date, int]]:
    """How many end in each of the next twelve months, by the first day of the month.

    `today` is the reader's day; the month of the query is left out of account.
    """
    months = [_month(today, n) for n in range(MONTHS + 1)]
    narrowed = await _narrowed(session, actor, replace(query, month=None), now)
    month = sql_cast(func.date_trunc("month", _UNTIL), Date)
    found = await session.exec(
        choose(month, func.count())  # type: ignore[call-overload]
        .select_from(Credential)
        .join(Person, col(Person.id) == col(Credential.owner_id))
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .where(months[0] <= _UNTIL, months[-1] > _UNTIL, *narrowed)
        .group_by(month),
        params={"now": now},
    )
    rows: Sequence[tuple[date, int]] = found.all()
    counted = dict(rows)
    return [(first, counted.get(first, 0)) for first in months[:-1]]


@dataclass(frozen=True)
class Statistics:
    """How many credentials of each unit stand where; None where few people would be known by it.

    The last line and the last column are sums.
    """

    units: Sequence[str]
    cells: Sequence[Sequence[int | None]]


async def statistics(session: AsyncSession, actor: Actor, now: datetime) -> Statistics:
    """The numbers of one's units, without names. Raises Refusal 403."""
    narrowed = await _narrowed(session, actor, StaffQuery(), now)
    columns = [func.count().filter(_WHERE[one]) for one in StaffStanding]
    found = await session.exec(
        choose(col(Unit.name), *columns)  # type: ignore[call-overload]
        .select_from(Credential)
        .join(Person, col(Person.id) == col(Credential.owner_id))
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .where(*narrowed)
        .group_by(col(Unit.id), col(Unit.name))
        .order_by(col(Unit.name)),
        params={"now": now},
    )
    rows: Sequence[Any] = found.all()
    table = [list(numbers) for _, *numbers in rows]
    return Statistics([row[0] for row in rows], guarded(with_sums(table)) if table else [])


def _month(today: date, ahead: int) -> date:
    """The first day of the month so many months ahead."""
    years, month = divmod(today.month - 1 + ahead, 12)
    return date(today.year + years, month + 1, 1)


def _seen(actor: Actor) -> frozenset[UUID]:
    units = actor.units_with(Permission.VIEW_CREDENTIALS)
    if not units:
        raise forbidden()
    return units


async def _narrowed(
    session: AsyncSession, actor: Actor, query: StaffQuery, now: datetime
) -> list[ColumnElement[bool]]:
    """The conditions of a query: credentials that count, of people who work in one's units."""
    seen = _seen(actor)
    if query.unit_id is not None:
        # As a list of units, so that PostgreSQL knows how many people they have.
        seen &= await access.units_below(session, query.unit_id)
    conditions: list[ColumnElement[bool]] = [
        col(Credential.withdrawn_at).is_(None),
        col(Credential.replaced_by).is_(None),
        col(Person.unit_id).in_(seen),
        or_(col(Person.left_at).is_(None), col(Person.left_at) > _NOW),
    ]
    if query.category is not None:
        conditions.append(col(Credential.category) == query.category)
    if query.standing is not None:
        conditions += [_WHERE[query.standing], *_about(query.standing, now.date())]
    if query.month is not None:
        first = query.month.replace(day=1)
        conditions.append(and_(first <= _UNTIL, _month(first, 1) > _UNTIL))
    return conditions


def _about(standing: StaffStanding, today: date) -> Sequence[ColumnElement[bool]]:
    """The same, less exactly, in days that an index knows: units are less than a day apart."""
    day = timedelta(1)
    match standing:
        case StaffStanding.EXPIRED:
            return (today + day > _UNTIL,)
        case StaffStanding.SOON:
            return (_UNTIL.between(today - day, today + timedelta(NEAR) + day),)
        case StaffStanding.VALID:
            return (today + timedelta(NEAR) - day < _UNTIL,)
        case _:
            return ()


def _comes_after(until: date | None, credential_id: UUID) -> ColumnElement[bool]:
    """The condition that a credential follows this one in the list, where endless ones are last."""
    later = col(Credential.id) > credential_id
    if until is None:
        return and_(_UNTIL.is_(None), later)
    same_day = _UNTIL.between(until, until)
    return or_(until < _UNTIL, same_day & later, _UNTIL.is_(None))


async def _line(
    session: AsyncSession,
    row: Credential,
    owner: Person,
    unit: str,
    version: CredentialVersion,
    standing: str,
    sent: int,
    last_sent: datetime | None,
    answered: datetime | None,
) -> StaffCredential:
    category = await categories.at_version(session, row.category, version.category_version)
    field = category.fields[category.about]
    return StaffCredential(
        id=row.id,
        owner_id=owner.id,
        name=owner.name,
        position=owner.position,
        unit=unit,
        category=category,
        about=display(field, version.data.get(field.name)) or "",
        valid_until=row.valid_until,
        standing=StaffStanding(standing),
        sent=sent,
        last_sent=last_sent,
        answered=answered,
    )
