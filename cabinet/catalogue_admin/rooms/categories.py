"""Categories of credentials on the administrator's pages: what is asked of whoever adds one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from cabinet.cases.lines import field_view
from cabinet.catalogue_admin import type_forms
from cabinet.catalogue_admin.fields import SINCE, EntryField, FormChoices, Typed, number, typed_in
from cabinet.catalogue_admin.room import Room, Shown
from cabinet.catalogue_admin.type_forms import TypeDraft
from cabinet.catalogue_admin.type_lines import type_lines, with_versions
from cabinet.catalogue_admin.type_views import fields_form
from cabinet.catalogue_admin.views import (
    Boxes,
    Difference,
    Editor,
    Preview,
    SectionPreview,
    TypePreview,
)
from clients.database import DatabaseSession
from rules.access import Role
from rules.cases.kinds import PROCESSES
from rules.catalogue.entries import Subject, unfit
from rules.credentials.categories import (
    ISSUED_ON,
    ISSUER,
    NUMBER,
    VALID_UNTIL,
    CategoryDefinition,
    End,
    Need,
    StateRegister,
    Validation,
)
from rules.files.categories import CATEGORIES as DOCUMENTS
from rules.forms.fields import FieldKind
from rules.refusals import FieldError, Refusal
from rules.registers.kinds import REGISTER_WORDS
from rules.staff.right_names import RIGHT_NAMES
from services.catalogue_admin.categories import checked_category, versions
from services.catalogue_admin.kinds import Entry
from words.translation import gettext as _
from words.translation import marked

_OPEN = "open-part"
_RENEWALS = [one for one in PROCESSES.values() if one.renews_credentials]


def _one_of(name: str, label: str, options: Mapping[str, str], hint: str = "") -> EntryField:
    return EntryField(name, label, "choice", hint, required="" not in options, options=options)


_HEAD: Sequence[EntryField] = (
    EntryField("title", marked("Название")),
    EntryField("group", marked("Раздел дела о квалификации")),
    EntryField("order", marked("Порядковый номер в деле"), "number", read=number, usual="100"),
    EntryField("hint", marked("Пояснение"), required=False),
    EntryField(
        "about",
        marked("Чем один документ отличается от другого"),
        "choice",
        marked("Это поле стоит в списках рядом с названием"),
    ),
    _one_of(
        "end",
        marked("Заканчивается ли он"),
        {
            End.REQUIRED: marked("Да, всегда"),
            End.POSSIBLE: marked("Бывает со сроком и без"),
            End.NONE: marked("Нет, он бессрочный"),
        },
        marked("Поле «Действует до» появится в форме или исчезнет само"),
    ),
    _one_of(
        "known_to",
        marked("Какой реестр о нём знает"),
        {StateRegister.NONE: marked("Никакой"), **{n.value: w for n, w in REGISTER_WORDS.items()}},
    ),
    _one_of(
        "validation",
        marked("Кто подтверждает сведения"),
        {
            Validation.REGISTER: marked("Реестр"),
            Validation.HAND: marked("Отдел кадров, по оригиналу"),
            Validation.NONE: marked("Никто"),
        },
    ),
    _one_of(
        "need",
        marked("Что он показывает в деле"),
        {
            "": marked("Ничего из обязательного"),
            Need.EDUCATION: marked("Образование"),
            Need.ADMISSION: marked("Допуск к работе"),
            Need.TRAINING: marked("Повышение квалификации"),
        },
    ),
    _one_of(
        "renewed_by",
        marked("Чем его продлевают"),
        {
            "": marked("В кабинете не продлевают"),
            **{one.kind.value: one.word for one in _RENEWALS},
        },
    ),
    _one_of(
        "document",
        marked("Вид документа для копий"),
        {one.value: rule.title for one, rule in DOCUMENTS.items() if rule.offered},
    ),
    EntryField(
        "files_required",
        marked("Копия обязательна"),
        "checkbox",
        required=False,
        read=bool,
        written=lambda on: "true" if on is None or on else "",
    ),
    EntryField("files_hint", marked("Что должно быть видно на копии"), required=False),
)
_KEY = EntryField(
    "key",
    marked("Код"),
    hint=marked("Латинскими буквами: permit. Потом не меняется"),
    fixed=True,
)
_USUAL: Sequence[Mapping[str, Any]] = (
    {"name": "name", "label": "Название", "kind": "text", "required": True, "max_length": 250},
    {"name": NUMBER, "label": "Номер", "kind": "text", "required": True, "max_length": 60},
    {"name": ISSUER, "label": "Кем выдан", "kind": "text", "required": True, "max_length": 250},
    {"name": ISSUED_ON, "label": "Дата выдачи", "kind": "date", "required": True, "max": "today"},
)
"""The fields of a new category; all but the first are always asked."""
_ENDS: Mapping[str, Any] = {
    "name": VALID_UNTIL,
    "label": "Действует до",
    "hint": "Последний день, когда документ действует",
    "kind": FieldKind.DATE.value,
    "max": "2200-12-31",
}


class _Categories(Room):
    """Kept in versions, as types of cases are."""

    def note(self, entry: Entry, choices: FormChoices) -> str:
        return _(entry.values["group"])

    def asks(self, choices: FormChoices, *, known: bool) -> list[EntryField]:
        return [_KEY, *_HEAD]

    def boxes(self, typed: Typed, choices: FormChoices) -> list[Boxes]:
        chosen = set(typed.get("needed_for", "").split(","))
        options = [(role.value, _(RIGHT_NAMES[role]), role.value in chosen) for role in Role]
        hint = _("Когда срок истечёт, кабинет предложит отозвать их")
        return [Boxes("needed_for", _("Для каких ролей он нужен"), hint, options)]

    def typed(self, shown: Shown) -> dict[str, str]:
        values = shown.values
        draft = type_forms.fields_opened(values.get("form", _USUAL))
        head = typed_in([_KEY, *_HEAD], values)
        roles = ",".join(values.get("needed_for", ()))
        return {**head, "needed_for": roles, **type_forms.posted(draft)}

    def asked(self, typed: Typed, shown: Shown, since: date | None) -> dict[str, Any]:
        return self._made(typed, shown).values

    def compared(self, typed: Typed, shown: Shown) -> Mapping[str, Any] | None:
        draft = self.drafted(typed, shown)
        return draft.values if draft else None

    def drafted(self, typed: Typed, shown: Shown) -> Entry | None:
        try:
            return self._made(typed, shown)
        except Refusal:
            return None

    def _made(self, typed: Typed, shown: Shown) -> Entry:
        """The version that the form makes. Raises Refusal 422 with paths of the page."""
        values = self.values(typed, shown)
        draft = type_forms.read(typed, {})
        fields, places = type_forms.fields_of(draft, shown.values.get("form", _USUAL))
        values["form"] = _with_end(fields, values["end"])
        values["need"] = values["need"] or None
        values["needed_for"] = [one for one in typed.get("needed_for", "").split(",") if one]
        values["version"] = shown.entry.next_version if shown.entry else 1
        if missing := [
            label for name, label in _ALWAYS.items() if name not in {one["name"] for one in fields}
        ]:
            words = _("Верните поля: %(names)s.") % {"names": ", ".join(map(_, missing))}
            raise unfit([FieldError("title", words)])
        try:
            return checked_category(values)
        except Refusal as refusal:
            raise _at_fields(refusal, places) from refusal

    def acted(self, typed: Typed, shown: Shown) -> Typed | None:
        what, _blank, path = typed.get("do", "save").partition(" ")
        if what in ("save", "look", "section", "document"):
            return None
        draft = type_forms.read(typed, {})
        focus = type_forms.act(draft, what, path)
        of_no_part = {name: text for name, text in typed.items() if "-" not in name}
        return {**of_no_part, **_parts_only(draft), _OPEN: focus}

    def drawn(
        self, editor: Editor, typed: Typed, shown: Shown, errors: Mapping[str, str]
    ) -> Editor:
        draft = type_forms.read(typed, {})
        known = shown.entry is not None
        asked = {
            one.typed["name"]: one.typed["label"]
            for one in draft.sections[0].fields
            if one.typed["name"] and not one.aside
        }
        head = [
            replace(one, options=lambda _choices: asked) if one.name == "about" else one
            for one in self.asks(shown.choices, known=known)
        ]
        fields = [
            one.drawn(typed, shown.choices, known=known, errors=errors) for one in (*head, SINCE)
        ]
        form = fields_form(draft, errors, shown.choices, typed.get(_OPEN, ""))
        return replace(
            editor,
            form=replace(form, head=fields[:-1], rest=fields[-1:]),
            boxes=self.boxes(typed, shown.choices),
        )

    def told(
        self, lines: Sequence[Difference], editor: Editor, shown: Shown, *known: Mapping[str, Any]
    ) -> list[Difference]:
        as_types = [_as_type(one) for one in known]
        named = {one.name: _(one.label) for one in (_KEY, *_HEAD)}
        words = {
            one.name: one.options for one in _HEAD if one.options and not callable(one.options)
        }

        def said(name: str, text: str) -> str:
            found = words.get(name, {}).get(text)
            return _(found) if found else text

        told = type_lines([line for line in lines if "." in line[0]], shown.choices, *as_types)
        heads = [
            (named.get(name, _(_OTHER.get(name, name))), said(name, old), said(name, new))
            for name, old, new in lines
            if "." not in name
        ]
        return [*heads, *told]

    def preview(self, entry: Entry, choices: FormChoices) -> Preview:
        definition = CategoryDefinition.model_validate(entry.values)
        fields = [
            replace(field_view(field, None), name=f"preview-{field.name}")
            for field in definition.form
        ]
        section = SectionPreview(_(definition.title), _(definition.hint), fields)
        copies = [(_(DOCUMENTS[definition.document].title), definition.files_required)]
        return Preview("type", TypePreview(_(definition.group), [section], copies, (), (), ""))

    async def beside(
        self,
        session: DatabaseSession,
        editor: Editor,
        shown: Shown,
        would: Entry | None,
        version: int,
    ) -> Editor:
        entry = would or shown.entry
        if entry is None:
            return editor
        known = await versions(session, shown.key)
        url, draw = self.url(shown.key), partial(self.preview, choices=shown.choices)
        return with_versions(editor, known, entry, would, version, url, draw)


_ALWAYS = {NUMBER: "Номер", ISSUER: "Кем выдан", ISSUED_ON: "Дата выдачи"}
_OTHER = {"needed_for": marked("Для каких ролей он нужен"), "version": marked("Редакция")}


def _parts_only(draft: TypeDraft) -> dict[str, str]:
    return type_forms.posted(replace(draft, head={}))


def _with_end(fields: Sequence[Mapping[str, Any]], end: str) -> list[dict[str, Any]]:
    """The form with the last day asked as `end` says."""
    kept = [dict(one) for one in fields if one["name"] != VALID_UNTIL]
    if end == End.NONE:
        return kept
    known = next((one for one in fields if one["name"] == VALID_UNTIL), _ENDS)
    required = end == End.REQUIRED
    ends = {**known, "kind": FieldKind.DATE.value, "not_before": ISSUED_ON, "required": required}
    place = next((n for n, one in enumerate(fields) if one["name"] == VALID_UNTIL), len(kept))
    return [*kept[:place], ends, *kept[place:]]


def _as_type(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A category as differences of types name the parts of it."""
    form = values.get("form", ())
    return {"sections": [{"name": "form", "title": _("Поля"), "fields": form}]}


def _at_fields(refusal: Refusal, places: Mapping[str, str]) -> Refusal:
    """A refusal told at the fields of the page."""
    heads = {one.name for one in (_KEY, *_HEAD)}

    def at(path: str) -> str:
        for part, there in places.items():
            if path == part or path.startswith(f"{part}."):
                rest = path.removeprefix(part).lstrip(".").split(".")[0]
                return f"{there}-{rest if rest in type_forms.SHOWN_OF_FIELD else 'label'}"
        head = path.split(".")[0]
        return head if head in heads else "title"

    fields = [FieldError(at(one.path), one.message) for one in refusal.fields]
    return Refusal(refusal.code, refusal.message, refusal.status, fields)


CATEGORIES = _Categories(
    name="credentials",
    subject=Subject.CATEGORY,
    icon="badge-check",
    title=marked("Категории документов о квалификации"),
    text=marked("Что спрашивают о документе, бывает ли у него срок, какой реестр о нём знает."),
    adds=marked("Новая категория"),
    fields=_HEAD,
    versioned=True,
)
