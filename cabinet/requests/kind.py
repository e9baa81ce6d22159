"""The words of requests on the pages that all kinds of case share."""

from cabinet.cases.kinds import KindPages, Phrases, register
from cabinet.cases.timeline import SENTENCES, of_version, plain, told
from rules.cases.requests import REQUEST
from rules.journal.entries import JournalKind as K

REQUESTS = register(
    KindPages(
        process=REQUEST,
        drafts=lambda container: container.requests,
        withdrawn="request_withdrawn",
        copied="request_copied",
        draft_discarded="request_discarded",
        correction_discarded="correction_discarded",
        after_sending="sent",
        phrases=Phrases(
            unsent="Запрос ещё не отправлен.",
            papers="Документы",
            case="Запрос %(number)s",
            already_sent="Запрос уже отправлен",
            sent_at="Запрос %(number)s отправлен %(at)s. Вторая отправка ничего не изменила.",
            open="Открыть запрос",
            send_again="Этот запрос отправлен %(at)s. Если его нужно исправить, измените ответы и"
            " отправьте ещё раз.",
            withdraw="Отозвать запрос %(number)s",
            withdraw_question="Отозвать запрос %(number)s?",
            withdraw_means="Ответа мы больше ждать не будем, и вернуть запрос будет нельзя. Его"
            " можно будет скопировать в новый черновик.",
            withdraw_reason="Причина отзыва запроса",
        ),
        sentences={
            **SENTENCES,
            K.CASE_COPIED: told(
                "Вы начали черновик на основе прежнего запроса",
                "Заявитель начал черновик на основе прежнего запроса",
            ),
            K.CASE_SUBMITTED: told("Вы отправили запрос", "Заявитель отправил запрос"),
            K.CASE_CORRECTED: of_version(
                "Вы исправили запрос и отправили снова: версия %(n)s",
                "Заявитель исправил запрос: версия %(n)s",
            ),
            K.CASE_WITHDRAWN: told("Вы отозвали запрос", "Заявитель отозвал запрос"),
            K.CASE_ASSIGNED: plain("Назначен сотрудник, который ответит"),
            K.CASE_TAKEN: plain("Сотрудник взял запрос в работу"),
            K.CASE_HANDED_OVER: plain("Запрос передан другому сотруднику"),
            K.CASE_MOVED: plain("Запрос передан другому сотруднику"),
            K.CASE_ESCALATED: plain("Срок ответа истёк, мы сообщили ответственным за запрос"),
            K.CASE_TYPE_CHANGED: plain("Запрос переведён на новую редакцию формы"),
            K.REQUEST_SENT: plain("Адресат получил запрос"),
            K.REQUEST_ANSWERED: plain("Адресат ответил на запрос"),
            K.REQUEST_REFUSED: plain("Адресат отказал"),
            K.REQUEST_ADDRESSEE_DOWN: plain(
                "Система адресата не отвечает, мы повторяем автоматически"
            ),
            K.REQUEST_WITHDRAWAL_TOLD: plain("Адресат уведомлён об отзыве"),
            K.REQUEST_ODD_RECEIPT: plain("Поступило сообщение, ничего не изменилось"),
            K.REQUEST_ANSWER_UNVERIFIED: plain(
                "Пришёл ответ, подпись которого не прошла проверку: мы его не приняли и ждём дальше"
            ),
        },
    )
)
