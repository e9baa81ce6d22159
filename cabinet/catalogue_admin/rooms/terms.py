"""Terms of types on the administrator's pages: to change them is to make the next version."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from cabinet.catalogue_admin.fields import (
    EntryField,
    FormChoices,
    Typed,
    number,
    read_field,
    typed_in,
)
from cabinet.catalogue_admin.room import Shown
from cabinet.catalogue_admin.rooms.types import TypeRoom
from cabinet.catalogue_admin.type_lines import terms_in_words
from rules.catalogue.entries import Subject, unfit
from rules.forms.definitions import CaseTypeDefinition
from rules.refusals import FieldError, not_found
from rules.texts import identifiers
from rules.texts.identifiers import IdentifierError
from services.catalogue_admin.kinds import Entry
from services.catalogue_admin.types import with_terms
from words.translation import marked


def _days(text: str) -> list[int]:
    days = [identifiers.whole(one, 1, 366) for one in re.split(r"[\s,;]+", text) if one]
    if None in days:
        words = "Напоминания бывают до конца срока: перечислите дни через запятую."
        raise IdentifierError(words)
    return [day for day in days if day is not None]


def _reminders(name: str, label: str) -> EntryField:
    return EntryField(
        name,
        label,
        hint=marked("Дни от начала срока через запятую"),
        required=False,
        read=_days,
        written=lambda days: ", ".join(map(str, days or ())),
    )


_TERMS: Sequence[EntryField] = (
    EntryField("review", marked("Рассмотрение, рабочих дней"), "number", read=number),
    _reminders("review_reminders", marked("Напомнить проверяющему")),
    EntryField("answer", marked("Ответ заявителя, рабочих дней"), "number", read=number),
    _reminders("answer_reminders", marked("Напомнить заявителю")),
)
OWN_TERMS = [
    replace(
        one,
        required=False,
        read=None,
        hint=marked("Пусто: как у типа заявки") if one.required else one.hint,
    )
    for one in _TERMS
]
"""The same as a programme asks for them: in place of those of the type, or not at all."""


def typed_terms(terms: Mapping[str, Any]) -> dict[str, str]:
    """Terms as they would be typed."""
    return typed_in(_TERMS, terms)


def read_terms(typed: Typed, errors: list[FieldError]) -> dict[str, Any]:
    """Terms as they were typed; what cannot be read is told among the errors."""
    return {one.name: read_field(one, typed, errors) for one in _TERMS}


class _Terms(TypeRoom):
    def note(self, entry: Entry, choices: FormChoices) -> str:
        return "; ".join(terms_in_words(CaseTypeDefinition.model_validate(entry.values)))

    def typed(self, shown: Shown) -> dict[str, str]:
        return typed_terms(shown.values.get("terms", {}))

    def asked(self, typed: Typed, shown: Shown, since: date | None) -> dict[str, Any]:
        errors: list[FieldError] = []
        terms = read_terms(typed, errors)
        if errors:
            raise unfit(errors)
        if shown.entry is None:
            raise not_found()
        return {"key": shown.key, "text": with_terms(shown.entry, terms, since)}


TERMS = _Terms(
    name="terms",
    subject=Subject.TYPE,
    icon="calendar-clock",
    title=marked("Сроки"),
    text=marked("Сколько рабочих дней на рассмотрение и на ответ, когда напоминать."),
    fields=_TERMS,
    versioned=True,
)
