"""What people are told of the verification of an account. Mail carries nothing about documents."""

from collections.abc import Mapping

from rules.notices.event import Event
from rules.notices.kinds import Channel, NoticeGroup, NoticeKind, RecipientRole

_HERE = "/verifications"
_LINK = "Открыть подтверждение"


def _applicant(title: str, text: str, then: str) -> Event:
    return Event(RecipientRole.APPLICANT, title, text, then, path=_HERE, link=_LINK)


def _operator(title: str, text: str, then: str) -> Event:
    return Event(
        RecipientRole.OPERATOR,
        title,
        text,
        then,
        channels=(Channel.CABINET, Channel.MAIL, Channel.PUSH),
        path="/desk",
        link="Открыть очередь",
    )


VERIFICATION_EVENTS: Mapping[NoticeKind, Event] = {
    NoticeKind.VERIFICATION_SUBMITTED: _applicant(
        "Документы для подтверждения %(number)s получены",
        "Мы проверяем документы и сведения о вас в реестре.",
        "Сейчас можно подтвердить контакты и записаться на видеовстречу.",
    ),
    NoticeKind.VERIFICATION_IN_REVIEW: _applicant(
        "Документы %(number)s переданы оператору",
        "Автоматическая проверка закончена, документы смотрит оператор.",
        "О решении мы напишем.",
    ),
    NoticeKind.VERIFICATION_CLARIFICATION: _applicant(
        "По подтверждению %(number)s требуется уточнение",
        "Оператор просит исправить сведения или документы.",
        "Что исправить, написано в кабинете: здесь мы этого не показываем.",
    ),
    NoticeKind.VERIFICATION_APPROVED: _applicant(
        "Документы %(number)s подтверждены",
        "Оператор подтвердил ваши документы.",
        "Что осталось сделать, показано на странице подтверждения.",
    ),
    NoticeKind.VERIFICATION_REJECTED: _applicant(
        "Подтверждение %(number)s отклонено",
        "Оператор не подтвердил ваши документы.",
        "Причину прочитайте в кабинете. Подтверждение можно начать заново.",
    ),
    NoticeKind.VERIFICATION_WITHDRAWN: _applicant(
        "Подтверждение %(number)s отозвано",
        "Вы отозвали подтверждение учётной записи.",
        "Если это были не вы, сообщите в отдел информационной безопасности.",
    ),
    NoticeKind.VERIFICATION_LAPSED: _applicant(
        "Подтверждение %(number)s закрыто",
        "Срок истёк, и мы закрыли подтверждение. Что открыто вам сейчас, остаётся открытым.",
        "Подтверждение можно начать заново.",
    ),
    NoticeKind.VERIFICATION_REMINDER: _applicant(
        "Подтверждение %(number)s ждёт вас",
        "До подтверждённой учётной записи осталось немного.",
        "Что осталось, показано на странице подтверждения.",
    ),
    NoticeKind.VERIFICATION_CONFIRMED: _applicant(
        "Учётная запись подтверждена",
        "Все шаги выполнены: вам открыты все разделы вашей роли.",
        "Больше ничего не нужно.",
    ),
    NoticeKind.VERIFICATION_ASSIGNED: _operator(
        "Вам назначено подтверждение %(number)s",
        "Документы человека ждут вашего решения.",
        "Рассмотрите их до указанного срока.",
    ),
    NoticeKind.VERIFICATION_WAITS: _operator(
        "Подтверждение %(number)s ждёт решения",
        "Срок рассмотрения подходит или прошёл.",
        "Рассмотрите документы или передайте их другому оператору.",
    ),
    NoticeKind.VERIFICATION_STUCK: Event(
        RecipientRole.OPS,
        "Обработка подтверждения %(number)s остановлена",
        "Обработка остановлена из-за ошибки, которую система не может устранить сама.",
        "Откройте процесс в Temporal: в подробностях указан тип ошибки. После исправления "
        "отправьте процессу сигнал ring.",
        path="%(temporal)s/workflows/verification-%(case_id)s",
        link="Открыть процесс",
    ),
    NoticeKind.ACCOUNT_ACTIVE: Event(
        RecipientRole.ACCOUNT,
        "Учётная запись действует",
        "Контакты, документы и личность подтверждены: вы можете подавать заявки и запросы.",
        "Чтобы открылась работа с пациентами, пройдите видеовстречу с оператором.",
        path=_HERE,
        link=_LINK,
        about=NoticeGroup.SECURITY,
    ),
}
