"""Types of case as administrators change them: each change is a new version, given as a file.

Cases keep the version they began with.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.catalogue import CaseTypeVersion
from models.tables.people import Unit
from rules.catalogue.entries import Subject, unfit, unfit_text
from rules.forms.definitions import CaseTypeDefinition
from rules.refusals import FieldError, Refusal
from services.catalogue.files import CatalogueError, Text
from services.catalogue.loading import load
from services.catalogue.yaml_source import parsed
from services.catalogue_admin.kinds import (
    ChangePreview,
    Entry,
    EntryChange,
    EntryKind,
    Values,
    read_as_in_file,
)
from services.catalogue_admin.type_upgrades import effect

_FILE = "type.yaml"
LONGEST_TEXT = 60_000


def _entry(row: CaseTypeVersion) -> Entry:
    """A version of a type; fields added to definitions later have their defaults."""
    definition = CaseTypeDefinition.model_validate(row.definition)
    values = definition.model_dump(mode="json")
    return Entry(Subject.TYPE, row.key, definition.title, values, row.version, row.valid_from)


async def versions(session: AsyncSession, key: str) -> list[Entry]:
    """All versions of a type, oldest first."""
    rows = await session.exec(
        select(CaseTypeVersion)
        .where(CaseTypeVersion.key == key)
        .order_by(col(CaseTypeVersion.version))
    )
    return [_entry(row) for row in rows.all()]


def as_file(values: Values, version: int, valid_from: date | None = None) -> str:
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


def with_terms(entry: Entry, terms: Mapping[str, Any], valid_from: date | None = None) -> str:
    """The file of the next version of a type, which differs from the newest by these terms."""
    check_terms(terms)
    return as_file({**entry.values, "terms": dict(terms)}, entry.next_version, valid_from)


def check_terms(terms: Mapping[str, Any]) -> None:
    """Raise Refusal 422 for a term outside 1 to 366 days, or a reminder outside its term."""
    errors = []
    for name in ("review", "answer"):
        days, reminders = terms.get(name), terms.get(f"{name}_reminders", ())
        if not isinstance(days, int) or not 1 <= days <= 366:
            errors.append(FieldError(name, "Срок: от 1 до 366 рабочих дней."))
        elif not isinstance(reminders, list | tuple) or not all(
            isinstance(day, int) and 1 <= day < days for day in reminders
        ):
            words = "Напоминания бывают до конца срока: перечислите дни через запятую."
            errors.append(FieldError(f"{name}_reminders", words))
    if errors:
        raise unfit(errors)


def checked_type(values: Values, version: int) -> dict[str, Any]:
    """A whole definition of a type. Raises Refusal 422 with paths such as `sections.0.title`."""
    checked = read_as_in_file("types", {**values, "version": version}, deep=True)
    definition: dict[str, Any] = checked.definition
    return definition


def key_in(text: str) -> str:
    """The key of the type in a file; «type» if none can be read."""
    try:
        return str(parsed(text[:LONGEST_TEXT])[1]["types"][0]["key"])
    except (yaml.YAMLError, KeyError, IndexError, TypeError):
        return "type"


async def _asked(_session: AsyncSession, values: Values) -> Entry:
    return Entry(Subject.TYPE, values["key"], "", {"text": values["text"]})


async def _save(session: AsyncSession, change: EntryChange) -> datetime:
    key, text = change.wanted.key, change.wanted.values["text"]
    made = await _load(session, key, text, change.now, change.zone)
    return made.valid_from or change.now


async def _tried(session: AsyncSession, values: Values, now: datetime, zone: str) -> ChangePreview:
    made = await _load(session, values["key"], values["text"], now, zone)
    return ChangePreview(
        made, await effect(session, CaseTypeDefinition.model_validate(made.values))
    )


async def _load(session: AsyncSession, key: str, text: str, now: datetime, zone: str) -> Entry:
    """Load one type from the text of a file. Raises Refusal 422 with the lines of mistakes."""
    told = _the_only_type(text, key)
    known = {entry.version for entry in await versions(session, key)}
    try:
        await load(session, [Text(_FILE, text)], now, zone)
    except CatalogueError as error:
        raise unfit_text([_with_line(one) for one in error.problems]) from error
    stands = await TYPES.newest(session, key)
    if stands is None or (stands.version in known and told.get("version") not in known):
        next_one = max(version or 0 for version in known) + 1
        raise _at_line(text, "version", f"следующая редакция должна быть {next_one}")
    if stands.version not in known and _begins_before_today(stands, now, ZoneInfo(zone)):
        words = "этот день уже прошёл, укажите сегодняшний или более поздний"
        raise _at_line(text, "valid_from", words)
    addressee = stands.values["addressee"]
    if (await session.exec(select(Unit.id).where(Unit.code == addressee))).first() is None:
        raise _at_line(text, "addressee", f"подразделения {addressee} нет")
    return stands


def _the_only_type(text: str, key: str) -> Values:
    """The values of the only type in a text. A text that is no YAML is left to the loader.

    Raises Refusal 422 with the line of a mistake.
    """
    if len(text) > LONGEST_TEXT:
        raise unfit_text(["Описание слишком длинное."])
    try:
        _, raw = parsed(text)
    except yaml.YAMLError:
        return {"key": key}
    types = raw.get("types") if isinstance(raw, dict) else None
    one = types[0] if isinstance(types, list) and len(types) == 1 else None
    if not isinstance(one, dict) or set(raw) != {"types"}:
        raise unfit_text(["Строка 1: нужен один раздел types с одним типом."])
    if one.get("key") != key:
        raise _at_line(text, "key", f"ожидается {key}")
    return one


def _begins_before_today(entry: Entry, now: datetime, zone: ZoneInfo) -> bool:
    begins = entry.valid_from or now
    return begins.astimezone(zone).date() < now.astimezone(zone).date()


def _at_line(text: str, name: str, words: str) -> Refusal:
    """A mistake in the line where a name of the type itself first occurs."""
    found = re.search(rf"^[ \-]{{1,6}}{name}\s*:", text, re.MULTILINE)
    line = text.count("\n", 0, found.start()) + 1 if found else 1
    return unfit_text([f"Строка {line}: {name}: {words}."])


def _with_line(problem: str) -> str:
    """A problem of a file in the words of the page: the line first."""
    found = re.match(rf"{re.escape(_FILE)}:(\d+): (.*)", problem, re.DOTALL)
    if found:
        return f"Строка {found[1]}: {found[2]}"
    inside = re.search(r"line (\d+), column", problem)
    words = problem.removeprefix(f"{_FILE}: ")
    return f"Строка {inside[1]}: {words}" if inside else words


TYPES = EntryKind(
    subject=Subject.TYPE,
    key="key",
    section="types",
    rows=select(CaseTypeVersion)
    .ext(distinct_on(col(CaseTypeVersion.key)))
    .order_by(col(CaseTypeVersion.key), col(CaseTypeVersion.version).desc()),
    column=col(CaseTypeVersion.key),
    entry=_entry,
    checked=_asked,
    save=_save,
    by_text=True,
    tried=_tried,
)
