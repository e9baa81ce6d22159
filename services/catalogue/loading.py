"""Loading the catalogue from files that an institution can replace.

Each file is YAML with any of `types`, `programmes`, `reasons`, `calendar`, `retention`,
`credentials`, the categories of proofs of qualification, and `entries`, the types of entry in a
patient's record. All are read and checked first; if there is a mistake nothing is loaded, and all
mistakes are named with their lines. Loading the same files again changes nothing.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.archive import RetentionTerm
from models.tables.catalogue import CalendarDay, CaseTypeVersion, Programme, Reason
from models.tables.credentials import CredentialCategory
from models.tables.records import EntryType
from rules import clock
from rules.archive import RetentionRule
from rules.credentials.categories import CategoryDefinition
from rules.files.categories import Category
from rules.forms.definitions import CaseTypeDefinition
from rules.forms.fields import Definition
from rules.records.types import EntryTypeDefinition
from services.catalogue import lookup as catalogue
from services.catalogue.files import (
    CatalogueError,
    DayInFile,
    FileContent,
    ReasonInFile,
    Text,
    read_files,
)

_CATEGORIES = frozenset(category.value for category in Category)
APPLICATION_TYPE = "qualification"
"""The type of case that programmes belong to."""


@dataclass
class Loaded:
    """What loading changed: names of what is new, has a new version, or is no longer offered.

    `left` names what the files say otherwise and stays as the institution has it.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.added or self.changed or self.withdrawn)


