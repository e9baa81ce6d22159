"""The life of a service request. Source: requirements S1-S6.

A request is written, signed, encrypted and handed to its addressee: the gov service, or the people
of a unit. The applicant may correct it and send it again at any time, even after the answer.
"""

from collections.abc import Mapping

from rules.cases.process import CaseKind, Party, Process, Refusals, Rule, Status, Transition

S, T, P = Status, Transition, Party

TRANSITIONS: Mapping[tuple[Status, Transition], Rule] = {
    (S.DRAFT, T.SUBMIT): Rule(S.ACCEPTED, P.APPLICANT),
    (S.ACCEPTED, T.HAND_OVER): Rule(S.PROCESSING, P.SYSTEM),
    (S.ACCEPTED, T.REFUSE): Rule(S.REFUSED, P.ADDRESSEE, closes=True),
    (S.ACCEPTED, T.CORRECT): Rule(S.ACCEPTED, P.APPLICANT),
    (S.ACCEPTED, T.WITHDRAW): Rule(S.WITHDRAWN, P.APPLICANT, closes=True),
    (S.PROCESSING, T.ANSWER): Rule(S.READY, P.ADDRESSEE, closes=True),
    (S.PROCESSING, T.REFUSE): Rule(S.REFUSED, P.ADDRESSEE, closes=True),
    (S.PROCESSING, T.CORRECT): Rule(S.ACCEPTED, P.APPLICANT),
    (S.PROCESSING, T.WITHDRAW): Rule(S.WITHDRAWN, P.APPLICANT, closes=True),
    (S.READY, T.CORRECT): Rule(S.ACCEPTED, P.APPLICANT, reopens=True),
    (S.REFUSED, T.CORRECT): Rule(S.ACCEPTED, P.APPLICANT, reopens=True),
}
"""The addressee is whoever answers: the gov service, or the people of a unit."""

WAITS_FOR: Mapping[Status, Party] = {
    S.DRAFT: P.APPLICANT,
    S.ACCEPTED: P.SYSTEM,
    S.PROCESSING: P.ADDRESSEE,
    S.READY: P.NOBODY,
    S.REFUSED: P.NOBODY,
    S.WITHDRAWN: P.NOBODY,
}
"""A request that people of a unit answer waits for the reviewer instead of the addressee."""

WORDS: Mapping[Status, str] = {
    S.DRAFT: "Черновик",
    S.ACCEPTED: "Принят",
    S.PROCESSING: "В обработке",
    S.READY: "Готов",
    S.REFUSED: "Отказано",
    S.WITHDRAWN: "Отозван",
}
"""The words on the screen, as gettext msgids (S4)."""

COPYABLE = frozenset({S.WITHDRAWN})
SIGNALS = frozenset({T.CORRECT, T.WITHDRAW, T.ANSWER, T.REFUSE})

REQUEST = Process(
    kind=CaseKind.REQUEST,
    slug="requests",
    workflow="ServiceRequest",
    word="Запрос",
    words_for_many="Запросы",
    heading="Запросы",
    transitions=TRANSITIONS,
    waits_for=WAITS_FOR,
    words=WORDS,
    copyable=COPYABLE,
    signals=SIGNALS,
    refusals=Refusals(
        stale="Пока вы смотрели, запрос изменился. Откройте его заново.",
        not_now="Сейчас это действие невозможно: запрос в другом состоянии.",
        unchangeable="Этот запрос уже нельзя изменить.",
        taken="Запрос теперь у другого сотрудника: {name}. Договоритесь, кто на него ответит: взять"
        " запрос себе можно и сейчас.",
        too_many_drafts="У вас уже %(most)s неотправленных запросов. Отправьте или удалите лишние и"
        " начните новый: всё, что вы заполнили, сохранено.",
    ),
    # Requests may tell of health: those who answer see them, heads of the applicant's unit do not.
    seen_by_heads=False,
    stuck_notice="request_stuck",
    handed_over_notice="request_assigned",
    usual_years=5,
)
