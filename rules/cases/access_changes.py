"""The life of a change of rights: asked for, confirmed by a head, approved by security (I7).

Each step is another person's: neither the applicant nor the subject decides, and who confirmed does
not approve. See `docs/rights.md`.
"""

from datetime import timedelta

from rules.access import SINGLE, Permission, Right, Role, giving, permissions_of
from rules.cases.process import CaseKind, Party, Process, Refusals, Rule, Status, Transition

S, T, P = Status, Transition, Party

ACCESS_CHANGE = Process(
    kind=CaseKind.ACCESS_CHANGE,
    slug="rights",
    workflow="AccessChange",
    word="Заявка на права",
    words_for_many="Заявки на права",
    heading="Заявки на права",
    transitions={
        (S.DRAFT, T.SUBMIT): Rule(S.CONFIRMING, P.APPLICANT),
        (S.CONFIRMING, T.CONFIRM_ACCESS): Rule(S.IN_REVIEW, P.REVIEWER),
        (S.CONFIRMING, T.REJECT): Rule(S.REJECTED, P.REVIEWER, closes=True),
        (S.CONFIRMING, T.WITHDRAW): Rule(S.WITHDRAWN, P.APPLICANT, closes=True),
        (S.IN_REVIEW, T.APPROVE): Rule(S.APPROVED, P.REVIEWER, closes=True),
        (S.IN_REVIEW, T.REJECT): Rule(S.REJECTED, P.REVIEWER, closes=True),
        (S.IN_REVIEW, T.WITHDRAW): Rule(S.WITHDRAWN, P.APPLICANT, closes=True),
        (S.IN_REVIEW, T.CONFIRM_ANEW): Rule(S.CONFIRMING, P.SYSTEM),
    },
    waits_for={
        S.DRAFT: P.APPLICANT,
        S.CONFIRMING: P.REVIEWER,
        S.IN_REVIEW: P.REVIEWER,
        S.APPROVED: P.NOBODY,
        S.REJECTED: P.NOBODY,
        S.WITHDRAWN: P.NOBODY,
    },
    words={
        S.DRAFT: "Черновик",
        S.CONFIRMING: "Подтверждает руководитель",
        S.IN_REVIEW: "Проверяет безопасность",
        S.APPROVED: "Права изменены",
        S.REJECTED: "Отклонено",
        S.WITHDRAWN: "Отозвана",
    },
    copyable=frozenset(),
    signals=frozenset({T.CONFIRM_ACCESS, T.APPROVE, T.REJECT, T.WITHDRAW}),
    refusals=Refusals(
        stale="Пока вы смотрели, заявка на права изменилась. Откройте её заново.",
        not_now="Сейчас это действие невозможно: заявка на права в другом состоянии.",
        unchangeable="Эту заявку на права уже нельзя изменить: отзовите её и подайте новую.",
        taken="Заявка на права теперь у другого сотрудника: {name}.",
        too_many_drafts="У вас уже %(most)s открытых заявок на права. Дождитесь решения по ним.",
    ),
    seen_by_heads=False,
    stuck_notice="case_stuck",
    handed_over_notice="review_handed_over",
    usual_years=10,
    decision_notices={
        T.CONFIRM_ACCESS: "access_confirmed",
        T.APPROVE: "access_approved",
        T.REJECT: "access_rejected",
    },
    decided_with={
        S.CONFIRMING: Permission.CONFIRM_ACCESS,
        S.IN_REVIEW: Permission.APPROVE_ACCESS,
    },
    applied_with=Permission.ASK_ACCESS,
    needs_fresh_code=True,
    has_drafts=False,
    for_sessions_only=True,
    assigned_notice="access_assigned",
)

TYPE = "access"
"""The type of case that ships for changes of rights."""

URGENT = timedelta(hours=24)
"""For how long urgent access holds at most before anybody has decided; the database agrees."""

URGENT_AGAIN = timedelta(days=30)
"""So long what was had urgently, or what somebody took away, is not had urgently again."""

LONGEST = timedelta(days=5 * 366)
"""How far ahead temporary rights may end."""

MOST_OPEN = 20
"""How many open changes one person may have asked for."""

_TOO_MUCH_FOR_URGENCY = frozenset(
    {
        Permission.MANAGE_PEOPLE,
        Permission.MANAGE_CATALOGUE,
        Permission.RECONCILE_STAFF,
        Permission.MEET_PEOPLE,
        Permission.WATCH_RISKS,
        Permission.APPROVE_UNLOCK,
        Permission.AUDIT_CASES,
        Permission.CONFIRM_ACCESS,
        Permission.APPROVE_ACCESS,
        Permission.CONFIRM_DECLARATIONS,
        Permission.READ_JOURNAL,
        Permission.KEEP_ARCHIVE,
        Permission.RELEASE_CREDENTIALS,
        Permission.CONNECT_SYSTEMS,
        Permission.JUDGE_EMERGENCIES,
        Permission.OPERATE,
        Permission.DECODE_PAYLOADS,
    }
)


def may_be_urgent(right: Right) -> bool:
    """Whether it may be had urgently: nothing with which people decide on others or the system."""
    return not permissions_of(right) & _TOO_MUCH_FOR_URGENCY


def alike(right: Right) -> frozenset[Right]:
    """What was had urgently lately bars this: itself, and where it is or would be a part.

    Otherwise a role that was refused would be had urgently by its permissions one by one.
    """
    parts = permissions_of(right) & SINGLE if isinstance(right, Role) else giving(right)
    return frozenset({right, *parts})
