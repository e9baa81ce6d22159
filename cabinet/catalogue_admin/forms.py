"""The forms of the administrator's screens: fields of an entry, and what was typed into them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cabinet.catalogue_admin.intakes import read_intakes, typed_intakes
from cabinet.catalogue_admin.views import Boxes
from cabinet.frame.views import FieldView, Option
from rules.catalogue import entries
from rules.catalogue.entries import Subject
from rules.catalogue.programmes import KINDS
from rules.files.categories import CATEGORIES
from rules.forms.definitions import CaseTypeDefinition
from rules.refusals import FieldError
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError
from services.catalogue_admin.kinds import Entry
from services.catalogue_admin.types import check_terms
from words.translation import gettext as _
from words.translation import marked

Typed = Mapping[str, str]


@dataclass(frozen=True)
class Room:
    """One kind of things that administrators change; `words` are gettext msgids."""

    name: str
    subject: Subject
    icon: str
    title: str
    text: str
    adds: str = ""


ROOMS: Mapping[str, Room] = {
    room.name: room
    for room in (
        Room(
            "programmes",
            Subject.PROGRAMME,
            "graduation-cap",
            marked("Программы"),
            marked("Каталог повышения квалификации: что предлагается и какие документы нужны."),
            marked("Новая программа"),
        ),
        Room(
            "types",
            Subject.TYPE,
            "clipboard-list",
            marked("Типы заявок и запросов"),
            marked("Формы, документы, вопросы проверяющему и адресат. Хранятся редакциями."),
            marked("Новый тип"),
        ),
        Room(
            "terms",
            Subject.TYPE,
            "calendar-clock",
            marked("Сроки"),
            marked("Сколько рабочих дней на рассмотрение и на ответ, когда напоминать."),
        ),
        Room(
            "reasons",
            Subject.REASON,
            "message-square",
            marked("Причины решений"),
            marked("Заготовки, из которых выбирают при решении."),
            marked("Новая причина"),
        ),
        Room(
            "units",
            Subject.UNIT,
            "building-2",
            marked("Подразделения"),
            marked("Названия, часовые пояса и новые подразделения."),
            marked("Новое подразделение"),
        ),
        Room(
            "calendar",
            Subject.DAY,
            "history",
            marked("Рабочий календарь"),
            marked("Переносы рабочих и выходных дней."),
            marked("Добавить день"),
        ),
    )
}

OUTCOMES = {
    "approve": marked("Одобрить"),
    "clarify": marked("Запросить уточнение"),
    "reject": marked("Отклонить"),
}
_LINE = re.compile(r"\s*([a-z][a-z0-9_]*)\s*:\s*(.+)")


@dataclass(frozen=True)
class FormChoices:
    """What forms choose from."""

    units: Sequence[Entry]
    application: CaseTypeDefinition | None


def _line(name: str, label: str, typed: Typed, **more: Any) -> FieldView:
    return FieldView(name, label, value=typed.get(name, ""), **more)


def since_field(typed: Typed) -> FieldView:
    """The first day of a change."""
    return _line(
        "valid_from",
        _("Дата начала действия"),
        typed,
        kind="date",
        required=False,
        hint=_("День, месяц и год. Пусто: сразу после сохранения"),
    )


def fields_of(
    room: Room, entry: Entry | None, typed: Typed, ground: FormChoices
) -> list[FieldView]:
    """The fields of an entry with what was typed, or what stands."""
    known = entry is not None
    match room.name:
        case "programmes":
            return _programme_fields(typed, ground, known=known)
        case "terms":
            return [*_terms_fields(typed), since_field(typed)]
        case "types":
            hint = _("Тот же файл можно загрузить командой. При каждом изменении увеличьте version")
            return [_line("text", _("Описание типа"), typed, kind="long_text", hint=hint)]
        case "reasons":
            outcomes = [Option(value, _(words)) for value, words in OUTCOMES.items()]
            return [
                _line("key", _("Код"), typed, locked=known, hint=_("Латинскими буквами: no_seats")),
                _line("outcome", _("Для какого решения"), typed, kind="choice", options=outcomes),
                _line("title", _("Название в списке"), typed),
                _line("text", _("Текст причины"), typed, kind="long_text", max_length=4000),
                _offered(typed, _("Предлагать при решении")),
            ]
        case "units":
            above = [Option(one.key, one.title) for one in ground.units]
            return [
                _line("code", _("Код"), typed, locked=known, hint=_("Латинскими буквами: surgery")),
                _line("name", _("Название"), typed),
                _line("parent", _("Вышестоящее подразделение"), typed, kind="choice", options=above)
                if not known
                else _line(
                    "parent",
                    _("Код вышестоящего подразделения"),
                    typed,
                    locked=True,
                    required=False,
                ),
                _line("time_zone", _("Часовой пояс"), typed, hint=_("Например, Europe/Moscow")),
            ]
        case _:
            days = [
                Option("true", _("рабочий")),
                Option("false", _("выходной")),
            ]
            return [
                _line("day", _("День"), typed, kind="date", locked=known),
                _line("working", _("Рабочий или выходной"), typed, kind="choice", options=days),
                _line("source", _("Постановление"), typed, hint=_("Номер и дата документа")),
            ]


def _offered(typed: Typed, label: str) -> FieldView:
    return _line("offered", label, typed, kind="checkbox", required=False)


def _programme_fields(typed: Typed, ground: FormChoices, *, known: bool) -> list[FieldView]:
    kinds = [Option(value, _(words)) for value, words in KINDS.items()]
    categories = ", ".join(one.value for one, rule in CATEGORIES.items() if rule.offered)
    rules = ground.application.attachments if ground.application else ()
    return [
        _line("code", _("Код"), typed, locked=known, hint=_("Например, CARD-144")),
        _line("title", _("Название"), typed),
        _line("kind", _("Вид обучения"), typed, kind="choice", options=kinds),
        _line("organisation", _("Организация"), typed),
        _line("hours", _("Объём, часов"), typed, kind="number"),
        _line("certified_hours", _("Из них засчитывается, часов"), typed, kind="number"),
        _line(
            "starts_on",
            _("Наборы"),
            typed,
            kind="long_text",
            required=False,
            hint=_(
                "По строке на набор: день начала, а если нужно, последний день подачи и число "
                "мест, например «18.01.2027 до 11.01.2027 мест 25». Пусто: начало в любой день"
            ),
        ),
        _line("description", _("Описание"), typed, kind="long_text", required=False),
        _line(
            "add",
            _("Дополнительные документы"),
            typed,
            kind="long_text",
            required=False,
            hint=_(
                "По строке на документ: вид и название, например «attestation: Свидетельство». "
                "Виды: %(kinds)s"
            )
            % {"kinds": categories},
        ),
        *[
            _line(
                f"waive_{rule.kind}",
                _("Почему не нужен документ «%(title)s»") % {"title": _(rule.title)},
                typed,
                required=False,
                hint=_("Пусто: документ нужен"),
            )
            for rule in rules
        ],
        _line(
            "checklist",
            _("Вопросы проверяющему сверх общих"),
            typed,
            kind="long_text",
            required=False,
            hint=_("По строке на вопрос"),
        ),
        *_terms_fields(typed, own=True),
        _offered(typed, _("Предлагать в каталоге")),
        since_field(typed),
    ]


def _terms_fields(typed: Typed, *, own: bool = False) -> list[FieldView]:
    review, answer = _("Рассмотрение, рабочих дней"), _("Ответ заявителя, рабочих дней")
    hint = _("Пусто: как у типа заявки") if own else ""
    days = _("Дни от начала срока через запятую")
    return [
        _line("review", review, typed, kind="number", required=not own, hint=hint),
        _line("review_reminders", _("Напомнить проверяющему"), typed, required=False, hint=days),
        _line("answer", answer, typed, kind="number", required=not own, hint=hint),
        _line("answer_reminders", _("Напомнить заявителю"), typed, required=False, hint=days),
    ]


def boxes_of(room: Room, typed: Typed, ground: FormChoices) -> list[Boxes]:
    """Choices of several at once."""
    if room.name != "programmes" or ground.application is None:
        return []
    specialty = ground.application.fields.get("specialty")
    chosen = set(typed.get("specialties", "").split(","))
    return [
        Boxes(
            "specialties",
            _("Для каких специальностей"),
            _("Ничего не отмечено: для всех"),
            [
                (choice.value, _(choice.label), choice.value in chosen)
                for choice in (specialty.choices if specialty else ())
            ],
        )
    ]


def typed_of(room: Room, entry: Entry | None) -> dict[str, str]:
    """An entry as it would be typed into its form; for a new one, what is usual."""
    values = entry.values if entry else {}
    match room.name:
        case "programmes":
            typed = {
                name: str(values.get(name, "") if values.get(name) is not None else "")
                for name in (
                    "code", "title", "kind", "organisation", "hours", "certified_hours",
                    "description",
                )
            }  # fmt: skip
            attachments = values.get("attachments", {})
            typed["starts_on"] = typed_intakes(values)
            typed["specialties"] = ",".join(values.get("specialties", ()))
            typed["add"] = "\n".join(
                f"{one['kind']}: {one['title']}" for one in attachments.get("add", ())
            )
            for one in attachments.get("waive", ()):
                typed[f"waive_{one['kind']}"] = one["reason"]
            typed["checklist"] = "\n".join(one["question"] for one in values.get("checklist", ()))
            typed |= _typed_terms(values.get("terms") or {})
            typed["offered"] = "true" if entry is None or entry.offered else ""
            return typed
        case "terms":
            return _typed_terms(values.get("terms", {}))
        case "reasons":
            typed = {
                name: str(values.get(name, "")) for name in ("key", "outcome", "title", "text")
            }
            return {**typed, "offered": "true" if entry is None or entry.offered else ""}
        case "units":
            names = ("code", "name", "parent", "time_zone")
            typed = {name: str(values.get(name) or "") for name in names}
            return {**typed, "time_zone": typed["time_zone"] or "Europe/Moscow"}
        case "calendar":
            day = values.get("day")
            return {
                "day": f"{date.fromisoformat(day):%d.%m.%Y}" if day else "",
                "working": str(values.get("working", "")).lower(),
                "source": str(values.get("source", "")),
            }
        case _:
            return {}


def _typed_terms(terms: Mapping[str, Any]) -> dict[str, str]:
    typed = {}
    for name in ("review", "answer"):
        typed[name] = str(terms.get(name, ""))
        typed[f"{name}_reminders"] = ", ".join(map(str, terms.get(f"{name}_reminders", ())))
    return typed


def values_of(room: Room, typed: Typed, entry: Entry | None, ground: FormChoices) -> dict[str, Any]:
    """What was typed, as an entry of a file. Raises Refusal 422 for what is no date or number."""
    errors: list[FieldError] = []
    match room.name:
        case "programmes":
            values = _programme_values(typed, entry, ground, errors)
        case "reasons":
            values = {name: typed.get(name, "").strip() for name in ("outcome", "title", "text")}
            values["key"] = _key(typed, entry, "key")
        case "units":
            values = {name: typed.get(name, "").strip() for name in ("name", "time_zone")}
            values["code"] = _key(typed, entry, "code")
            stands = entry.values["parent"] if entry else None
            values["parent"] = stands if entry else typed.get("parent", "").strip() or None
        case _:
            day = date.fromisoformat(entry.key) if entry else _day(typed, "day", errors)
            working = {"true": True, "false": False}.get(typed.get("working", ""))
            if working is None:
                errors.append(FieldError("working", "Выберите одно из допустимых значений."))
            values = {
                "day": day.isoformat() if day else None,
                "working": working,
                "source": typed.get("source", "").strip(),
            }
    if errors:
        raise entries.unfit(_with_missing(room, typed, entry, ground, errors))
    return values


def _with_missing(
    room: Room, typed: Typed, entry: Entry | None, ground: FormChoices, told: Sequence[FieldError]
) -> list[FieldError]:
    """With what else is not filled in, in the form's order: it comes back once, not by field."""
    known = {one.path for one in told}
    fields = fields_of(room, entry, typed, ground)
    missing = [
        FieldError(view.name, "Заполните поле.")
        for view in fields
        if view.required and view.name not in known and not typed.get(view.name, "").strip()
    ]
    places = {view.name: place for place, view in enumerate(fields)}
    return sorted([*told, *missing], key=lambda one: places.get(one.path, len(places)))


