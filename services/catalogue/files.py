"""What a catalogue file holds, read and checked: with the line of each mistake."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field as Described
from pydantic import ValidationError, field_validator, model_validator

from rules.archive import RetentionRule
from rules.cases.terms import Terms
from rules.clock import YEARS
from rules.credentials.categories import CategoryDefinition
from rules.forms.definitions import (
    RESERVED_SECTIONS,
    AttachmentRule,
    CaseTypeDefinition,
    ChecklistItem,
    Section,
    Waiver,
)
from rules.forms.fields import Definition
from rules.records.types import EntryTypeDefinition
from rules.texts.cleaning import folded
from services.catalogue.yaml_source import line_of, parsed, twice


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


_Date = Annotated[date, Described(ge=date(YEARS.start, 1, 1), le=date(YEARS.stop - 1, 12, 31))]


class TypeInFile(CaseTypeDefinition):
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


class CategoryInFile(CategoryDefinition):
    valid_from: _Date | None = None

    @property
    def definition(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"valid_from"})


class EntryTypeInFile(EntryTypeDefinition):
    valid_from: _Date | None = None

    @property
    def definition(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"valid_from"})


class _Attachments(Definition):
    add: tuple[AttachmentRule, ...] = ()
    waive: tuple[Waiver, ...] = ()


class _IntakeLimits(Definition):
    places: int | None = Described(None, ge=1, le=10_000)
    apply_until: _Date | None = None


class ProgrammeInFile(Definition):
    code: str = Described(pattern=r"^[A-Z0-9][A-Z0-9-]{1,31}$")
    title: str = Described(min_length=3, max_length=300)
    kind: Literal["course", "distance", "seminar"]
    organisation: str = Described(min_length=3, max_length=300)
    hours: int = Described(ge=2, le=576)
    certified_hours: int = Described(ge=0)
    starts_on: tuple[_Date, ...] = ()
    intake_limits: dict[_Date, _IntakeLimits] = Described(default_factory=dict)
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


class ReasonInFile(Definition):
    key: str = Described(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    outcome: Literal["approve", "clarify", "reject"]
    title: str = Described(min_length=3)
    text: str = Described(min_length=3)


class DayInFile(Definition):
    day: _Date
    working: bool
    source: str = Described(min_length=3)


class _File(Definition):
    types: tuple[TypeInFile, ...] = ()
    programmes: tuple[ProgrammeInFile, ...] = ()
    reasons: tuple[ReasonInFile, ...] = ()
    calendar: tuple[DayInFile, ...] = ()
    retention: tuple[RetentionRule, ...] = ()
    credentials: tuple[CategoryInFile, ...] = ()
    entries: tuple[EntryTypeInFile, ...] = ()


@dataclass
class FileContent:
    """The contents of all files. A section that no file has is None, and stays as it is."""

    types: list[TypeInFile] = field(default_factory=list)
    programmes: list[ProgrammeInFile] | None = None
    reasons: list[ReasonInFile] | None = None
    calendar: list[DayInFile] = field(default_factory=list)
    retention: list[RetentionRule] = field(default_factory=list)
    credentials: list[CategoryInFile] = field(default_factory=list)
    entries: list[EntryTypeInFile] = field(default_factory=list)
    staying: set[str] = field(default_factory=set)
    """Codes of programmes that stay as they are."""


def entry_of(kind: str, raw: Mapping[str, Any]) -> Any:
    """One entry of `types`, `programmes`, `reasons` or `calendar`, checked as in a file.

    Raises pydantic's ValidationError, whose locations begin with the section and the place 0.
    """
    return getattr(_File.model_validate({kind: [dict(raw)]}), kind)[0]


def read_files(files: Sequence[Path | Text]) -> FileContent:
    content, problems = FileContent(), []
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
        content.credentials += read.credentials
        content.entries += read.entries
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
    yield from (("credential", f"{each.key} version {each.version}") for each in read.credentials)
    yield from (("entry", f"{each.key} version {each.version}") for each in read.entries)


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
