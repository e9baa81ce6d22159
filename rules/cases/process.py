"""What applications and requests share: where they stand, what moves them, for whom they wait.

The arrows of each kind stand in a module of its own: `rules.cases.applications` and
`rules.cases.requests`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class CaseKind(StrEnum):
    """Kinds of cases; each has its own arrows, words and workflow. Values are stored for ever."""

    APPLICATION = "application"
    REQUEST = "request"


class Status(StrEnum):
    """Where a case stands. Which of them a kind knows, its `Process` says."""

    DRAFT = "draft"
    CHECKING = "checking"
    IN_REVIEW = "in_review"
    CLARIFICATION = "clarification"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    ACCEPTED = "accepted"
    PROCESSING = "processing"
    READY = "ready"
    REFUSED = "refused"


class Transition(StrEnum):
    """What a person or a clock may do to it. People's names are also the names of the signals."""

    SUBMIT = "submit"
    OPEN_REVIEW = "open_review"
    APPROVE = "approve"
    CLARIFY = "clarify"
    REJECT = "reject"
    RESUBMIT = "resubmit"
    CORRECT = "correct"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    ISSUE_ACT = "issue_act"
    HAND_OVER = "hand_over"
    ANSWER = "answer"
    REFUSE = "refuse"


NEW_VERSION = frozenset({Transition.SUBMIT, Transition.RESUBMIT, Transition.CORRECT})
"""What hands in a version, of any kind of case."""


class Party(StrEnum):
    """On whose behalf a transition is made, and for whom a case waits."""

    APPLICANT = "applicant"
    REVIEWER = "reviewer"
    REGISTER = "register"
    ADDRESSEE = "addressee"
    SYSTEM = "system"
    NOBODY = "nobody"


class Moved(StrEnum):
    """Who has moved a case since a person looked at it, as far as that person wants to know."""

    NO = ""
    BY_ONESELF = "oneself"
    BY_OTHERS = "others"


@dataclass(frozen=True)
class Rule:
    """One arrow of a state diagram. Only an arrow that reopens leaves a closed case."""

    to: Status
    by: Party
    closes: bool = False
    reopens: bool = False


@dataclass(frozen=True)
class Refusals:
    """What people are told who may not do what they wanted, as gettext msgids.

    `stale`: somebody moved the case meanwhile. `not_now`: it stands elsewhere. `unchangeable`: its
    contents are final. `taken`: a colleague, `{name}`, has it. `too_many_drafts`: over `%(most)s`.
    """

    stale: str
    not_now: str
    unchangeable: str
    taken: str
    too_many_drafts: str


@dataclass(frozen=True)
class Process:
    """The life of one kind of case, and what the engine has to know of the kind.

    `word`, `words_for_many` and `heading` name a case, several on the desk, and the kind in the
    archive; `words` are its statuses on the screen: all are gettext msgids. `slug` stands in
    addresses and names the folder of templates. `workflow` is the type of the workflow in Temporal.
    `copyable` are closed without success and may be copied into a new draft; `signals` are acts of
    people after which a running workflow is woken by a signal of the same name. `seen_by_heads`:
    heads of the applicant's unit see cases of the kind (I6). `stuck_notice` and
    `handed_over_notice` are kinds of notice: to ops, where the workflow cannot go on, and to the
    colleague who is given a case; `decision_notices` those to the applicant. `usual_years`: closed
    cases are kept so long where the institution has loaded no term.
    """

    kind: CaseKind
    slug: str
    workflow: str
    word: str
    words_for_many: str
    heading: str
    transitions: Mapping[tuple[Status, Transition], Rule]
    waits_for: Mapping[Status, Party]
    words: Mapping[Status, str]
    copyable: Collection[Status]
    signals: Collection[Transition]
    refusals: Refusals
    seen_by_heads: bool
    stuck_notice: str
    handed_over_notice: str
    usual_years: int
    decision_notices: Mapping[Transition, str] = field(default_factory=dict)

    @property
    def room(self) -> str:
        """Where its cases are: for people, and for programs behind the prefix of the API."""
        return f"/{self.slug}"

    @property
    def is_reviewed(self) -> bool:
        """Whether people decide on cases of the kind: approve, send back, reject."""
        return any(transition is Transition.APPROVE for _, transition in self.transitions)

    @property
    def has_addressee(self) -> bool:
        """Whether somebody is asked to answer: a state service, or the people of a unit."""
        return any(rule.by is Party.ADDRESSEE for rule in self.transitions.values())

    @property
    def may_reopen(self) -> bool:
        """Whether a closed case may go on, with a run of its workflow that begins anew."""
        return any(rule.reopens for rule in self.transitions.values())

    def rule_for(self, status: Status, transition: Transition) -> Rule | None:
        """The arrow that leaves `status` by `transition`, or None where there is none."""
        return self.transitions.get((status, transition))

    def open_to(self, status: Status, party: Party) -> tuple[Transition, ...]:
        """What `party` may do to a case that stands at `status`."""
        return tuple(
            t for (s, t), rule in self.transitions.items() if s is status and rule.by is party
        )

    def state_diagram(self) -> str:
        """The life as a Mermaid state diagram."""
        lines = ["stateDiagram-v2", f"    [*] --> {Status.DRAFT.value}"]
        for (status, transition), rule in self.transitions.items():
            end = "[*]" if status is rule.to and rule.closes else rule.to.value
            lines.append(f"    {status.value} --> {end} : {transition.value} ({rule.by.value})")
        stays = {rule.to for (status, _), rule in self.transitions.items() if status is rule.to}
        lines += [
            f"    {rule.to.value} --> [*]"
            for rule in dict.fromkeys(r for r in self.transitions.values() if r.closes)
            if rule.to not in stays or not rule.closes
        ]
        return "\n".join(dict.fromkeys(lines)) + "\n"
