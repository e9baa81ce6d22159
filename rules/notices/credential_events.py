"""What people are told of the ends of credentials. Which one and whose, only the cabinet says."""

from collections.abc import Mapping

from rules.notices.event import Event
from rules.notices.kinds import NoticeGroup, NoticeKind, RecipientRole

K, R = NoticeKind, RecipientRole

CREDENTIAL_EVENTS: Mapping[NoticeKind, Event] = {
    K.CREDENTIAL_ENDS: Event(
        R.ACCOUNT,
        "Заканчивается срок действия документа о квалификации",
        "Напоминаем о сроке действия документа из вашего кабинета.",
        "Откройте документ: там можно начать продление или внести новый, если он уже получен.",
        path="/credentials/%(credential)s",
        link="Открыть документ",
        about=NoticeGroup.CREDENTIALS,
    ),
    K.CREDENTIAL_EXPIRED: Event(
        R.ACCOUNT,
        "Срок действия документа о квалификации истёк",
        "Документ больше не действует. Об этом знает руководитель подразделения.",
        "Откройте документ: внесите новый, если он уже получен, или начните продление.",
        path="/credentials/%(credential)s",
        link="Открыть документ",
        about=NoticeGroup.CREDENTIALS,
    ),
    K.CREDENTIAL_EXPIRED_STAFF: Event(
        R.REVIEWER,
        "У сотрудника истёк срок действия документа о квалификации",
        "Документ сотрудника вашего подразделения больше не действует.",
        "Откройте документ и решите с сотрудником, что делать. Если от документа зависят права, "
        "заявка об их отзыве уже составлена.",
        path="/credentials/%(credential)s",
        link="Открыть документ",
        about=NoticeGroup.CREDENTIALS,
    ),
}
