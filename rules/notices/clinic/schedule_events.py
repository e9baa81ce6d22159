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
    NoticeKind.SCHEDULE_CHANGED: _event(
        "Ваше расписание изменилось",
        "Часы вашего приёма изменили.",
        "Новые часы показаны в расписании.",
        (Channel.CABINET, Channel.MAIL, Channel.PUSH),
    ),
}
