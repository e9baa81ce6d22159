"""Who reads one file knows what a class is: no other file has a class of the same name."""

import ast
from collections.abc import Mapping

import pytest

from ops.local.home import CHECKOUT
from tests.test_architecture import ROOMS, files_of

PRODUCT = (*ROOMS, "bench", "compatibility", "settings")


def classes_in(source: str) -> set[str]:
    """The public classes that a file defines, also inside other classes."""
    found = (node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef))
    return {name for name in found if not name.startswith("_")}


def twice(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """The names of public classes that several files define, with these files."""
    places: dict[str, list[str]] = {}
    for path, source in sorted(sources.items()):
        for name in classes_in(source):
            places.setdefault(name, []).append(path)
    return {name: paths for name, paths in places.items() if len(paths) > 1}


def test_no_class_name_has_two_meanings() -> None:
    """Where two classes would have one name, the less central one is given a name of its own."""
    files = (file for room in PRODUCT for file in files_of(room))
    assert twice({str(file.relative_to(CHECKOUT)): file.read_text() for file in files}) == {}


@pytest.mark.parametrize("again", ["class Answer: ...", "class Page:\n    class Answer: ..."])
def test_a_second_meaning_is_found(again: str) -> None:
    """The walk sees what it looks for; a private class or a use is no second meaning."""
    first = "class Answer: ...\nclass _Known: ..."
    assert twice({"one.py": first, "other.py": again}) == {"Answer": ["one.py", "other.py"]}
    assert twice({"one.py": first, "other.py": "class _Known(Answer): ..."}) == {}
