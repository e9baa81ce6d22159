"""docs/asvs.csv decides every requirement of OWASP ASVS that applies, and names what shows it."""

import ast
import csv
import re
from functools import cache
from itertools import pairwise

from ops.local.home import CHECKOUT

DECISIONS = {"shown", "deviation", "planned", "not shown"}
APPLICABLE = 187
"""Requirements of level 1 and 2 that apply to Medcab."""
SHOWN = 170
"""At least as many have a test or a page."""


@cache
def lines() -> list[dict[str, str]]:
    """The decisions, in the order of the standard."""
    with (CHECKOUT / "docs" / "asvs.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def marked() -> dict[str, set[str]]:
    """The requirements that each test shows, by its node."""
    found: dict[str, set[str]] = {}
    for path in (CHECKOUT / "tests").rglob("test_*.py"):
        text = path.read_text("utf-8")
        if ".asvs(" in text:
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    name = f"{path.relative_to(CHECKOUT).as_posix()}::{node.name}"
                    found[name] = set(filter(None, map(_id, node.decorator_list)))
    return found


def _id(decorator: ast.expr) -> str:
    match decorator:
        case ast.Call(func=ast.Attribute(attr="asvs"), args=[ast.Constant(value=str(value))]):
            return value
    return ""


def anchors(page: str) -> set[str]:
    """The headings of a page, as links name them."""
    text = (CHECKOUT / page).read_text("utf-8")
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_requirement_is_decided_once_and_in_order() -> None:
    """All that apply, by number; what is not shown has its reason, and most are shown."""
    numbers = [tuple(map(int, one["id"].split("."))) for one in lines()]
    assert len(numbers) == APPLICABLE
    assert all(before < after for before, after in pairwise(numbers))
    assert {one["level"] for one in lines()} == {"1", "2"}
    assert {one["decision"] for one in lines()} <= DECISIONS
    assert all(one["reason"].strip() for one in lines())
    assert sum(one["decision"] == "shown" for one in lines()) >= SHOWN


def test_what_shows_a_requirement_is_there() -> None:
    """A test that exists and bears the requirement's mark, or a page with that heading."""
    wrong = []
    for one in lines():
        by = one["shown_by"]
        if "::" in by:
            shows = one["id"] in marked().get(by, set())
        elif by:
            page, _, heading = by.partition("#")
            there = page.endswith(".md") and (CHECKOUT / page).is_file()
            shows = there and (not heading or heading in anchors(page))
        else:
            shows = one["decision"] != "shown"
        if not shows:
            wrong.append(f"{one['id']}: {by}")
    assert not wrong, "\n".join(wrong)


def test_no_test_bears_the_mark_of_what_is_not_met() -> None:
    """A mark says that a requirement holds: none on what the page calls planned or not shown."""
    decided = {one["id"]: one["decision"] for one in lines()}
    open_still = {
        f"{name}: {id_}"
        for name, ids in marked().items()
        for id_ in ids
        if decided.get(id_) in ("planned", "not shown")
    }
    assert open_still == set()
