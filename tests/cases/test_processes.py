"""What holds for every kind of case: named, drawn, rung."""

import re

import pytest

from ops.local.home import CHECKOUT
from rules.cases.kinds import PROCESSES, process_of
from rules.cases.process import Party, Process, Rule, Status, Transition

KINDS = pytest.mark.parametrize("process", PROCESSES.values(), ids=lambda one: one.kind.value)


@KINDS
def test_every_status_is_reached_and_named(process: Process) -> None:
    """No status is only on paper: arrows lead to each, and each has its word on the screen."""
    reached = {Status.DRAFT} | {arrow.to for arrow in process.transitions.values()}
    assert reached == set(process.words) == set(process.waits_for)


@KINDS
def test_every_act_of_a_person_has_its_signal(process: Process) -> None:
    """People's acts on a submitted case ring the workflow by their own names (O1)."""
    people = (Party.APPLICANT, Party.REVIEWER, Party.ADDRESSEE)
    of_people = {
        transition
        for (status, transition), arrow in process.transitions.items()
        if arrow.by in people and status is not Status.DRAFT
    }
    assert of_people == set(process.signals)


@KINDS
def test_only_a_reopening_arrow_leaves_an_end(process: Process) -> None:
    """A closed case stays closed, unless an arrow says that it reopens."""
    ends = {
        arrow.to
        for (status, _), arrow in process.transitions.items()
        if arrow.closes and status is not arrow.to
    }
    for (status, transition), arrow in process.transitions.items():
        if status in ends:
            assert arrow.reopens, (status, transition)
    assert all(arrow.by is Party.APPLICANT for arrow in reopening(process))


def reopening(process: Process) -> list[Rule]:
    """The arrows that leave an end."""
    return [arrow for arrow in process.transitions.values() if arrow.reopens]


def test_unknown_kind_is_refused() -> None:
    """A kind that no code knows is a mistake, not an application."""
    with pytest.raises(ValueError, match="appointment"):
        process_of("appointment")


def test_diagrams_in_the_docs_are_drawn_from_the_rules() -> None:
    """What a reader of the docs sees is what the program allows, and every kind is drawn."""
    drawn = [
        block
        for page in [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
        for block in re.findall(r"```mermaid\n(stateDiagram-v2\n.*?)```", page.read_text(), re.S)
    ]
    allowed = {process.state_diagram() for process in PROCESSES.values()}
    assert set(drawn) == allowed
    assert Transition.CORRECT in {t for p in PROCESSES.values() for _, t in p.transitions}
