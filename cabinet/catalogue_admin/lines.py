"""How entries of the catalogue, dry runs and histories look on the administrator's screens."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from cabinet.applications.lines import programme_view
from cabinet.applications.views import ProgrammeView
from cabinet.cases.lines import field_view
from cabinet.catalogue_admin.forms import OUTCOMES, FormChoices, Room
from cabinet.catalogue_admin.type_forms import typed_bound
from cabinet.catalogue_admin.type_views import ANSWERS, CHANNELS, FIELD_KINDS, KNOWN
from cabinet.catalogue_admin.views import (
    ChangedView,
    EffectLine,
    EffectView,
    SectionPreview,
    TypePreview,
    VersionLine,
)
from cabinet.frame.views import FieldView
from cabinet.requests.lines import addressee_of
from rules.cases.kinds import process_of
from rules.catalogue.entries import Subject
from rules.catalogue.programmes import KINDS
from rules.clock import now
from rules.forms.definitions import (
    CaseTypeDefinition,
    merged_attachments,
    merged_checklist,
)
from rules.ids import new_id
from services.catalogue_admin.entries import Changed
from services.catalogue_admin.kinds import Entry
from services.catalogue_admin.programmes import unsaved_programme
from services.catalogue_admin.type_upgrades import Effect
from words import formats
from words.translation import gettext as _
from words.translation import marked, ngettext

NUMBERS_SHOWN = 10
EXAMPLE = """types:
  - key: new_type
    version: 1
    kind: application
    title: ""
    addressee: hr
    terms: {review: 10, review_reminders: [7], answer: 10, answer_reminders: [5, 9]}
    sections:
      - name: about
        title: ""
        fields:
          - {name: purpose, label: "", kind: long_text}
