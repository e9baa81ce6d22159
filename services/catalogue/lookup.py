"""The catalogue: types of case, programmes, reasons and the working calendar.

A process remembers for each database what never changes, for ever, and what may change, for a
minute or five. `services.catalogue.loading` fills the catalogue from files.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import and_, bindparam, func, literal_column, or_, true, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import DirectRows
from models.tables.base import UtcDateTime
from models.tables.catalogue import (
    SEARCH_WORDS,
    CalendarDay,
    CaseTypeVersion,
    Programme,
    Reason,
)
from models.tables.people import Unit
from rules import clock
from rules.cases.terms import WorkingCalendar
from rules.catalogue.searching import ABBREVIATIONS, mended, words_of
from rules.forms.definitions import CaseTypeDefinition
from rules.refusals import Refusal, not_found
from rules.texts.cleaning import in_order

NEWEST_KEPT = 60.0
CALENDAR_KEPT = 300.0
"""Within so many seconds a change by another process is seen."""

_RUSSIAN: Any = literal_column("'russian'::regconfig")
_WORD = re.compile(r"\w{4,}")
_LONG = 40
"""Words of at least so many characters have no stem."""


@dataclass
class _Known:
    """What this process remembers of one database."""

    types: dict[tuple[str, int], CaseTypeDefinition] = field(default_factory=dict)
    newest: dict[str, tuple[float, int]] = field(default_factory=dict)
    calendar: tuple[float, WorkingCalendar] | None = None
    units: dict[str, UUID] = field(default_factory=dict)
    programmes: dict[UUID, tuple[float, Programme]] = field(default_factory=dict)


_known: WeakKeyDictionary[Any, _Known] = WeakKeyDictionary()


def _remembered(session: AsyncSession) -> _Known:
    return _known.setdefault(database_of(session), _Known())


def database_of(session: AsyncSession) -> Any:
    """What identifies the database of a session, for units of work and for reading alike."""
    return cast("AsyncEngine", session.bind).pool


def forget(session: AsyncSession) -> None:
    """Read everything again: the catalogue has just been changed."""
    _known.pop(database_of(session), None)


async def case_type(
    session: AsyncSession, key: str, version: int | None = None
) -> CaseTypeDefinition:
    """A type of case; without a version, the newest one that is valid. Raises `not_found`."""
    known = _remembered(session)
    if version is None:
        version = await _newest(session, known, key)
    if (definition := known.types.get((key, version))) is None:
        row = await session.get(CaseTypeVersion, (key, version))
        if row is None:
            raise not_found()
        definition = CaseTypeDefinition.model_validate(row.definition)
        known.types[key, version] = definition
    return definition


async def request_types(session: AsyncSession) -> list[CaseTypeDefinition]:
    """The valid types of request, in the order of the catalogue (S1).

    A type whose addressee is no unit of this institution is not offered.
    """
    found = await session.exec(
        select(CaseTypeVersion.key, func.max(CaseTypeVersion.version))
        .where(CaseTypeVersion.valid_from <= clock.now())
        .group_by(col(CaseTypeVersion.key))
    )
    types = [await case_type(session, key, version) for key, version in found.all()]
    units = set((await session.exec(select(Unit.code))).all())
    offered = [one for one in types if one.channel is not None and one.addressee in units]
    return sorted(offered, key=lambda one: (one.order, in_order(one.title)))


async def _newest(session: AsyncSession, known: _Known, key: str) -> int:
    until, version = known.newest.get(key, (0.0, 0))
    if time.monotonic() < until:
        return version
    found = await session.exec(
        select(func.max(CaseTypeVersion.version)).where(
            CaseTypeVersion.key == key, CaseTypeVersion.valid_from <= clock.now()
        )
    )
    newest = found.one()
    if newest is None:
        raise not_found()
    known.newest[key] = (time.monotonic() + NEWEST_KEPT, newest)
    return newest


async def programme(session: AsyncSession, programme_id: UUID) -> Programme:
    """One version of a programme, offered or not, for reading only. Raises `not_found`."""
    known = _remembered(session).programmes
    until, found = known.get(programme_id, (0.0, None))
    if found is None or time.monotonic() >= until:
        found = await session.get(Programme, programme_id)
        if found is None:
            raise not_found()
        session.expunge(found)
        known[programme_id] = (time.monotonic() + NEWEST_KEPT, found)
    return found


async def is_offered(session: AsyncSession, programme_id: UUID) -> bool:
    """Whether an application for this version of a programme may be begun now."""
    return await _IS_OFFERED.one_or_none(session, {"programme_id": programme_id}) is not None


async def offered_programme(session: AsyncSession, programme_id: UUID) -> Programme:
    """A programme to begin an application with. Raises Refusal 404, or 409 if it is not offered."""
    found = await programme(session, programme_id)
    if not await is_offered(session, programme_id):
        raise Refusal(
            "programme_not_offered",
            "Этой программы больше нет в каталоге или она изменилась. Выберите её заново.",
            409,
        )
    return found


async def programmes(
    session: AsyncSession,
    kind: str | None = None,
    text: str | None = None,
    specialty: str | None = None,
    after: tuple[str, UUID] | None = None,
    limit: int = 200,
) -> Sequence[Programme]:
    """Programmes on offer by title: of a kind, with all words of a text, for a specialty.

    A word matches in any of its forms, as a part of another, and an abbreviation by its meaning.

    `after` is the `(sort_key, id)` of the last one seen.
    """
    query = select(Programme).where(_OFFERED)
    if kind:
        query = query.where(Programme.kind == kind)
    for word in words_of(text or ""):
        query = query.where(_tells(word))
    if specialty:
        column = col(Programme.specialties)
        query = query.where(or_(column.op("@>")([specialty]), column.op("=")([])))
    if after:
        query = query.where(tuple_(col(Programme.sort_key), col(Programme.id)) > after)
    query = query.order_by(col(Programme.sort_key), col(Programme.id)).limit(limit)
    return (await session.exec(query)).all()


async def mended_question(session: AsyncSession, text: str) -> str:
    """The query with mistyped words replaced by the most similar words of programmes on offer."""
    found = await session.exec(select(Programme.search_text).where(_OFFERED))
    known = {word for line in found.all() for word in _WORD.findall(line)}
    return " ".join(mended(words_of(text), known))


def _offered() -> Any:
    """The condition that this is the newest valid version of a programme that is not withdrawn."""
    newer: Any = aliased(Programme)
    now = bindparam("now", type_=UtcDateTime(), callable_=lambda: clock.now())
    superseded = select(true()).where(
        col(newer.code) == col(Programme.code),
        col(newer.version) > col(Programme.version),
        col(newer.valid_from) <= now,
    )
    return and_(
        col(Programme.withdrawn_at).is_(None),
        col(Programme.valid_from) <= now,
        ~superseded.exists(),
    )


_OFFERED = _offered()
_IS_OFFERED = DirectRows(
    select(Programme.id).where(Programme.id == bindparam("programme_id"), _OFFERED)
)


def _tells(word: str) -> Any:
    """The condition that a programme has the word: as it is, in another form, or in full."""
    found = [holds(word)]
    if word.isalpha() and len(word) < _LONG:
        stems = func.plainto_tsquery(_RUSSIAN, word)
        # A stop word, such as «для», is not searched for.
        found += [SEARCH_WORDS.op("@@")(stems), func.numnode(stems) == 0]
    if meant := ABBREVIATIONS.get(word):
        full = func.plainto_tsquery(_RUSSIAN, meant)
        found.append(SEARCH_WORDS.op("@@")(full))
    return or_(*found)


def holds(word: str) -> Any:
    """The condition that a programme's text contains a word of `searched`, with any dash in it."""
    pattern = re.sub(r"([%_\\])", r"\\\1", word).replace("-", "_").replace("'", "_")
    return col(Programme.search_text).like(f"%{pattern}%", escape="\\")


