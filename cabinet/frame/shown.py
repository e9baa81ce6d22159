"""What a form showed when it was drawn; the form sends it back.

A form that was open for long sends every field. Only those that differ from what it showed were
changed by the person. The others may have been changed elsewhere since, and stay.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import FormData

from rules.forms.fields import Field, FieldKind, too_long, too_long_words
from words.translation import in_words


def shown_of(fields: Iterable[tuple[str, str]]) -> str:
    """The fields as the form would send them unchanged."""
    return urlencode(list(fields))


def fields_shown(shown: str) -> list[tuple[str, str]]:
    """The values that the form showed when it was drawn; empty where the form sent none back."""
    return parse_qsl(shown, keep_blank_values=True)


@dataclass(frozen=True)
class SentForm:
    """What a form of fields sent. `given` is `typed` without what is far too long."""

    typed: Mapping[str, Any]
    given: Mapping[str, Any]
    unkept: Mapping[str, str]
    """Why fields are not saved."""
    shown: Mapping[str, str]
    """What the form showed when it was drawn."""


def sent_form(form: FormData, fields: Iterable[Field]) -> SentForm:
    """The fields that the form has. A box that is not ticked is sent by no browser."""
    typed = {
        field.name: field.name in form if is_box else str(form[field.name])
        for field in fields
        if (is_box := field.kind is FieldKind.CHECKBOX) or field.name in form
    }
    unkept = {name: in_words(too_long_words()) for name, one in typed.items() if too_long(one)}
    given = {name: one for name, one in typed.items() if name not in unkept}
    return SentForm(typed, given, unkept, dict(fields_shown(str(form.get("shown", "")))))