"""
"""What a new type is begun from: refused until it is called something."""


def title_of(room: Room, entry: Entry) -> str:
    """What an entry is called in a list and on its page."""
    if room.name == "calendar":
        return formats.day(date.fromisoformat(entry.key))
    return _(entry.title) if entry.title else entry.key


def note_of(room: Room, entry: Entry, units: Mapping[str, str]) -> str:
    """What else a list says of an entry; `units` are names by their codes."""
    values = entry.values
    match room.name:
        case "programmes":
            words = _(KINDS.get(values["kind"], values["kind"]))
            return f"{words}, {formats.hours(values['hours'])}, {values['organisation']}"
        case "terms":
            return "; ".join(terms_words(CaseTypeDefinition.model_validate(values)))
        case "types":
            definition = CaseTypeDefinition.model_validate(values)
            unit = units.get(definition.addressee, definition.addressee)
            words = _("отвечает: %(who)s") if definition.channel else _("решает: %(who)s")
            return words % {"who": addressee_of(definition, unit)}
        case "reasons":
            return _(OUTCOMES[values["outcome"]])
        case "units":
            return _("часовой пояс: %(zone)s") % {"zone": formats.zone_name(values["time_zone"])}
        case _:
            word = _("рабочий") if values["working"] else _("выходной")
            return f"{word}. {values['source']}"


def terms_words(definition: CaseTypeDefinition) -> list[str]:
    """The terms of a type in sentences."""
    terms = definition.terms
    told = [_("рассмотрение: %(days)s") % {"days": formats.working_days(terms.review)}]
    if process_of(definition.kind).is_reviewed:
        told.append(_("ответ заявителя: %(days)s") % {"days": formats.working_days(terms.answer)})
    return told


def programme_preview(entry: Entry, ground: FormChoices) -> ProgrammeView | None:
    """A programme as the catalogue would show it."""
    definition = ground.application
    if definition is None:
        return None
    made = unsaved_programme(entry)
    return programme_view(
        made,
        merged_attachments(definition, made),
        definition,
        [_(item.question) for item in merged_checklist(definition, made)],
    )


def type_preview(entry: Entry, ground: FormChoices) -> TypePreview:
    """A type as people would fill it in."""
    definition = CaseTypeDefinition.model_validate(entry.values)
    units = {unit.key: unit.title for unit in ground.units}
    return TypePreview(
        title=_(definition.title),
        sections=[
            SectionPreview(
                _(section.title),
                _(section.hint) if section.hint else "",
                [
                    replace(field_view(field, None), name=f"preview-{field.name}")
                    for field in section.fields
                ],
            )
            for section in definition.sections
        ],
        documents=[(_(rule.title), rule.required) for rule in definition.attachments],
        questions=[_(item.question) for item in definition.checklist],
        terms=terms_words(definition),
        addressee=addressee_of(definition, units.get(definition.addressee, definition.addressee)),
    )


def version_lines(
    known: Sequence[Entry], in_force: int, url: str, shown: int | None
) -> list[VersionLine]:
    """The versions of a type, newest first, each with a word."""
    lines = []
    for entry in reversed(known):
        number, since = entry.version or 0, entry.valid_from or now()
        if number == in_force:
            word, tone = _("действует"), "good"
        elif entry.waits and number > in_force:
            word, tone = _("вступит в силу"), "waiting"
        else:
            word, tone = _("прежняя"), "idle"
        lines.append(
            VersionLine(number, since, word, tone, f"{url}?version={number}", number == shown)
        )
    return lines


def overtaken(known: Sequence[Entry], would: Entry | None) -> list[str]:
    """Versions that wait for their day and would never come: the newest number wins."""
    if would is None or would.valid_from is None:
        return []
    since = would.valid_from
    return [
        _("Редакция %(n)s, назначенная на %(day)s, не вступит в силу: новая начнётся раньше.")
        % {"n": one.version, "day": formats.day(formats.by_institution(one.valid_from))}
        for one in known
        if one.waits and one.valid_from and one.valid_from > since and one.version != would.version
    ]


def effect_view(told: Effect, move_url: str = "") -> EffectView:
    """A dry run in words, with the first numbers of the cases."""
    marks = (
        (_("не хватит ответов на новые вопросы формы: останутся на прежней редакции"),
         told.unfit, "problem"),
        (_("не хватит документов: останутся на прежней редакции"), told.documents, "problem"),
        (_("проверяющему зададут другие вопросы"), told.questions, "warning"),
        (_("срок закончится позже"), told.later, "fine"),
        (_("срок закончится раньше"), told.sooner, "warning"),
        (_("срок окажется пропущен"), told.overdue, "problem"),
    )  # fmt: skip
    lines = [
        EffectLine(words, len(numbers), tone, numbers[:NUMBERS_SHOWN])
        for words, numbers, tone in marks
        if numbers
    ]
    limited = ""
    if told.looked_at < told.open:
        limited = _("Проверены первые %(n)s.") % {"n": told.looked_at}
    return EffectView(
        told.version,
        _summary(told),
        lines,
        limited,
        move_url if told.whole else "",
        told.whole,
        str(new_id()),
    )


def _summary(told: Effect) -> str:
    if not told.open:
        return _("Открытых дел на других редакциях нет: переводить нечего.")
    open_cases = ngettext(
        "На других редакциях %(num)d открытое дело.", "На других редакциях %(num)d открытых дел.",
        told.open,
    ) % {"num": told.open}  # fmt: skip
    words = _("Сами они не изменятся. Без потерь можно перевести: %(n)s.") % {"n": told.whole}
    return f"{open_cases} {words}"


def changed_view(
    one: Changed, entry: Entry, fields: Sequence[FieldView], ground: FormChoices
) -> ChangedView:
    """A change of the history."""
    shown = one.lines[:40]
    lines = (
        type_lines(shown, ground, entry.values)
        if entry.subject is Subject.TYPE
        else named(shown, fields, ground)
    )
    return ChangedView(one.at, one.by, one.valid_from, one.version, lines)


def named(
    lines: Sequence[tuple[str, str, str]], fields: Sequence[FieldView], ground: FormChoices
) -> list[tuple[str, str, str]]:
    """Differences under the words of the form, values as people choose them: «Курс»."""
    words = {"version": _("Редакция")} | {f"terms.{one.name}": one.label for one in fields}
    words |= {one.name: one.label for one in fields}
    values = {
        one.name: {option.value: option.label for option in one.options} | _TICKED for one in fields
    }
    specialty = ground.application.fields.get("specialty") if ground.application else None
    chosen = {choice.value: _(choice.label) for choice in specialty.choices} if specialty else {}
    values["specialties"] = chosen
    words["specialties"] = _("Для каких специальностей")

    def said(path: str, text: str) -> str:
        known = values.get(path, {})
        return ", ".join(str(_(known.get(part, part))) if part else "" for part in text.split(", "))

    return [
        (words.get(path) or _path(path, {}), said(path, old), said(path, new))
        for path, old, new in lines
        if path.rpartition(".")[2] not in _FOR_PROGRAMS
    ]


_TICKED = {"True": marked("да"), "False": marked("нет")}
_FOR_PROGRAMS = ("name", "value")
_PATHS = {
    "sections": marked("Разделы"),
    "fields": marked("Поля"),
    "attachments": marked("Документы"),
    "add": marked("Дополнительные документы"),
    "waive": marked("Не требуются"),
    "reason": marked("Почему"),
    "checklist": marked("Вопросы проверяющему"),
    "question": marked("Вопрос"),
    "choices": marked("Варианты"),
    "terms": marked("Сроки"),
    "review": marked("Рассмотрение, рабочих дней"),
    "review_reminders": marked("Напомнить проверяющему"),
    "answer_reminders": marked("Напомнить заявителю"),
    "title": marked("Название"),
    "label": marked("Название поля"),
    "hint": marked("Подсказка"),
    "kind": marked("Тип значения"),
    "required": marked("Заполнять обязательно"),
    "min": marked("Не меньше или не раньше"),
    "max": marked("Не больше или не позже"),
    "max_length": marked("Не длиннее, знаков"),
    "prefill": marked("Откуда взять значение"),
    "locked": marked("Заявитель не может его изменить"),
    "not_before": marked("Не раньше другой даты"),
    "addressee": marked("Кто решает или отвечает"),
    "channel": marked("Кто отвечает на запрос"),
    "answer": marked("Вид ответа на запрос"),
    "recipient": marked("Адресат словами, если это не подразделение"),
    "group": marked("Раздел каталога запросов"),
    "order": marked("Порядковый номер в каталоге запросов"),
    "service": marked("Имя услуги в модуле, если отвечает модуль"),
    "version": marked("Редакция"),
}
_RANKS = ("sections", "fields", "attachments", "checklist", "choices", "add", "waive")
"""Lists whose entries have names: the name says where, so the list is told only by itself."""


def _path(path: str, names: Mapping[str, str]) -> str:
    """A path in people's words: «О вас: Специальность: Подсказка»."""
    parts = path.split(".")
    kept = [part for part in parts[:-1] if part not in _RANKS] + parts[-1:]
    return ": ".join(names.get(part) or _(_PATHS.get(part, part)) for part in kept)


