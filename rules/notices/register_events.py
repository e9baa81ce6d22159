"""What people are told of the comparison with state registers."""

from collections.abc import Mapping

from rules.notices.event import Event
from rules.notices.kinds import NoticeGroup, NoticeKind, RecipientRole


def _own(title: str, text: str, then: str) -> Event:
    return Event(
        RecipientRole.ACCOUNT,
        title,
        text,
        then,
        path="/registers",
        link="Открыть сведения",
        about=NoticeGroup.CREDENTIALS,
    )


REGISTER_EVENTS: Mapping[NoticeKind, Event] = {
    NoticeKind.REGISTER_CHECKED: _own(
        "Проверка в реестрах закончена",
        "Реестры, которые раньше не отвечали, ответили.",
        "Посмотрите, что в них записано о вас.",
    ),
    NoticeKind.REGISTER_CHECK_GIVEN_UP: _own(
        "Реестр не ответил за сутки",
        "Вы просили проверить сведения в реестрах, но не все из них ответили.",
        "Делать ничего не нужно: мы проверим ночью вместе со всеми.",
    ),
    NoticeKind.REGISTER_DIFFERS: _own(
        "В реестре другие сведения о вашей квалификации",
        "Мы сверили ваши документы с реестрами и нашли различие.",
        "Примите сведения реестра или оспорьте их: сами они не меняются.",
    ),
    NoticeKind.REGISTER_ANSWERED: _own(
        "Отдел кадров ответил о сведениях реестра",
        "Вы оспорили сведения реестра, и на это ответили.",
        "Прочитайте ответ. Если сведения верны, примите их.",
    ),
    NoticeKind.REGISTER_DISPUTED: Event(
        RecipientRole.REVIEWER,
        "Сотрудник оспорил сведения реестра",
        "Сотрудник считает, что в государственном реестре ошибка.",
        "Посмотрите, что записано у нас и в реестре, и ответьте.",
        path="/registers/disputes",
        link="Открыть список",
    ),
}
