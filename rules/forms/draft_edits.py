"""What an edit of a draft changes, where others may have changed it since its form was drawn."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.forms.fields import Field, form_value


def mark(field: Field, value: Any) -> str:
    """A short digest of a value as a form shows it."""
    return hashlib.sha256(form_value(field, value).encode()).hexdigest()[:12]


def marks(fields: Mapping[str, Field], data: Mapping[str, Any]) -> dict[str, str]:
    """The marks of what a form with these fields shows."""
    return {name: mark(field, data.get(name)) for name, field in fields.items()}


@dataclass(frozen=True)
class Edit:
    """What may be written, and what is kept now of the fields that were changed on both sides."""

    changes: Mapping[str, Any]
    clashes: Mapping[str, Any]


def edit(
    fields: Mapping[str, Field],
    given: Mapping[str, Any],
    shown: Mapping[str, str],
    kept: Mapping[str, Any],
) -> Edit:
    """Compare what a form sent with what it showed (`shown`, marks by field) and what is kept now.

    A field that was not changed in the form is left alone. One that was changed in it and elsewhere
    to something else is a clash. Where the form does not say what it showed, it is believed.
    """
    changes, clashes = {}, {}
    for name, value in given.items():
        wanted, now = mark(fields[name], value), mark(fields[name], kept.get(name))
        was = shown.get(name, now)
        if wanted in (was, now):
            continue
        if was == now:
            changes[name] = value
        else:
            clashes[name] = kept.get(name)
    return Edit(changes, clashes)
