"""A visit: one request for a page, with who asks, how it is shown, and the frame around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from posixpath import normpath
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.container import Container, ContainerDep, container_of
from api.http.auth import (
    CurrentSession,
    Public,
    SigningIn,
    cookie_names,
    form_token_of,
    set_device_cookie,
    visitor_of,
)
from cabinet.frame.rendering import page, render
from cabinet.frame.views import Flash, Frame, NavEntry, Theme, Who
from crypto.key_ring import key_ring
from rules.access import Actor, Permission
from rules.accounts import AccountState
from rules.cases.kinds import DECIDING
from services.accounts.sessions import Current
from services.cases.header import Header, header_of
from words.translation import Presentation, choose_language, gettext, marked, present

LANGUAGE_COOKIE = "medcab-language"
THEME_COOKIE = "medcab-theme"

DONE: Mapping[str, str] = {
    "comment": marked("Сообщение отправлено."),
    "withdrawn": marked("Заявка отозвана."),
    "discarded": marked("Черновик удалён. Загруженные документы остались."),
    "saved": marked("Сохранено."),
    "given": marked("Документ принят."),
    "replaced": marked("Новая версия принята. Прежняя сохранена."),
    "put_away": marked("Документ убран из списка."),
    "session_ended": marked("Сеанс завершён."),
    "token_ended": marked("Ключ отозван."),
    "confirmed": marked("Код принят. Теперь повторите действие."),
    "password": marked("Пароль изменён. На других устройствах нужно войти заново."),
    "factor_added": marked("Способ подтверждения подключён."),
    "factor_removed": marked("Способ отключён. На других устройствах нужно войти заново."),
    "password_reset": marked("Пароль изменён. Войдите с новым паролем."),
    "read": marked("Все уведомления отмечены прочитанными."),
    "resent": marked("Отправим ещё раз."),
    "device_ended": marked("Это устройство больше не показывает уведомления."),
    "code_sent": marked("Мы отправили код. Введите его ниже."),
    "contact_changed": marked(
        "Новый контакт подтверждён. Теперь уведомления будут приходить на него."
    ),
    "view_kept": marked("Подборка сохранена."),
    "view_removed": marked("Подборка удалена."),
    "export_asked": marked("Готовим файл. Когда он будет готов, вы получите уведомление."),
    "export_cancelled": marked("Выгрузка отменена."),
    "request_withdrawn": marked("Запрос отозван."),
    "request_discarded": marked("Черновик удалён."),
    "correction_discarded": marked("Исправление отменено, запрос остался как был."),
    "request_copied": marked("Мы перенесли ответы в новый черновик."),
    "staff_imported": marked(
        "Список загружен. Роли выдают отдельно, пригласите новых в «Сотрудниках»."
    ),
    "invited": marked("Приглашения отправлены."),
    "invitation_revoked": marked("Приглашение отозвано: ссылка больше не действует."),
    "locked": marked("Учётная запись заблокирована, сеансы завершены."),
    "provider_linked": marked("Вход через поставщика подключён."),
    "provider_removed": marked("Вход через поставщика отключён."),
    "sent_back": marked("Владелец получит письмо с просьбой о новой встрече."),
    "risk_closed": marked("Событие закрыто."),
    "unlocked": marked("Блокировка снята."),
    "leaves": marked("Увольнение записано."),
    "stays": marked("Увольнение отменено."),
    "transferred": marked("Сотрудник переведён. Роли прежнего подразделения закончились."),
    "record_done": marked("Выполнено: запись кадрового учёта больше не ждёт."),
    "record_waits": marked("Пока не получается: причина та же, что указана в списке."),
    "record_closed": marked("Запись убрана из списка."),
    "subscriber_changed": marked("Адрес и события сохранены."),
    "subscriber_paused": marked("Отправка приостановлена, события ждут."),
    "subscriber_resumed": marked("Отправка возобновлена."),
    "subscriber_tested": marked("Пробное событие отправляется. Чем это кончилось, скажет список."),
    "subscriber_resent": marked("Недоставленное отправляется снова."),
    "subscriber_ended": marked("Система отключена."),
    "handover_released": marked("Документы передаются: пакет готовится."),
    "handover_refused": marked("Ведомству отказано, причину оно увидит."),
    "result_confirmed": marked("Результат подтверждён."),
    "result_told": marked("Записано, как сообщили о результате."),
    "result_offered": marked("Коллега получит предложение. Пока он не согласится, отвечаете вы."),
    "offer_accepted": marked("Теперь за результат отвечаете вы."),
    "offer_refused": marked("Вы отказались, результат остался у коллеги."),
    "offer_withdrawn": marked("Предложение отозвано."),
    "result_taken": marked("Теперь за результат отвечаете вы."),
    "result_detached": marked("Результат откреплён. Все, кто его видел, узнают об этом."),
    "result_matched": marked("Результат отнесён к пациенту."),
    "result_returned": marked("Результат возвращается в лабораторию с вашей причиной."),
    "absence_planned": marked("Отсутствие внесено. Решите по каждой записи."),
    "absence_changed": marked("Дни отсутствия изменены."),
    "absence_withdrawn": marked("Отсутствие отменено."),
    "displaced_moved": marked("Запись перенесена."),
    "displaced_all_moved": marked("Предложения приняты. Ниже те, кому ещё нужно сообщить."),
    "displaced_cancelled": marked("Запись отменена."),
    "displaced_told": marked("Записано: пациент знает."),
    "patient_registered": marked("Пациент внесён."),
    "patient_corrected": marked("Данные исправлены. Прежние остались в журнале."),
    "patient_link_proposed": marked("Объединение предложено: решает второй сотрудник."),
    "patients_imported": marked("Пациенты внесены."),
    "patients_joined": marked("Карты объединены. Их всегда можно разъединить."),
    "patients_parted": marked("Карты остаются раздельными."),
    "patient_link_ended": marked("Ссылка отозвана: по ней больше не войти."),
    "emergency_taken": marked("Этот доступ оцениваете вы."),
    "emergency_judged": marked("Решение записано, сотруднику сообщено."),
    "course_passed": marked("Курс пройден, это записано в журнал."),
    "credential_saved": marked("Документ сохранён."),
    "credential_saved_next": marked("Документ сохранён. Опишите следующий."),
    "credential_discarded": marked("Черновик убран. Файлы остались в ваших документах."),
    "credential_corrected": marked("Даты исправлены."),
    "credential_withdrawn": marked("Отмечено: документ внесён ошибочно."),
    "credential_replaced": marked("Отмечено: документ заменён другим."),
    "credential_confirmed": marked("Отмечено: оригинал сверен."),
    "entry_signed": marked("Запись подписана."),
    "entry_mistaken": marked("Отмечено: запись внесена ошибочно."),
    "entry_discarded": marked("Черновик записи убран."),
    "credentials_taken_in": marked("Файлы приняты. Теперь укажите, что в них."),
    "rights_asked": marked("Заявка отправлена: сначала её подтверждает руководитель."),
    "rights_withdrawn": marked("Заявка на права отозвана."),
    "grant_ended": marked("Роль закончилась. Это действует уже сейчас."),
    "urgent_set": marked("Правило о срочном доступе изменено."),
    "copied": marked("Мы перенесли ответы и документы в новый черновик."),
    "accreditation_refreshed": marked("Черновик дополнен из дела о квалификации."),
    "accreditation_withdrawn": marked("Документы для аккредитации отозваны."),
    "verification_withdrawn": marked("Подтверждение отозвано."),
    "meeting_booked": marked("Вы записаны на встречу."),
    "meeting_moved": marked("Встреча перенесена."),
    "meeting_cancelled": marked("Встреча отменена."),
    "times_opened": marked("Время открыто для записи."),
    "time_withdrawn": marked("Время закрыто. Если на него был записан человек, мы ему сообщим."),
    "outcome_recorded": marked("Итог встречи записан."),
    "register_to_complete": marked(
        "В реестре есть не всё. Мы взяли, что есть: допишите остальное и приложите копию."
    ),
    "appointment_booked": marked("Пациент записан."),
    "appointment_changed": marked("Готово: состояние записи изменено."),
    "appointment_moved": marked("Запись перенесена. Прежняя ссылается на новую."),
    "schedule_changed": marked("Расписание изменено."),
    "waits": marked("Пациент добавлен в лист ожидания."),
    "waits_no_more": marked("Пациент убран из листа ожидания."),
    "calendar_revoked": marked("Устройство отключено: адрес больше не действует."),
    "register_accepted": marked("Сведения реестра приняты. Прежняя запись осталась в истории."),
    "register_disputed": marked("Отдел кадров получит ваши слова и ответит."),
    "register_answered": marked("Сотрудник получит ваш ответ."),
}
"""The message after an act, by the word in `?done=`."""


@dataclass(frozen=True)
class Visit:
    """One request for a page."""

    request: Request
    container: Container
    presentation: Presentation
    frame: Frame
    current: Current | None = None

    @property
    def signed_in(self) -> Current:
        """The session of the visitor. Raises ValueError where nobody has signed in."""
        if self.current is None:
            raise ValueError("nobody has signed in")
        return self.current

    @property
    def actor(self) -> Actor:
        """The visitor with their rights. Raises ValueError where nobody has signed in."""
        return self.signed_in.actor

    def page(
        self,
        template: str,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """The page, with a message at its top about the act that led to it."""
        done = DONE.get(self.request.query_params.get("done", ""))
        if done and "flash" not in context:
            context["flash"] = Flash(gettext(done))
        response = page(
            template, self.presentation, self.frame, status=status, headers=headers, **context
        )
        if self.current is None:
            name_device(self.request, response)
        return response

    def has(self, tag: str) -> bool:
        """Whether the open page that polls shows this state already."""
        return self.request.headers.get("if-none-match") == tag

    def unchanged(self, tag: str) -> Response:
        """The answer to an open page that shows this state already: 304."""
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": "no-store"})

    def part(
        self, template: str, tag: str = "", *, status: int = 200, **context: Any
    ) -> HTMLResponse:
        """A part of an open page, drawn anew; `tag` names the state it shows."""
        body = render(template, self.presentation, frame=self.frame, **context)
        tagged = {"ETag": tag} if tag else {}
        return HTMLResponse(body, status, {"Cache-Control": "no-store", **tagged})

    def go(self, url: str, done: str = "") -> RedirectResponse:
        """Redirect to another page after an act, so that a reload repeats nothing."""
        if done:
            url += ("&" if "?" in url else "?") + f"done={done}"
        response = RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})
        if self.current is None:
            name_device(self.request, response)
        return response


def name_device(request: Request, response: Response) -> None:
    """Set the device cookie where it is missing: before signing in it is what form tokens are bound
    to."""
    settings = container_of(request).settings
    token = visitor_of(request).device_token
    if request.cookies.get(cookie_names(settings).device) != token:
        set_device_cookie(response, settings, token)


async def enter(request: Request, container: Container, current: Current | None) -> Visit:
    """Begin a visit: choose language and zone, and make the frame."""
    presentation = presentation_of(request, container, current)
    present(presentation)
    frame = bare_frame(request, container, current)
    if current is not None and current.session_id is not None and frame.nav:
        header = await header_of(container.database, current.person_id)
        frame = _filled(frame, current, header)
    return Visit(request, container, presentation, frame, current)


def presentation_of(
    request: Request, container: Container, current: Current | None
) -> Presentation:
    """The person's language and the zone of their unit, or the browser's and the institution's."""
    wishes = (request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))
    language = current.language if current else choose_language(*wishes)
    zone = container.settings.time_zone
    return Presentation(language, current.zone if current else zone, zone)


