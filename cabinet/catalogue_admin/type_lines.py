"""How types look on the administrator's pages: previews, versions, dry runs, differences."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cabinet.cases.lines import field_view
from cabinet.catalogue_admin.differences import LISTS, TICKED, for_people, leaf, path_in_words
from cabinet.catalogue_admin.fields import FormChoices
from cabinet.catalogue_admin.type_fields import FIELD, OF_REQUEST, typed_bound
from cabinet.catalogue_admin.views import (
    Difference,
    Editor,
    EffectLine,
    EffectView,
    Preview,
    SectionPreview,
    TypePreview,
    VersionLine,
)
from cabinet.requests.lines import addressee_of
from rules.cases.kinds import process_of
from rules.clock import now
from rules.forms.definitions import CaseTypeDefinition
from rules.ids import new_id
from services.catalogue_admin.kinds import Entry
from services.catalogue_admin.type_upgrades import Effect
from words import formats
from words.translation import gettext as _
from words.translation import ngettext

NUMBERS_SHOWN = 10


def addressee_in_words(definition: CaseTypeDefinition, choices: FormChoices) -> str:
    """Who decides or answers."""
    unit = choices.unit_names.get(definition.addressee, definition.addressee)
    return addressee_of(definition, unit)


def terms_in_words(definition: CaseTypeDefinition) -> list[str]:
    """The terms of a type in sentences."""
    terms = definition.terms
    told = [_("рассмотрение: %(days)s") % {"days": formats.working_days(terms.review)}]
    if process_of(definition.kind).is_reviewed:
        told.append(_("ответ заявителя: %(days)s") % {"days": formats.working_days(terms.answer)})
    return told


def type_preview(entry: Entry, choices: FormChoices) -> TypePreview:
    """A type as people would fill it in."""
    definition = CaseTypeDefinition.model_validate(entry.values)
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
        terms=terms_in_words(definition),
        addressee=addressee_in_words(definition, choices),
    )


def in_force(known: Sequence[Entry]) -> int:
    """The version that counts now; 0 where none does yet."""
    return max((one.version or 0 for one in known if not one.waits), default=0)


def with_versions(
    editor: Editor,
    known: Sequence[Entry],
    entry: Entry,
    would: Entry | None,
    version: int,
    url: str,
    preview: Callable[[Entry], Preview],
) -> Editor:
    """The page of an entry that is kept in versions: all of them, and the chosen one drawn."""
    chosen = next((one for one in known if one.version == version), entry)
    return replace(
        editor,
        preview=preview(chosen),
        versions=_version_lines(known, in_force(known), url, None if would else chosen.version),
        notes=_overtaken(known, would),
    )


def _version_lines(
    known: Sequence[Entry], counts: int, url: str, shown: int | None
) -> list[VersionLine]:
    """The versions of a type, newest first, each with a word."""
    lines = []
    for entry in reversed(known):
        number, since = entry.version or 0, entry.valid_from or now()
        if number == counts:
            word, tone = _("действует"), "good"
        elif entry.waits and number > counts:
            word, tone = _("вступит в силу"), "waiting"
        else:
            word, tone = _("прежняя"), "idle"
        lines.append(
            VersionLine(number, since, word, tone, f"{url}?version={number}", number == shown)
        )
    return lines


def _overtaken(known: Sequence[Entry], would: Entry | None) -> list[str]:
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


def type_lines(
    lines: Sequence[Difference], choices: FormChoices, *known: Mapping[str, Any]
) -> list[Difference]:
    """Differences of a type in people's words; `known` are the versions that name its parts."""
    names = _names_of_parts(known)
    words: dict[str, Mapping[str, str]] = {
        one.name: one.options for one in (*OF_REQUEST, *FIELD) if not callable(one.options)
    }
    words |= {"addressee": choices.unit_names, "required": TICKED, "locked": TICKED}
    words["not_before"] = names

    def said(path: str, text: str) -> str:
        name = leaf(path)
        if name in LISTS:
            return ", ".join(names.get(one, one) for one in text.split(", "))
        if name in ("min", "max") and text in ("today", "this_year"):
            return typed_bound(text)
        found = words.get(name, {}).get(text)
        return _(found) if found else text

    return [
        (path_in_words(path, names), said(path, old), said(path, new))
        for path, old, new in for_people(lines)
        # Of a new part its defaults are not worth a line.
        if old or new != "False"
    ]


def _names_of_parts(known: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    names: dict[str, str] = {}
    for values in known:
        for section in values.get("sections", ()):
            names[section["name"]] = section["title"]
            for one in section["fields"]:
                names[one["name"]] = one["label"]
                names |= {choice["value"]: choice["label"] for choice in one.get("choices", ())}
        names |= {rule["kind"]: rule["title"] for rule in values.get("attachments", ())}
        names |= {item["name"]: item["question"] for item in values.get("checklist", ())}
    return names
