"""Signing in and out, the session's time, language and theme."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Response

from api.container import ContainerDep, Work
from api.http.auth import CurrentSession, From, ends_session, set_cookies
from api.http.entrance import CleanRoute
from cabinet.accounts import methods, second_factor
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import (
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    Halfway,
    Outside,
    Visit,
    own_path,
    safe_next,
)
from clients.database import DatabaseSession
from rules.accounts import Outcome, Stage, Step
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import Method
from services.accounts import login_log, sessions
from services.accounts import sign_in as accounts
from services.accounts.second_factor import app, entering
from services.accounts.sessions import OpenedSession
from words.translation import LANGUAGES, gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

Text = Annotated[str, Form(max_length=400)]
Wish = Annotated[str, Form(alias="next", max_length=8000)]
"""Where to go after signing in: a path with its query, which may hold many filters."""
YEAR = 365 * 24 * 3600
_AFTER = {
    Stage.CODE: "/sign-in/code",
    Stage.SETUP: "/sign-in/setup",
    Stage.PASSWORD: "/sign-in/password",
}


def _way(stage: Stage, wish: str) -> str:
    """The address of the page for this stage, which passes `wish` on; else `wish` itself."""
    step = _AFTER.get(stage)
    return f"{step}?next={quote(wish)}" if step else wish


def _go_on(visit: Visit, opened: OpenedSession, wish: str) -> Response:
    """Lead to the next step of signing in, or to where the person wanted to go."""
    response = visit.go(_way(opened.stage, safe_next(wish)))
    set_cookies(response, visit.container.settings, opened)
    return response


def sign_in_fields(email: str, error: str = "") -> tuple[FieldView, FieldView]:
    """E-mail address and password. After a refusal no field takes the focus, so the summary can."""
    return (
        FieldView(
            "email",
            gettext("Электронная почта"),
            "email",
            email,
            autocomplete="username",
            autofocus=not error,
        ),
        FieldView(
            "password",
            gettext("Пароль"),
            "password",
            error=error,
            autocomplete="current-password",
        ),
    )


def code_field(error: str = "", label: str = "") -> FieldView:
    """The six digits of the app.

    On a page with more than this field it has a label and no focus.
    """
    return FieldView(
        "code",
        label or gettext("Шесть цифр"),
        "code",
        error=error,
        autocomplete="one-time-code",
        autofocus=not (error or label),
    )


@router.get("/sign-in")
async def sign_in_page(visit: Outside, expired: bool = False) -> Response:
    """The first step. Whoever is signed in already, perhaps in another tab, goes on without it."""
    wish = safe_next(visit.request.query_params.get("next"))
    if visit.current is not None:
        return visit.go(wish)
    return visit.page(
        "accounts/sign_in.html",
        fields=sign_in_fields(""),
        next=wish,
        expired=expired,
        provider=_provider_name(visit),
        registration=visit.container.settings.registration,
    )


@router.post("/sign-in")
async def sign_in(
    visit: Outside,
    visitor: From,
    email: Text = "",
    password: Text = "",
    wish: Wish = "/",
) -> Response:
    """Check the password."""
    try:
        if not email.strip() or not password:
            raise Refusal("incomplete", "Укажите адрес электронной почты и пароль.", 422)
        opened = await accounts.sign_in(visit.container.database, email, password, visitor, now())
    except Refusal as refusal:
        if refusal.status not in (401, 403, 422, 429):
            raise
        message = gettext(refusal.message)
        return visit.page(
            "accounts/sign_in.html",
            status=422 if refusal.status == 401 else refusal.status,
            fields=sign_in_fields(email, message),
            errors=[ErrorItem(message, "#field-password")],
            next=safe_next(wish),
            expired=False,
            provider=_provider_name(visit),
            registration=visit.container.settings.registration,
        )
    return _go_on(visit, opened, wish)


def _provider_name(visit: Visit) -> str:
    """What people call the external provider; empty where there is none."""
    provider = visit.container.provider
    return provider.name if provider is not None else ""


@router.get("/sign-in/code")
async def code_page(visit: Halfway, session: Work, method: str = "") -> Response:
    """The second step, by the method that the person chooses."""
    wish = safe_next(visit.request.query_params.get("next"))
    if (ahead := _elsewhere(visit, Stage.CODE, wish)) is not None:
        return ahead
    return await methods.page(visit, session, methods.SIGN_IN, wish, method)


@router.post("/sign-in/code")
async def enter_code(
    visit: Halfway,
    visitor: From,
    session: Work,
    code: methods.Answer = "",
    method: Text = "",
    wish: Wish = "/",
) -> Response:
    """Check the code. A recovery code leads to setting the app up anew."""
    used = methods.method_of(method)
    try:
        opened = await entering.enter_code(
            visit.container.database, visit.signed_in, code, visitor, now(), method=used
        )
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        return await methods.page(visit, session, methods.SIGN_IN, safe_next(wish), method, refusal)
    if used is Method.RECOVERY:
        wish = second_factor.after_recovery(safe_next(wish))
    return _go_on(visit, opened, wish)


@router.post("/sign-in/code/begin")
async def begin_code(
    visit: Halfway, visitor: From, session: Work, method: Text = "", wish: Wish = "/"
) -> Response:
    """Begin a method that needs it: a code by SMS is sent."""
    return await methods.begin(visit, visitor, session, methods.SIGN_IN, safe_next(wish), method)


@router.get("/sign-in/setup")
async def setup_page(visit: Halfway, session: Work) -> Response:
    """The first set-up of the second factor."""
    wish = safe_next(visit.request.query_params.get("next"))
    if (ahead := _elsewhere(visit, Stage.SETUP, wish)) is not None:
        return ahead
    return await _setup_page(visit, session, wish)


@router.post("/sign-in/setup")
async def confirm_setup(
    visit: Halfway,
    visitor: From,
    session: Work,
    code: Text = "",
    wish: Wish = "/",
) -> Response:
    """Make the app the second factor by its first code, and show the recovery codes."""
    try:
        done = await app.confirm_setup(
            visit.container.database, visit.signed_in, code, visitor, now(), entering.LIMITS
        )
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        return await _setup_page(visit, session, safe_next(wish), refusal)
    way_on = _way(done.opened.stage, safe_next(wish))
    return second_factor.codes_page(visit, done.opened, done.recovery_codes, way_on)


@router.get("/sign-in/setup/sms")
async def sms_page(visit: Halfway, session: Work) -> Response:
    """Set up codes by SMS as the first factor."""
    wish = safe_next(visit.request.query_params.get("next"))
    if (ahead := _elsewhere(visit, Stage.SETUP, wish)) is not None:
        return ahead
    return await second_factor.sms_setup_page(visit, session, "/sign-in/setup/sms", wish)


@router.post("/sign-in/setup/sms/begin")
async def send_first_sms(
    visit: Halfway, visitor: From, session: Work, wish: Wish = "/"
) -> Response:
    """Send a code to the person's confirmed number."""
    path = "/sign-in/setup/sms"
    return await second_factor.begin_sms(visit, visitor, session, path, safe_next(wish))


