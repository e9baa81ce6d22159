"""What people are told of their account when somebody else acted on it. It cannot be turned off."""

from collections.abc import Mapping

from rules.notices.event import Event
from rules.notices.kinds import Channel, NoticeGroup, NoticeKind, RecipientRole


def _account(title: str, text: str, then: str) -> Event:
    return Event(
        RecipientRole.ACCOUNT,
        title,
        text,
        then,
        path="/account",
        link="Открыть настройки входа",
        about=NoticeGroup.SECURITY,
    )


ACCOUNT_EVENTS: Mapping[NoticeKind, Event] = {
    NoticeKind.INVITATION: Event(
        RecipientRole.ACCOUNT,
        "Приглашение в личный кабинет",
        "Для вас создают учётную запись в личном кабинете медработника.",
        "Откройте ссылку, придумайте пароль и подключите приложение с кодами. Ссылка действует 72 "
        "часа и только один раз. Никому её не пересылайте: по ней входят от вашего имени.",
        channels=(Channel.CABINET, Channel.MAIL),
        path="/invitation",
        link="Создать учётную запись",
        about=NoticeGroup.SECURITY,
    ),
    NoticeKind.ACCOUNT_LOCKED: _account(
        "Учётная запись заблокирована",
        "Администратор заблокировал вашу учётную запись: войти в кабинет пока нельзя, сеансы и "
        "ключи доступа завершены.",
        "Почему и как её вернуть, скажут в отделе информационной безопасности.",
    ),
    NoticeKind.ACCOUNT_UNLOCKED: _account(
        "Учётная запись снова действует",
        "Администратор снял блокировку с вашей учётной записи.",
        "Войдите в кабинет. Если вы об этом не просили, сообщите в отдел информационной "
        "безопасности.",
    ),
    NoticeKind.SESSIONS_ENDED: _account(
        "Ваш вход завершён администратором",
        "Администратор завершил вход в кабинет на ваших устройствах.",
        "Войдите заново. Если вы об этом не просили, сообщите в отдел информационной безопасности.",
    ),
    NoticeKind.LEAVING: _account(
        "Ваша учётная запись будет закрыта",
        "В кабинете указан ваш последний рабочий день. После него войти нельзя, роли и ключи "
        "доступа перестают действовать.",
        "Скачайте до этого нужные вам дела и документы. Если это ошибка, сообщите в отдел кадров.",
    ),
    NoticeKind.STAYS: _account(
        "Увольнение отменено",
        "В кабинете отменили ваше увольнение: учётная запись остаётся.",
        "Если это ошибка, сообщите в отдел кадров.",
    ),
    NoticeKind.TRANSFERRED: _account(
        "Вас перевели в другое подразделение",
        "Роли, которые были у вас в прежнем подразделении, больше не действуют.",
        "Роли в новом подразделении выдают отдельно: спросите об этом руководителя.",
    ),
}
