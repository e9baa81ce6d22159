"""What a form showed when it was drawn, sent back with it.

A form that was open for long sends every field. Only those that differ from what it showed were
changed by the person; the others may have been changed elsewhere since, and stay.
"""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode


def shown_of(fields: Iterable[tuple[str, str]]) -> str:
    """The fields as the form would send them unchanged."""
    return urlencode(list(fields))


def fields_shown(shown: str) -> list[tuple[str, str]]:
    """What the form showed; nothing where it says nothing."""
    return parse_qsl(shown, keep_blank_values=True)
