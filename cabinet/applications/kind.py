"""The words of applications on the pages that all kinds of case share."""

from cabinet.cases.kinds import KindPages, Phrases, register
from cabinet.cases.timeline import SENTENCES, of_version, plain, told
from rules.cases.applications import APPLICATION
from rules.journal.entries import JournalKind as K
from services.credentials.renewal import filled_answers
from services.dossier.page import TimelineEntry
from words.translation import gettext as _


def _act(happened: TimelineEntry, own: bool) -> str:
    return _("Выдан акт о зачислении %(number)s") % {"number": happened.facts.get("act", "")}


APPLICATIONS = register(
    KindPages(
        process=APPLICATION,
        drafts=lambda container: container.applications,
        withdrawn="withdrawn",
        copied="copied",
        after_sending="submitted",
        paper=("Заявка одобрена, акт о зачислении готов.", "Скачать акт", "act"),
        filled=lambda session, page: filled_answers(session, page.case, page.definition),
        phrases=Phrases(
            unsent="Заявка ещё не отправлена.",
            papers="Документы к заявке",
            case="Заявка %(number)s",
            already_sent="Заявка уже отправлена",
            sent_at="Заявка %(number)s отправлена %(at)s. Вторая отправка ничего не изменила.",
            open="Открыть заявку",
            send_again="Эта заявка отправлена %(at)s. Если её нужно исправить, измените ответы и"
            " отправьте ещё раз.",
            withdraw="Отозвать заявку %(number)s",
            withdraw_question="Отозвать заявку %(number)s?",
            withdraw_means="Рассмотрение прекратится, и вернуть заявку будет нельзя. Её можно будет"
            " скопировать в новый черновик.",
            withdraw_reason="Причина отзыва заявки",
        ),
        sentences={
            **SENTENCES,
            K.CASE_COPIED: told(
                "Вы начали черновик на основе прежней заявки",
                "Заявитель начал черновик на основе прежней заявки",
            ),
            K.CASE_SUBMITTED: told("Вы отправили заявку", "Заявитель отправил заявку"),
            K.CASE_RESUBMITTED: of_version(
                "Вы ответили на уточнение: версия %(n)s",
                "Заявитель ответил на уточнение: версия %(n)s",
            ),
            K.CASE_CORRECTED: of_version(
                "Вы исправили заявку: версия %(n)s",
                "Заявитель исправил заявку: версия %(n)s",
            ),
            K.CASE_WITHDRAWN: told("Вы отозвали заявку", "Заявитель отозвал заявку"),
            K.CASE_CHECKED: plain("Автоматическая проверка закончена"),
            K.CASE_CHECK_FAILED: plain("Автоматическая проверка нашла замечания"),
            K.CASE_REGISTER_DOWN: plain("Регистр медработников не отвечает, срок остановлен"),
            K.CASE_REGISTER_BACK: plain("Регистр медработников снова отвечает"),
            K.CASE_REVIEW_OPENED: plain("Заявка передана в отдел кадров"),
            K.CASE_ASSIGNED: plain("Назначен сотрудник отдела кадров"),
            K.CASE_TAKEN: plain("Сотрудник отдела кадров взял заявку на рассмотрение"),
            K.CASE_HANDED_OVER: plain("Заявка передана другому сотруднику отдела кадров"),
            K.CASE_MOVED: plain("Заявка передана другому сотруднику отдела кадров"),
            K.CASE_CHECKLIST_ANSWERED: plain("Отдел кадров сверил заявку с требованиями программы"),
            K.CASE_ESCALATED: plain("Срок истёк, вопрос передан начальнику отдела кадров"),
            K.CASE_APPROVED: plain("Заявка одобрена"),
            K.CASE_CLARIFICATION_ASKED: plain("Отдел кадров попросил уточнить заявку"),
            K.CASE_REJECTED: plain("Заявка отклонена"),
            K.CASE_LAPSED: plain("Ответа не было, заявка закрыта"),
            K.CASE_ACT_ISSUED: _act,
            K.CASE_ACT_DOWNLOADED: plain("Акт скачан"),
            K.CASE_TYPE_CHANGED: plain("Заявка переведена на новую редакцию формы"),
        },
    )
)