def bare_frame(request: Request, container: Container, current: Current | None) -> Frame:
    """A frame made without the database, so that the page of an outage has one too."""
    settings = container.settings
    open_session = current is not None and current.stage == "open"
    theme: Theme = "system"
    for wish in (current.theme if current else None, request.cookies.get(THEME_COOKIE)):
        if wish in ("light", "dark"):
            theme = "light" if wish == "light" else "dark"
            break
        if wish == "system":
            break
    waits = request.url.path == "/profile/confirm"
    return Frame(
        institution=settings.institution,
        language=presentation_of(request, container, current).language,
        theme=theme,
        path=request.url.path,
        here=came_from(request),
        who=Who(current.actor.name, "", "") if current and open_session else None,
        nav=navigation(current.actor) if current and open_session else (),
        csrf=form_token_of(request),
        idle_seconds=settings.session_idle if open_session else 0,
        draft_key=_draft_key(current) if current and open_session else "",
        drafts="waiting" if waits else "answer" if request.method == "POST" else "",
        demo=settings.demo,
    )


def _draft_key(current: Current) -> str:
    """The key for unsent texts: the same in all sessions of the person, unknown to anybody else."""
    return key_ring().label(f"texts not sent by {current.person_id}")


MOST_ENTRIES = 7
SPARE = ("profile", "programmes", "archive", "documents")
"""Left out first where somebody has many roles: other places lead there too."""


