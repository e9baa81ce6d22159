"""Programmes on the administrator's pages: with what they add to the type of their applications."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cabinet.applications.lines import programme_view
from cabinet.catalogue_admin.fields import EntryField, FormChoices, Typed, number
from cabinet.catalogue_admin.intakes import read_intakes, typed_intakes
from cabinet.catalogue_admin.room import Room, Shown
from cabinet.catalogue_admin.rooms.terms import OWN_TERMS, read_terms, typed_terms
from cabinet.catalogue_admin.views import Boxes, Preview
from rules.catalogue.entries import Subject
from rules.catalogue.programmes import KINDS
from rules.files.categories import CATEGORIES
from rules.forms.definitions import AttachmentRule, merged_attachments, merged_checklist
from rules.refusals import FieldError
from services.catalogue_admin.kinds import Entry
from services.catalogue_admin.programmes import unsaved_programme
from services.catalogue_admin.types import check_terms
from words import formats
from words.translation import gettext as _
from words.translation import marked

_DOCUMENT = re.compile(r"\s*([a-z][a-z0-9_]*)\s*:\s*(.+)")


def _lines(name: str, label: str, hint: str) -> EntryField:
    return EntryField(name, label, "long_text", hint, required=False, read=None)


_STARTS = _lines(
    "starts_on",
    marked("Наборы"),
    marked(
        "По строке на набор: день начала, а если нужно, последний день подачи и число "
        "мест, например «18.01.2027 до 11.01.2027 мест 25». Пусто: начало в любой день"
    ),
)
_QUESTIONS = _lines(
    "checklist", marked("Вопросы проверяющему сверх общих"), marked("По строке на вопрос")
)


class _Programmes(Room):
    def note(self, entry: Entry, choices: FormChoices) -> str:
        values = entry.values
        words = _(KINDS.get(values["kind"], values["kind"]))
        return f"{words}, {formats.hours(values['hours'])}, {values['organisation']}"

    def asks(self, choices: FormChoices, *, known: bool) -> list[EntryField]:
        *head, description = self.fields
        waived = [_waived(rule) for rule in _rules(choices)]
        own = [_STARTS, description, _added(), *waived, _QUESTIONS, *OWN_TERMS]
        return [*head, *own, *self._always()]

    def boxes(self, typed: Typed, choices: FormChoices) -> list[Boxes]:
        if choices.application is None:
            return []
        specialty = choices.application.fields.get("specialty")
        chosen = set(typed.get("specialties", "").split(","))
        options = [
            (choice.value, _(choice.label), choice.value in chosen)
            for choice in (specialty.choices if specialty else ())
        ]
        hint = _("Ничего не отмечено: для всех")
        return [Boxes("specialties", _("Для каких специальностей"), hint, options)]

    def typed(self, shown: Shown) -> dict[str, str]:
        values = shown.values
        documents = values.get("attachments", {})
        added = [f"{one['kind']}: {one['title']}" for one in documents.get("add", ())]
        return {
            **super().typed(shown),
            "starts_on": typed_intakes(values),
            "specialties": ",".join(values.get("specialties", ())),
            "add": "\n".join(added),
            **{f"waive_{one['kind']}": one["reason"] for one in documents.get("waive", ())},
            "checklist": "\n".join(one["question"] for one in values.get("checklist", ())),
            **typed_terms(values.get("terms") or {}),
        }

    def more_values(self, typed: Typed, shown: Shown, errors: list[FieldError]) -> dict[str, Any]:
        before = shown.values.get("attachments", {})
        values = {
            **read_intakes(typed.get("starts_on", ""), errors),
            "specialties": [one for one in typed.get("specialties", "").split(",") if one],
            "attachments": {
                "add": _documents(typed.get("add", ""), before.get("add", ()), errors),
                "waive": _waivers(typed, shown.choices),
            },
            "checklist": _questions(typed.get("checklist", ""), shown.values.get("checklist", ())),
            "terms": None,
        }
        if any(typed.get(one.name, "").strip() for one in OWN_TERMS):
            values["terms"] = read_terms(typed, errors)
            if not errors:
                check_terms(values["terms"])
        return values

    def preview(self, entry: Entry, choices: FormChoices) -> Preview | None:
        definition = choices.application
        if definition is None:
            return None
        made = unsaved_programme(entry)
        documents = merged_attachments(definition, made)
        questions = [_(item.question) for item in merged_checklist(definition, made)]
        return Preview("programme", programme_view(made, documents, definition, questions))


def _rules(choices: FormChoices) -> Sequence[AttachmentRule]:
    """The documents that every application is asked for."""
    return choices.application.attachments if choices.application else ()


def _waived(rule: AttachmentRule) -> EntryField:
    label = _("Почему не нужен документ «%(title)s»") % {"title": _(rule.title)}
    hint = marked("Пусто: документ нужен")
    return EntryField(f"waive_{rule.kind}", label, hint=hint, required=False, read=None)


def _added() -> EntryField:
    kinds = ", ".join(one.value for one, rule in CATEGORIES.items() if rule.offered)
    hint = _(
        "По строке на документ: вид и название, например «attestation: Свидетельство». "
        "Виды: %(kinds)s"
    )
    return _lines("add", marked("Дополнительные документы"), hint % {"kinds": kinds})


def _waivers(typed: Typed, choices: FormChoices) -> list[dict[str, str]]:
    reasons = {rule.kind: typed.get(f"waive_{rule.kind}", "").strip() for rule in _rules(choices)}
    return [{"kind": kind, "reason": reason} for kind, reason in reasons.items() if reason]


def _documents(
    text: str, before: Sequence[Mapping[str, Any]], errors: list[FieldError]
) -> list[dict[str, Any]]:
    """The documents on the lines; those that were there keep what the form does not show."""
    known = {(one["kind"], one["title"]): one for one in before}
    added = []
    for line in filter(str.strip, text.splitlines()):
        found = _DOCUMENT.fullmatch(line)
        if found is None:
            words = "Напишите вид и название через двоеточие, по строке на документ."
            errors.append(FieldError("add", words))
            break
        kind, title = found[1], found[2].strip()
        made = {"kind": kind, "title": title, "hint": "", "required": True, "waived_reason": None}
        added.append(dict(known.get((kind, title), made)))
    return added


def _questions(text: str, before: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The questions with the names they had; new ones get names of their own."""
    known = {one["question"]: one["name"] for one in before}
    taken = set(known.values())
    questions = []
    for line in filter(None, map(str.strip, text.splitlines())):
        free = (name for number in range(1, 10**6) if (name := f"own_{number}") not in taken)
        name = known.get(line) or next(free)
        taken.add(name)
        questions.append({"name": name, "question": line})
    return questions


PROGRAMMES = _Programmes(
    name="programmes",
    subject=Subject.PROGRAMME,
    icon="graduation-cap",
    title=marked("Программы"),
    text=marked("Каталог повышения квалификации: что предлагается и какие документы нужны."),
    adds=marked("Новая программа"),
    fields=(
        EntryField("code", marked("Код"), hint=marked("Например, CARD-144"), fixed=True),
        EntryField("title", marked("Название")),
        EntryField("kind", marked("Вид обучения"), "choice", options=KINDS),
        EntryField("organisation", marked("Организация")),
        EntryField("hours", marked("Объём, часов"), "number", read=number),
        EntryField("certified_hours", marked("Из них засчитывается, часов"), "number", read=number),
        EntryField("description", marked("Описание"), "long_text", required=False),
    ),
    offered=marked("Предлагать в каталоге"),
    versioned=True,
)
