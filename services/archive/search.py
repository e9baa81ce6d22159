"""The archive: all cases that a person may see, narrowed by filters, newest first (S7).

A list over several units is merged from one short index scan for each of them (and for each status,
type or programme asked for), so that a page costs the same among a thousand cases as among fifty
thousand. The choice of the index must not be left to statistics: these know how often a programme
occurs on the average, not that the one asked for never does, and then PostgreSQL reads all cases of
a unit to find none. So each scan asks for an order of nulls that only the indexes made for it have.
A case is never without that time, so the order of cases is the same.

Form data is encrypted and cannot be searched: words are searched in the titles of programmes and
types.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    false,
    func,
    or_,
    true,
    tuple_,
    union,
)
from sqlalchemy import select as choose
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.cases import Case
from models.tables.catalogue import CaseTypeVersion, Programme
from rules.access import Actor, Permission
from rules.cases import deciding
from rules.cases.kinds import DECIDING, SEEN_BY_HEADS
from rules.cases.process import CaseKind
from rules.refusals import Refusal
from rules.texts.cleaning import in_order, searched
from services.cases import audience
from services.cases.lists import (
    LISTED_AT,
    PAGE,
    Filters,
    Listing,
    Order,
    conditions,
    line_columns,
    listed,
    read_cursor,
)
from services.catalogue.lookup import holds

COUNTED = 1000
"""Cases are counted up to this number; of more the page only says that there are more."""

MOST_WORDS = 10
"""How many words of a query are searched for; further ones are ignored."""

_PLACE = (LISTED_AT.label("listed_at"), col(Case.id))

BATCH = 500
"""How many lines are read at once when a whole list is read."""


class ArchiveFilters(Filters):
    """The filters of the archive, besides those of every list."""

    kind: CaseKind | None = None
    text: str | None = Field(None, max_length=200)
    """Words of the title of a programme or type."""


@dataclass(frozen=True)
class Scope:
    """What a person may see: own cases, those of units they review, those of units they head.

    Auditors see none here.
    """

    actor: Actor
    own: bool
    reviews: frozenset[UUID]
    views: frozenset[UUID]
    otherwise: ColumnElement[bool] | None
    """Cases that are decided with another permission than the usual one, or were."""

    @classmethod
    def of(cls, actor: Actor) -> "Scope":
        """The scope by the rights held now."""
        return cls(
            actor,
            bool(audience.own_kinds(actor)),
            actor.units_with(deciding.USUAL),
            actor.units_with(Permission.VIEW_UNIT_CASES),
            audience.otherwise(actor),
        )

    @property
    def others(self) -> bool:
        """Whether it includes other people's cases."""
        return bool(self.reviews or self.views) or self.otherwise is not None

    def stored(self) -> dict[str, Any]:
        """The scope as JSON."""
        return {
            "own": self.own,
            "reviews": sorted(map(str, self.reviews)),
            "views": sorted(map(str, self.views)),
            "decides": self._decides(),
        }

    def _decides(self) -> dict[str, list[str]]:
        """The units of each permission beside the usual one with which the person decides."""
        held = {one: self.actor.units_with(one) for one in DECIDING if one is not deciding.USUAL}
        return {one.value: sorted(map(str, units)) for one, units in held.items() if units}

    def holds(self, stored: Mapping[str, Any]) -> bool:
        """Whether everything in an earlier scope may still be seen."""
        return (
            (self.own or not stored["own"])
            and set(stored["reviews"]) <= set(map(str, self.reviews))
            and set(stored["views"]) <= set(map(str, self.views))
            and all(
                set(units) <= set(self._decides().get(permission, ()))
                for permission, units in stored.get("decides", {}).items()
            )
        )


@dataclass(frozen=True)
class TypeTitle:
    """A type of case by its newest title (a msgid)."""

    key: str
    kind: str
    title: str


async def types(session: AsyncSession) -> Sequence[TypeTitle]:
    """All types of case, ordered by title."""
    title, kind = (CaseTypeVersion.definition[name].astext for name in ("title", "kind"))
    found = await session.exec(
        select(CaseTypeVersion.key, kind, title)
        .ext(distinct_on(col(CaseTypeVersion.key)))
        .order_by(col(CaseTypeVersion.key), col(CaseTypeVersion.version).desc())
    )
    return sorted((TypeTitle(*row) for row in found.all()), key=lambda one: in_order(one.title))


