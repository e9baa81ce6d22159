"""What is told of systems that hear of changes of credentials."""

from collections.abc import Mapping

from rules.notices.event import Event
from rules.notices.kinds import NoticeKind, RecipientRole


def _told(title: str, text: str, then: str) -> Event:
    path, link = "/subscribers", "Открыть подписчиков"
    return Event(RecipientRole.ADMINISTRATOR, title, text, then, path=path, link=link)


SUBSCRIBER_EVENTS: Mapping[NoticeKind, Event] = {
    NoticeKind.SUBSCRIBER_FAILS: _told(
        "Система-подписчик не принимает события",
        "Больше часа ей не удаётся ничего передать. События ждут, мы пробуем снова.",
        "Узнайте у тех, кто ведёт эту систему, что случилось. Через три дня ожидания события "
        "попадут в список недоставленных.",
    ),
    NoticeKind.SUBSCRIBER_GIVEN_UP: _told(
        "События не доставлены системе-подписчику",
        "Три дня их не удавалось передать. Они в списке недоставленных.",
        "Когда система снова заработает, отправьте их ещё раз.",
    ),
}
