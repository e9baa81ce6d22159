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


def _unlocking(title: str, text: str) -> Event:
    """What tells the owner of a locked account to choose a meeting; the mail has the link."""
    return Event(
        RecipientRole.ACCOUNT,
        title,
        text,
        "Откройте ссылку из письма и выберите время видеовстречи: войти для этого не нужно. "
        "Оператор сверит вас с документом, и согласие даст ещё один сотрудник.",
        path="/locked",
        link="Выбрать время встречи",
        about=NoticeGroup.SECURITY,
    )


def _security(title: str, text: str, then: str) -> Event:
    return Event(
        RecipientRole.SECURITY,
        title,
        text,
        then,
        path="/locks",
        link="Открыть блокировки",
        about=NoticeGroup.SECURITY,
    )


def _risk(title: str, text: str) -> Event:
    """What leads to the page that locks the account; the mail has a link that works once."""
    return Event(
        RecipientRole.ACCOUNT,
        title,
        text,
        "Если это были вы, ничего делать не нужно. Если не вы, заблокируйте учётную запись: ссылка "
        "из письма действует без входа, один раз и семь дней.",
        path="/profile/lock",
        link="Это не я — заблокировать",
        about=NoticeGroup.SECURITY,
    )


def _norm(title: str) -> Event:
    return Event(
        RecipientRole.ADMINISTRATOR,
        title,
        "На ней держатся правила кабинета: какие, показано в списке норм.",
        "Узнайте, чем её заменили, и поменяйте то, что на ней держится.",
        path="/administration/norms",
        link="Открыть нормы закона",
    )