async def page(
    session: AsyncSession,
    actor: Actor,
    filters: ArchiveFilters,
    after: str | None = None,
    limit: int = PAGE,
) -> Listing:
    """A page of the archive, newest first. Raises Refusal 422 for a wrong number or cursor."""
    query = await _keys(session, Scope.of(actor), filters, after, limit + 1)
    keys = query.order_by(*_newest(query.selected_columns)).limit(limit + 1).subquery("keys")
    lines = (
        line_columns(True)
        .join(keys, keys.c.id == col(Case.id))
        .order_by(LISTED_AT.desc(), col(Case.id).desc())
    )
    connection = await session.connection()
    found = await connection.execute(lines)
    names = tuple(found.keys())
    rows = [dict(zip(names, row, strict=True)) for row in found.all()]
    return listed(rows, limit, Order.NEWEST)


async def count(
    session: AsyncSession, actor: Actor, filters: ArchiveFilters, most: int = COUNTED
) -> int:
    """How many cases there are; `most + 1` means more than `most`."""
    keys = await _keys(session, Scope.of(actor), filters, None, most + 1, ordered=False)
    connection = await session.connection()
    found = await connection.execute(choose(func.count()).select_from(keys.subquery("keys")))
    return min(int(found.scalar_one()), most + 1)


async def walk(
    database: Database, actor: Actor, filters: ArchiveFilters, after: str | None = None
) -> AsyncIterator[Listing]:
    """The whole list in batches, each in a unit of work of its own.

    Cases that arrive meanwhile are newer than the place reached, and shift nothing.
    """
    while True:
        async with database.work() as session:
            batch = await page(session, actor, filters, after, BATCH)
        yield batch
        after = batch.after
        if after is None:
            return


def _newest(columns: Any) -> tuple[Any, ...]:
    return columns.listed_at.desc(), columns.id.desc()


@dataclass(frozen=True)
class _Walk:
    """One way to scan an index: values that each start a scan, and the columns they fix."""

    fixed: tuple[tuple[Any, Any, Sequence[Any]], ...] = ()
    """Column, its SQL type, and its values: one scan for each value."""
    where: ColumnElement[bool] | None = None
    indexed: frozenset[str] = frozenset()
    """Columns of units whose index continues with the fixed columns; other columns are filtered."""


_BOTH = frozenset({"responsible_unit_id", "unit_id"})
_RESPONSIBLE = frozenset({"responsible_unit_id"})


async def _keys(
    session: AsyncSession,
    scope: Scope,
    filters: ArchiveFilters,
    after: str | None,
    most: int,
    *,
    ordered: bool = True,
) -> Any:
    """The places `(listed_at, id)` of the cases asked for: at most `most` from each scan.

    If the order does not matter, all scans of one kind together end after `most`.
    """
    wanted = [col(Case.number).is_not(None), *conditions(_plain(filters))]
    if filters.kind is not None:
        wanted.append(col(Case.kind) == filters.kind.value)
    if after is not None:
        wanted.append(tuple_(LISTED_AT, col(Case.id)) < read_cursor(after))
    narrowings = await _narrowings(session, filters)
    branches: list[Select[Any]] = []
    if scope.own:
        own = and_(audience.own(scope.actor), _either(narrowings))
        branches.append(_limited(and_(own, *wanted), most))
    if scope.otherwise is not None:
        few = [scope.otherwise, _either(narrowings), *wanted]
        if filters.unit_id is not None:
            few.append(col(Case.unit_id) == filters.unit_id)
        branches.append(_limited(and_(*few), most))
    for narrowing in narrowings:
        others = _others(scope, filters, narrowing, wanted, most)
        branches += others if ordered else [branch.limit(most) for branch in others]
    if not branches:
        return choose(*_PLACE).where(false())
    return union(*(choose(branch.subquery()) for branch in branches))


def _plain(filters: ArchiveFilters) -> Filters:
    """The filters that `services.cases.lists` knows; programmes are found beforehand."""
    known = filters.model_dump(exclude={"kind", "text", "programme_kind"})
    return Filters.model_construct(**known)


def _limited(where: ColumnElement[bool], most: int, *, indexed: bool = False) -> Select[Any]:
    """The newest cases under this condition; `indexed` if an archive index serves the scan."""
    query: Any = choose(*_PLACE).where(where)
    listed_at = LISTED_AT.desc()
    newest: Select[Any] = query.order_by(
        listed_at.nulls_last() if indexed else listed_at, col(Case.id).desc()
    )
    # With a plain number and few expected rows, PostgreSQL would collect and sort all rows.
    return newest.limit(choose(bindparam(None, most, unique=True)).scalar_subquery())


