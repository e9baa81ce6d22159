"""Requirements that are cited stand in the documentation, and what is called built has a test."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.local.home import CHECKOUT

PAGE = CHECKOUT / "docs" / "requirements.md"
READ = {".py", ".md", ".html", ".yaml", ".yml", ".sh", ".css", ".js"}
MEASURED = re.compile(r"P[1-7]r?|P9|P1[0-3]")
"""Ids of `bench`: promises of speed, no requirements."""

_ID = r"[A-Z]\d{1,2}r?"
_LOOKS_ALIKE = re.compile(rf"\b{_ID}\b")
_IDS = rf"{_ID}(?:-{_ID})?(?:(?:, | and ){_ID}(?:-{_ID})?)*(?!\w|\.\d)"
CITED = re.compile(rf"(?:\((?:requirements? )?|\brequirements? |\bSources?: )({_IDS})|\A({_IDS}): ")
"""In brackets, after the word, or in front of a docstring's first sentence."""


def defined() -> dict[str, str]:
    """Each id of the page with its state."""
    rows = re.findall(r"^\| ([A-Z]\d+) \| (.+) \| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE)
    assert len({row[0] for row in rows}) == len(rows)
    return {key: state for key, _, state in rows}


def words_of(path: Path) -> Iterator[str]:
    """What a file says to its readers: of code the docstrings and comments, else all of it."""
    text = path.read_text()
    if not _LOOKS_ALIKE.search(text):
        return
    if path.suffix != ".py":
        yield text
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield str(node.value.value)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string.lstrip("# ")


def cited_in(text: str) -> set[str]:
    """The ids that a text cites; A1-A3 are three."""
    found = set()
    for match in CITED.finditer(text):
        for first, last in re.findall(rf"({_ID})(?:-({_ID}))?", match[1] or match[2]):
            found.add(first)
            if last:
                found |= {f"{first[0]}{n}" for n in range(int(first[1:]), int(last[1:]) + 1)}
    return found


def cited() -> dict[str, set[Path]]:
    """Each id that is cited with the files that do."""
    found: dict[str, set[Path]] = {}
    tops = [top for top in CHECKOUT.iterdir() if not top.name.startswith(".")]
    files = [file for top in tops for file in [top, *top.rglob("*")] if file.suffix in READ]
    for path in files:
        for text in words_of(path):
            for key in cited_in(text):
                found.setdefault(key, set()).add(path.relative_to(CHECKOUT))
    return found


def test_every_requirement_that_is_cited_is_defined_and_what_is_built_is_tested() -> None:
    """An id resolves inside the repository; «built» is more than a word of the page."""
    states, places = defined(), cited()
    unknown = {key for key in places if key not in states and not MEASURED.fullmatch(key)}
    assert {key: sorted(map(str, places[key])) for key in unknown} == {}
    assert {s for s in states.values() if not re.match(r"built$|to come$|in part: .", s)} == set()
    built = {key for key, state in states.items() if state == "built"}
    tested = {
        key for key, paths in places.items() if any(path.parts[0] == "tests" for path in paths)
    }
    assert built - tested == set()


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("The access table (I6, Q9).", {"I6", "Q9"}),
        ("Requests go on (S1-S3, W8).", {"S1", "S2", "S3", "W8"}),
        ("A3, A4: submitted and approved.", {"A3", "A4"}),
        ("Changed (I5; demanded against ASVS 6.2.10).", {"I5"}),
        ("Sources: requirements I4 and I5; OWASP.", {"I4", "I5"}),
        ("A4 at 300 dpi is 2480 x 3508 pixels, an S3 store, (X9.63).", set()),
    ],
)
def test_a_citation_is_told_from_its_like(text: str, ids: set[str]) -> None:
    """Paper sizes, stores and standards are no requirements."""
    assert cited_in(text) == ids