Stored = Mapping[tuple[str, int], dict[str, Any]]
"""Definitions of types by their keys and versions."""
Own = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""What an institution has made its own: entries as in a file, by the section and their key."""


async def load(
    session: AsyncSession,
    files: Sequence[Path | Text],
    now: datetime | None = None,
    zone: str = "Europe/Moscow",
    own: Own | None = None,
) -> Loaded:
    """Make the catalogue match the files. Raises CatalogueError, and then changes nothing.

    The files name all programmes and reasons: one that is missing is no longer offered. A changed
    programme becomes a new version; a changed type must carry a new version number. A `valid_from`
    of a file begins at midnight in `zone`. What the institution has made its `own` stays as it is.
    """
    now = now or clock.now()

    def since(day: date | None) -> datetime:
        return now if day is None else datetime.combine(day, time(), ZoneInfo(zone))

    content, own = read_files(files), own or {}
    stored = await _stored_types(session)
    known = await _stored_definitions(session)
    loaded = Loaded(left=_set_aside(content, own, {"types": stored, **known}))
    if problems := [
        *_types_changed(content, stored),
        *_strangers(content, stored),
        *_definitions_changed(content, known),
    ]:
        raise CatalogueError(problems)
    _load_types(session, content, stored, loaded, since)
    _load_definitions(session, content, known, loaded, since)
    if content.programmes is not None:
        await _load_programmes(session, content, loaded, now, since)
    if content.reasons is not None:
        await _load_reasons(session, content.reasons, loaded, own.get("reasons", {}))
    await _load_calendar(session, content.calendar, loaded)
    loaded.changed += await load_terms(session, content.retention)
    await session.flush()
    catalogue.forget(session)
    return loaded


async def odd_names(session: AsyncSession, programme: Any) -> list[str]:
    """Names in a checked programme that the type of its applications does not know."""
    content = FileContent(programmes=[programme])
    return [*_strangers(content, await _stored_types(session))]


async def _stored_types(session: AsyncSession) -> dict[tuple[str, int], dict[str, Any]]:
    rows = (await session.exec(select(CaseTypeVersion))).all()
    return {(row.key, row.version): row.definition for row in rows}


def _as_now(section: str, stored: dict[str, Any]) -> dict[str, Any]:
    """A stored definition, with fields that were added to definitions later at their defaults."""
    _table, shape = _KEPT.get(section, (None, CaseTypeDefinition))
    return shape.model_validate(stored).model_dump(mode="json")


_KEYS = {
    "types": "key",
    "credentials": "key",
    "programmes": "code",
    "reasons": "key",
    "calendar": "day",
}


def _set_aside(content: FileContent, own: Own, stored: Mapping[str, Stored]) -> list[str]:
    """Take out of the files what stays as it is. Returns the names where the files say otherwise.

    Where the type of applications stays, so do programmes that name what only the files' type has.
    Reasons keep their places in the files, and are passed over when they are loaded.
    """
    left = [*_said_otherwise(content, own, stored)]
    types, days, kept = (own.get(name, {}) for name in ("types", "calendar", "credentials"))
    content.credentials = [each for each in content.credentials if each.key not in kept]
    content.types = [each for each in content.types if each.key not in types]
    content.calendar = [each for each in content.calendar if each.day.isoformat() not in days]
    if content.programmes is None:
        return left
    content.staying = set(own.get("programmes", ()))
    for each in content.programmes if APPLICATION_TYPE in types else ():
        alone = FileContent(content.types, [each])
        if each.code not in content.staying and any(_strangers(alone, stored["types"])):
            content.staying.add(each.code)
            left.append(f"programmes {each.code}")
    content.programmes = [each for each in content.programmes if each.code not in content.staying]
    return left


def _said_otherwise(content: FileContent, own: Own, stored: Mapping[str, Stored]) -> Iterator[str]:
    """What the institution has made its own, and the files would change."""
    for section, entries in own.items():
        for each in getattr(content, section) or ():
            key = str(getattr(each, _KEYS[section]))
            said = each.model_dump(mode="json", exclude={"valid_from"})
            known = stored[section].get((key, each.version)) if section in stored else None
            if known is not None and _as_now(section, known) == said:
                continue
            if key in entries and said != entries[key]:
                yield f"{section} {key}"


def _types_changed(content: FileContent, stored: Stored) -> Iterator[str]:
    for each in content.types:
        before = stored.get((each.key, each.version))
        if before is not None and _as_now("types", before) != each.definition:
            yield (
                f"types {each.key}: version {each.version} is stored with another definition; "
                f"cases may have begun with it, so raise `version`"
            )
    for each in content.types:
        for rule in each.attachments:
            if rule.kind not in _CATEGORIES:
                yield f"types {each.key}: attachments: no category of documents {rule.kind!r}"


def _strangers(content: FileContent, stored: Stored) -> Iterator[str]:
    """Names in programmes that the type of their applications does not know."""
    known = {**stored, **{(each.key, each.version): each.definition for each in content.types}}
    newest = max((version for key, version in known if key == APPLICATION_TYPE), default=None)
    if not content.programmes:
        return
    if newest is None:
        yield f"programmes: there is no type {APPLICATION_TYPE!r} to apply with"
        return
    definition = CaseTypeDefinition.model_validate(known[APPLICATION_TYPE, newest])
    kinds = {rule.kind for rule in definition.attachments}
    specialty = definition.fields.get("specialty")
    specialties = {choice.value for choice in specialty.choices} if specialty else None
    for each in content.programmes:
        where = f"programmes {each.code}"
        for rule in each.attachments.add:
            if rule.kind not in _CATEGORIES:
                yield f"{where}: attachments.add: no category of documents {rule.kind!r}"
        for waiver in each.attachments.waive:
            if waiver.kind not in kinds:
                yield f"{where}: attachments.waive: {waiver.kind!r} is not asked for anyway"
        for name in each.specialties:
            if specialties is not None and name not in specialties:
                yield f"{where}: specialties: {name!r} is not a choice of the form"


def _load_types(
    session: AsyncSession,
    content: FileContent,
    stored: Stored,
    loaded: Loaded,
    since: Callable[[date | None], datetime],
) -> None:
    for each in content.types:
        if (each.key, each.version) in stored:
            continue
        session.add(
            CaseTypeVersion(
                key=each.key,
                version=each.version,
                definition=each.definition,
                valid_from=since(each.valid_from),
            )
        )
        new = not any(key == each.key for key, _ in stored)
        (loaded.added if new else loaded.changed).append(f"{each.key} version {each.version}")


_KEPT: Mapping[str, tuple[Any, type[Definition]]] = {
    "credentials": (CredentialCategory, CategoryDefinition),
    "entries": (EntryType, EntryTypeDefinition),
}
"""Definitions that what was written by them keeps: the section, its table, and its shape."""


async def _stored_definitions(session: AsyncSession) -> Mapping[str, Stored]:
    known: dict[str, Stored] = {}
    for section, (table, _) in _KEPT.items():
        rows = (await session.exec(select(table))).all()
        known[section] = {(row.key, row.version): row.definition for row in rows}
    return known


def _definitions_changed(content: FileContent, known: Mapping[str, Stored]) -> Iterator[str]:
    for section in _KEPT:
        for each in getattr(content, section):
            before = known[section].get((each.key, each.version))
            if before is None:
                continue
            if _as_now(section, before) != each.definition:
                yield (
                    f"{section} {each.key}: version {each.version} is stored with another"
                    f" definition; {section} may have been written by it, so raise `version`"
                )


def _load_definitions(
    session: AsyncSession,
    content: FileContent,
    known: Mapping[str, Stored],
    loaded: Loaded,
    since: Callable[[date | None], datetime],
) -> None:
    for section, (table, _) in _KEPT.items():
        for each in getattr(content, section):
            if (each.key, each.version) not in known[section]:
                session.add(
                    table(
                        key=each.key,
                        version=each.version,
                        definition=each.definition,
                        valid_from=since(each.valid_from),
                    )
                )
                loaded.added.append(f"{each.key} version {each.version}")


async def _load_programmes(
    session: AsyncSession,
    content: FileContent,
    loaded: Loaded,
    now: datetime,
    since: Callable[[date | None], datetime],
) -> None:
    wanted = content.programmes or ()
    newest_version = (
        select(Programme.code, func.max(Programme.version)).group_by(Programme.code).subquery()
    )
    rows = await session.exec(
        select(Programme)
        .join(
            newest_version,
            (newest_version.c[0] == col(Programme.code))
            & (newest_version.c[1] == col(Programme.version)),
        )
        .with_for_update(of=Programme)
    )
    newest = {row.code: row for row in rows.all()}
    for each in wanted:
        before, columns = newest.get(each.code), each.columns
        if before is not None and all(getattr(before, k) == v for k, v in columns.items()):
            if before.withdrawn_at is not None:
                before.withdrawn_at = None
                loaded.changed.append(each.code)
            continue
        session.add(
            Programme(
                code=each.code,
                version=before.version + 1 if before else 1,
                valid_from=since(each.valid_from),
                **columns,
            )
        )
        (loaded.changed if before else loaded.added).append(each.code)
    offered = content.staying | {each.code for each in wanted}
    gone = [c for c, row in newest.items() if c not in offered and row.withdrawn_at is None]
    if gone:
        of_gone = col(Programme.code).in_(gone) & col(Programme.withdrawn_at).is_(None)
        await session.exec(update(Programme).where(of_gone).values(withdrawn_at=now))
        loaded.withdrawn += gone


async def _load_reasons(
    session: AsyncSession, wanted: Sequence[ReasonInFile], loaded: Loaded, own: Collection[str]
) -> None:
    stored = {row.key: row for row in (await session.exec(select(Reason))).all()}
    for position, each in enumerate(wanted):
        if each.key in own:
            continue
        columns = {**each.model_dump(), "position": position, "active": True}
        row = stored.get(each.key)
        if row is None:
            session.add(Reason(**columns))
            loaded.added.append(each.key)
        elif any(getattr(row, k) != v for k, v in columns.items()):
            row.sqlmodel_update(columns)
            loaded.changed.append(each.key)
    offered = {*own, *(each.key for each in wanted)}
    for key, row in stored.items():
        if key not in offered and row.active:
            row.active = False
            loaded.withdrawn.append(key)


async def _load_calendar(session: AsyncSession, days: Sequence[DayInFile], loaded: Loaded) -> None:
    for each in days:
        before = await session.get(CalendarDay, each.day)
        if before is not None and (before.working, before.source) == (each.working, each.source):
            continue
        columns = each.model_dump()
        changed = insert(CalendarDay).values(columns)
        await session.exec(changed.on_conflict_do_update(index_elements=["day"], set_=columns))
        (loaded.changed if before else loaded.added).append(each.day.isoformat())


async def load_terms(session: AsyncSession, rules: Sequence[RetentionRule]) -> list[str]:
    """Make the terms match the files; terms that are not named stay. Returns what changed."""
    known = {(one.kind, one.type): one for one in (await session.exec(select(RetentionTerm))).all()}
    changed = []
    for rule in rules:
        term = known.get((str(rule.kind), rule.type))
        if term is None:
            term = RetentionTerm(kind=str(rule.kind), type=rule.type, years=0, ground="")
        if (term.years, term.ground) != (rule.years, rule.ground):
            term.years, term.ground = rule.years, rule.ground
            session.add(term)
            changed.append(f"retention {rule.name}")
    return changed