def _key(typed: Typed, entry: Entry | None, name: str) -> str:
    return entry.key if entry else typed.get(name, "").strip()


def terms_of(typed: Typed) -> dict[str, Any]:
    """Terms as they were typed. Raises Refusal 422."""
    errors: list[FieldError] = []
    terms = _terms(typed, errors)
    if errors:
        raise entries.unfit(errors)
    return terms


def _terms(typed: Typed, errors: list[FieldError]) -> dict[str, Any]:
    terms: dict[str, Any] = {}
    for name in ("review", "answer"):
        terms[name] = _number(typed, name, errors)
        numbers = [identifiers.whole(part, 1, 366) for part in _parts(typed, f"{name}_reminders")]
        if None in numbers:
            words = "Напоминания бывают до конца срока: перечислите дни через запятую."
            errors.append(FieldError(f"{name}_reminders", words))
        terms[f"{name}_reminders"] = [day for day in numbers if day is not None]
    return terms


def since_of(typed: Typed) -> date | None:
    """The first day as it was typed. Raises Refusal 422."""
    errors: list[FieldError] = []
    day = _day(typed, "valid_from", errors) if typed.get("valid_from", "").strip() else None
    if errors:
        raise entries.unfit(errors)
    return day


def _day(typed: Typed, name: str, errors: list[FieldError]) -> date | None:
    try:
        return identifiers.day(typed.get(name, ""))
    except IdentifierError as error:
        errors.append(FieldError(name, error.message))
        return None


