"""The life of an application for qualification improvement. Source: requirements A1-A9, A11."""

from collections.abc import Mapping

from rules.cases.process import CaseKind, Party, Process, Refusals, Rule, Status, Transition
from rules.cases.reviewed import SIGNALS, UNTIL_DECIDED

S, T, P = Status, Transition, Party

TRANSITIONS: Mapping[tuple[Status, Transition], Rule] = {
    **UNTIL_DECIDED,
    (S.APPROVED, T.ISSUE_ACT): Rule(S.APPROVED, P.SYSTEM, closes=True),
}
"""An approved application stays open until its enrolment certificate is issued."""

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
"""Statuses closed without success: such an application may be copied into a new draft (A6)."""

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

APPLICATION = Process(
    kind=CaseKind.APPLICATION,
    slug="applications",
    workflow="QualificationApplication",
    word="Заявка",
    words_for_many="Заявки",
    heading="Заявки на обучение",
    transitions=TRANSITIONS,
    waits_for=WAITS_FOR,
    words=WORDS,
    copyable=COPYABLE,
    signals=SIGNALS,
    refusals=Refusals(
        stale="Пока вы смотрели, заявка изменилась. Откройте её заново.",
        not_now="Сейчас это действие невозможно: заявка в другом состоянии.",
        unchangeable="Эту заявку уже нельзя изменить.",
        taken="Заявка теперь у другого сотрудника: {name}. Договоритесь, кто её рассмотрит: взять"
        " заявку себе можно и сейчас.",
        too_many_drafts="У вас уже %(most)s неотправленных заявок. Отправьте или удалите лишние и"
        " начните новую: всё, что вы заполнили, сохранено.",
    ),
    seen_by_heads=True,
    renews_credentials=True,
    stock_reasons=True,
    stuck_notice="case_stuck",
    handed_over_notice="review_handed_over",
    usual_years=5,
    decision_notices={
        T.APPROVE: "application_approved",
        T.CLARIFY: "application_clarification",
        T.REJECT: "application_rejected",
    },
)
