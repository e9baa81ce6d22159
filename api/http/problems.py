"""Errors as clients read them: problem details of RFC 9457, in the client's language.

`code` is stable and made for programs, `title` is made for people. `errors` name the fields that
have to be corrected. Pages may show the same problem as a page: they set `app.state.page_problem`.
Below an address of `app.state.problem_formats`, clients read it in the format of another standard.
"""

import traceback
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clients import database
from clients.objects import ObjectsDownError
from crypto.key_ring import UndecryptableError
from rules.access import Actor
from rules.refusals import FieldError, Refusal, Words, busy
from services.journal import attempts
from words.translation import catalogue, choose_language

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SOON = 2

UNEXPECTED = "Ошибка на нашей стороне. Мы уже знаем о ней, попробуйте позже."
UNREADABLE = (
    "Часть сохранённых данных не читается: их изменили в обход кабинета, или ключ к ним потерян."
)
UNAVAILABLE = "Сервис временно недоступен. Повторите через несколько секунд."
INVALID = "Проверьте отмеченные поля."

_STATUS_WORDS = {
    400: "Запрос не удалось прочитать.",
    403: "У вас нет прав на это действие.",
    404: "Такой страницы нет, или она вам недоступна.",
    405: "Так к этому адресу обращаться нельзя.",
    413: "Слишком большой запрос.",
    415: "Такой вид содержимого не принимается.",
    429: "Слишком много запросов. Повторите позже.",
}

_FIELD_WORDS = {
    "missing": "Заполните это поле.",
    "string_too_short": "Слишком коротко.",
    "string_too_long": "Слишком длинно.",
    "uuid_parsing": "Здесь нужен идентификатор вида 0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d.",
    "int_parsing": "Здесь нужно целое число.",
    "enum": "Выберите одно из допустимых значений.",
    "literal_error": "Выберите одно из допустимых значений.",
    "json_invalid": "Это не JSON.",
    "extra_forbidden": "Такого поля нет.",
}
_FIELD_WORD = "Проверьте это значение."
_FIELDS_NAMED = 50


class ProblemField(BaseModel):
    """One field that has to be corrected."""

    field: str = Field(examples=["email"])
    detail: str = Field(examples=["Заполните это поле."])


class ProblemOut(BaseModel):
    """An error, as RFC 9457 describes it. Some codes carry further members of their own."""

    type: str = Field(examples=["urn:medcab:problem:not_found"])
    title: str = Field(examples=["Такой страницы нет, или она вам недоступна."])
    status: int = Field(examples=[404])
    code: str = Field(examples=["not_found"])
    instance: str | None = Field(None, description="Id of this error in the log of the server.")
    errors: list[ProblemField] = []


@dataclass(frozen=True)
class Problem:
    """An error before it is written out as JSON or as a page.

    Texts are Russian gettext message ids.
    """

    status: int
    code: str
    title: str
    fields: Sequence[FieldError] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    instance: str | None = None


PageProblem = Callable[[Request, Problem], Awaitable[Response]]


