"""Merging an edit of a draft with what others have changed since its form was drawn."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.forms.fields import Field, form_value


def mark(field: Field, value: Any) -> str:
    """A short digest of a value as a form shows it; it tells whether the value changed."""
    return hashlib.sha256(form_value(field, value).encode()).hexdigest()[:12]


def marks(fields: Mapping[str, Field], data: Mapping[str, Any]) -> dict[str, str]:
    """The marks of all values that a form with these fields shows."""
    return {name: mark(field, data.get(name)) for name, field in fields.items()}


@dataclass(frozen=True)
class Edit:
    """What an edit comes to: `changes` may be stored; `clashes` were changed on both sides.

    The values of `clashes` are those that are stored now.
    """

    changes: Mapping[str, Any]
    clashes: Mapping[str, Any]


def edit(
    fields: Mapping[str, Field],
    given: Mapping[str, Any],
    shown: Mapping[str, str],
    kept: Mapping[str, Any],
) -> Edit:
    """Compare what a form sent with what it showed (`shown`, marks by field) and what is stored.

    A field that the person did not change is left alone. A field that was changed here and
    elsewhere, to different values, is a clash. If the form does not say what it showed, its values
    are accepted.
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