def _number(typed: Typed, name: str, errors: list[FieldError]) -> int | None:
    number = identifiers.whole(typed.get(name, ""), 0, 99_999)
    if number is None:
        errors.append(FieldError(name, "Напишите число."))
    return number


def _programme_values(
    typed: Typed, entry: Entry | None, ground: FormChoices, errors: list[FieldError]
) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: typed.get(name, "").strip() for name in ("title", "kind", "organisation")
    }
    values["code"] = _key(typed, entry, "code")
    values["description"] = typed.get("description", "").strip()
    for name in ("hours", "certified_hours"):
        values[name] = _number(typed, name, errors)
    values |= read_intakes(typed.get("starts_on", ""), errors)
    values["specialties"] = [one for one in typed.get("specialties", "").split(",") if one]
    rules = ground.application.attachments if ground.application else ()
    values["attachments"] = {
        "add": _added(typed, entry, errors),
        "waive": [
            {"kind": rule.kind, "reason": reason}
            for rule in rules
            if (reason := typed.get(f"waive_{rule.kind}", "").strip())
        ],
    }
    values["checklist"] = _questions(typed, entry)
    own = any(typed.get(view.name, "").strip() for view in _terms_fields(typed, own=True))
    values["terms"] = _terms(typed, errors) if own else None
    if values["terms"] and not errors:
        check_terms(values["terms"])
    return values


