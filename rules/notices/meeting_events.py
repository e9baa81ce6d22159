"""What people are told of meetings by video. Mail names no purpose and nobody."""

from collections.abc import Mapping

from rules.notices.event import Event
from rules.notices.kinds import Channel, NoticeGroup, NoticeKind, RecipientRole

_OPERATORS = (Channel.CABINET, Channel.MAIL, Channel.PUSH)


def _person(title: str, text: str, then: str) -> Event:
    return Event(
        RecipientRole.ACCOUNT,
        title,
        text,
        then,
        path="/meetings",
        link="Открыть встречу",
        about=NoticeGroup.SECURITY,
    )


def _operator(title: str, text: str, then: str) -> Event:
    return Event(
        RecipientRole.OPERATOR,
        title,
        text,
        then,
        channels=_OPERATORS,
        path="/meetings/mine",
        link="Открыть расписание встреч",
    )


MEETING_EVENTS: Mapping[NoticeKind, Event] = {
    NoticeKind.MEETING_BOOKED: _person(
        "Видеовстреча назначена",
        "Вы записаны на видеовстречу с оператором.",
        "Ссылка на комнату указана на странице встречи: никому её не пересылайте. Приготовьте "
        "подлинник документа, удостоверяющего личность.",
    ),
    NoticeKind.MEETING_CANCELLED: _person(
        "Видеовстреча отменена",
        "Встреча с оператором в это время не состоится.",
        "Выберите другое время на странице встреч.",
    ),
    NoticeKind.MEETING_SOON: _person(
        "Скоро видеовстреча",
        "Напоминаем о видеовстрече с оператором.",
        "Проверьте камеру и микрофон, приготовьте подлинник документа. Если не можете прийти, "
        "перенесите встречу заранее.",
    ),
    NoticeKind.MEETING_CONFIRMED: _person(
        "Личность подтверждена",
        "Оператор подтвердил вашу личность на видеовстрече.",
        "Что осталось сделать, написано на странице встречи.",
    ),
    NoticeKind.MEETING_NOT_CONFIRMED: _person(
        "Личность не подтверждена",
        "На видеовстрече оператор не смог подтвердить вашу личность.",
        "Причину прочитайте на странице встречи: мы показываем её только в кабинете. "
        "Записаться можно снова.",
    ),
    NoticeKind.MEETING_MISSED: _person(
        "Вы не пришли на видеовстречу",
        "Оператор ждал вас, но встреча не состоялась.",
        "Запишитесь на другое время.",
    ),
    NoticeKind.MEETING_UNRECORDED: _person(
        "Итог видеовстречи не записан",
        "Оператор не записал итог встречи в срок.",
        "Запишитесь на другое время. Эта встреча не считается пропущенной.",
    ),
    NoticeKind.MEETING_TO_HOLD: _operator(
        "Назначена видеовстреча",
        "На ваше время записался человек.",
        "Встреча стоит в вашем расписании.",
    ),
    NoticeKind.MEETING_FREED: _operator(
        "Видеовстреча отменена",
        "Человек отменил встречу или перенёс её на другое время.",
        "Это время снова свободно для записи.",
    ),
}
