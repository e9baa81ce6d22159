"""Types of cases on the administrator's pages: as a form, and as the text of a file."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from cabinet.catalogue_admin import type_forms
from cabinet.catalogue_admin.fields import EntryField, FormChoices, Typed
from cabinet.catalogue_admin.room import Room, Shown
from cabinet.catalogue_admin.type_lines import (
    addressee_in_words,
    effect_view,
    in_force,
    type_lines,
    type_preview,
    with_versions,
)
from cabinet.catalogue_admin.type_views import type_form
from cabinet.catalogue_admin.views import Difference, Editor, Preview
from clients.database import DatabaseSession
from rules.catalogue.entries import Subject
from rules.forms.definitions import CaseTypeDefinition
from rules.refusals import Refusal
from services.catalogue_admin import type_upgrades
from services.catalogue_admin.kinds import Entry
from services.catalogue_admin.types import as_file, checked_type, key_in, versions
from words.translation import gettext as _
from words.translation import marked

_OPEN = "open-part"
"""Where a form that was changed says which of its parts is open and has the focus."""
_EXAMPLE = """types:
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


class TypeRoom(Room):
    """What is kept in versions of types: looked at with what a change means for open cases."""

    def compared(self, typed: Typed, shown: Shown) -> Mapping[str, Any] | None:
        draft = self.drafted(typed, shown)
        return draft.values if draft else None

    def told(
        self, lines: Sequence[Difference], editor: Editor, shown: Shown, *known: Mapping[str, Any]
    ) -> list[Difference]:
        return type_lines(lines, shown.choices, *known)

    def preview(self, entry: Entry, choices: FormChoices) -> Preview:
        return Preview("type", type_preview(entry, choices))

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
        at, draw = TYPES.url(shown.key), partial(self.preview, choices=shown.choices)
        known = await versions(session, shown.key)
        editor = with_versions(editor, known, entry, would, version, at, draw)
        stands = next((one for one in known if one.version == in_force(known)), None)
        if would or stands is None:
            return editor
        definition = CaseTypeDefinition.model_validate(stands.values)
        effect = await type_upgrades.effect(session, definition)
        return replace(editor, effect=effect_view(effect, f"{at}/move")) if effect.open else editor


class _TypeForms(TypeRoom):
    def note(self, entry: Entry, choices: FormChoices) -> str:
        definition = CaseTypeDefinition.model_validate(entry.values)
        words = _("отвечает: %(who)s") if definition.channel else _("решает: %(who)s")
        return words % {"who": addressee_in_words(definition, choices)}

    def typed(self, shown: Shown) -> dict[str, str]:
        return type_forms.posted(type_forms.opened(shown.values))

    def asked(self, typed: Typed, shown: Shown, since: date | None) -> dict[str, Any]:
        entry = self._made(typed, shown)
        return {"key": entry.key, "text": as_file(entry.values, entry.version or 1, since)}

    def drafted(self, typed: Typed, shown: Shown) -> Entry | None:
        try:
            return self._made(typed, shown)
        except Refusal:
            return None

    def _made(self, typed: Typed, shown: Shown) -> Entry:
        """The version that the form makes. Raises Refusal 422 with paths of the page."""
        draft = type_forms.read(typed, shown.values)
        values, places = type_forms.values_of(draft, shown.values)
        version = shown.entry.next_version if shown.entry else 1
        try:
            checked = checked_type(values, version)
        except Refusal as refusal:
            raise type_forms.at_fields(refusal, places) from refusal
        return Entry(self.subject, checked["key"], checked["title"], checked, version)

    def acted(self, typed: Typed, shown: Shown) -> Typed | None:
        what, _blank, path = typed.get("do", "save").partition(" ")
        if what in ("save", "look"):
            return None
        draft = type_forms.read(typed, shown.values)
        focus = type_forms.act(draft, what, path)
        of_no_part = {name: text for name, text in typed.items() if "-" not in name}
        return {**of_no_part, **type_forms.posted(draft), _OPEN: focus}

    def drawn(
        self, editor: Editor, typed: Typed, shown: Shown, errors: Mapping[str, str]
    ) -> Editor:
        form = type_form(
            type_forms.read(typed, shown.values),
            errors,
            shown.choices,
            typed.get(_OPEN, ""),
            known=shown.entry is not None,
            file_url=TYPE_FILES.url(shown.key),
        )
        return replace(editor, form=form)


class _TypeFiles(TypeRoom):
    def url(self, key: str) -> str:
        return f"{super().url(key)}/file"

    def typed(self, shown: Shown) -> dict[str, str]:
        entry = shown.entry
        return {"text": as_file(entry.values, entry.next_version) if entry else _EXAMPLE}

    def asked(self, typed: Typed, shown: Shown, since: date | None) -> dict[str, Any]:
        text = typed.get("text", "")
        return {"key": shown.key if shown.entry else key_in(text), "text": text}


TYPES = _TypeForms(
    name="types",
    subject=Subject.TYPE,
    icon="clipboard-list",
    title=marked("Типы заявок и запросов"),
    text=marked("Формы, документы, вопросы проверяющему и адресат. Хранятся редакциями."),
    adds=marked("Новый тип"),
)
_TEXT = EntryField(
    "text",
    marked("Описание типа"),
    "long_text",
    marked("Тот же файл можно загрузить командой. При каждом изменении увеличьте version"),
)
TYPE_FILES = _TypeFiles(**{**vars(TYPES), "fields": (_TEXT,), "code": True})
