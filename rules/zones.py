"""Time zones, by their names in the IANA database."""

from functools import cache
from zoneinfo import available_timezones

_OF_THE_MACHINE = {"Factory", "localtime", "posixrules"}
"""Names that mean a different zone on every machine, or none."""


def is_zone(name: str) -> bool:
    """Whether a zone has this name.

    `ZoneInfo` itself opens files and fails in many ways if asked.
    """
    return name in _names()


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones() - _OF_THE_MACHINE)
