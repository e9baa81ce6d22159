"""Long codes in groups, so that a line can be broken within them and people compare them by eye.

Wherever the same code stands, on paper, on a page or in a terminal, it is grouped the same way.
"""


def in_fours(code: str) -> str:
    """A code or a serial number."""
    return _in_groups(code, 4)


def in_eights(digest: str) -> str:
    """A digest in hex."""
    return _in_groups(digest, 8)


def _in_groups(text: str, size: int) -> str:
    return " ".join(text[i : i + size] for i in range(0, len(text), size))
