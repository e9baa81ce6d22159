"""Loading the catalogue from files that an institution can replace.

Each file is YAML with any of `types`, `programmes`, `reasons`, `calendar` and `retention`. All are
read and checked first; if there is a mistake nothing is loaded, and all mistakes are named with
their lines. Loading the same files again changes nothing.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import Field as Described
from pydantic import ValidationError, field_validator, model_validator
from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.archive import RetentionTerm
from models.tables.catalogue import CalendarDay, CaseTypeVersion, Programme, Reason
from rules import clock
from rules.archive import RetentionRule
from rules.cases.terms import Terms
from rules.clock import YEARS
from rules.files.categories import Category
from rules.forms.definitions import (
    RESERVED_SECTIONS,
    AttachmentRule,
    CaseTypeDefinition,
    ChecklistItem,
    Section,
    Waiver,
)
from rules.forms.fields import Definition
from rules.texts.cleaning import folded
from services.catalogue import lookup as catalogue
from services.catalogue.yaml_source import line_of, parsed, twice

_CATEGORIES = frozenset(category.value for category in Category)
APPLICATION_TYPE = "qualification"
"""The type of case that programmes belong to."""


class CatalogueError(ValueError):
    """The files cannot be loaded; `problems` say where and why, one line each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Text:
    """The text of a catalogue file that was typed, not read from a file."""

    name: str
    text: str

    def read_text(self, encoding: str = "utf-8") -> str:
        """The typed text."""
        return self.text


