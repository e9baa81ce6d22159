"""A type of case as a form: the draft of its next version, as an administrator has it on screen.

The page posts the whole draft; nothing is kept before it is saved. What is put aside stays on the
page until then and can be taken back. What the form does not show, such as a pattern, stays as it
was in the version that the draft began with.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cabinet.catalogue_admin.fields import EntryField, Typed, typed_in
from cabinet.catalogue_admin.type_fields import ASKED, DOCUMENT, FIELD, SECTION, typed_bound
from rules.cases.kinds import PROCESSES, process_of
from rules.catalogue import entries
from rules.forms.definitions import RESERVED_SECTIONS
from rules.forms.fields import FieldKind
from rules.refusals import FieldError, Refusal, Words
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError

_UNSEEN = ("pattern", "example", "suggestions", "autocomplete", "inputmode")
"""What the form does not show of a field; it goes with the kind."""
SHOWN_OF_FIELD = frozenset(one.name for one in FIELD)
"""What the form shows of a field."""
_TEXTS = (FieldKind.TEXT, FieldKind.LONG_TEXT)
_BOUNDED = {FieldKind.NUMBER: "this_year", FieldKind.DATE: "today"}
Values = dict[str, Any]


@dataclass
class TypedPart:
    """A section, a field or a document as typed; `aside`: the next version leaves it out."""

    typed: dict[str, str]
    aside: bool = False
    fields: list["TypedPart"] = field(default_factory=list)


@dataclass
class TypeDraft:
    """All that the page holds."""

    head: dict[str, str]
    sections: list[TypedPart]
    documents: list[TypedPart]

    def at(self, path: str) -> TypedPart | None:
        """The section `s0`, the field `s0f2` or the document `d1`; None where there is none."""
        found = re.fullmatch(r"([sd])(\d{1,3})(?:f(\d{1,3}))?", path)
        try:
            if found is None:
                return None
            rank = self.documents if found[1] == "d" else self.sections
            part = rank[int(found[2])]
            return part if found[3] is None else part.fields[int(found[3])]
        except IndexError:
            return None


def read(typed: Typed, before: Mapping[str, Any]) -> TypeDraft:
    """The draft that was posted; of a type that exists, kind and key are not asked again."""
    sections = _parts(typed, "s", SECTION)
    for place, section in enumerate(sections):
        section.fields = _parts(typed, f"s{place}f", FIELD)
    head = {one.name: typed.get(one.name, "") for one in ASKED}
    head |= {name: before[name] for name in ("key", "kind") if name in before}
    return TypeDraft(head, sections, _parts(typed, "d", DOCUMENT))


def _parts(typed: Typed, rank: str, fields: Sequence[EntryField]) -> list[TypedPart]:
    parts: list[TypedPart] = []
    while f"{rank}{len(parts)}-name" in typed:
        at = f"{rank}{len(parts)}"
        names = ("name", *(one.name for one in fields))
        words = {name: typed.get(f"{at}-{name}", "") for name in names}
        parts.append(TypedPart(words, aside=bool(typed.get(f"{at}-aside"))))
    return parts


def posted(draft: TypeDraft) -> dict[str, str]:
    """The draft as its page posts it; `read` makes the same draft of it."""
    typed = dict(draft.head)
    for rank, parts in (("s", draft.sections), ("d", draft.documents)):
        for place, part in enumerate(parts):
            typed |= _posted(f"{rank}{place}", part)
            for number, one in enumerate(part.fields):
                typed |= _posted(f"{rank}{place}f{number}", one)
    return typed


def _posted(at: str, part: TypedPart) -> dict[str, str]:
    return {f"{at}-{name}": text for name, text in part.typed.items()} | {
        f"{at}-aside": "true" if part.aside else ""
    }


def opened(values: Mapping[str, Any]) -> TypeDraft:
    """A version of a type as the draft of the next one; an empty one for a new type."""
    sections = [
        TypedPart(
            _typed(SECTION, section, section["name"]),
            fields=[TypedPart(_typed(FIELD, one, one["name"])) for one in section["fields"]],
        )
        for section in values.get("sections", ())
    ]
    documents = [
        TypedPart(_typed(DOCUMENT, one, one["kind"])) for one in values.get("attachments", ())
    ]
    return TypeDraft(typed_in(ASKED, values), sections or [_new_section()], documents)


def fields_opened(fields: Sequence[Mapping[str, Any]]) -> TypeDraft:
    """A form of fields alone, as a draft with one section that is not shown."""
    section = {"name": "form", "title": "", "hint": "", "fields": fields}
    return replace(opened({"sections": [section]}), head={})


def _typed(fields: Sequence[EntryField], values: Mapping[str, Any], name: str) -> dict[str, str]:
    """A part as it would be typed; it carries its name for programs too."""
    return {"name": name, **typed_in(fields, values)}


def _new_field() -> TypedPart:
    return TypedPart(_typed(FIELD, {"kind": "text", "required": True}, ""))


def _new_section() -> TypedPart:
    return TypedPart(_typed(SECTION, {}, ""), fields=[_new_field()])


def act(draft: TypeDraft, what: str, path: str) -> str:
    """Add, move, put aside or take back; the path of what to look at then, or an empty one."""
    part = draft.at(path)
    match what:
        case "section":
            draft.sections.append(_new_section())
            return f"s{len(draft.sections) - 1}"
        case "document":
            draft.documents.append(TypedPart(_typed(DOCUMENT, {"required": True}, "")))
            return f"d{len(draft.documents) - 1}"
        case "field" if part is not None:
            part.fields.append(_new_field())
            return f"{path}f{len(part.fields) - 1}"
        case "aside" | "back" if part is not None:
            part.aside = what == "aside"
            return path
        case "up" | "down" if part is not None:
            return _move(draft, path, -1 if what == "up" else 1)
        case _:
            return ""


def _move(draft: TypeDraft, path: str, by: int) -> str:
    """One place up or down; a field at the end of its section goes on into the next one."""
    home, _f, last = path.rpartition("f")
    if not home:
        rank, place = (draft.sections if path[0] == "s" else draft.documents), int(path[1:])
        to = place + by
        if not 0 <= to < len(rank):
            return path
        rank.insert(to, rank.pop(place))
        return f"{path[0]}{to}"
    section, place = int(home[1:]), int(last)
    fields, to = draft.sections[section].fields, place + by
    if 0 <= to < len(fields):
        fields.insert(to, fields.pop(place))
        return f"{home}f{to}"
    other = section + by
    if not 0 <= other < len(draft.sections):
        return path
    there = draft.sections[other].fields
    to = len(there) if by < 0 else 0
    there.insert(to, fields.pop(place))
    return f"s{other}f{to}"


@dataclass
class _Reading:
    """Where each part of the values was typed, the names that are taken, and what is wrong."""

    before: Mapping[str, Any]
    places: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    errors: list[FieldError] = field(default_factory=list)

    def wrong(self, at: str, name: str, words: str) -> None:
        self.errors.append(FieldError(f"{at}-{name}" if at else name, words))

    def filled(self, at: str, part: TypedPart, name: str) -> str:
        text = part.typed[name].strip()
        if not text:
            self.wrong(at, name, "Заполните поле.")
        return text

    def lines(self, at: str, name: str, typed: str) -> list[str]:
        """What stands on the lines of a field; none of it twice."""
        lines = [line for line in map(str.strip, typed.splitlines()) if line]
        if twice := next((line for line in lines if lines.count(line) > 1), None):
            self.wrong(at, name, Words("Строка повторяется: {line}", line=twice))
        return lines

    def stood(self, name: str) -> Mapping[str, Any]:
        """The field of this name as it was; empty for a new one."""
        sections = self.before.get("sections", ())
        fields: dict[str, Mapping[str, Any]] = {
            one["name"]: one for section in sections for one in section["fields"]
        }
        return fields.get(name, {})

    def named(self, part: TypedPart, words: str, otherwise: str) -> str:
        """The name for programs: the one it has, or one made of people's words."""
        name = part.typed["name"] or entries.name_of(words, self.taken, otherwise)
        self.taken.add(name)
        return name


