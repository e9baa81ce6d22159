"""No kind of case is known by name where all kinds share the code."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cabinet.frame.states import state_of
from ops.local.home import CHECKOUT
from rules.cases.kinds import PROCESSES
from rules.cases.process import CaseKind
from words.translation import Presentation, presented

ROOMS = ("rules", "models", "clients", "services", "activities", "workflows", "api", "cabinet")
SHARED = ("rules/cases/process.py",)
"""Where the kinds get their names."""
DEFAULTS = {"models/messages.py": 2}
"""Messages of histories that were written before there was a second kind say no kind."""


def named_in(source: str) -> Iterator[int]:
    """Lines that name a kind: `CaseKind.REQUEST`, or its stored word beside `kind`."""
    words = {kind.value for kind in CaseKind}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "CaseKind":
            yield node.lineno
        elif isinstance(node, ast.Compare):
            sides = [ast.unparse(side) for side in (node.left, *node.comparators)]
            word = any(side.strip("'") in words for side in sides)
            if word and any("kind" in side for side in sides):
                yield node.lineno


def own_rooms(path: Path) -> bool:
    """Whether a file belongs to one kind: its folder or its name is the kind's, or its slug."""
    names = {*path.parts[:-1], path.stem}
    return any({one.slug, f"{one.kind.value}s"} & names for one in PROCESSES.values())


def test_no_kind_is_named_outside_its_own_rooms() -> None:
    """The engine, the desk and the archive ask the kind and branch on none."""
    found: dict[str, int] = {}
    for room in ROOMS:
        for file in sorted((CHECKOUT / room).rglob("*.py")):
            path = file.relative_to(CHECKOUT)
            if not own_rooms(path) and str(path) not in SHARED:
                lines = list(named_in(file.read_text()))
                if lines:
                    found[str(path)] = len(lines)
    assert found == DEFAULTS


@pytest.mark.parametrize(
    "line",
    [
        "if case.kind == CaseKind.REQUEST: pass",
        "if definition.kind == 'application': pass",
        "words = {CaseKind.APPLICATION: 'Заявка'}",
    ],
)
def test_a_branch_is_found(line: str) -> None:
    """The walk sees what it looks for."""
    assert list(named_in(line))


def test_every_status_can_be_shown() -> None:
    """A status without a colour and a shape would be a fault of every page that shows it."""
    with presented(Presentation("ru")):
        for kind, process in PROCESSES.items():
            assert all(state_of(status, kind).icon for status in process.words)
            assert process.words.keys() == process.waits_for.keys()


@pytest.mark.parametrize("program", ["server", "worker", "ops.backup.commands"])
def test_whatever_runs_the_engine_knows_every_addressee(program: str) -> None:
    """A kind that has an addressee says what it owes, also in a process that loads little else."""
    look = (
        f"import gc\ngc.disable()\nimport {program}\n"
        "from rules.cases.kinds import PROCESSES\n"
        "from services.cases.addressees import known\n"
        "assert known() == {kind for kind, one in PROCESSES.items() if one.has_addressee}"
    )
    subprocess.run([sys.executable, "-c", look], cwd=CHECKOUT, check=True)