@dataclass(frozen=True)
class ProblemFormat:
    """How a standard writes errors: its media type, and what it makes of a problem.

    `written` is given the title and each field with what is wrong there, in the client's language.
    """

    media_type: str
    written: Callable[[Problem, str, Sequence[tuple[str, str]]], dict[str, Any]]


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse with these statuses."""
    return {status: {"description": HTTPStatus(status).phrase} for status in statuses}


def problem_of(error: Exception) -> Problem:
    """The problem to report for an error.

    An unexpected error is reported by an id alone; the log holds the id with the details.
    """
    if isinstance(error, Refusal):
        headers = {}
        if "retry_after" in error.facts:
            headers["Retry-After"] = str(error.facts["retry_after"])
        if error.status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="medcab"'
        return Problem(error.status, error.code, error.message, error.fields, error.facts, headers)
    if isinstance(error, RequestValidationError):
        fields = [
            FieldError(
                (".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0]))[:80],
                _FIELD_WORDS.get(fault["type"], _FIELD_WORD),
            )
            for fault in error.errors()[:_FIELDS_NAMED]
        ]
        return Problem(422, "invalid_request", INVALID, fields)
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        title = _STATUS_WORDS.get(status, UNEXPECTED if status >= 500 else _STATUS_WORDS[400])
        return Problem(status, status.name.lower(), title, headers=dict(error.headers or {}))
    if _is_passing(error):
        return Problem(503, "unavailable", UNAVAILABLE, headers={"Retry-After": str(RETRY_SOON)})
    if isinstance(error, UndecryptableError):
        return Problem(500, "unreadable", UNREADABLE, instance=uuid.uuid4().urn)
    return Problem(500, "unexpected", UNEXPECTED, instance=uuid.uuid4().urn)


def _is_passing(error: Exception) -> bool:
    """Whether a server is away for a moment, so that the same request may work again."""
    down = isinstance(error, ObjectsDownError | ConnectionError)
    return down or database.is_passing(error)


def draw(request: Request, problem: Problem) -> Response:
    """The problem as JSON, in the format of the address and the language the client asks for."""
    current = getattr(request.state, "current", None)
    words = catalogue(
        choose_language(
            request.headers.get("accept-language"), current.language if current else None
        )
    )
    title = in_words(words.gettext, problem.title, problem.facts)
    fields = [
        (fault.path, in_words(words.gettext, fault.message, problem.facts))
        for fault in problem.fields
    ]
    formats: Mapping[str, ProblemFormat] = getattr(request.app.state, "problem_formats", {})
    found = (one for root, one in formats.items() if request.url.path.startswith(f"{root}/"))
    used = next(found, _OURS)
    return JSONResponse(
        used.written(problem, title, fields),
        status_code=problem.status,
        headers={**problem.headers, "Cache-Control": "no-store"},
        media_type=used.media_type,
    )


def _details(problem: Problem, title: str, fields: Sequence[tuple[str, str]]) -> dict[str, Any]:
    told = {
        **jsonable_encoder(dict(problem.facts)),
        "type": f"urn:medcab:problem:{problem.code}",
        "title": title,
        "status": problem.status,
        "code": problem.code,
    }
    if problem.instance:
        told["instance"] = problem.instance
    if fields:
        told["errors"] = [{"field": path, "detail": detail} for path, detail in fields]
    return told


_OURS = ProblemFormat(MEDIA_TYPE, _details)


def in_words(gettext: Callable[[str], str], message: str, facts: Mapping[str, Any]) -> str:
    """The message in the language of `gettext`, filled with its own facts, or with `facts`."""
    if isinstance(message, Words):
        return gettext(message.msgid).format(**message.facts)
    told = gettext(message)
    return told % facts if "%(" in told else told


def is_page(request: Request) -> bool:
    """Whether a person, not a program, reads the answer."""
    return not request.url.path.startswith(
        ("/api/", "/fhir/", "/health/", "/codec/", "/temporal/api/")
    )


async def answer(request: Request, error: Exception) -> Response:
    """Handle every error: log what somebody should look at, answer without internal details."""
    current = getattr(request.state, "current", None)
    if current is not None and database.is_contended(error):
        # A program that calls back is told 503 instead: it knows that it may send that again.
        error = busy()
    problem = problem_of(error)
    facts = {
        "method": request.method,
        "route": getattr(request.scope.get("route"), "path", None),
        "status": problem.status,
        "code": problem.code,
        "person": str(current.person_id) if current else None,
    }
    if problem.status >= 500:
        unexpected = problem.instance is not None
        log.error(
            "request_failed",
            **facts,
            instance=problem.instance,
            error=type(error).__name__,
            # Column and row of what cannot be decrypted. Of other errors neither message nor locals
            # are logged: they may hold what people entered.
            unreadable=str(error) if isinstance(error, UndecryptableError) else None,
            where=traceback.format_tb(error.__traceback__) if unexpected else None,
        )
    elif problem.status in (401, 403, 429) or problem.code == "busy":
        log.warning("request_refused", **facts)
    if isinstance(error, Refusal) and current is not None:
        await _note_attempt(request, current.actor, error)
    draw_page: PageProblem | None = getattr(request.app.state, "page_problem", None)
    if draw_page is not None and is_page(request):
        return await draw_page(request, problem)
    return draw(request, problem)


async def _note_attempt(request: Request, actor: Actor, refusal: Refusal) -> None:
    """Record who asked for what is not theirs (I9). Where that fails, the answer is the same."""
    if refusal.code in ("forbidden", "not_found"):
        with suppress(*database.SERVER_ERRORS, ConnectionError):
            await attempts.note(
                request.app.state.container.database,
                actor,
                request.path_params,
                found=refusal.code == "forbidden",
            )


def answer_problems(app: FastAPI) -> None:
    """Make the app answer every error as a problem."""
    for kind in (
        Refusal,
        RequestValidationError,
        HTTPException,
        *database.SERVER_ERRORS,
        ObjectsDownError,
        ConnectionError,
        UndecryptableError,
    ):
        app.add_exception_handler(kind, answer)
    app.add_middleware(LastResort)


class LastResort:
    """ASGI middleware: answer errors that no handler expected, and tell nothing of their details.

    The framework's own last handler passes the error on to the server, which writes its message to
    the log. Where the response has begun, the connection is cut, so that nobody takes a part of a
    file for the whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer in place of whatever failed."""
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, noting)
        except ClientDisconnect:
            # The client hung up before its request was complete: nobody waits for an answer.
            log.info("client_hung_up")
        except Exception as error:
            response = await answer(Request(scope), error)
            if begun:
                raise CutShort("the answer was cut short") from None
            await response(scope, receive, send)


class CutShort(Exception):
    """A response that had begun could not be finished. The cause is in the log already."""