def values_of(draft: TypeDraft, before: Mapping[str, Any]) -> tuple[Values, dict[str, str]]:
    """The definition that the draft makes, and where each part of it was typed.

    Raises Refusal 422 with all that can be told at a field.
    """
    sections = [(f"s{place}", one) for place, one in enumerate(draft.sections) if not one.aside]
    reading = _Reading(before)
    reading.taken = {
        one.typed["name"] for _at, section in sections for one in (section, *section.fields)
    }
    values = _head(draft.head, reading)
    values["sections"] = [
        _section(at, one, place, reading) for place, (at, one) in enumerate(sections)
    ]
    if not sections:
        reading.wrong("", "title", "Нужен хотя бы один раздел с полем.")
    _dates_follow(values["sections"], reading)
    documents = [(f"d{place}", one) for place, one in enumerate(draft.documents) if not one.aside]
    values["attachments"] = _documents(documents, reading)
    if reading.errors:
        raise entries.unfit(reading.errors)
    return values, reading.places


def fields_of(
    draft: TypeDraft, before: Sequence[Mapping[str, Any]]
) -> tuple[list[Values], dict[str, str]]:
    """The fields of a form that has no sections, and where each was typed; `before`: as they were.

    Raises Refusal 422 with all that can be told at a field.
    """
    reading = _Reading({"sections": [{"fields": before}]})
    parts = [(f"s0f{n}", one) for n, one in enumerate(draft.sections[0].fields) if not one.aside]
    reading.taken = {one.typed["name"] for _at, one in parts}
    fields = [_field(at, one, reading) for at, one in parts]
    reading.places = {f"form.{n}": at for n, (at, _one) in enumerate(parts)}
    _dates_follow([{"fields": fields}], reading, "form")
    if reading.errors:
        raise entries.unfit(reading.errors)
    return fields, reading.places


