"""Refusals and failures as pages: what happened, and what the person can do now."""

from dataclasses import replace
from urllib.parse import quote

import structlog
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from api.container import Container, container_of
from api.http.auth import BACKGROUND, has_session
from api.http.problems import Problem, draw, in_words
from cabinet.frame.rendering import page
from cabinet.frame.views import ErrorPage, Frame
from cabinet.frame.visits import (
    bare_frame,
    came_from,
    enter,
    name_device,
    own_path,
    presentation_of,
    safe_next,
)
from clients.database import DatabaseError
from services.accounts.sessions import Current
from words.translation import gettext, marked, present

log = structlog.get_logger(__name__)

STEPS = {"code": "/sign-in/code", "setup": "/sign-in/setup", "password": "/sign-in/password"}

TITLES = {
    400: marked("Запрос не удалось прочитать"),
    403: marked("Нет доступа"),
    404: marked("Такой страницы нет"),
    405: marked("Такой страницы нет"),
    409: marked("Сейчас это сделать нельзя"),
    413: marked("Слишком большой файл"),
    422: marked("Данные не приняты"),
    429: marked("Слишком много запросов"),
    500: marked("Ошибка на нашей стороне"),
    503: marked("Кабинет временно недоступен"),
}
TODO = {
    403: (marked("Если доступ вам нужен по работе, попросите о нём руководителя подразделения."),),
    404: (marked("Проверьте адрес."),),
    409: (marked("Ничего не изменено."),),
    429: (marked("Подождите минуту и повторите."),),
    500: (marked("Ранее сохранённые данные на месте. Повторите через несколько минут."),),
    503: (
        marked("Повторите через несколько секунд."),
        marked("Ранее сохранённые данные на месте."),
    ),
}
SEARCH = marked("Если вы ищете заявку или запрос, введите номер в поиск наверху.")
_CHANGED_CODES = ("stale", "taken", "changed_meanwhile")
TITLES_BY_CODE = {
    "form_token": marked("Страница устарела"),
    "patient_closed": marked("Карта закрыта"),
    **dict.fromkeys(_CHANGED_CODES, marked("Данные изменились, пока вы работали")),
}
_LOOK_AGAIN = (
    marked("Ничего не изменено. Посмотрите, что нового, и повторите, если это нужно."),
    marked("Введённый текст хранится в этой вкладке и вернётся, когда вы снова откроете страницу."),
)
TODO_BY_CODE = {
    **dict.fromkeys(_CHANGED_CODES, _LOOK_AGAIN),
    "form_token": (
        marked("Так бывает, если в другой вкладке вышли и вошли снова. Ничего не изменено."),
        marked("Введённый текст вернётся, когда вы откроете страницу заново, если снова вошли вы."),
    ),
    "account_state": (),
    "patient_closed": (),
    "unreadable": (
        marked(
            "Повторять не нужно: сообщите администратору номер ошибки, по нему он найдёт причину."
        ),
    ),
}


async def page_problem(request: Request, problem: Problem) -> Response:
    """The problem as a page. Whoever has to sign in is led there and back again."""
    if _by_script(request):
        return draw(request, problem)
    if problem.status == 401:
        return _to_sign_in(request, problem)
    if problem.code == "second_factor_needed":
        return _lead(request, f"/profile/confirm?next={quote(came_from(request))}")
    if problem.status == 404 and request.method == "GET" and request.url.path.endswith("/"):
        query = f"?{request.url.query}" if request.url.query else ""
        return _lead(request, own_path(request.url.path.rstrip("/") + query))
    container = container_of(request)
    current = getattr(request.state, "current", None)
    presentation = presentation_of(request, container, current)
    present(presentation)
    frame = await _frame(request, container, current, problem.status)
    known = problem.status if problem.status in TITLES else 500 if problem.status > 499 else 400
    url, action = _way_out(request, problem)
    todo = list(TODO_BY_CODE.get(problem.code, TODO.get(known, ())))
    if known == 404 and frame.who:
        todo.append(SEARCH)
    shown = ErrorPage(
        status=problem.status,
        title=gettext(TITLES_BY_CODE.get(problem.code, TITLES[known])),
        text=in_words(gettext, problem.title, problem.facts),
        todo=[gettext(line) for line in todo],
        action=action,
        url=url,
        reference=(problem.instance or "").rpartition(":")[2],
    )
    response = page(
        "errors/error.html",
        presentation,
        replace(frame, drafts="waiting"),
        status=problem.status,
        headers=dict(problem.headers),
        error=shown,
    )
    if not has_session(request):
        name_device(request, response)
    return response


async def _frame(
    request: Request, container: Container, current: Current | None, status: int
) -> Frame:
    """The whole header, or a bare one where asking for it could fail for the same reason."""
    if status < 500 and status != 429:
        try:
            return (await enter(request, container, current)).frame
        except (DatabaseError, OSError):
            log.warning("header_not_filled", status=status, exc_info=True)
    return bare_frame(request, container, current)


def _way_out(request: Request, problem: Problem) -> tuple[str, str]:
    """Where the page of a problem leads, and in which words."""
    if "case_url" in problem.facts:
        return str(problem.facts["case_url"]), gettext("Открыть дело")
    if problem.code == "patient_closed":
        return f"/patients/{problem.facts['patient']}/open", gettext("Сказать, почему открываю")
    if problem.code == "slowed":
        return "/profile/lock", gettext("Заблокировать учётную запись")
    if problem.code == "account_state":
        return "/verifications", gettext("Что осталось сделать")
    if problem.code == "form_token" or (problem.status == 409 and request.method != "GET"):
        return came_from(request), gettext("Открыть страницу заново")
    return "/", gettext("На главную")


def _by_script(request: Request) -> bool:
    """Whether a script asks that reports the outcome itself. htmx does not: it gets a page."""
    headers = request.headers
    if headers.get("hx-request"):
        return False
    navigates = headers.get("sec-fetch-mode", "navigate") == "navigate"
    return not navigates or "x-requested-with" in headers or BACKGROUND in headers


def _to_sign_in(request: Request, problem: Problem) -> Response:
    back = quote(safe_next(came_from(request)))
    step = STEPS.get(str(problem.facts.get("stage", "")))
    if step is not None:
        return _lead(request, f"{step}?next={back}")
    ended = "&expired=1" if problem.code == "session_ended" else ""
    return _lead(request, f"/sign-in?next={back}{ended}")


def _lead(request: Request, url: str) -> Response:
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={"HX-Redirect": url, "Cache-Control": "no-store"})
    return RedirectResponse(url, 303, headers={"Cache-Control": "no-store"})