_APPLY = Permission.APPLY
_PLACES: Sequence[tuple[NavEntry, Sequence[Permission]]] = (
    (NavEntry("home", "Главная", "house", "/"), ()),
    (
        NavEntry("patients", "Пациенты", "users", "/patients"),
        (Permission.TREAT, Permission.REGISTER_PATIENTS, Permission.BOOK),
    ),
    (
        NavEntry("results", "Результаты", "flask-conical", "/results"),
        (Permission.TREAT, Permission.OVERSEE_RESULTS, Permission.MATCH_RESULTS),
    ),
    (
        NavEntry("desk", "Очередь", "inbox", "/desk"),
        (*DECIDING, Permission.VIEW_UNIT_CASES),
    ),
    (
        NavEntry("schedule", "Мой день", "calendar-clock", "/schedule"),
        (Permission.TREAT,),
    ),
    (
        NavEntry("schedule", "Расписание", "calendar-clock", "/schedule"),
        (Permission.BOOK, Permission.PLAN_SCHEDULE),
    ),
    (
        NavEntry("applications", "Мои заявки", "clipboard-list", "/applications"),
        (_APPLY,),
    ),
    (NavEntry("requests", "Мои запросы", "send", "/requests"), (_APPLY,)),
    (NavEntry("programmes", "Программы", "graduation-cap", "/programmes"), (_APPLY,)),
    (
        NavEntry("credentials", "Квалификация", "award", "/credentials"),
        (Permission.KEEP_DOCUMENTS,),
    ),
    (
        NavEntry("documents", "Документы", "folder-open", "/documents"),
        (Permission.KEEP_DOCUMENTS,),
    ),
    (
        NavEntry("archive", "Архив", "archive", "/archive"),
        (_APPLY, Permission.KEEP_ARCHIVE),
    ),
    (
        NavEntry("operation", "Состояние", "monitor", "/operation"),
        (Permission.WATCH_OPERATION,),
    ),
    (
        NavEntry("journal", "Журнал", "file-check", "/journal"),
        (Permission.READ_JOURNAL,),
    ),
    (
        NavEntry("meetings", "Видеовстречи", "calendar-clock", "/meetings/mine"),
        (Permission.MEET_PEOPLE,),
    ),
    (
        NavEntry("risks", "События", "shield-check", "/risks"),
        (Permission.WATCH_RISKS,),
    ),
    (
        NavEntry("emergencies", "Экстренный доступ", "triangle-alert", "/patients/emergencies"),
        (Permission.JUDGE_EMERGENCIES,),
    ),
    (
        NavEntry("audit", "Проверка дел", "search", "/audit"),
        (Permission.AUDIT_CASES,),
    ),
    (
        NavEntry("handovers", "Запросы ведомств", "send", "/handovers"),
        (Permission.RELEASE_CREDENTIALS,),
    ),
    (NavEntry("people", "Сотрудники", "users", "/people"), (Permission.VIEW_PEOPLE,)),
    (NavEntry("rights", "Права", "key-round", "/rights/matrix"), (Permission.VIEW_RIGHTS,)),
    (
        NavEntry("administration", "Настройка", "settings", "/administration"),
        (Permission.MANAGE_CATALOGUE,),
    ),
    (NavEntry("profile", "Профиль", "user", "/profile"), ()),
)
"""All places, named by message ids. One of its permissions opens a place; without any, all may."""


