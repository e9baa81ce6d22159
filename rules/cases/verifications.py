"""The life of the verification of an account. Source: requirements I1-I3.

Documents are checked, looked up in the identity register and confirmed by an operator; then the
case waits until its person has done what is left: contacts, a meeting by video, a second factor.
"""

from collections.abc import Mapping

from rules.access import Permission
from rules.cases.process import CaseKind, Party, Process, Refusals, Rule, Status, Transition
from rules.cases.reviewed import SIGNALS, UNTIL_DECIDED

S, T, P = Status, Transition, Party

TRANSITIONS: Mapping[tuple[Status, Transition], Rule] = {
    **UNTIL_DECIDED,
    (S.APPROVED, T.CONFIRM): Rule(S.CONFIRMED, P.SYSTEM, closes=True),
    (S.APPROVED, T.LAPSE): Rule(S.LAPSED, P.SYSTEM, closes=True),
}

VERIFICATION = Process(
    kind=CaseKind.VERIFICATION,
    slug="verifications",
    workflow="AccountVerification",
    word="Подтверждение",
    words_for_many="Подтверждения",
    heading="Подтверждения учётных записей",
    transitions=TRANSITIONS,
    waits_for={
        S.DRAFT: P.APPLICANT,
        S.CHECKING: P.SYSTEM,
        S.IN_REVIEW: P.REVIEWER,
        S.CLARIFICATION: P.APPLICANT,
        S.APPROVED: P.APPLICANT,
        S.CONFIRMED: P.NOBODY,
        S.REJECTED: P.NOBODY,
        S.WITHDRAWN: P.NOBODY,
        S.LAPSED: P.NOBODY,
    },
    words={
        S.DRAFT: "Черновик",
        S.CHECKING: "Проверяется",
        S.IN_REVIEW: "У оператора",
        S.CLARIFICATION: "Требуется уточнение",
        S.APPROVED: "Документы подтверждены",
        S.CONFIRMED: "Подтверждена",
        S.REJECTED: "Отклонено",
        S.WITHDRAWN: "Отозвано",
        S.LAPSED: "Закрыто без ответа",
    },
    copyable=frozenset({S.REJECTED, S.WITHDRAWN, S.LAPSED}),
    signals=SIGNALS,
    refusals=Refusals(
        stale="Пока вы смотрели, состояние изменилось. Откройте страницу заново.",
        not_now="Сейчас это действие невозможно: состояние уже другое.",
        unchangeable="Эти документы уже нельзя изменить.",
        taken="Документы теперь проверяет другой оператор: {name}.",
        too_many_drafts="Подтверждение у вас уже начато. Откройте его и продолжите.",
    ),
    # Passports and numbers are for operators alone.
    seen_by_heads=False,
    stuck_notice="verification_stuck",
    handed_over_notice="verification_assigned",
    usual_years=5,
    decision_notices={
        T.APPROVE: "verification_approved",
        T.CLARIFY: "verification_clarification",
        T.REJECT: "verification_rejected",
    },
    decided_with={S.IN_REVIEW: Permission.MEET_PEOPLE},
    assigned_notice="verification_assigned",
    applied_with=Permission.CONFIRM_ACCOUNT,
)
