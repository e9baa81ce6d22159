"""The life of a periodic accreditation: checked here, decided by the federal centre (A10).

The personnel department checks the portfolio and forwards it, signed. The federal centre looks
through it and passes it on to the central commission, which decides. Either may ask for a
correction: then the applicant answers, and the whole process begins again with a new version.
"""

from rules.cases.process import CaseKind, Party, Process, Refusals, Rule, Status, Transition
from rules.cases.reviewed import SIGNALS, UNTIL_DECIDED

S, T, P = Status, Transition, Party

AT_THE_CENTRE = (S.FORWARDED, S.WITH_COMMISSION)
"""Statuses in which the federal centre or its commission is to act."""

ACCREDITATION = Process(
    kind=CaseKind.ACCREDITATION,
    slug="accreditations",
    workflow="PeriodicAccreditation",
    word="Аккредитация",
    words_for_many="Аккредитации",
    heading="Периодические аккредитации",
    transitions={
        **UNTIL_DECIDED,
        (S.APPROVED, T.FORWARD): Rule(S.FORWARDED, P.SYSTEM),
        (S.FORWARDED, T.TO_COMMISSION): Rule(S.WITH_COMMISSION, P.FEDERAL_CENTRE),
        (S.FORWARDED, T.CENTRE_ASKS): Rule(S.CLARIFICATION, P.FEDERAL_CENTRE),
        (S.FORWARDED, T.CENTRE_RETURNS): Rule(S.RETURNED, P.FEDERAL_CENTRE, closes=True),
        (S.WITH_COMMISSION, T.CENTRE_ASKS): Rule(S.CLARIFICATION, P.FEDERAL_CENTRE),
        (S.WITH_COMMISSION, T.CENTRE_RETURNS): Rule(S.RETURNED, P.FEDERAL_CENTRE, closes=True),
        (S.WITH_COMMISSION, T.CENTRE_REFUSES): Rule(S.REFUSED, P.FEDERAL_CENTRE, closes=True),
        (S.WITH_COMMISSION, T.ACCREDIT): Rule(S.ACCREDITED, P.FEDERAL_CENTRE, closes=True),
    },
    waits_for={
        S.DRAFT: P.APPLICANT,
        S.CHECKING: P.SYSTEM,
        S.IN_REVIEW: P.REVIEWER,
        S.CLARIFICATION: P.APPLICANT,
        S.APPROVED: P.SYSTEM,
        S.FORWARDED: P.FEDERAL_CENTRE,
        S.WITH_COMMISSION: P.FEDERAL_CENTRE,
        S.ACCREDITED: P.NOBODY,
        S.REFUSED: P.NOBODY,
        S.RETURNED: P.NOBODY,
        S.REJECTED: P.NOBODY,
        S.WITHDRAWN: P.NOBODY,
        S.LAPSED: P.NOBODY,
    },
    words={
        S.DRAFT: "Черновик",
        S.CHECKING: "Проверяется",
        S.IN_REVIEW: "На рассмотрении",
        S.CLARIFICATION: "Требуется уточнение",
        S.APPROVED: "Проверено, передаётся в центр",
        S.FORWARDED: "В федеральном центре",
        S.WITH_COMMISSION: "В центральной комиссии",
        S.ACCREDITED: "Аккредитация пройдена",
        S.REFUSED: "Отказано",
        S.RETURNED: "Возвращено центром",
        S.REJECTED: "Отклонено",
        S.WITHDRAWN: "Отозвано",
        S.LAPSED: "Закрыто без ответа",
    },
    copyable=frozenset({S.REFUSED, S.RETURNED, S.REJECTED, S.WITHDRAWN, S.LAPSED}),
    signals=SIGNALS,
    refusals=Refusals(
        stale="Пока вы смотрели, дело об аккредитации изменилось. Откройте его заново.",
        not_now="Сейчас это действие невозможно: дело об аккредитации в другом состоянии.",
        unchangeable="Эти документы для аккредитации уже нельзя изменить.",
        taken="Дело об аккредитации теперь у другого сотрудника: {name}.",
        too_many_drafts="Черновик на аккредитацию у вас уже есть. Откройте его и продолжите.",
    ),
    seen_by_heads=True,
    renews_credentials=True,
    stuck_notice="accreditation_stuck",
    handed_over_notice="review_handed_over",
    usual_years=10,
    decision_notices={
        T.APPROVE: "accreditation_approved",
        T.CLARIFY: "accreditation_clarification",
        T.REJECT: "accreditation_rejected",
    },
    own_terms={S.FORWARDED: "centre", S.WITH_COMMISSION: "commission"},
)

TYPE = "accreditation"
"""The type of case that ships for periodic accreditations."""
