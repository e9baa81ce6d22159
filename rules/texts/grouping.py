"""Long codes in groups, so that lines can break between them and people can compare them.

The same code is grouped in the same way on paper, on a page and in a terminal.
"""


def in_fours(code: str) -> str:
    """A code or a serial number in groups of four."""
    return _in_groups(code, 4)


def in_eights(digest: str) -> str:
    """A digest in hex, in groups of eight."""
    return _in_groups(digest, 8)


def _in_groups(text: str, size: int) -> str:
    return " ".join(text[i : i + size] for i in range(0, len(text), size))
