"""The journal of a case in sentences: who, when, what. Newest first, as services give it."""

from collections.abc import Callable, Sequence

from cabinet.cases.views import Happening
from rules.cases.process import CaseKind
from rules.journal.entries import JournalKind as K
from services.dossier.page import Happened
from words.translation import gettext as _
from words.translation import marked

Sentence = Callable[[Happened, bool], str]


def _submitted(happened: Happened, own: bool) -> str:
    return _("Вы отправили заявку") if own else _("Заявитель отправил заявку")


def _resubmitted(happened: Happened, own: bool) -> str:
    version = happened.facts.get("version", "")
    words = (
        _("Вы ответили на уточнение: версия %(n)s")
        if own
        else _("Заявитель ответил на уточнение: версия %(n)s")
    )
    return words % {"n": version}


def _corrected(happened: Happened, own: bool) -> str:
    version = happened.facts.get("version", "")
    words = (
        _("Вы исправили заявку: версия %(n)s")
        if own
        else _("Заявитель исправил заявку: версия %(n)s")
    )
    return words % {"n": version}


def _withdrawn(happened: Happened, own: bool) -> str:
    return _("Вы отозвали заявку") if own else _("Заявитель отозвал заявку")


def _drafted(happened: Happened, own: bool) -> str:
    return _("Вы начали черновик") if own else _("Заявитель начал черновик")


def _copied(happened: Happened, own: bool) -> str:
    return (
        _("Вы начали черновик на основе прежней заявки")
        if own
        else _("Заявитель начал черновик на основе прежней заявки")
    )


def _act(happened: Happened, own: bool) -> str:
    return _("Выдан акт о зачислении %(number)s") % {"number": happened.facts.get("act", "")}


def _plain(message: str) -> Sentence:
    return lambda happened, own: _(message)


SENTENCES: dict[str, Sentence] = {
    K.CASE_DRAFTED: _drafted,
    K.CASE_COPIED: _copied,
    K.CASE_SUBMITTED: _submitted,
    K.CASE_RESUBMITTED: _resubmitted,
    K.CASE_CORRECTED: _corrected,
    K.CASE_WITHDRAWN: _withdrawn,
    K.CASE_CHECKED: _plain("Автоматическая проверка закончена"),
    K.CASE_CHECK_FAILED: _plain("Автоматическая проверка нашла замечания"),
    K.CASE_REGISTER_DOWN: _plain("Регистр медработников не отвечает, срок остановлен"),
    K.CASE_REGISTER_BACK: _plain("Регистр медработников снова отвечает"),
    K.CASE_REVIEW_OPENED: _plain("Заявка передана в отдел кадров"),
    K.CASE_ASSIGNED: _plain("Назначен сотрудник отдела кадров"),
    K.CASE_TAKEN: _plain("Сотрудник отдела кадров взял заявку на рассмотрение"),
    K.CASE_HANDED_OVER: _plain("Заявка передана другому сотруднику отдела кадров"),
    K.CASE_MOVED: _plain("Заявка передана другому сотруднику отдела кадров"),
    K.CASE_CHECKLIST_ANSWERED: _plain("Отдел кадров сверил заявку с требованиями программы"),
    K.CASE_REMINDED: _plain("Отправлено напоминание о сроке"),
    K.CASE_ESCALATED: _plain("Срок истёк, вопрос передан начальнику отдела кадров"),
    K.CASE_APPROVED: _plain("Заявка одобрена"),
    K.CASE_CLARIFICATION_ASKED: _plain("Отдел кадров попросил уточнить заявку"),
    K.CASE_REJECTED: _plain("Заявка отклонена"),
    K.CASE_LAPSED: _plain("Ответа не было, заявка закрыта"),
    K.CASE_COMMENTED: _plain("Написано сообщение"),
    K.CASE_ACT_ISSUED: _act,
    K.CASE_ACT_DOWNLOADED: _plain("Акт скачан"),
    K.CASE_RECEIPT_ISSUED: _plain("Расписка скачана"),
    K.CASE_TYPE_CHANGED: _plain("Заявка переведена на новую редакцию формы"),
    K.CASE_EXPORTED: _plain("Дело выгружено целиком"),
    K.CASE_KEPT_LONGER: _plain("Срок хранения продлён"),
    K.CASE_HELD: _plain("Удаление дела запрещено"),
    K.CASE_RELEASED: _plain("Запрет удаления снят"),
    K.CASE_ERASED: _plain("Срок хранения истёк, содержание дела удалено"),
    K.CASE_STUCK: _plain("Обработка остановилась, техническая служба знает об этом"),
    K.CASE_BEGUN_ANEW: _plain("Обработка не отвечала и начата заново с того же шага"),
    K.CASE_SIGNAL_WITHOUT_ACT: _plain("Поступил сигнал без решения, ничего не изменилось"),
}


