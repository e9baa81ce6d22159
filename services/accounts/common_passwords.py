"""Passwords that nobody may choose."""

from functools import cache
from pathlib import Path

_LIST = Path(__file__).with_name("common_passwords.txt")


@cache
def common_passwords() -> frozenset[str]:
    """Passwords of at least twelve characters that are known from leaks, in lower case."""
    return frozenset(_LIST.read_text(encoding="utf-8").splitlines())
