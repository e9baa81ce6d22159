"""The life of an application for qualification improvement. Source: requirements A1-A10."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Where an application stands."""

    DRAFT = "draft"
    CHECKING = "checking"
    IN_REVIEW = "in_review"
    CLARIFICATION = "clarification"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


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


class Party(StrEnum):
    """On whose behalf a transition is made, and for whom a case waits."""

    APPLICANT = "applicant"
    REVIEWER = "reviewer"
    REGISTER = "register"
    SYSTEM = "system"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Rule:
    """One arrow of the state diagram."""

    to: Status
    by: Party
    closes: bool = False


S, T, P = Status, Transition, Party

TRANSITIONS: Mapping[tuple[Status, Transition], Rule] = {
    (S.DRAFT, T.SUBMIT): Rule(S.CHECKING, P.APPLICANT),
    (S.CHECKING, T.OPEN_REVIEW): Rule(S.IN_REVIEW, P.SYSTEM),
    (S.CHECKING, T.CORRECT): Rule(S.CHECKING, P.APPLICANT),
    (S.CHECKING, T.WITHDRAW): Rule(S.WITHDRAWN, P.APPLICANT, closes=True),
    (S.IN_REVIEW, T.APPROVE): Rule(S.APPROVED, P.REVIEWER),
    (S.IN_REVIEW, T.CLARIFY): Rule(S.CLARIFICATION, P.REVIEWER),
    (S.IN_REVIEW, T.REJECT): Rule(S.REJECTED, P.REVIEWER, closes=True),
    (S.IN_REVIEW, T.CORRECT): Rule(S.CHECKING, P.APPLICANT),
    (S.IN_REVIEW, T.WITHDRAW): Rule(S.WITHDRAWN, P.APPLICANT, closes=True),
    (S.CLARIFICATION, T.RESUBMIT): Rule(S.CHECKING, P.APPLICANT),
    (S.CLARIFICATION, T.WITHDRAW): Rule(S.WITHDRAWN, P.APPLICANT, closes=True),
    (S.CLARIFICATION, T.LAPSE): Rule(S.LAPSED, P.SYSTEM, closes=True),
    (S.APPROVED, T.ISSUE_ACT): Rule(S.APPROVED, P.SYSTEM, closes=True),
}
"""An approved application stays open until its act is issued, so that nobody forgets the act."""

WAITS_FOR: Mapping[Status, Party] = {
    S.DRAFT: P.APPLICANT,
    S.CHECKING: P.SYSTEM,
    S.IN_REVIEW: P.REVIEWER,
    S.CLARIFICATION: P.APPLICANT,
    S.APPROVED: P.SYSTEM,
    S.REJECTED: P.NOBODY,
    S.WITHDRAWN: P.NOBODY,
    S.LAPSED: P.NOBODY,
}

COPYABLE = frozenset({S.REJECTED, S.WITHDRAWN, S.LAPSED})
"""Closed without success: may be copied into a new draft (A6)."""

WORDS: Mapping[Status, str] = {
    S.DRAFT: "Черновик",
    S.CHECKING: "Проверяется",
    S.IN_REVIEW: "На рассмотрении",
    S.CLARIFICATION: "Требуется уточнение",
    S.APPROVED: "Одобрено",
    S.REJECTED: "Отклонено",
    S.WITHDRAWN: "Отозвана",
    S.LAPSED: "Закрыта без ответа",
}
"""The words on the screen, as gettext msgids."""

DECISIONS = frozenset({T.APPROVE, T.CLARIFY, T.REJECT})
NEW_VERSION = frozenset({T.SUBMIT, T.RESUBMIT, T.CORRECT})
SIGNALS = frozenset({T.APPROVE, T.CLARIFY, T.REJECT, T.RESUBMIT, T.CORRECT, T.WITHDRAW})
"""Transitions of people after which a running workflow is rung by a signal of the same name."""


def rule_for(status: Status, transition: Transition) -> Rule | None:
    """The arrow that leaves `status` by `transition`, or None where there is none."""
    return TRANSITIONS.get((status, transition))


def open_to(status: Status, party: Party) -> tuple[Transition, ...]:
    """What `party` may do to an application that stands at `status`."""
    return tuple(t for (s, t), rule in TRANSITIONS.items() if s is status and rule.by is party)


def state_diagram() -> str:
    """The life of an application as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> draft"]
    for (status, transition), rule in TRANSITIONS.items():
        end = "[*]" if status is rule.to and rule.closes else rule.to.value
        lines.append(f"    {status.value} --> {end} : {transition.value} ({rule.by.value})")
    lines += [
        f"    {rule.to.value} --> [*]"
        for rule in dict.fromkeys(r for r in TRANSITIONS.values() if r.closes)
        if rule.to is not S.APPROVED
    ]
    return "\n".join(dict.fromkeys(lines)) + "\n"