@dataclass
class Loaded:
    """What loading changed: names of what is new, has a new version, or is no longer offered."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.added or self.changed or self.withdrawn)


_Date = Annotated[date, Described(ge=date(YEARS.start, 1, 1), lt=date(YEARS.stop, 1, 1))]


class _Type(CaseTypeDefinition):
    valid_from: _Date | None = None

    @field_validator("sections")
    @classmethod
    def _can_be_reached(cls, sections: tuple[Section, ...]) -> tuple[Section, ...]:
        if taken := RESERVED_SECTIONS & {section.name for section in sections}:
            raise ValueError(
                f"{', '.join(sorted(taken))}: a page of the draft has this name, "
                f"give the section another"
            )
        return sections

    @property
    def definition(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"valid_from"})


class _Attachments(Definition):
    add: tuple[AttachmentRule, ...] = ()
    waive: tuple[Waiver, ...] = ()


class _IntakeLimits(Definition):
    places: int | None = Described(None, ge=1, le=10_000)
    apply_until: _Date | None = None


class _Programme(Definition):
    code: str = Described(pattern=r"^[A-Z0-9][A-Z0-9-]{1,31}$")
    title: str = Described(min_length=3, max_length=300)
    kind: Literal["course", "distance", "seminar"]
    organisation: str = Described(min_length=3, max_length=300)
    hours: int = Described(ge=2, le=576)
    certified_hours: int = Described(ge=0)
    starts_on: tuple[date, ...] = ()
    intake_limits: dict[date, _IntakeLimits] = Described(default_factory=dict)
    description: str = ""
    specialties: tuple[str, ...] = ()
    attachments: _Attachments = _Attachments()
    checklist: tuple[ChecklistItem, ...] = ()
    terms: Terms | None = None
    valid_from: _Date | None = None

    @model_validator(mode="after")
    def _hours_agree(self) -> Self:
        if self.certified_hours > self.hours:
            raise ValueError("certified_hours are more than hours")
        return self

    @model_validator(mode="after")
    def _limits_belong_to_intakes(self) -> Self:
        for day, limits in self.intake_limits.items():
            if day not in self.starts_on:
                raise ValueError(f"intake_limits: {day} is no day of starts_on")
            if limits.apply_until is not None and limits.apply_until > day:
                raise ValueError(f"intake_limits: {day} begins before the last day to apply")
        return self

    @property
    def columns(self) -> dict[str, Any]:
        stored = self.model_dump(mode="json", exclude={"code", "valid_from"})
        words = " ".join((self.title, self.organisation, self.code, self.description))
        stored["sort_key"] = folded(self.title)
        stored["search_text"] = folded(words)
        return stored


class _Reason(Definition):
    key: str = Described(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    outcome: Literal["approve", "clarify", "reject"]
    title: str = Described(min_length=3)
    text: str = Described(min_length=3)


class _Day(Definition):
    day: _Date
    working: bool
    source: str = Described(min_length=3)


class _File(Definition):
    types: tuple[_Type, ...] = ()
    programmes: tuple[_Programme, ...] = ()
    reasons: tuple[_Reason, ...] = ()
    calendar: tuple[_Day, ...] = ()
    retention: tuple[RetentionRule, ...] = ()


@dataclass
class _Content:
    """The contents of all files. A section that no file has is None, and stays as it is."""

    types: list[_Type] = field(default_factory=list)
    programmes: list[_Programme] | None = None
    reasons: list[_Reason] | None = None
    calendar: list[_Day] = field(default_factory=list)
    retention: list[RetentionRule] = field(default_factory=list)


async def load(
    session: AsyncSession,
    files: Sequence[Path | Text],
    now: datetime | None = None,
    zone: str = "Europe/Moscow",
) -> Loaded:
    """Make the catalogue match the files. Raises CatalogueError, and then changes nothing.

    The files name all programmes and reasons: one that is missing is no longer offered. A changed
    programme becomes a new version; a changed type must carry a new version number. A `valid_from`
    of a file begins at midnight in `zone`.
    """
    now = now or clock.now()

    def since(day: date | None) -> datetime:
        return now if day is None else datetime.combine(day, time(), ZoneInfo(zone))

    content = _read(files)
    stored = await _stored_types(session)
    if problems := [*_types_changed(content, stored), *_strangers(content, stored)]:
        raise CatalogueError(problems)
    loaded = Loaded()
    _load_types(session, content, stored, loaded, since)
    if content.programmes is not None:
        await _load_programmes(session, content.programmes, loaded, now, since)
    if content.reasons is not None:
        await _load_reasons(session, content.reasons, loaded)
    await _load_calendar(session, content.calendar, loaded)
    loaded.changed += await load_terms(session, content.retention)
    await session.flush()
    catalogue.forget(session)
    return loaded


def entry_of(kind: str, raw: Mapping[str, Any]) -> Any:
    """One entry of `types`, `programmes`, `reasons` or `calendar`, checked as in a file.

    Raises pydantic's ValidationError, whose locations begin with the section and the place 0.
    """
    return getattr(_File.model_validate({kind: [dict(raw)]}), kind)[0]


async def odd_names(session: AsyncSession, programme: Any) -> list[str]:
    """Names in a checked programme that the type of its applications does not know."""
    content = _Content(programmes=[programme])
    return [*_strangers(content, await _stored_types(session))]


def _read(files: Sequence[Path | Text]) -> _Content:
    content, problems = _Content(), []
    named: dict[tuple[str, Any], str] = {}
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
            tree, raw = parsed(text)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            problems.append(f"{path.name}: {' '.join(str(error).split())}")
            continue
        if tree is None or not isinstance(raw, dict):
            problems.append(f"{path.name}: expected a mapping with types, programmes or reasons")
            continue
        problems += [f"{path.name}:{line}: {key} is written twice" for line, key in twice(tree)]
        try:
            read = _File.model_validate(raw)
        except ValidationError as error:
            problems += [
                f"{path.name}:{line_of(tree, each['loc'])}: "
                f"{_place(raw, each['loc'])}: {each['msg'].removeprefix('Value error, ')}"
                for each in error.errors()
            ]
            continue
        for index, (kind, key) in enumerate(_names(read)):
            if (kind, key) in named:
                problems.append(f"{path.name}: {kind} {key} is also in {named[kind, key]}")
            named.setdefault((kind, key), f"{path.name}, entry {index + 1}")
        content.types += read.types
        content.calendar += read.calendar
        content.retention += read.retention
        if "programmes" in raw:
            content.programmes = [*(content.programmes or []), *read.programmes]
        if "reasons" in raw:
            content.reasons = [*(content.reasons or []), *read.reasons]
    if problems:
        raise CatalogueError(problems)
    return content


def _names(read: _File) -> Iterator[tuple[str, Hashable]]:
    yield from (("type", f"{each.key} version {each.version}") for each in read.types)
    yield from (("programme", each.code) for each in read.programmes)
    yield from (("reason", each.key) for each in read.reasons)
    yield from (("day", each.day) for each in read.calendar)
    yield from (("retention", each.name) for each in read.retention)


def _place(raw: Mapping[str, Any], location: Sequence[int | str]) -> str:
    """The location in words: `programmes CARD-144: hours`."""
    if len(location) < 2 or not isinstance(location[1], int):
        return ".".join(map(str, location))
    entry = raw[str(location[0])][location[1]]
    keys = ("code", "key", "day")
    name = next((entry[k] for k in keys if k in entry), None) if isinstance(entry, dict) else None
    where = f"{location[0]} {name or location[1] + 1}"
    rest = ".".join(map(str, location[2:]))
    return f"{where}: {rest}" if rest else where


async def _stored_types(session: AsyncSession) -> dict[tuple[str, int], dict[str, Any]]:
    rows = (await session.exec(select(CaseTypeVersion))).all()
    return {(row.key, row.version): row.definition for row in rows}


def _as_now(stored: dict[str, Any]) -> dict[str, Any]:
    """A stored definition, with fields that were added to definitions later at their defaults."""
    return CaseTypeDefinition.model_validate(stored).model_dump(mode="json")


def _types_changed(
    content: _Content, stored: Mapping[tuple[str, int], dict[str, Any]]
) -> Iterator[str]:
    for each in content.types:
        before = stored.get((each.key, each.version))
        if before is not None and _as_now(before) != each.definition:
            yield (
                f"types {each.key}: version {each.version} is stored with another definition; "
                f"cases may have begun with it, so raise `version`"
            )
    for each in content.types:
        for rule in each.attachments:
            if rule.kind not in _CATEGORIES:
                yield f"types {each.key}: attachments: no category of documents {rule.kind!r}"


def _strangers(
    content: _Content, stored: Mapping[tuple[str, int], dict[str, Any]]
) -> Iterator[str]:
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
    content: _Content,
    stored: Mapping[tuple[str, int], dict[str, Any]],
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


async def _load_programmes(
    session: AsyncSession,
    wanted: Sequence[_Programme],
    loaded: Loaded,
    now: datetime,
    since: Callable[[date | None], datetime],
) -> None:
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
    offered = {each.code for each in wanted}
    gone = [c for c, row in newest.items() if c not in offered and row.withdrawn_at is None]
    if gone:
        of_gone = col(Programme.code).in_(gone) & col(Programme.withdrawn_at).is_(None)
        await session.exec(update(Programme).where(of_gone).values(withdrawn_at=now))
        loaded.withdrawn += gone


async def _load_reasons(session: AsyncSession, wanted: Sequence[_Reason], loaded: Loaded) -> None:
    stored = {row.key: row for row in (await session.exec(select(Reason))).all()}
    for position, each in enumerate(wanted):
        columns = {**each.model_dump(), "position": position, "active": True}
        row = stored.get(each.key)
        if row is None:
            session.add(Reason(**columns))
            loaded.added.append(each.key)
        elif any(getattr(row, k) != v for k, v in columns.items()):
            row.sqlmodel_update(columns)
            loaded.changed.append(each.key)
    offered = {each.key for each in wanted}
    for key, row in stored.items():
        if key not in offered and row.active:
            row.active = False
            loaded.withdrawn.append(key)


async def _load_calendar(session: AsyncSession, days: Sequence[_Day], loaded: Loaded) -> None:
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
        term = known.get((rule.kind.value, rule.type))
        if term is None:
            term = RetentionTerm(kind=rule.kind.value, type=rule.type, years=0, ground="")
        if (term.years, term.ground) != (rule.years, rule.ground):
            term.years, term.ground = rule.years, rule.ground
            session.add(term)
            changed.append(f"retention {rule.name}")
    return changed
