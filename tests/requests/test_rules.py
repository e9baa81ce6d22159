"""The life of a service request by its rules: none is lost, each version is answered once."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rules.cases.process import NEW_VERSION, Party, Status, Transition
from rules.cases.requests import REQUEST, TRANSITIONS

ENDS = frozenset({Status.READY, Status.REFUSED, Status.WITHDRAWN})


def ways_out() -> set[Status]:
    """The statuses from which some path of arrows closes the request."""
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
        self.versions = 0
        self.handed_over = 0
        self.answers: list[int] = []
        self.done: list[Transition] = []

    @rule(transition=st.sampled_from(Transition))
    def attempt(self, transition: Transition) -> None:
        """A transition that has no arrow here changes nothing; an end is left by reopening only."""
        arrow = REQUEST.rule_for(self.status, transition)
        if arrow is None or (self.closed and not arrow.reopens):
            return
        assert transition in REQUEST.open_to(self.status, arrow.by)
        self.status, self.closed = arrow.to, arrow.closes
        self.done.append(transition)
        self.versions += transition in NEW_VERSION
        if transition is Transition.HAND_OVER:
            self.handed_over = self.versions
        if transition in (Transition.ANSWER, Transition.REFUSE):
            self.answers.append(self.versions)

    @precondition(lambda self: not self.closed)
    @invariant()
    def can_still_end(self) -> None:
        """An open request always has a way to its end: none is lost."""
        assert self.status in ways_out()

    @precondition(lambda self: not self.closed)
    @invariant()
    def somebody_is_awaited(self) -> None:
        """An open request always waits for somebody, who can do something about it."""
        party = REQUEST.waits_for[self.status]
        assert party is not Party.NOBODY
        assert REQUEST.open_to(self.status, party)

    @invariant()
    def answered_once_a_version(self) -> None:
        """No version has two answers, whatever comes late or twice."""
        assert len(set(self.answers)) == len(self.answers)

    @invariant()
    def answered_what_was_handed_over(self) -> None:
        """An answer is to the version that the addressee has, never to a newer one."""
        if self.done and self.done[-1] is Transition.ANSWER:
            assert self.handed_over == self.versions

    @precondition(lambda self: self.status in (Status.READY, Status.REFUSED))
    @invariant()
    def may_be_sent_again(self) -> None:
        """S6: after the answer a request may still be corrected and sent again."""
        assert Transition.CORRECT in REQUEST.open_to(self.status, Party.APPLICANT)

    @precondition(lambda self: self.closed)
    @invariant()
    def ends_are_known(self) -> None:
        """A request ends with an outcome, and one that was taken back stays so."""
        assert self.status in ENDS
        if self.status is Status.WITHDRAWN:
            assert not any(status is Status.WITHDRAWN for status, _ in TRANSITIONS)


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)


def test_clocks_end_nothing() -> None:
    """A request never dies because its addressee was slow: no clock makes an end."""
    assert not any(arrow.closes for arrow in TRANSITIONS.values() if arrow.by is Party.SYSTEM)