def navigation(actor: Actor) -> tuple[NavEntry, ...]:
    """At most seven entries, by what the person may do."""
    entries = [
        replace(place, text=gettext(place.text))
        for place, permissions in _PLACES
        if not permissions or any(actor.may(permission) for permission in permissions)
    ]
    if actor.state is AccountState.REGISTERED:
        word = gettext("Подтверждение")
        entries.insert(1, NavEntry("verification", word, "shield-check", "/verifications"))
    entries = list({entry.key: entry for entry in reversed(entries)}.values())[::-1]
    for key in SPARE:
        if len(entries) > MOST_ENTRIES:
            entries = [entry for entry in entries if entry.key != key]
    return tuple(entries)


def _filled(frame: Frame, current: Current, header: Header) -> Frame:
    """The frame with position, unit, unread notices, and how many applications wait for the
    person."""
    nav = tuple(
        replace(entry, count=header.to_answer) if entry.key == "applications" else entry
        for entry in frame.nav
    )
    who = Who(current.actor.name, header.position, header.unit)
    return replace(frame, who=who, bell=header.unread, nav=nav)


async def _inside(request: Request, container: ContainerDep, current: CurrentSession) -> Visit:
    return await enter(request, container, current)


async def _outside(request: Request, container: ContainerDep, current: Public) -> Visit:
    return await enter(request, container, current)


