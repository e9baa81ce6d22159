"""The page a newcomer begins with says what the code is."""

import re
from pathlib import Path

import pytest

from ops.local.home import CHECKOUT

ARCHITECTURE = CHECKOUT / "docs" / "architecture.md"
ROOMS = [
    "rules",
    "words",
    "crypto",
    "models",
    "clients",
    "services",
    "activities",
    "workflows",
    "api",
    "cabinet",
    "simulators",
    "ops",
    "server",
    "worker",
]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
MOST_FILES = 15
"""Of code in one folder; `workflows` and `activities` stay flat."""

Arrow = tuple[str, str]


def files_of(room: str) -> list[Path]:
    """The code of a room, or the one file that it is."""
    alone = CHECKOUT / f"{room}.py"
    return [alone] if alone.exists() else sorted((CHECKOUT / room).rglob("*.py"))


def imports() -> set[Arrow]:
    """Which room imports from which other."""
    found = {
        (room, name)
        for room in ROOMS
        for file in files_of(room)
        for name in re.findall(r"^\s*(?:from|import) (\w+)", file.read_text(), re.MULTILINE)
    }
    return {(one, other) for one, other in found if other in ROOMS and one != other}


def reached(room: str, arrows: set[Arrow]) -> set[str]:
    """All rooms below a room."""
    below: set[str] = set()
    while more := {other for one, other in arrows if one in {room, *below}} - below:
        below |= more
    return below


def test_the_figure_is_drawn_from_the_imports() -> None:
    """Each arrow stands for imports, and each import goes along arrows, downwards only."""
    arrows = imports()
    for room in ROOMS:
        assert room not in reached(room, arrows), "a circle of rooms"
    needed = {
        (one, other) for one, other in arrows if other not in reached(one, arrows - {(one, other)})
    }
    drawn = re.findall(r"^    (\w+) --> (\w+)$", ARCHITECTURE.read_text(), re.MULTILINE)
    assert drawn == sorted(needed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    """A module, a folder or a function that documentation names exists."""
    named = re.findall(rf"`((?:{'|'.join(ROOMS)})[./][\w./]+)`", page.read_text())
    assert [name for name in named if not there(name)] == []


def there(name: str) -> bool:
    """Whether a name with slashes or dots leads to a folder, a file, or something in a file."""
    if (CHECKOUT / name).exists():
        return True
    place = CHECKOUT.joinpath(*re.split(r"[./]", name))
    if place.is_dir() or place.with_suffix(".py").is_file():
        return True
    file = place.parent.with_suffix(".py")
    return file.is_file() and re.search(rf"\b{place.name}\b", file.read_text()) is not None


def test_no_folder_is_a_heap() -> None:
    """A folder of more files than one looks over at once is to be laid out by subject."""
    flat = {"workflows", "activities", "tables", "versions"}
    for room in ROOMS:
        for folder in {file.parent for file in files_of(room)} - {CHECKOUT}:
            count = sum(1 for file in folder.glob("*.py") if file.name != "__init__.py")
            assert folder.name in flat or count <= MOST_FILES, folder


def test_tests_bear_the_names_of_the_house() -> None:
    """A folder of tests is called as a room, or as a subject in one."""
    subjects = {path.stem for room in ROOMS for path in (CHECKOUT / room).glob("[a-z]*")}
    folders = {path.name for path in (CHECKOUT / "tests").glob("*/") if any(path.glob("*.py"))}
    assert folders - subjects - {*ROOMS, "shared"} == set()
