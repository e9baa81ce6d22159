"""What people are told of patients' records. Which patient it is about, only the cabinet says."""

from collections.abc import Mapping

from rules.notices.event import Event
from rules.notices.kinds import Channel, NoticeGroup, NoticeKind, RecipientRole

K, R = NoticeKind, RecipientRole


def _judge(title: str, text: str, then: str) -> Event:
    return Event(R.SECURITY, title, text, then, path="/patients/emergencies", link="Открыть список")


def _person(title: str, text: str, then: str) -> Event:
    return Event(
        R.ACCOUNT,
        title,
        text,
        then,
        path="/patients/emergencies/mine",
        link="Открыть список",
        about=NoticeGroup.SECURITY,
    )


PATIENT_EVENTS: Mapping[NoticeKind, Event] = {
    K.EMERGENCY_TO_JUDGE: _judge(
        "Экстренный доступ ждёт вашей оценки",
        "Сотрудник открыл карту пациента экстренно.",
        "Оцените, была ли в этом нужда. Срок - два рабочих дня.",
    ),
    K.EMERGENCY_WAITS: _judge(
        "Экстренный доступ ещё не оценён",
        "Экстренный доступ к карте пациента ждёт оценки.",
        "Откройте список и решите до конца срока.",
    ),
    K.EMERGENCY_LATE: _judge(
        "Экстренный доступ не оценён в срок",
        "Два рабочих дня прошли, а экстренный доступ к карте пациента не оценён.",
        "Оцените его сейчас. Руководителю подразделения мы сообщили.",
    ),
    K.EMERGENCY_LATE_STAFF: _person(
        "Отдел ИБ не оценил экстренный доступ в срок",
        "Сотрудник вашего подразделения открыл карту экстренно, и срок оценки прошёл.",
        "Напомните отделу информационной безопасности.",
    ),
    K.EMERGENCY_JUSTIFIED: _person(
        "Ваш экстренный доступ признан обоснованным",
        "Отдел информационной безопасности оценил, что карту вы открыли обоснованно.",
        "Больше ничего не нужно.",
    ),
    K.EMERGENCY_UNJUSTIFIED: _person(
        "Ваш экстренный доступ признан необоснованным",
        "Отдел информационной безопасности не нашёл нужды в том, чтобы открывать карту экстренно.",
        "Экстренное открытие карт приостановлено, пока о ваших правах решают руководитель и отдел "
        "ИБ. Слова отдела ИБ показаны в кабинете.",
    ),
    K.EMERGENCY_UNJUSTIFIED_STAFF: _person(
        "Экстренный доступ вашего сотрудника признан необоснованным",
        "Отдел информационной безопасности не нашёл нужды в том, чтобы открывать карту экстренно.",
        "Решите по заявке, которую мы открыли: закончить ли право вести лечение.",
    ),
    K.PATIENT_NOT_CHECKED: Event(
        R.ACCOUNT,
        "Регистр пациентов не ответил за сутки",
        "Вы сверяли пациента с регистром, но регистр не ответил.",
        "Сверьте документы пациента сами или повторите сверку.",
        path="/patients",
        link="Открыть пациентов",
        about=NoticeGroup.REVIEW,
    ),
    K.PATIENT_CODE: Event(
        R.ACCOUNT,
        "Код для входа",
        "По ссылке учреждения запросили вход. Код отправлен на номер, который оно знает.",
        "Никому не сообщайте код.",
        channels=(Channel.CABINET,),
        path="/patient",
        link="Открыть страницу",
    ),
}
