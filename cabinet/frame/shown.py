"""What a form showed when it was drawn; the form sends it back.

A form that was open for long sends every field. Only those that differ from what it showed were
changed by the person. The others may have been changed elsewhere since, and stay.
"""

from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode


def shown_of(fields: Iterable[tuple[str, str]]) -> str:
    """The fields as the form would send them unchanged."""
    return urlencode(list(fields))


def fields_shown(shown: str) -> list[tuple[str, str]]:
    """The values that the form showed when it was drawn; empty where the form sent none back."""
    return parse_qsl(shown, keep_blank_values=True)
