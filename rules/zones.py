"""Time zones by their names in the IANA database."""

from functools import cache
from zoneinfo import available_timezones

_OF_THE_MACHINE = {"Factory", "localtime", "posixrules"}
"""Names that mean another clock on every machine, or none."""


def is_zone(name: str) -> bool:
    """Whether a zone has this name. Asking `ZoneInfo` itself fails in many ways: it opens files."""
    return name in _names()


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - _OF_THE_MACHINE)
