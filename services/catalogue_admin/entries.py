"""The catalogue as administrators see it: every entry in the words of its file, with its version.

Also versions that are not in force yet, and what is no longer offered.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import rfc8785
import yaml
from sqlalchemy import tuple_
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.administration import CatalogueChange
from models.tables.catalogue import CalendarDay, CaseTypeVersion, Programme, Reason
from models.tables.people import Person, Unit
from rules.catalogue.entries import Subject, differences
from rules.clock import now as present
from rules.forms.definitions import CaseTypeDefinition, ProgrammeRules
from rules.texts.cleaning import in_order


@dataclass(frozen=True)
class Entry:
    """One entry, as it would stand in a file; `offered` is False for what was withdrawn."""

    subject: Subject
    key: str
    title: str
    values: dict[str, Any]
    version: int | None = None
    valid_from: datetime | None = None
    offered: bool = True

    @property
    def digest(self) -> str:
        """What an editor was shown: a change is accepted only on top of it."""
        shown = {
            "values": self.values,
            "version": self.version,
            "from": self.valid_from.isoformat() if self.valid_from else None,
            "offered": self.offered,
        }
        return hashlib.sha256(rfc8785.dumps(shown)).hexdigest()

    @property
    def waits(self) -> bool:
        """Whether it takes effect later."""
        return self.valid_from is not None and self.valid_from > present()


NOTHING = "new"
"""The digest of what is not there yet."""


@dataclass(frozen=True)
class Changed:
    """One change of the history: who, when, from when on, and what differs."""

    at: datetime
    by: str
    valid_from: datetime
    version: int | None
    lines: Sequence[tuple[str, str, str]]


async def listed(session: AsyncSession, subject: Subject) -> list[Entry]:
    """The newest entry of every key, those not in force yet included."""
    match subject:
        case Subject.TYPE:
            last = select(CaseTypeVersion.key, func.max(CaseTypeVersion.version))
            here = tuple_(col(CaseTypeVersion.key), col(CaseTypeVersion.version))
            rows = await session.exec(
                select(CaseTypeVersion)
                .where(here.in_(last.group_by(col(CaseTypeVersion.key))))
                .order_by(col(CaseTypeVersion.key))
            )
            return [of_type(row) for row in rows.all()]
        case Subject.PROGRAMME:
            newest_of = select(Programme.code, func.max(Programme.version))
            place = tuple_(col(Programme.code), col(Programme.version))
            found = await session.exec(
                select(Programme).where(place.in_(newest_of.group_by(col(Programme.code))))
            )
            return sorted(map(of_programme, found.all()), key=lambda one: in_order(one.title))
        case Subject.REASON:
            reasons = await session.exec(
                select(Reason).order_by(col(Reason.outcome), col(Reason.position), col(Reason.key))
            )
            return [of_reason(row) for row in reasons.all()]
        case Subject.UNIT:
            units = (await session.exec(select(Unit))).all()
            codes = {unit.id: unit.code for unit in units}
            made = [of_unit(unit, codes.get(unit.parent_id)) for unit in units]  # type: ignore[arg-type]
            return sorted(made, key=lambda one: in_order(one.title))
        case Subject.DAY:
            days = await session.exec(select(CalendarDay).order_by(col(CalendarDay.day)))
            return [of_day(row) for row in days.all()]


async def newest(session: AsyncSession, subject: Subject, key: str) -> Entry | None:
    """The newest entry of a key, in force or not; None where there is none."""
    match subject:
        case Subject.TYPE:
            row = (await versions(session, key))[-1:]
            return row[0] if row else None
        case Subject.PROGRAMME:
            found = await session.exec(
                select(Programme)
                .where(Programme.code == key)
                .order_by(col(Programme.version).desc())
                .limit(1)
            )
            programme = found.one_or_none()
            return of_programme(programme) if programme else None
        case Subject.REASON:
            reason = await session.get(Reason, key)
            return of_reason(reason) if reason else None
        case Subject.UNIT:
            unit = (await session.exec(select(Unit).where(Unit.code == key))).one_or_none()
            if unit is None:
                return None
            parent = await session.get(Unit, unit.parent_id) if unit.parent_id else None
            return of_unit(unit, parent.code if parent else None)
        case Subject.DAY:
            try:
                day = await session.get(CalendarDay, date.fromisoformat(key))
            except ValueError:
                return None
            return of_day(day) if day else None


async def versions(session: AsyncSession, key: str) -> list[Entry]:
    """All versions of a type, oldest first."""
    rows = await session.exec(
        select(CaseTypeVersion)
        .where(CaseTypeVersion.key == key)
        .order_by(col(CaseTypeVersion.version))
    )
    return [of_type(row) for row in rows.all()]


def of_type(row: CaseTypeVersion) -> Entry:
    """A version of a type; what definitions have got since stands at its default."""
    definition = CaseTypeDefinition.model_validate(row.definition)
    values = definition.model_dump(mode="json")
    return Entry(
        Subject.TYPE, row.key, definition.title, values, row.version, valid_from=row.valid_from
    )


def of_programme(row: Programme) -> Entry:
    """A version of a programme."""
    values = {
        "code": row.code,
        "title": row.title,
        "kind": row.kind,
        "organisation": row.organisation,
        "hours": row.hours,
        "certified_hours": row.certified_hours,
        "starts_on": list(row.starts_on),
        "intake_limits": dict(row.intake_limits),
        "description": row.description,
        "specialties": list(row.specialties),
        "attachments": dict(row.attachments),
        "checklist": list(row.checklist),
        "terms": row.terms,
    }
    return Entry(
        Subject.PROGRAMME,
        row.code,
        row.title,
        values,
        row.version,
        row.valid_from,
        offered=row.withdrawn_at is None,
    )


def unsaved_programme(entry: Entry) -> Programme:
    """The programme that an entry would make; it is kept nowhere. Raises ValueError."""
    values = entry.values
    own = {**values["attachments"], "checklist": values["checklist"], "terms": values["terms"]}
    ProgrammeRules.model_validate(own)
    return Programme(
        version=entry.version or 1,
        sort_key="",
        search_text="",
        valid_from=present(),
        **{name: value for name, value in values.items() if name != "valid_from"},
    )


def of_reason(row: Reason) -> Entry:
    """A reason of the stock."""
    values = {"key": row.key, "outcome": row.outcome, "title": row.title, "text": row.text}
    return Entry(Subject.REASON, row.key, row.title, values, offered=row.active)


def of_unit(row: Unit, parent: str | None) -> Entry:
    """A unit with the code of the one above it."""
    values = {"code": row.code, "name": row.name, "parent": parent, "time_zone": row.time_zone}
    return Entry(Subject.UNIT, row.code, row.name, values)


def of_day(row: CalendarDay) -> Entry:
    """A day that a decree has changed."""
    day = row.day.isoformat()
    values = {"day": day, "working": row.working, "source": row.source}
    return Entry(Subject.DAY, day, day, values)


def as_file(values: dict[str, Any], version: int, valid_from: date | None = None) -> str:
    """A definition of a type as the file that would load it."""
    definition = CaseTypeDefinition.model_validate({**values, "version": version})
    short = definition.model_dump(mode="json", exclude_defaults=True)
    # Terms are always written: they are what people look for first.
    short["terms"] = definition.model_dump(mode="json")["terms"]
    head: dict[str, Any] = {name: short.pop(name) for name in ("key", "version")}
    if valid_from is not None:
        head["valid_from"] = valid_from.isoformat()
    text: str = yaml.safe_dump(
        {"types": [{**head, **short}]}, allow_unicode=True, sort_keys=False, width=100
    )
    return text


async def history(session: AsyncSession, subject: Subject, key: str) -> list[Changed]:
    """What was changed by administrators, newest first."""
    rows = await session.exec(
        select(CatalogueChange, Person)
        .join(Person, col(Person.id) == col(CatalogueChange.by))
        .where(CatalogueChange.subject == subject, CatalogueChange.key == key)
        .order_by(col(CatalogueChange.at).desc())
        .limit(100)
    )
    return [
        Changed(
            change.at,
            person.name,
            change.valid_from,
            change.version,
            differences(change.before, change.after),
        )
        for change, person in rows.all()
    ]