def _course(title: str, text: str) -> Event:
    return Event(
        RecipientRole.ACCOUNT,
        title,
        text,
        "Прочитайте текст и ответьте на вопросы: это займёт около десяти минут.",
        path="/course",
        link="Открыть курс",
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
    NoticeKind.REGISTRATION: Event(
        RecipientRole.ACCOUNT,
        "Регистрация в личном кабинете",
        "Этот адрес указали при регистрации в личном кабинете медработника.",
        "Если это были вы, откройте ссылку, придумайте пароль и подключите приложение с кодами. "
        "Ссылка действует 72 часа и только один раз. Если не вы, ничего делать не нужно.",
        channels=(Channel.CABINET, Channel.MAIL),
        path="/registration",
        link="Завершить регистрацию",
        about=NoticeGroup.SECURITY,
    ),
    NoticeKind.REGISTRATION_KNOWN: Event(
        RecipientRole.ACCOUNT,
        "Регистрация в личном кабинете",
        "Этот адрес указали при регистрации, но учётная запись с ним уже есть.",
        "Если это были вы, войдите; забытый пароль можно задать заново на странице входа. Если не "
        "вы, ничего делать не нужно.",
        channels=(Channel.CABINET, Channel.MAIL),
        path="/sign-in",
        link="Войти в кабинет",
        about=NoticeGroup.SECURITY,
    ),
    NoticeKind.INVITATION_FAILED: Event(
        RecipientRole.ADMINISTRATOR,
        "Приглашение не дошло",
        "Письмо с приглашением не доставлено: сотрудник не сможет создать учётную запись.",
        "Откройте страницу сотрудника, проверьте адрес почты и пригласите снова.",
        path="/people/%(person)s",
        link="Открыть страницу сотрудника",
    ),
    NoticeKind.REGISTRATION_FAILED: Event(
        RecipientRole.OPERATOR,
        "Письмо о регистрации не дошло",
        "Кто-то регистрируется в кабинете, но письмо со ссылкой не доставлено.",
        "Посмотрите, кто это: если человек вам знаком, сообщите ему, чтобы он исправил адрес.",
        path="/registrations",
        link="Открыть список",
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
    NoticeKind.LOCKED_BY_SUSPICION: _unlocking(
        "Учётная запись заблокирована по подозрению",
        "Войти в кабинет пока нельзя, сеансы и ключи доступа завершены.",
    ),
    NoticeKind.UNLOCK_REMINDER: _unlocking(
        "Учётная запись всё ещё заблокирована",
        "Чтобы снять блокировку, нужна видеовстреча с оператором.",
    ),
    NoticeKind.UNLOCK_SENT_BACK: _unlocking(
        "Нужна ещё одна видеовстреча",
        "Сотрудник, который снимает блокировку, попросил провести встречу ещё раз.",
    ),
    NoticeKind.UNLOCKED_BY_MEETING: Event(
        RecipientRole.ACCOUNT,
        "Блокировка с учётной записи снята",
        "Оператор убедился, что это вы, и второй сотрудник с ним согласился. Прежний пароль больше "
        "не действует, а способы входа, которые вы не подтвердили на встрече, удалены.",
        "Задайте новый пароль: запросите ссылку и введите по ней код того способа, который "
        "остался, или код, который назвал оператор.",
        path="/sign-in/forgotten",
        link="Задать новый пароль",
        about=NoticeGroup.SECURITY,
    ),
    NoticeKind.UNLOCK_TO_APPROVE: _security(
        "Снятие блокировки ждёт вашего согласия",
        "Оператор провёл видеовстречу с владельцем учётной записи и убедился, кто это.",
        "Посмотрите, что было, и дайте согласие или попросите о новой встрече.",
    ),
    NoticeKind.UNLOCK_LATE: _security(
        "Заблокированную учётную запись никто не открывает",
        "Две недели её владелец не приходит на видеовстречу.",
        "Узнайте у владельца или его руководителя, что случилось. Ссылку можно отправить снова.",
    ),
    NoticeKind.UNLOCK_NOT_CONFIRMED: _security(
        "Личность на видеовстрече не подтвердилась",
        "Оператор не смог убедиться, что заблокированная учётная запись принадлежит этому "
        "человеку.",
        "Блокировка осталась. Посмотрите, что произошло.",
    ),
    NoticeKind.RISK_USE: _risk(
        "Необычная активность в вашем кабинете",
        "Из вашей учётной записи приходило необычно много запросов. Мы их приостановили.",
    ),
    NoticeKind.RISK_FAILURES: _risk(
        "Кто-то подбирает вход в ваш кабинет",
        "В ваш кабинет много раз не смогли войти: пароль или код были неверны.",
    ),
    NoticeKind.RISK_NEW_PLACE: _risk(
        "Вход с нового устройства из новой сети",
        "В ваш кабинет вошли с устройства и из сети, которыми вы раньше не пользовались.",
    ),
    NoticeKind.RISK_TOKEN_REUSED: _risk(
        "Вход на одном устройстве завершён",
        "Ключ вашего устройства использовали второй раз: возможно, его скопировали. Мы завершили "
        "на этом устройстве все сеансы.",
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
        "Роли, которые были у вас в прежнем подразделении, больше не действуют, сеансы и ключи "
        "доступа завершены.",
        "Войдите заново. Роли в новом подразделении выдают отдельно: спросите об этом "
        "руководителя.",
    ),
    NoticeKind.NORM_NEAR: _norm("Скоро перестанет действовать норма закона"),
    NoticeKind.NORM_OVER: _norm("Норма закона больше не действует"),
    NoticeKind.STAFF_UNMATCHED: Event(
        RecipientRole.REVIEWER,
        "Кадровый учёт и кабинет расходятся",
        "Из кадрового учёта пришло то, что кабинет не смог выполнить сам.",
        "Откройте список: там сказано, что не так и что сделать. За день об этом приходит одно "
        "уведомление.",
        path="/people/register",
        link="Открыть расхождения",
    ),
    NoticeKind.COURSE_ASSIGNED: _course(
        "Вам назначен курс о защите данных",
        "Раз в год его проходят все, у кого есть учётная запись.",
    ),
    NoticeKind.COURSE_NEAR: _course(
        "Скоро закончится срок курса о защите данных",
        "Вы ещё не прошли назначенный вам курс.",
    ),
    NoticeKind.COURSE_OVERDUE: _course(
        "Срок курса о защите данных истёк",
        "Вы не прошли назначенный вам курс. О тех, кто опаздывает, знают руководитель и отдел "
        "информационной безопасности.",
    ),
}