@router.post("/sign-in/setup/sms")
async def confirm_first_sms(
    visit: Halfway, visitor: From, session: Work, code: Text = "", wish: Wish = "/"
) -> Response:
    """Make the number the second factor by its first code, and show the recovery codes."""
    done = await second_factor.confirmed_sms(
        visit, visitor, session, code, "/sign-in/setup/sms", safe_next(wish)
    )
    if isinstance(done, Response):
        return done
    way_on = _way(done.opened.stage, safe_next(wish))
    return second_factor.codes_page(visit, done.opened, done.recovery_codes, way_on)


async def _setup_page(
    visit: Visit, session: DatabaseSession, wish: str, refusal: Refusal | None = None
) -> Response:
    message = gettext(refusal.message) if refusal is not None else ""
    return visit.page(
        "accounts/setup.html",
        status=refusal.status if refusal is not None else 200,
        field=second_factor.setup_field(message),
        setup=await second_factor.setup_view(visit, session),
        action="/sign-in/setup",
        next=wish,
        inside=False,
        by_sms=await second_factor.number_to_set_up(visit, session),
        errors=[ErrorItem(message, "#field-code")] if message else [],
    )


@router.get("/sign-in/password")
async def password_page(visit: Halfway) -> Response:
    """The form for a password that must be changed: too old, or issued by somebody else."""
    wish = safe_next(visit.request.query_params.get("next"))
    if (ahead := _elsewhere(visit, Stage.PASSWORD, wish)) is not None:
        return ahead
    return _password_form(visit, wish)


