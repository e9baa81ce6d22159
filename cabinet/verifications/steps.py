"""The steps of a verification in words: what is done, what is left, what waits for whom."""

from collections.abc import Collection, Sequence

from cabinet.cases.lines import url_of
from cabinet.verifications.views import ClosedPart, DocumentRow, StepView
from rules.accounts import AccountState
from rules.cases.process import Party, Status
from rules.verification import CHECK_WORDS, DOCUMENTS
from rules.verification import VerificationStep as Step
from services.cases.lists import CaseLine
from services.meetings.seen import MeetingSeen
from words import formats
from words.translation import gettext as _
from words.translation import marked

_STATES = {
    AccountState.REGISTERED: (marked("зарегистрирована"), "waiting", "hourglass"),
    AccountState.ACTIVE: (marked("действует"), "good", "circle-check"),
    AccountState.CONFIRMED: (marked("подтверждена"), "good", "badge-check"),
}
_TITLES = {
    Step.MAIL: marked("Почта"),
    Step.PHONE: marked("Телефон"),
    Step.DOCUMENTS: marked("Документы и личность"),
    Step.MEETING: marked("Видеовстреча с оператором"),
    Step.FACTOR: marked("Второй фактор"),
}
_PLACES = {
    Step.MAIL: (marked("Подтвердите адрес кодом из письма."), "/notices/contacts"),
    Step.PHONE: (marked("Подтвердите номер кодом из SMS."), "/notices/contacts"),
    Step.MEETING: (marked("Выберите время: встреча длится полчаса."), "/meetings"),
    Step.FACTOR: (
        marked("Подключите приложение с кодами или SMS."),
        "/profile/second-factor",
    ),
}
_PARTS = (
    (AccountState.REGISTERED, marked("Свои документы, уведомления, настройки входа")),
    (AccountState.ACTIVE, marked("Заявки на обучение и запросы")),
    (
        AccountState.CONFIRMED,
        marked("Записи пациентов, рецепты и направления, расписание, официальные уведомления"),
    ),
)
_WHEN = {
    "has_category": marked("если у вас есть квалификационная категория"),
    "state_institution": marked("если вы работаете в государственном учреждении"),
    "in_association": marked("если вы состоите в профессиональном объединении"),
}


def state_words(state: AccountState) -> tuple[str, str, str]:
    """The state of an account: its word, tone and icon."""
    word, tone, icon = _STATES[state]
    return _(word), tone, icon


def steps_of(
    done: Collection[Step],
    state: AccountState,
    case: CaseLine | None,
    booked: MeetingSeen | None,
) -> Sequence[StepView]:
    """All steps. A confirmed account has done them, whatever has changed since."""
    finished = set(Step) if state is AccountState.CONFIRMED else set(done)
    return [_step(step, step in finished, case, booked) for step in Step]


def _step(step: Step, done: bool, case: CaseLine | None, booked: MeetingSeen | None) -> StepView:
    title = _(_TITLES[step])
    if done:
        return StepView(title, "", "done", _("Готово"), "", "")
    if step is Step.DOCUMENTS:
        return _documents(title, case)
    if step is Step.MEETING and booked is not None:
        at = _("Встреча назначена: %(at)s.") % {"at": formats.moment(booked.starts_at)}
        return StepView(title, at, "waits", _("Ждём встречи"), "/meetings", _("Открыть встречу"))
    text, url = _PLACES[step]
    return StepView(title, _(text), "todo", _("Ждём вас"), url, _("Перейти"))


def _documents(title: str, case: CaseLine | None) -> StepView:
    if case is None or case.closed_at is not None:
        text = _("Заполните сведения о себе и приложите документы.")
        return StepView(title, text, "todo", _("Ждём вас"), "", _("Начать"))
    url = url_of(case.kind, case.id)
    if case.status is Status.DRAFT:
        text = _("Черновик начат. Приложите документы и отправьте их.")
        return StepView(title, text, "todo", _("Ждём вас"), f"{url}/draft", _("Продолжить"))
    if case.status is Status.CLARIFICATION:
        text = _("Оператор просит исправить документы.")
        return StepView(title, text, "todo", _("Ждём вас"), url, _("Исправить"))
    if case.waits_for == Party.IDENTITY_REGISTER:
        text = _("Реестр удостоверений личности не отвечает. Мы повторяем запрос автоматически.")
        return StepView(title, text, "waits", _("Ждём реестр"), url, _("Открыть"))
    if case.status is Status.CHECKING:
        text = _("Идёт автоматическая проверка.")
        return StepView(title, text, "waits", _("Ждём проверки"), url, _("Открыть"))
    text = _("Документы смотрит оператор.")
    return StepView(title, text, "waits", _("Ждём оператора"), url, _("Открыть"))


_OPENS = {
    AccountState.ACTIVE: marked(
        "Откроется, когда подтвердятся почта, телефон, документы и личность."
    ),
    AccountState.CONFIRMED: marked(
        "Откроется после видеовстречи с оператором и подключения второго фактора."
    ),
}
"""What opens a part; elsewhere `rules.access.CLOSED_UNTIL` says besides where that is shown."""


def parts(state: AccountState) -> Sequence[ClosedPart]:
    """What each state opens, and what opens it."""
    shown = []
    for needed, title in _PARTS:
        is_open = state.reaches(needed)
        why = "" if is_open else _(_OPENS[needed])
        shown.append(ClosedPart(_(title), is_open, why))
    return shown


def documents_shown() -> Sequence[DocumentRow]:
    """The table of documents, from the data by which they are checked."""
    return [
        DocumentRow(
            _(rule.title),
            _(_WHEN[rule.when]) if rule.when else _("нужен всегда"),
            [_(CHECK_WORDS[check]) for check in rule.checks],
            _(rule.confirms),
        )
        for rule in DOCUMENTS
    ]
