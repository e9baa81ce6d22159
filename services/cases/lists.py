"""Lists of cases: mine, the review queue, those of a unit. Unencrypted columns, one query a page.

Pages are keysets: lists are ordered by `(listed_at, id)`, newest first; the queue by `(due_at,
id)`, so that overdue cases come first. `listed_at` is the day of submission, which never changes; a
draft, which only its applicant sees, has the day it was begun.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, Literal, cast
from uuid import UUID

from psycopg.rows import dict_row
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import (
    ColumnElement,
    Dialect,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    null,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database, DirectStatement
from models.tables.cases import READ_FOR, Case, CaseReading
from models.tables.catalogue import CaseTypeVersion, Programme
from models.tables.people import Person, Unit
from rules.access import Actor, Permission
from rules.cases.kinds import SEEN_BY_HEADS, decides_anywhere, process_of
from rules.cases.numbers import parse_number
from rules.cases.process import CaseKind, Party, Status
from rules.clock import MeantMoment
from rules.clock import now as present
from rules.refusals import Refusal, forbidden
from rules.texts.cleaning import in_order
from rules.texts.identifiers import IdentifierError
from services.cases import assignment, audience

PAGE = 50
MOST = 200
LISTED_AT: ColumnElement[datetime] = func.coalesce(col(Case.submitted_at), col(Case.created_at))
"""The same as `models.tables.cases.LISTED_AT`, which is indexed."""


class CaseLine(BaseModel):
    """A case in a list. Times in UTC."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    number: str | None
    kind: str
    type: str
    title: str
    programme_kind: str | None
    status: Status
    step: int
    version: int
    created_at: datetime
    submitted_at: datetime | None = Field(
        description="When the first version was submitted; null for a draft."
    )
    since: datetime
    closed_at: datetime | None
    waits_for: str
    due_at: datetime | None
    term_zone: str = Field(
        description="The time zone of the term, which ends there at 24:00 of its last day."
    )
    escalated: bool
    stuck: bool
    unit: str
    responsible_unit: str
    applicant_id: UUID
    reviewer_id: UUID | None
    applicant: str | None = Field(None, description="Null for people who do not review.")
    reviewer: str | None = None


@dataclass(frozen=True)
class Listing:
    """One page of a list. `after` is the cursor of the next page, None at the end."""

    rows: Sequence[Mapping[str, Any]]
    """The lines as they were read, by the names of `CaseLine`."""
    after: str | None

    @cached_property
    def lines(self) -> Sequence[CaseLine]:
        """The lines as `CaseLine`. They are not validated: the database has typed them already."""
        return [
            CaseLine.model_construct(**{**row, "status": Status(row["status"])})
            for row in self.rows
        ]


class Order(StrEnum):
    """The order of a list."""

    NEWEST = "newest"
    DUE = "due"


class Filters(BaseModel):
    """The filters of a list. Each is optional; those given must all hold."""

    model_config = ConfigDict(frozen=True)

    kind: CaseKind | None = None
    status: tuple[Status, ...] = Field((), max_length=50)
    type: str | None = Field(None, max_length=100)
    programme_kind: str | None = Field(None, max_length=100)
    unit_id: UUID | None = None
    reviewer: UUID | Literal["nobody"] | None = None
    submitted_from: MeantMoment | None = Field(
        None, description="For a draft, the day when it was begun counts."
    )
    submitted_until: MeantMoment | None = None
    overdue: bool = False
    waiting: bool = False
    """Only cases that people of the responsible unit have to decide or answer."""
    applicant_left: bool = False
    """Only cases whose applicant works here no longer."""
    open: bool | None = None
    number: str | None = Field(None, max_length=100)
    """A number as people type it."""
    ids: tuple[UUID, ...] = Field((), max_length=MOST)