@router.post("/sign-in/password")
async def change_password(
    visit: Halfway,
    visitor: From,
    old_password: Text = "",
    new_password: Text = "",
    wish: Wish = "/",
) -> Response:
    """Change the password and go on."""
    opened = await changed_password(visit, visitor, old_password, new_password)
    if isinstance(opened, Refusal):
        return _password_form(visit, safe_next(wish), opened)
    return _go_on(visit, opened, wish)


async def changed_password(
    visit: Visit, visitor: sessions.Visitor, old: str, new: str
) -> OpenedSession | Refusal:
    """The session after changing the password, or the refusal."""
    try:
        return await accounts.change_password(
            visit.container.database,
            visit.signed_in,
            old,
            new,
            visitor,
            now(),
            institution=visit.container.settings.institution,
        )
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        return refusal


def password_fields(refusal: Refusal | None = None) -> tuple[FieldView, FieldView]:
    """The present password and the new one."""
    wrong = {fault.path: in_words(fault.message) for fault in refusal.fields} if refusal else {}
    return (
        FieldView(
            "old_password",
            gettext("Текущий пароль"),
            "password",
            error=wrong.get("old_password", ""),
            autocomplete="current-password",
        ),
        new_password_field(wrong.get("new_password", "")),
    )


def new_password_field(error: str = "") -> FieldView:
    """The field for a new password."""
    return FieldView(
        "new_password",
        gettext("Новый пароль"),
        "password",
        hint=gettext("От 12 знаков. Хорошо подходят четыре слова, не связанные между собой."),
        error=error,
        autocomplete="new-password",
    )


def errors_of(refusal: Refusal) -> list[ErrorItem]:
    """The error summary of a refused form."""
    found = [ErrorItem(in_words(f.message), f"#field-{f.path}") for f in refusal.fields]
    return found or [ErrorItem(in_words(refusal.message))]


def _password_form(visit: Visit, wish: str, refusal: Refusal | None = None) -> Response:
    context: dict[str, Any] = {"errors": errors_of(refusal)} if refusal else {}
    return visit.page(
        "accounts/password.html",
        status=refusal.status if refusal else 200,
        why=gettext("Пароль пора сменить: ему больше 90 дней или его выдал вам кто-то другой."),
        action="/sign-in/password",
        fields=password_fields(refusal),
        next=wish,
        **context,
    )


@router.post("/sign-out")
async def sign_out(visit: Halfway, visitor: From, session: Work) -> Response:
    """Sign out on this device."""
    current, moment = visit.signed_in, now()
    if current.session_id is not None:
        await sessions.end_session(
            session, current.person_id, current.session_id, "sign_out", moment
        )
        await login_log.note(
            session, Step.SIGN_OUT, Outcome.PASSED, visitor, moment, person_id=current.person_id
        )
    response = visit.go("/sign-in")
    ends_session(visit.container, response)
    return response


@router.post("/session", status_code=204)
async def stay(current: CurrentSession) -> None:
    """Stay signed in: this request counts as activity of the person who pressed the button."""


@router.post("/preferences")
async def set_preferences(
    visit: Outside,
    container: ContainerDep,
    language: Text = "",
    theme: Text = "",
    wish: Wish = "/",
) -> Response:
    """Choose language or theme: kept in cookies, and with the account of whoever is signed in."""
    response = visit.go(own_path(wish))
    language = language if language in LANGUAGES else ""
    theme = theme if theme in ("light", "dark", "system") else ""
    if visit.current is not None:
        async with container.database.work() as session:
            await accounts.set_preferences(
                session, visit.current.person_id, language=language or None, theme=theme or None
            )
    for name, value in ((LANGUAGE_COOKIE, language), (THEME_COOKIE, theme)):
        if value:
            response.set_cookie(
                name,
                value,
                max_age=YEAR,
                path="/",
                secure=container.settings.cookie_secure,
                httponly=True,
                samesite="lax",
            )
    return response


def _elsewhere(visit: Visit, expected: Stage, wish: str) -> Response | None:
    """A redirect to the step that the person is at, or None when it is the expected one."""
    stage = visit.signed_in.stage
    if stage == expected:
        return None
    return visit.go(_way(stage, wish))