def _parts(typed: Typed, name: str) -> list[str]:
    return [part for part in re.split(r"[\s,;]+", typed.get(name, "")) if part]


def _added(typed: Typed, entry: Entry | None, errors: list[FieldError]) -> list[dict[str, Any]]:
    before = entry.values["attachments"]["add"] if entry else ()
    known = {(one["kind"], one["title"]): one for one in before}
    added = []
    for line in filter(str.strip, typed.get("add", "").splitlines()):
        found = _LINE.fullmatch(line)
        if found is None:
            words = "Напишите вид и название через двоеточие, по строке на документ."
            errors.append(FieldError("add", words))
            break
        kind, title = found[1], found[2].strip()
        made = {"kind": kind, "title": title, "hint": "", "required": True, "waived_reason": None}
        added.append(dict(known.get((kind, title), made)))
    return added


def _questions(typed: Typed, entry: Entry | None) -> list[dict[str, str]]:
    """The questions with the names they had; new ones get names of their own."""
    before = entry.values["checklist"] if entry else ()
    known: dict[str, str] = {one["question"]: one["name"] for one in before}
    taken = set(known.values())
    questions: list[dict[str, str]] = []
    for line in map(str.strip, typed.get("checklist", "").splitlines()):
        if not line:
            continue
        name, number = known.get(line, "own_1"), 1
        while line not in known and name in taken:
            number += 1
            name = f"own_{number}"
        taken.add(name)
        questions.append({"name": name, "question": line})
    return questions