def _head(head: Typed, reading: _Reading) -> Values:
    values: Values = {name: head[name].strip() for name in ("key", "kind", "title", "hint")}
    values["addressee"] = head["addressee"]
    values["checklist"] = _questions(head["checklist"], reading)
    for name in ("title", "kind", "addressee"):
        if not values[name]:
            reading.wrong("", name, "Заполните поле.")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", values["key"]):
        words = "Строчные латинские буквы, цифры и знак подчёркивания, например new_request."
        reading.wrong("", "key", words)
    if "terms" in reading.before:
        values["terms"] = reading.before["terms"]
    if values["kind"] in PROCESSES and process_of(values["kind"]).has_addressee:
        values |= _of_request(head, reading)
    return values


def _questions(typed: str, reading: _Reading) -> list[Values]:
    """The questions with the names they had; new ones get names of their own."""
    known = {one["question"]: one["name"] for one in reading.before.get("checklist", ())}
    taken, questions = set(known.values()), []
    for line in reading.lines("", "checklist", typed):
        name = known.get(line) or entries.name_of(line, taken, "question")
        taken.add(name)
        questions.append({"name": name, "question": line})
    return questions


def _of_request(head: Typed, reading: _Reading) -> Values:
    """What only a request has."""
    order = identifiers.whole(head["order"] or "0", 0, 99_999)
    if order is None:
        reading.wrong("", "order", "Напишите число.")
    for name in ("channel", "answer"):
        if not head[name]:
            reading.wrong("", name, "Выберите одно из допустимых значений.")
    module = head["channel"] == "module"
    if module and not re.fullmatch(r"[a-z][a-z0-9-]{1,63}", head["service"].strip()):
        words = "Напишите имя услуги в модуле: строчные латинские буквы, цифры и дефис."
        reading.wrong("", "service", words)
    return {
        "group": head["group"].strip(),
        "order": order,
        "channel": head["channel"],
        "service": head["service"].strip() if module else None,
        "recipient": head["recipient"].strip(),
        "answer": head["answer"],
    }


def _section(at: str, part: TypedPart, place: int, reading: _Reading) -> Values:
    title = reading.filled(at, part, "title")
    reading.places[f"sections.{place}"] = at
    fields = [(f"{at}f{n}", one) for n, one in enumerate(part.fields) if not one.aside]
    if not fields:
        reading.wrong(at, "title", "В разделе нет полей: добавьте поле или уберите раздел.")
    name = reading.named(part, title, "section")
    if name in RESERVED_SECTIONS:
        name = reading.named(TypedPart({"name": ""}), f"section {name}", "section")
    values = []
    for number, (there, one) in enumerate(fields):
        reading.places[f"sections.{place}.fields.{number}"] = there
        values.append(_field(there, one, reading))
    return {"name": name, "title": title, "hint": part.typed["hint"].strip(), "fields": values}


def _field(at: str, part: TypedPart, reading: _Reading) -> Values:
    typed = part.typed
    label = reading.filled(at, part, "label")
    name = reading.named(part, label, "field")
    try:
        kind = FieldKind(typed["kind"])
    except ValueError:
        reading.wrong(at, "kind", "Выберите одно из допустимых значений.")
        kind = FieldKind.TEXT
    values: Values = {
        "name": name,
        "label": label,
        "hint": typed["hint"].strip(),
        "kind": kind.value,
        "required": bool(typed["required"]),
        "prefill": typed["prefill"] or None,
        "locked": bool(typed["locked"]),
    }
    if values["locked"] and not values["prefill"]:
        reading.wrong(at, "prefill", "Выберите, откуда взять значение, которое нельзя изменить.")
    return values | _of_kind(at, typed, kind, reading.stood(name), reading)