async def _halfway(request: Request, container: ContainerDep, current: SigningIn) -> Visit:
    return await enter(request, container, current)


Inside = Annotated[Visit, Depends(_inside)]
"""A visit of somebody who has signed in."""

Outside = Annotated[Visit, Depends(_outside)]
"""A visit of anybody."""

Halfway = Annotated[Visit, Depends(_halfway)]
"""A visit of somebody who has at least entered the password."""


def own_path(wish: str | None, otherwise: str = "/") -> str:
    """`wish` where it is a path of this site, else `otherwise`: nothing leads to other sites."""
    if not wish or not wish.startswith("/") or wish.startswith("//"):
        return otherwise
    return wish if wish.isprintable() and "\\" not in wish else otherwise


def safe_next(wish: str | None) -> str:
    """Where to go after signing in: a path of this site, but no page of signing in.

    Of such a page its own `next` is taken instead.
    """
    path = own_path(wish)
    while normpath(unquote(urlsplit(path).path)).startswith("/sign-"):
        path = own_path(dict(parse_qsl(urlsplit(path).query)).get("next"))
    return path


def came_from(request: Request) -> str:
    """The page that the person looks at: this one, or the one whose form was sent."""
    if request.method == "GET" and not request.headers.get("hx-request"):
        query = f"?{request.url.query}" if request.url.query else ""
        return own_path(request.url.path + query)
    try:
        came = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    if came.netloc != request.url.netloc:
        return "/"
    return own_path(came.path + (f"?{came.query}" if came.query else ""))


def uuid_of(text: str | None) -> UUID | None:
    """The id in a text; None where the text is none."""
    try:
        return UUID(text or "")
    except ValueError:
        return None
