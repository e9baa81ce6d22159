"""The history of a patient: what every subject knows of what happened to them.

Each subject registers its own source: entries here, visits in the schedule, results, dispensed
medicines. The same sources answer «С прошлого приёма»: what has happened since somebody last saw
this patient, and not by them. The present encounter does not count: whoever signs an entry in it
has not read by that what came before.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.base import UtcDateTime
from models.tables.records import RecordEntry
from models.tables.schedule import Appointment
from rules.access import Actor
from rules.records.entries import ONE_ENCOUNTER, EntryState
from services.records import seen
from services.records.seen import EntrySeen

PAGE = 30
MOST_NEWS = 20


@dataclass(frozen=True)
class Span:
    """Which part of a history is asked for; `kind` narrows a source that knows kinds.

    With `changed_since` a source tells what is new or has changed from that moment on, dated by
    the change; otherwise everything by when it happened.
    """

    changed_since: datetime | None = None
    since: datetime | None = None
    before: datetime | None = None
    kind: str = ""
    limit: int = PAGE


@dataclass(frozen=True)
class HistoryEvent:
    """One thing that happened to a patient. `title` is a msgid, `about` is as it was written."""

    source: str
    ref: UUID
    at: datetime
    title: str
    about: str
    patient_id: UUID
    """Under which identity it is kept."""
    by: UUID | None = None
    note: str = ""
    """A msgid: what a reader must know besides, such as that it was entered in error."""
    bad: bool = False
    """Whether it has to be noticed: a critical result, a missed visit."""
    missed: bool = False
    """Whether it did not take place: that is news for the one who was to do it, too."""


Told = Callable[[AsyncSession, frozenset[UUID], Span], Awaitable[Sequence[HistoryEvent]]]
"""What a source tells of these patients, who are one person, the newest first."""


@dataclass(frozen=True)
class Encounters:
    """When somebody saw a patient, as far as a subject knows; None for never.

    `before` is the last time before the present encounter, `now` is the first time in it.
    """

    before: datetime | None
    now: datetime | None


Saw = Callable[[AsyncSession, Actor, frozenset[UUID], datetime], Awaitable[Encounters]]
"""When the actor saw the patient; the present encounter begins at the moment that is given."""


@dataclass(frozen=True)
class HistorySource:
    """One subject's part of the history. `word` is a msgid."""

    name: str
    word: str
    told: Told


_SOURCES: dict[str, HistorySource] = {}
_ENCOUNTERS: dict[str, Saw] = {}


def tells(name: str, word: str, told: Told) -> None:
    """Let a subject tell what happened to patients."""
    _SOURCES[name] = HistorySource(name, word, told)


def sees(name: str, saw: Saw) -> None:
    """Let a subject say when somebody saw a patient."""
    _ENCOUNTERS[name] = saw


def sources() -> Mapping[str, HistorySource]:
    """All sources by name."""
    return _SOURCES


async def page(
    session: AsyncSession, patients: frozenset[UUID], span: Span, source: str = ""
) -> Sequence[HistoryEvent]:
    """The history of these patients, the newest first; of one source, if one is named."""
    asked = [one for one in _SOURCES.values() if source in ("", one.name)]
    found = [line for one in asked for line in await one.told(session, patients, span)]
    return sorted(found, key=lambda line: line.at, reverse=True)[: span.limit]


async def last_seen(
    session: AsyncSession, actor: Actor, patients: frozenset[UUID], now: datetime
) -> datetime | None:
    """When the actor saw the patient before the present encounter; None for never.

    Whoever saw the patient first in this encounter has seen them since it began.
    """
    begins = now - ONE_ENCOUNTER
    known = [await saw(session, actor, patients, begins) for saw in _ENCOUNTERS.values()]
    before = [one.before for one in known if one.before is not None]
    return max(before) if before else min((one.now for one in known if one.now), default=None)


async def news(
    session: AsyncSession, actor: Actor, patients: frozenset[UUID], since: datetime
) -> Sequence[HistoryEvent]:
    """What has happened since, by others; what is bad comes first."""
    found = await page(session, patients, Span(changed_since=since, limit=MOST_NEWS))
    others = [line for line in found if line.missed or line.by != actor.person_id]
    return sorted(others, key=lambda line: not line.bad)


ENTRIES = "entries"


async def _entries(
    session: AsyncSession, patients: frozenset[UUID], span: Span
) -> Sequence[HistoryEvent]:
    found = await seen.entries(
        session,
        patients,
        kind=span.kind,
        since=span.since,
        before=span.before,
        changed_since=span.changed_since,
        limit=span.limit,
    )
    return [_line(one, by_change=span.changed_since is not None) for one in found]


def _line(one: EntrySeen, *, by_change: bool) -> HistoryEvent:
    return HistoryEvent(
        source=ENTRIES,
        ref=one.id,
        at=one.changed_at if by_change else one.signed_at,
        title=one.kind.title,
        about=one.current.about if one.state is not EntryState.ERASED else "",
        patient_id=one.patient_id,
        by=one.changed_by if by_change else one.author_id,
        note=_NOTES.get(one.state, "есть исправления" if one.version > 1 else ""),
        bad=one.dangerous and one.state is EntryState.SIGNED,
    )


_NOTES: Mapping[EntryState, str] = {
    EntryState.MISTAKEN: "внесено ошибочно",
    EntryState.ERASED: "удалено по сроку хранения",
}


def encounters_at(begins: datetime, *moments: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The columns of `Encounters`, of rows that say when: at the earliest of `moments`."""
    moment = func.least(*moments, type_=UtcDateTime())
    return (
        func.max(moment).filter(moment < begins),
        func.min(moment).filter(moment >= begins),
    )


async def _wrote(
    session: AsyncSession, actor: Actor, patients: frozenset[UUID], begins: datetime
) -> Encounters:
    """By entries: one that names a visit was written in it, even if it was signed days later."""
    found = await session.exec(
        select(*encounters_at(begins, RecordEntry.signed_at, Appointment.starts_at))
        .outerjoin(Appointment, col(Appointment.id) == col(RecordEntry.visit_id))
        .where(RecordEntry.author_id == actor.person_id, col(RecordEntry.patient_id).in_(patients))
    )
    return Encounters(*found.one())


tells(ENTRIES, "Записи", _entries)
sees(ENTRIES, _wrote)