def _either(narrowings: Sequence[_Walk]) -> ColumnElement[bool]:
    """The same as the scans, as one condition: for a few cases."""
    return or_(
        false(),
        *(
            and_(
                true(),
                *(column.in_(values) for column, _, values in one.fixed),
                *([one.where] if one.where is not None else []),
            )
            for one in narrowings
        ),
    )


def _others(
    scope: Scope,
    filters: ArchiveFilters,
    narrowing: _Walk,
    wanted: Sequence[ColumnElement[bool]],
    most: int,
) -> list[Select[Any]]:
    """Scans over the cases of others, one for each unit."""
    reviews, views = col(Case.responsible_unit_id), col(Case.unit_id)
    # Heads of units do not see what their people ask of the state.
    headed = col(Case.kind).in_(SEEN_BY_HEADS)
    places: list[tuple[Any, frozenset[UUID], list[ColumnElement[bool]]]]
    if filters.unit_id is not None:
        seen = or_(audience.usual(scope.actor), and_(views.in_(scope.views), headed))
        asked = frozenset({filters.unit_id}) if scope.reviews or scope.views else frozenset()
        places = [(views, asked, [seen])]
    else:
        usual = [audience.usual(scope.actor)]
        places = [(reviews, scope.reviews, usual), (views, scope.views, [headed])]
    made = []
    for column, ids, more in places:
        if not ids:
            continue
        fixed = ((column, Uuid(), sorted(ids)), *narrowing.fixed)
        starts = [_started(n, kind, values) for n, (_, kind, values) in enumerate(fixed)]
        here = [one == start.c.at for (one, _, _), start in zip(fixed, starts, strict=True)]
        if narrowing.where is not None:
            here.append(narrowing.where)
        indexed = column.key in narrowing.indexed
        walk_ = _limited(and_(*here, *more, *wanted), most, indexed=indexed).lateral()
        made.append(choose(walk_.c.listed_at, walk_.c.id).select_from(*starts, walk_))
    return made


def _started(n: int, kind: Any, values: Sequence[Any]) -> Any:
    """The values at which scans begin, as a table with one column `at`."""
    given = bindparam(None, list(values), type_=ARRAY(kind), unique=True)
    return func.unnest(given).table_valued("at", name=f"start_{n}").render_derived()


async def _narrowings(session: AsyncSession, filters: ArchiveFilters) -> list[_Walk]:
    """Which index to scan; several if words may be in titles of programmes and of types."""
    if filters.number or filters.ids:
        return [_Walk()]
    if filters.text or filters.programme_kind:
        return await _titled(session, filters)
    if filters.status:
        values = [status.value for status in filters.status]
        return [_Walk(((col(Case.status), Text(), values),), indexed=_BOTH)]
    if filters.type or filters.kind:
        known = [filters.type] if filters.type else [one.key for one in await types(session)]
        kinds = [filters.kind.value] if filters.kind else [kind.value for kind in CaseKind]
        fixed = ((col(Case.kind), Text(), kinds), (col(Case.type), Text(), known))
        return [_Walk(fixed, indexed=_RESPONSIBLE)]
    return [_Walk()]


async def _titled(session: AsyncSession, filters: ArchiveFilters) -> list[_Walk]:
    """Cases with programmes of this kind or title, and those of such types without programmes."""
    words = searched(filters.text or "").split()[:MOST_WORDS]
    query = select(Programme.id)
    for word in words:
        query = query.where(holds(word))
    if filters.programme_kind:
        query = query.where(col(Programme.kind) == filters.programme_kind)
    programmes = list((await session.exec(query)).all())
    walks = []
    if programmes:
        walks.append(_Walk(((col(Case.programme_id), Uuid(), programmes),), indexed=_BOTH))
    if words and not filters.programme_kind:
        keys = [
            one.key
            for one in await types(session)
            if all(word in searched(one.title) for word in words)
        ]
        if keys:
            kinds = [kind.value for kind in CaseKind]
            fixed = ((col(Case.kind), Text(), kinds), (col(Case.type), Text(), keys))
            walks.append(_Walk(fixed, col(Case.programme_id).is_(None), _BOTH))
    return walks


def as_stored(filters: ArchiveFilters) -> dict[str, Any]:
    """Filters as JSON."""
    return filters.model_dump(mode="json", exclude_defaults=True)


def of_stored(stored: Mapping[str, Any]) -> ArchiveFilters:
    """Filters from JSON. Raises Refusal 422 if an earlier version stored them otherwise."""
    try:
        return ArchiveFilters.model_validate(stored)
    except ValueError as error:
        raise Refusal("wrong_filters", "Соберите условия заново.", 422) from error
