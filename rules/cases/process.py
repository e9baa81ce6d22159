"""What all kinds of case share: statuses, transitions, and who a case waits for.

The arrows of each kind stand in a module of its own beside this one, named in `rules.cases.kinds`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rules.access import Permission


class CaseKind(StrEnum):
    """Kinds of case; each has its own arrows, words and workflow.

    Values are stored: never rename.
    """

    APPLICATION = "application"
    REQUEST = "request"
    VERIFICATION = "verification"
    ACCESS_CHANGE = "access_change"
    ACCREDITATION = "accreditation"


class Status(StrEnum):
    """Where a case stands. Which statuses a kind has, its `Process` says."""

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
    CONFIRMED = "confirmed"
    CONFIRMING = "confirming"
    FORWARDED = "forwarded"
    WITH_COMMISSION = "with_commission"
    ACCREDITED = "accredited"
    RETURNED = "returned"


class Transition(StrEnum):
    """What a person or a clock may do to a case.

    A signal has the name of the person's transition.
    """

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
    CONFIRM = "confirm"
    CONFIRM_ACCESS = "confirm_access"
    CONFIRM_ANEW = "confirm_anew"
    FORWARD = "forward"
    TO_COMMISSION = "to_commission"
    CENTRE_ASKS = "centre_asks"
    CENTRE_RETURNS = "centre_returns"
    CENTRE_REFUSES = "centre_refuses"
    ACCREDIT = "accredit"


DECISIONS = frozenset(
    {Transition.APPROVE, Transition.CLARIFY, Transition.REJECT, Transition.CONFIRM_ACCESS}
)
"""What reviewers decide. Which of these a status allows, its process says."""

NEW_VERSION = frozenset({Transition.SUBMIT, Transition.RESUBMIT, Transition.CORRECT})
"""Transitions that submit a version, in every kind of case."""


class Party(StrEnum):
    """Who makes a transition, and who a case waits for."""

    APPLICANT = "applicant"
    REVIEWER = "reviewer"
    REGISTER = "register"
    IDENTITY_REGISTER = "identity_register"
    ADDRESSEE = "addressee"
    FEDERAL_CENTRE = "federal_centre"
    SYSTEM = "system"
    NOBODY = "nobody"


class Moved(StrEnum):
    """Who has moved a case since a person looked at it: nobody, that person, or others."""

    NO = ""
    BY_ONESELF = "oneself"
    BY_OTHERS = "others"


@dataclass(frozen=True)
class Rule:
    """One arrow of a state diagram. Only an arrow that reopens leaves a closed status."""

    to: Status
    by: Party
    closes: bool = False
    reopens: bool = False


@dataclass(frozen=True)
class Refusals:
    """What people are told who may not do what they wanted, as gettext msgids.

    `stale`: somebody else has moved the case meanwhile. `not_now`: its status does not allow the
    act. `unchangeable`: its contents are final. `taken`: a colleague, `{name}`, works on it.
    `too_many_drafts`: the person has `%(most)s` drafts already.
    """

    stale: str
    not_now: str
    unchangeable: str
    taken: str
    too_many_drafts: str


@dataclass(frozen=True)
class Process:
    """The life of one kind of case, and what the engine has to know of the kind.

    - `slug`: its part of addresses, and its folder of templates.
    - `workflow`: the type of its workflow in Temporal.
    - `word`, `words_for_many`, `heading`: what one case is called, several on the desk, and the
      kind in the archive; `words`: its statuses on the screen. All are gettext msgids.
    - `copyable`: statuses closed without success, from which a case may be copied into a new draft.
    - `signals`: acts of people after which the running workflow gets a signal of the same name.
    - `stock_reasons`: whether ready reasons, which speak of programmes, fit its decisions (A4).
    - `renews_credentials`: whether a category of credentials may name it as its renewal (Q4).
    - `seen_by_heads`: whether heads of the applicant's unit see its cases (I6).
    - `stuck_notice`, `handed_over_notice`: kinds of notice. The first tells ops that a workflow
      cannot go on, the second tells a colleague of being given a case.
    - `decision_notices`: the kinds of notice that tell the applicant of each decision.
    - `usual_years`: how long closed cases are kept if the institution has loaded no term.
    - `decided_with`: the permission with which reviewers decide in a status, where it is not
      `REVIEW`. A case that is closed stays with those who had it last.
    - `assigned_notice`: the kind of notice that tells somebody of a case that they decide.
    - `needs_fresh_code`: whether a decision on a page asks for a code when the last is older than
      five minutes.
    - `applied_with`: the permission with which its applicants act on their own cases.
    - `has_drafts`: whether applicants fill in a draft first. Otherwise one act makes the case and
      submits it.
    - `own_terms`: the terms of statuses in which others than applicant and reviewer are to act, by
      their names in `rules.cases.terms.Terms.own`.
    - `for_sessions_only`: whether access tokens open none of its routes.
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
    decided_with: Mapping[Status, Permission] = field(default_factory=dict)
    applied_with: Permission = Permission.APPLY
    own_terms: Mapping[Status, str] = field(default_factory=dict)
    stock_reasons: bool = False
    renews_credentials: bool = False
    needs_fresh_code: bool = False
    has_drafts: bool = True
    for_sessions_only: bool = False
    assigned_notice: str = "review_assigned"

    @property
    def room(self) -> str:
        """The path of its pages, and of its routes after the prefix of the API."""
        return f"/{self.slug}"

    @property
    def is_reviewed(self) -> bool:
        """Whether reviewers decide on its cases: approve, send back, reject."""
        return any(transition is Transition.APPROVE for _, transition in self.transitions)

    @property
    def deciding(self) -> frozenset[Permission]:
        """The permissions with which its cases are decided or answered, in one status or other."""
        return frozenset(self.decided_with.values()) or frozenset({Permission.REVIEW})

    @property
    def is_checked(self) -> bool:
        """Whether its cases are checked automatically before people decide."""
        return any(status is Status.CHECKING for status, _ in self.transitions)

    @property
    def has_addressee(self) -> bool:
        """Whether somebody is asked to answer: the gov service, or the people of a unit."""
        return any(rule.by is Party.ADDRESSEE for rule in self.transitions.values())

    @property
    def may_reopen(self) -> bool:
        """Whether a closed case may be reopened, which starts a new run of its workflow."""
        return any(rule.reopens for rule in self.transitions.values())

    def rule_for(self, status: Status, transition: Transition) -> Rule | None:
        """The arrow of `transition` out of `status`; None if there is none."""
        return self.transitions.get((status, transition))

    def open_to(self, status: Status, party: Party) -> tuple[Transition, ...]:
        """The transitions that `party` may make out of `status`."""
        return tuple(
            t for (s, t), rule in self.transitions.items() if s is status and rule.by is party
        )

    def state_diagram(self) -> str:
        """The process as a Mermaid state diagram."""
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
