"""The life of an application by its rules: no path loses a case or decides twice (A4-A6)."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rules.cases.applications import APPLICATION, COPYABLE, TRANSITIONS, WAITS_FOR
from rules.cases.process import DECISIONS, NEW_VERSION, Party, Status, Transition

ENDS = COPYABLE | {Status.APPROVED}


def ways_out() -> set[Status]:
    """The statuses from which some path of arrows closes the case."""
    found = {status for (status, _), arrow in TRANSITIONS.items() if arrow.closes}
    while True:
        more = {s for (s, _), arrow in TRANSITIONS.items() if arrow.to in found} - found
        if not more:
            return found
        found |= more


class Life(RuleBasedStateMachine):
    """Anybody tries anything at any time; only what the rules allow happens, as `move` does it."""

    def __init__(self) -> None:
        super().__init__()
        self.status = Status.DRAFT
        self.closed = False
        self.done: list[Transition] = []
        self.versions = 0
        self.checked = 0

    @rule(transition=st.sampled_from(Transition))
    def attempt(self, transition: Transition) -> None:
        """A transition that has no arrow here, or comes after the end, changes nothing."""
        arrow = APPLICATION.rule_for(self.status, transition)
        if arrow is None or self.closed:
            return
        assert transition in APPLICATION.open_to(self.status, arrow.by)
        self.status, self.closed = arrow.to, arrow.closes
        self.done.append(transition)
        self.versions += transition in NEW_VERSION
        if transition is Transition.OPEN_REVIEW:
            self.checked = self.versions

    @precondition(lambda self: not self.closed)
    @invariant()
    def can_still_end(self) -> None:
        """An open case always has a way to its end: none is lost."""
        assert self.status in ways_out()

    @precondition(lambda self: not self.closed)
    @invariant()
    def somebody_is_awaited(self) -> None:
        """An open case always waits for somebody, who can do something about it."""
        party = WAITS_FOR[self.status]
        assert party is not Party.NOBODY
        assert APPLICATION.open_to(self.status, party)

    @invariant()
    def decided_once(self) -> None:
        """There is at most one approval or rejection, and none after the end."""
        final = [t for t in self.done if t in (Transition.APPROVE, Transition.REJECT)]
        assert len(final) <= 1
        if final:
            assert set(self.done[self.done.index(final[0]) + 1 :]) <= {Transition.ISSUE_ACT}

    @invariant()
    def decided_what_was_checked(self) -> None:
        """Reviewers decide on the version that was checked, never on a newer one."""
        if self.done and self.done[-1] in DECISIONS:
            assert self.checked == self.versions

    @precondition(lambda self: self.closed)
    @invariant()
    def ends_are_known(self) -> None:
        """A case ends with an outcome, and an approved one only with its act."""
        assert self.status in ENDS
        assert (self.status is Status.APPROVED) == (self.done[-1] is Transition.ISSUE_ACT)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


def test_clocks_reject_nothing() -> None:
    """A case never dies because a reviewer was slow: of review and check no clock makes an end."""
    for (status, transition), arrow in TRANSITIONS.items():
        if arrow.by is Party.SYSTEM and status in (Status.CHECKING, Status.IN_REVIEW):
            assert not arrow.closes, transition
