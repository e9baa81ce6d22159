"""What kinds of case share whose documents are checked, and then decided by a reviewer."""

from collections.abc import Mapping

from rules.cases.process import Party, Rule, Status, Transition

S, T, P = Status, Transition, Party

UNTIL_DECIDED: Mapping[tuple[Status, Transition], Rule] = {
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
}
"""The arrows up to the decision; each kind adds what follows an approval."""

SIGNALS = frozenset({T.APPROVE, T.CLARIFY, T.REJECT, T.RESUBMIT, T.CORRECT, T.WITHDRAW})
"""Transitions by people after which the running workflow gets a signal of the same name."""