async def mine(
    session: AsyncSession,
    actor: Actor,
    filters: Filters | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> Listing:
    """The person's own cases, newest first (A8). A token needs the scope `apply`."""
    filters = filters or Filters()
    if actor.scope is None and after is None and filters == Filters():
        return await _latest_of_mine(session, actor, _within(limit))
    whose = col(Case.applicant_id) == actor.person_id
    if actor.scope is not None:
        if not audience.own_kinds(actor):
            raise forbidden()
        whose = audience.own(actor)
    return await _listing(session, whose, filters, after, limit, Order.NEWEST, names=False)


async def _latest_of_mine(session: AsyncSession, actor: Actor, limit: int) -> Listing:
    """The first page of `mine` of all kinds: home asks for it."""
    found = await _of_mine(limit + 1).run(session, {"applicant_id": actor.person_id})
    columns = tuple(one.name for one in found.description or ())
    rows = [dict(zip(columns, row, strict=True)) for row in await found.fetchall()]
    return listed(rows, limit, Order.NEWEST)


async def first_of_mine(
    database: Database,
    actor: Actor,
    limit: int = PAGE,
    *,
    kind: CaseKind,
) -> Listing:
    """The first page of `mine` for one kind: clients ask for it first and most often."""
    if actor.scope is not None and not actor.may(process_of(kind).applied_with):
        raise forbidden()
    values = {
        "applicant_id": actor.person_id,
        "kind": kind.value,
    }
    async with database.line() as line, line.cursor(row_factory=dict_row) as cursor:
        query = _first_of_mine(database.engine.dialect, _within(limit) + 1)
        rows = await (await cursor.execute(query, values)).fetchall()
    return listed(rows, _within(limit), Order.NEWEST)


async def desk(
    session: AsyncSession,
    actor: Actor,
    filters: Filters | None = None,
    after: str | None = None,
    limit: int = PAGE,
    order: Order = Order.DUE,
) -> Listing:
    """The submitted cases that the person reviews or may look at; by default the queue (A3, A11).

    In order of terms the list holds only cases with a term. Raises `forbidden` for people without a
    desk.
    """
    scope = _desk_scope(actor, order, waiting=filters is not None and filters.waiting)
    return await _listing(session, scope, filters or Filters(), after, limit, order, names=True)


def _waits_for_an_answer() -> ColumnElement[bool]:
    """The condition that people of the responsible unit have to decide or answer."""
    return and_(
        col(Case.status).in_(assignment.ON_THE_DESK),
        col(Case.waits_for) == Party.REVIEWER.value,
    )


def _desk_scope(actor: Actor, order: Order, *, waiting: bool) -> ColumnElement[bool]:
    """The cases of the desk; of those that wait, only such as wait for rights that one holds."""
    views = actor.units_with(Permission.VIEW_UNIT_CASES)
    if not decides_anywhere(actor) and not views:
        raise forbidden()
    scope = and_(
        or_(
            audience.decided_by(actor) if waiting else audience.reviewed_by(actor),
            and_(col(Case.unit_id).in_(views), col(Case.kind).in_(SEEN_BY_HEADS)),
        ),
        col(Case.number).is_not(None),
    )
    return and_(scope, col(Case.due_at).is_not(None)) if order is Order.DUE else scope


async def neighbours(
    session: AsyncSession,
    actor: Actor,
    filters: Filters,
    order: Order,
    case_id: UUID,
    moment: datetime | None,
) -> tuple[UUID | None, UUID | None]:
    """The cases before and after a place in the desk's list; the case itself may have left it.

    `moment` is the case's `due_at` or `listed_at`, depending on the order; None is before the
    first.
    """
    key, scope = _key(order), _desk_scope(actor, order, waiting=filters.waiting)
    place = tuple_(key, col(Case.id))
    query = (
        select(col(Case.id))
        .outerjoin(Programme, col(Programme.id) == col(Case.programme_id))
        .where(scope, *conditions(filters), col(Case.id) != case_id)
        .limit(1)
    )
    rising, falling = (key, col(Case.id)), (key.desc(), col(Case.id).desc())
    later, earlier = query.order_by(*rising), query.order_by(*falling)
    if moment is not None:
        later = later.where(place > (moment, case_id))
        earlier = earlier.where(place < (moment, case_id))
    onward, back = (later, earlier) if order is Order.DUE else (earlier, later)
    connection = await session.connection()
    following = (await connection.execute(onward)).scalar_one_or_none()
    if moment is None:
        return None, following
    return (await connection.execute(back)).scalar_one_or_none(), following


async def readers(
    session: AsyncSession, actor: Actor, case_ids: Sequence[UUID]
) -> dict[UUID, list[str]]:
    """Names of other people who have these cases open at this moment, by case."""
    connection = await session.connection()
    found = await connection.execute(
        select(col(CaseReading.case_id), col(Person.name))
        .join(Person, col(Person.id) == col(CaseReading.person_id))
        .where(
            col(CaseReading.case_id).in_(case_ids),
            col(CaseReading.at) > present() - READ_FOR,
            col(CaseReading.person_id) != actor.person_id,
        )
    )
    names: dict[UUID, list[str]] = {}
    for case_id, name in found.all():
        names.setdefault(case_id, []).append(name)
    return {case_id: sorted(those, key=in_order) for case_id, those in names.items()}


async def counts(session: AsyncSession, actor: Actor, now: datetime) -> dict[str, int]:
    """Figures of the desk: how many wait for review, for me, how many are overdue or unassigned.

    Raises `forbidden` for people without a desk.
    """
    if not decides_anywhere(actor) and not actor.units_with(Permission.VIEW_UNIT_CASES):
        raise forbidden()
    waiting = and_(audience.decided_by(actor), _waits_for_an_answer())
    found = await session.exec(
        cast(
            "Any",
            select(
                func.count().label("in_review"),
                func.count().filter(col(Case.reviewer_id) == actor.person_id).label("mine"),
                func.count().filter(col(Case.due_at) < now).label("overdue"),
                func.count().filter(assignment.has_nobody()).label("unassigned"),
            ).where(waiting),
        )
    )
    return dict(found.mappings().one())


async def _listing(
    session: AsyncSession,
    scope: ColumnElement[bool],
    filters: Filters,
    after: str | None,
    limit: int,
    order: Order,
    *,
    names: bool,
) -> Listing:
    key = _key(order)
    query = line_columns(names).where(scope, *conditions(filters))
    if after is not None:
        moment, case_id = read_cursor(after)
        here = tuple_(key, col(Case.id))
        query = query.where(
            here > (moment, case_id) if order is Order.DUE else here < (moment, case_id)
        )
    if order is Order.DUE:
        query = query.order_by(key, col(Case.id))
    else:
        query = query.order_by(key.desc(), col(Case.id).desc())
    return await _page(session, query.limit(_within(limit) + 1), limit, order)


@lru_cache
def _first_of_mine(dialect: Dialect, most: int) -> bytes:
    """The compiled query as the driver takes it; compiled once for each length of a page.

    With a limit that it does not know PostgreSQL expects a tenth of all rows, finds that dear, and
    plans the query anew each time.
    """
    query = _of_applicant(most).where(col(Case.kind) == bindparam("kind"))
    return str(query.compile(dialect=dialect)).encode()


@lru_cache
def _of_mine(most: int) -> DirectStatement:
    """The same of all kinds."""
    return DirectStatement(_of_applicant(most))


def _of_applicant(most: int) -> Select[Any]:
    return (
        line_columns(names=False)
        .where(col(Case.applicant_id) == bindparam("applicant_id"))
        .order_by(LISTED_AT.desc(), col(Case.id).desc())
        .limit(literal_column(str(most)))
    )


def _key(order: Order) -> Any:
    return col(Case.due_at) if order is Order.DUE else LISTED_AT


def _within(limit: int) -> int:
    return max(1, min(limit, MOST))


async def _page(session: AsyncSession, query: Select[Any], limit: int, order: Order) -> Listing:
    connection = await session.connection()
    found = await connection.execute(query)
    columns = tuple(found.keys())
    rows = [dict(zip(columns, row, strict=True)) for row in found.all()]
    return listed(rows, _within(limit), order)


def listed(rows: Sequence[Mapping[str, Any]], limit: int, order: Order) -> Listing:
    """The page, made of rows of which one more than `limit` was asked for."""
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    if last is None:
        return Listing(rows[:limit], None)
    moment = last["due_at"] if order is Order.DUE else last["submitted_at"] or last["created_at"]
    return Listing(rows[:limit], cursor_of(moment, last["id"]))


_TITLE_OF_TYPE = (
    # No bound parameters: the first page is asked of the driver directly.
    select(func.jsonb_extract_path_text(col(CaseTypeVersion.definition), literal_column("'title'")))
    .where(
        col(CaseTypeVersion.key) == col(Case.type),
        col(CaseTypeVersion.version) == col(Case.type_version),
    )
    .correlate(Case)
    .scalar_subquery()
)
"""Used only for cases without a programme."""


@lru_cache
def line_columns(names: bool) -> Select[Any]:
    """The columns of `CaseLine`, to be filtered and ordered by the caller."""
    unit, responsible = aliased(Unit), aliased(Unit)
    columns: list[Any] = [
        Case.id,
        Case.number,
        Case.kind,
        Case.type,
        func.coalesce(Programme.title, _TITLE_OF_TYPE).label("title"),
        col(Programme.kind).label("programme_kind"),
        Case.status,
        Case.step,
        Case.version,
        Case.created_at,
        Case.submitted_at,
        Case.since,
        Case.closed_at,
        Case.waits_for,
        Case.due_at,
        Case.term_zone,
        col(Case.escalated_at).is_not(None).label("escalated"),
        col(Case.stuck).is_not(None).label("stuck"),
        col(unit.name).label("unit"),
        col(responsible.name).label("responsible_unit"),
        Case.applicant_id,
        Case.reviewer_id,
    ]
    query = (
        select(*columns)
        .join(unit, col(unit.id) == col(Case.unit_id))
        .join(responsible, col(responsible.id) == col(Case.responsible_unit_id))
        .outerjoin(Programme, col(Programme.id) == col(Case.programme_id))
    )
    if not names:
        return query.add_columns(null().label("applicant"), null().label("reviewer"))
    applicant, reviewer = aliased(Person), aliased(Person)
    return (
        query.join(applicant, col(applicant.id) == col(Case.applicant_id))
        .outerjoin(reviewer, col(reviewer.id) == col(Case.reviewer_id))
        .add_columns(col(applicant.name).label("applicant"), col(reviewer.name).label("reviewer"))
    )


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """The conditions on a case and its programme. Raises Refusal 422 for a wrong number."""
    found: list[ColumnElement[bool]] = []
    if filters.kind:
        found.append(col(Case.kind) == filters.kind.value)
    if filters.status:
        found.append(col(Case.status).in_([s.value for s in filters.status]))
    if filters.type:
        found.append(col(Case.type) == filters.type)
    if filters.programme_kind:
        found.append(col(Programme.kind) == filters.programme_kind)
    if filters.unit_id:
        found.append(col(Case.unit_id) == filters.unit_id)
    if filters.reviewer == "nobody":
        found.append(assignment.has_nobody())
    elif filters.reviewer:
        found.append(col(Case.reviewer_id) == filters.reviewer)
    if filters.submitted_from:
        found.append(filters.submitted_from <= LISTED_AT)
    if filters.submitted_until:
        found.append(filters.submitted_until > LISTED_AT)
    if filters.waiting:
        found.append(_waits_for_an_answer())
    if filters.overdue:
        found.append(and_(col(Case.due_at) < func.now(), _waits_for_an_answer()))
    if filters.applicant_left:
        left = select(col(Person.id)).where(
            col(Person.id) == col(Case.applicant_id), col(Person.left_at) <= present()
        )
        found.append(left.exists())
    if filters.open is not None:
        closed = col(Case.closed_at)
        found.append(closed.is_(None) if filters.open else closed.is_not(None))
    if filters.ids:
        found.append(col(Case.id).in_(filters.ids))
    if filters.number:
        try:
            found.append(col(Case.number) == str(parse_number(filters.number)))
        except IdentifierError as error:
            raise Refusal("wrong_number", str(error), 422) from error
    return found


def cursor_of(moment: datetime, case_id: UUID) -> str:
    """A place in a list, as an address carries it."""
    return base64.urlsafe_b64encode(f"{moment.isoformat()}|{case_id}".encode()).decode()


def read_cursor(text: str) -> tuple[datetime, UUID]:
    """The place in a list that `Listing.after` names. Raises Refusal 422."""
    try:
        moment, _, case_id = base64.urlsafe_b64decode(text.encode()).decode().partition("|")
        at = datetime.fromisoformat(moment)
        away = at.utcoffset()
        if away is None or away % timedelta(minutes=1):
            raise ValueError("no zone")
        return at, UUID(case_id)
    except ValueError as error:
        raise Refusal("wrong_cursor", "Откройте список с начала.", 422) from error