def _of_kind(
    at: str, typed: Typed, kind: FieldKind, stood: Mapping[str, Any], reading: _Reading
) -> Values:
    """What a field of this kind has besides; `stood` is the field as it was."""
    values: Values = {}
    if stood.get("kind") == kind:
        unseen = _UNSEEN if kind in _TEXTS else (*_UNSEEN, "max_length")
        values |= {name: stood[name] for name in unseen if stood.get(name)}
    if kind is FieldKind.CHOICE:
        values["choices"] = _choices(reading.lines(at, "choices", typed["choices"]), stood)
        if not values["choices"]:
            reading.wrong(at, "choices", "Перечислите варианты, по строке на каждый.")
    if kind in _BOUNDED:
        values |= {end: _bound(at, end, typed[end], kind, reading) for end in ("min", "max")}
    if kind in _TEXTS and typed["max_length"].strip():
        values["max_length"] = identifiers.whole(typed["max_length"], 1, 20_000)
        if values["max_length"] is None:
            reading.wrong(at, "max_length", "Напишите число.")
    if kind is FieldKind.DATE:
        values["not_before"] = typed["not_before"] or None
    return values


def _choices(lines: Sequence[str], field: Mapping[str, Any]) -> list[Values]:
    """The answers, each with the value it had: by its words, else by its place in the list."""
    stood = field.get("choices", ())
    by_words = {one["label"]: one for one in stood}
    taken = {one["value"] for words, one in by_words.items() if words in lines}
    choices: list[Values] = []
    for place, line in enumerate(lines):
        one = by_words.get(line)
        if one is None and len(lines) == len(stood) and stood[place]["value"] not in taken:
            one = {"value": stood[place]["value"], "label": line}
        if one is None:
            one = {"value": entries.name_of(line, taken, "choice"), "label": line}
        taken.add(one["value"])
        choices.append(dict(one))
    return choices


def _bound(at: str, end: str, text: str, kind: FieldKind, reading: _Reading) -> Any:
    moving = _BOUNDED[kind]
    plain = text.strip().lower()
    if not plain:
        return None
    if plain in (typed_bound(moving), moving):
        return moving
    if kind is FieldKind.DATE:
        try:
            return identifiers.day(plain).isoformat()
        except IdentifierError:
            reading.wrong(at, end, "Напишите дату, например 18.01.2027, или «сегодня».")
            return None
    number = identifiers.whole(plain)
    if number is None:
        reading.wrong(at, end, "Напишите число или «этот год».")
    return number


def _dates_follow(sections: Sequence[Values], reading: _Reading, path: str = "") -> None:
    """A date that may not precede another one stands behind it."""
    dates: set[str] = set()
    for place, section in enumerate(sections):
        for number, one in enumerate(section["fields"]):
            if (earlier := one.get("not_before")) and earlier not in dates:
                at = reading.places[f"{path or f'sections.{place}.fields'}.{number}"]
                words = "Дата, с которой сравнивают, должна стоять в форме раньше."
                reading.wrong(at, "not_before", words)
            if one["kind"] == FieldKind.DATE:
                dates.add(one["name"])


def _documents(documents: Sequence[tuple[str, TypedPart]], reading: _Reading) -> list[Values]:
    known: set[str] = set()
    made: list[Values] = []
    stood = {one["kind"]: one for one in reading.before.get("attachments", ())}
    for at, part in documents:
        kind = reading.filled(at, part, "kind")
        title = reading.filled(at, part, "title")
        if kind in known:
            reading.wrong(at, "kind", "Этот вид документа уже есть в списке.")
        known.add(kind)
        reading.places[f"attachments.{len(made)}"] = at
        made.append(
            {
                "kind": kind,
                "title": title,
                "hint": part.typed["hint"].strip(),
                "required": bool(part.typed["required"]),
                "waived_reason": stood.get(kind, {}).get("waived_reason"),
            }
        )
    return made


def at_fields(refusal: Refusal, places: Mapping[str, str]) -> Refusal:
    """A refusal whose paths lead into the definition, told at fields that the page shows."""
    shown = {one.name for one in (*SECTION, *FIELD, *DOCUMENT)}

    def at(path: str) -> str:
        for part in sorted(places, key=len, reverse=True):
            if path == part or path.startswith(f"{part}."):
                rest = path.removeprefix(part).lstrip(".").split(".")[0]
                at = places[part]
                first = "label" if "f" in at else "title"
                return f"{at}-{rest if rest in shown else first}"
        head = path.split(".")[0]
        return head if head in {one.name for one in ASKED} else "title"

    fields = [FieldError(at(one.path), one.message) for one in refusal.fields]
    return Refusal(refusal.code, refusal.message, refusal.status, fields)
