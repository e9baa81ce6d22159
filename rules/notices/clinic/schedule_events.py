"""What clinicians are told of their schedule: day and time, and nothing about a patient (N1)."""

from collections.abc import Mapping

from rules.notices.event import Event
from rules.notices.kinds import Channel, NoticeGroup, NoticeKind, RecipientRole

_BY_DAY = (Channel.CABINET, Channel.PUSH)
"""What comes many times a day is no mail."""


def _event(title: str, text: str, then: str, channels: tuple[Channel, ...]) -> Event:
    return Event(
        RecipientRole.ACCOUNT,
        title,
        text,
        then,
        channels=channels,
        path="/schedule",
        link="Открыть расписание",
        about=NoticeGroup.SCHEDULE,
    )


def _absence(title: str, text: str, then: str) -> Event:
    return Event(
        RecipientRole.ACCOUNT,
        title,
        text,
        then,
        path="/schedule/absences/%(absence)s",
        link="Открыть список",
        about=NoticeGroup.SCHEDULE,
    )


def _visit(title: str, text: str) -> Event:
    """What a patient is told by SMS, which needs no words but the title."""
    return Event(
        RecipientRole.ACCOUNT,
        title,
        text,
        "Если это время не подходит, позвоните в регистратуру.",
        channels=(Channel.CABINET,),
        path="/patient",
        link="Открыть страницу",
        about=NoticeGroup.SCHEDULE,
    )


SCHEDULE_EVENTS: Mapping[NoticeKind, Event] = {
    NoticeKind.APPOINTMENT_ASSIGNED: _event(
        "К вам записали на приём",
        "В вашем расписании новая запись.",
        "Кто записан, показано в расписании.",
        _BY_DAY,
    ),
    NoticeKind.APPOINTMENTS_SOON: _event(
        "Скоро приём",
        "Приближается первая запись этого дня.",
        "Весь день показан в расписании.",
        _BY_DAY,
    ),
    NoticeKind.APPOINTMENT_MISSED: _event(
        "На приём никто не пришёл",
        "Приход не отметили, поэтому запись закрыта как «не пришёл».",
        "Если человек был на приёме, верните запись в расписании и назовите причину.",
        _BY_DAY,
    ),
    NoticeKind.APPOINTMENT_CANCELLED: _event(
        "Запись отменена или перенесена",
        "Одна из записей в вашем расписании отменена или перенесена.",
        "Как теперь выглядит день, показано в расписании.",
        _BY_DAY,
    ),
    NoticeKind.ABSENCE_BEGUN: _absence(
        "Записи остались без врача",
        "Врач вашего подразделения отсутствует, а к нему записаны пациенты.",
        "Откройте список: для каждой записи предложено другое время. Примите его или выберите "
        "своё.",
    ),
    NoticeKind.ABSENCE_WAITS: _absence(
        "Записи всё ещё без врача",
        "Не по всем записям отсутствующего врача решено, или не всем пациентам сообщили.",
        "Откройте список и решите, что осталось.",
    ),
    NoticeKind.ABSENCE_LATE: _absence(
        "Записи без врача: меньше суток до приёма",
        "К отсутствующему врачу записаны пациенты, и первый из них придёт раньше чем через сутки.",
        "Откройте список и решите сами, или напомните регистратуре.",
    ),
    NoticeKind.VISIT_MOVED: _visit(
        "Ваш приём %(was)s перенесён на %(at)s",
        "Врач отсутствует, поэтому мы перенесли ваш приём.",
    ),
    NoticeKind.VISIT_CANCELLED: _visit(
        "Ваш приём %(was)s отменён",
        "Врач отсутствует, поэтому ваш приём отменён.",
    ),
    NoticeKind.SCHEDULE_CHANGED: _event(
        "Ваше расписание изменилось",
        "Часы вашего приёма изменили.",
        "Новые часы показаны в расписании.",
        (Channel.CABINET, Channel.MAIL, Channel.PUSH),
    ),
}