@dataclass(frozen=True)
class OfferedReason:
    """A reason that a reviewer may take and edit; `title` is shown in the list."""

    key: str
    outcome: str
    title: str
    text: str


async def reasons(session: AsyncSession, outcome: str | None = None) -> list[OfferedReason]:
    """The reasons offered to reviewers, for one outcome or all, in the order of the stock."""
    query = select(Reason).where(col(Reason.active)).order_by(col(Reason.position))
    if outcome:
        query = query.where(Reason.outcome == outcome)
    rows = await session.exec(query)
    return [OfferedReason(row.key, row.outcome, row.title, row.text) for row in rows.all()]


async def calendar(session: AsyncSession) -> WorkingCalendar:
    """The working calendar with the institution's table of decrees."""
    known = _remembered(session)
    if known.calendar is None or known.calendar[0] <= time.monotonic():
        days = (await session.exec(select(CalendarDay))).all()
        overrides = {day.day: day.working for day in days}
        known.calendar = (time.monotonic() + CALENDAR_KEPT, WorkingCalendar(overrides))
    return known.calendar[1]


async def unit_id(session: AsyncSession, code: str) -> UUID:
    """The unit with this code; codes never change. Raises LookupError if there is none."""
    known = _remembered(session)
    if (found := known.units.get(code)) is None:
        found = (await session.exec(select(Unit.id).where(Unit.code == code))).one_or_none()
        if found is None:
            raise LookupError(f"there is no unit with the code {code!r}")
        known.units[code] = found
    return found
