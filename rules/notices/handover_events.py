"""What people are told of hand-overs. Whose documents and to whom, only the cabinet says."""

from collections.abc import Mapping

from rules.notices.event import Event
from rules.notices.kinds import NoticeGroup, NoticeKind, RecipientRole

K, R = NoticeKind, RecipientRole


def _officer(title: str, text: str, then: str) -> Event:
    return Event(R.REVIEWER, title, text, then, path="/handovers", link="Открыть запросы")


HANDOVER_EVENTS: Mapping[NoticeKind, Event] = {
    K.HANDOVER_ASKED: _officer(
        "Ведомство запросило документы сотрудника",
        "Кто запросил и на каком основании, указано в кабинете.",
        "Передайте нужные документы или откажите с причиной. Срок - 14 дней.",
    ),
    K.HANDOVER_WAITS: _officer(
        "Запрос ведомства ждёт решения",
        "Ведомство ждёт документы сотрудника или отказ с причиной.",
        "Откройте запрос и решите.",
    ),
    K.HANDOVER_BROKEN: _officer(
        "Пакет документов для ведомства не собран",
        "Один из выбранных файлов повреждён или утрачен, либо истёк сертификат ведомства.",
        "Откройте запрос: выберите другие документы или откажите с причиной.",
    ),
    K.HANDOVER_NOT_FETCHED: _officer(
        "Ведомство не получило переданные документы",
        "Пакет ждал 30 дней, за ним не пришли, и мы его удалили.",
        "Если документы ещё нужны, ведомство запросит их снова.",
    ),
    K.HANDOVER_NOBODY: Event(
        R.ADMINISTRATOR,
        "Запрос ведомства некому решить",
        "В подразделении сотрудника нет никого с правом передавать документы ведомствам.",
        "Дайте это право тому, кто решит. Пока его нет, мы напоминаем вам.",
        path="/people",
        link="Открыть сотрудников",
    ),
    K.HANDOVER_READY: Event(
        R.ACCOUNT,
        "Ваши документы переданы ведомству",
        "По запросу ведомства переданы документы о вашей квалификации.",
        "Что, кому и на каком основании, указано в кабинете.",
        path="/handovers/mine",
        link="Открыть список переданного",
        about=NoticeGroup.CASES,
    ),
}