def type_lines(
    lines: Sequence[tuple[str, str, str]], ground: FormChoices, *known: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    """Differences of a type in people's words; `known` are the versions that name its parts."""
    names: dict[str, str] = {}
    for values in known:
        for section in values.get("sections", ()):
            names[section["name"]] = section["title"]
            for one in section["fields"]:
                names[one["name"]] = one["label"]
                names |= {choice["value"]: choice["label"] for choice in one.get("choices", ())}
        names |= {rule["kind"]: rule["title"] for rule in values.get("attachments", ())}
        names |= {item["name"]: item["question"] for item in values.get("checklist", ())}
    values_of = {
        "kind": {kind.value: words for kind, words in FIELD_KINDS.items()},
        "prefill": KNOWN,
        "channel": CHANNELS,
        "answer": ANSWERS,
        "addressee": {unit.key: unit.title for unit in ground.units},
        "required": _TICKED,
        "locked": _TICKED,
        "not_before": names,
    }

    def said(path: str, text: str) -> str:
        leaf = path.rpartition(".")[2]
        if leaf in _RANKS:
            return ", ".join(names.get(one, one) for one in text.split(", "))
        if leaf in ("min", "max") and text in ("today", "this_year"):
            return typed_bound(text)
        words = values_of.get(leaf, {}).get(text)
        return _(words) if words else text

    return [
        (_path(path, names), said(path, old), said(path, new))
        for path, old, new in lines
        if path.rpartition(".")[2] not in _FOR_PROGRAMS
        # Of a new part its defaults are not worth a line.
        and not (old == "" and new == "False")
    ]