def _version(message: str, other: str) -> Sentence:
    return lambda happened, own: (
        _(message if own else other) % {"n": happened.facts.get("version", "")}
    )


def _of(own_words: str, other: str) -> Sentence:
    return lambda happened, own: _(own_words) if own else _(other)


OF_REQUESTS: dict[str, Sentence] = {
    **SENTENCES,
    K.CASE_COPIED: _of(
        marked("Вы начали черновик на основе прежнего запроса"),
        marked("Заявитель начал черновик на основе прежнего запроса"),
    ),
    K.CASE_SUBMITTED: _of(marked("Вы отправили запрос"), marked("Заявитель отправил запрос")),
    K.CASE_CORRECTED: _version(
        marked("Вы исправили запрос и отправили снова: версия %(n)s"),
        marked("Заявитель исправил запрос: версия %(n)s"),
    ),
    K.CASE_WITHDRAWN: _of(marked("Вы отозвали запрос"), marked("Заявитель отозвал запрос")),
    K.CASE_ASSIGNED: _plain("Назначен сотрудник, который ответит"),
    K.CASE_TAKEN: _plain("Сотрудник взял запрос в работу"),
    K.CASE_HANDED_OVER: _plain("Запрос передан другому сотруднику"),
    K.CASE_MOVED: _plain("Запрос передан другому сотруднику"),
    K.CASE_ESCALATED: _plain("Срок ответа истёк, мы сообщили ответственным за запрос"),
    K.CASE_RECEIPT_ISSUED: _plain("Расписка скачана"),
    K.CASE_TYPE_CHANGED: _plain("Запрос переведён на новую редакцию формы"),
    K.REQUEST_SENT: _plain("Адресат получил запрос"),
    K.REQUEST_ANSWERED: _plain("Адресат ответил на запрос"),
    K.REQUEST_REFUSED: _plain("Адресат отказал"),
    K.REQUEST_ADDRESSEE_DOWN: _plain("Система адресата не отвечает, мы повторяем автоматически"),
    K.REQUEST_WITHDRAWAL_TOLD: _plain("Адресат уведомлён об отзыве"),
    K.REQUEST_ODD_RECEIPT: _plain("Поступило сообщение, ничего не изменилось"),
    K.REQUEST_ANSWER_UNVERIFIED: _plain(
        "Пришёл ответ, подпись которого не прошла проверку: мы его не приняли и ждём дальше"
    ),
}
"""What happens to requests in words of their own."""

_TOLD_APART = frozenset({K.CASE_COMMENTED})
"""Comments stand in a list of their own."""

_PROVED = frozenset({K.CASE_SUBMITTED, K.CASE_RESUBMITTED, K.CASE_CORRECTED})


def timeline(
    happened: Sequence[Happened],
    *,
    own: bool,
    receipts: str = "",
    kind: str = CaseKind.APPLICATION,
) -> list[Happening]:
    """The lines of the timeline; each version handed in leads to its receipt at `receipts`."""
    sentences = OF_REQUESTS if kind == CaseKind.REQUEST else SENTENCES
    lines: list[Happening] = []
    for entry in happened:
        sentence = sentences.get(entry.kind)
        if sentence is None or entry.kind in _TOLD_APART:
            continue
        proved = receipts and entry.kind in _PROVED
        by_applicant = own and entry.kind in (
            *_PROVED,
            K.CASE_WITHDRAWN,
            K.CASE_DRAFTED,
            K.CASE_COPIED,
        )
        lines.append(
            Happening(
                at=entry.at,
                text=sentence(entry, own),
                who="" if by_applicant else entry.by or "",
                reason=str((entry.contents or {}).get("reason") or ""),
                proof_url=f"{receipts}?version={entry.facts['version']}" if proved else "",
            )
        )
    return lines
