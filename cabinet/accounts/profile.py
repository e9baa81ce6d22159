"""The person's own data, sessions, login journal, password and access tokens (I4, I5)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.auth import From, set_cookies
from api.http.entrance import CleanRoute
from cabinet.accounts import methods
from cabinet.accounts.right_words import right_words
from cabinet.accounts.sign_in import Wish, changed_password, code_field, errors_of, password_fields
from cabinet.accounts.views import LoginLine, Profile, SessionView, TokenLine
from cabinet.frame.views import ErrorItem, FieldView, Option
from cabinet.frame.visits import Inside, Visit, safe_next
from clients.database import DatabaseSession
from rules.access import Permission, permissions_of
from rules.accounts import Outcome, Step
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import Method
from rules.staff.right_names import RIGHT_NAMES
from rules.texts import identifiers
from rules.texts.cleaning import in_order
from services.accounts import access_tokens, login_log, people, sessions
from services.accounts.login_log import AttemptSeen
from services.accounts.people import PersonnelFile
from services.accounts.second_factor import entering, register
from services.accounts.sessions import OpenedSession, Visitor
from words.translation import gettext, in_words, marked

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/profile")
account = APIRouter(route_class=CleanRoute, include_in_schema=False)

Text = Annotated[str, Form(max_length=400)]

_STEPS = {
    Step.PASSWORD: marked("Пароль"),
    Step.CODE: marked("Код"),
    Step.SETUP: marked("Подключение второго фактора"),
    Step.FACTOR_REMOVED: marked("Отключение второго фактора"),
    Step.CHECK: marked("Подтверждение кодом"),
    Step.RECOVERY_CODES: marked("Новые коды восстановления"),
    Step.PASSWORD_CHANGE: marked("Смена пароля"),
    Step.RESET_ASKED: marked("Запрос нового пароля"),
    Step.REGISTRATION_ASKED: marked("Запрос на регистрацию"),
    Step.PASSWORD_RESET: marked("Новый пароль по ссылке"),
    Step.SIGN_OUT: marked("Выход"),
    Step.SESSION_ENDED: marked("Завершение сеанса"),
    Step.TOKEN_MADE: marked("Новый ключ"),
    Step.TOKEN_ENDED: marked("Отзыв ключа"),
    Step.LOCK: marked("Блокировка"),
    Step.UNLOCK: marked("Разблокировка"),
    Step.PROVIDER: marked("Вход через поставщика"),
    Step.PROVIDER_LINKED: marked("Подключение входа через поставщика"),
    Step.PROVIDER_UNLINKED: marked("Отключение входа через поставщика"),
}
_WRONG = {
    Step.PROVIDER: marked("Внешний вход не связан"),
    Step.PASSWORD: marked("Неверный пароль"),
    Step.PASSWORD_CHANGE: marked("Неверный текущий пароль"),
}
_OUTCOMES = {
    Outcome.PASSED: marked("успешно"),
    Outcome.REUSED: marked("уже использован"),
    Outcome.TOO_OFTEN: marked("слишком часто"),
    Outcome.LOCKED: marked("учётная запись заблокирована"),
    Outcome.REFUSED: marked("отказано"),
}


@router.get("")
async def show(visit: Inside, session: Work) -> Response:
    """What is known of the person, and where they are signed in."""
    current = visit.signed_in
    known = await people.personnel_file(session, current.person_id)
    settings = visit.container.settings
    held = {unit for grant in visit.actor.grants for unit in grant.units}
    units = await people.unit_names(session, held)
    seen = await sessions.sessions_of(
        session,
        current,
        now(),
        timedelta(seconds=settings.session_idle),
        visit.container.activity,
    )
    tried = await login_log.attempts_of(session, current.person_id, now(), 20)
    return visit.page(
        "accounts/profile.html",
        profile=Profile(
            facts=_facts(known),
            roles=[
                (
                    right_words(grant.right),
                    ", ".join(sorted((units[u] for u in grant.units if u in units), key=in_order)),
                )
                for grant in visit.actor.grants
            ],
            sessions=[
                SessionView(
                    str(one.id),
                    one.device,
                    one.address,
                    one.created_at,
                    one.last_active,
                    one.is_this,
                )
                for one in seen
            ],
            logins=login_lines(tried),
            provider=visit.container.provider.name if visit.container.provider else "",
        ),
    )


def login_lines(tried: Sequence[AttemptSeen]) -> list[LoginLine]:
    """The login journal in words."""
    return [
        LoginLine(
            entry.at,
            _happened(entry) + (f" × {entry.times}" if entry.times > 1 else ""),
            entry.outcome == Outcome.PASSED,
            entry.device,
            entry.address,
        )
        for entry in tried
    ]


def _happened(entry: AttemptSeen) -> str:
    """An entry of the login journal in words: «Пароль: успешно», «Неверный код»."""
    step, outcome = Step(entry.step), Outcome(entry.outcome)
    if outcome is Outcome.WRONG:
        return gettext(_WRONG.get(step, "Неверный код"))
    what = _STEPS[step]
    if entry.method is not None and step in (Step.CODE, Step.CHECK):
        what = methods.WORDINGS[Method(entry.method)].name
    return f"{gettext(what)}: {gettext(_OUTCOMES[outcome])}"


@account.get("/account")
async def lead_to_profile(visit: Inside) -> Response:
    """Links of security notices lead here, and go on to the profile."""
    return visit.go("/profile")


def _facts(known: PersonnelFile) -> list[tuple[str, str]]:
    facts = [
        (gettext("Фамилия, имя, отчество"), known.name),
        (gettext("Должность"), known.position),
        (gettext("Подразделение"), known.unit),
        (gettext("Электронная почта"), known.email),
        (gettext("Телефон"), known.phone or ""),
        (gettext("СНИЛС"), known.snils or ""),
        (gettext("ИНН"), known.inn or ""),
    ]
    return [(label, value) for label, value in facts if value]


@router.post("/sessions/end-others")
async def end_others(visit: Inside, visitor: From, session: Work) -> Response:
    """End all sessions but this one. Asks for a code when the last is older than five minutes."""
    current, moment = visit.signed_in, now()
    current.demand_fresh(moment)
    await sessions.end_sessions(session, current.person_id, "ended", moment, but=current.session_id)
    await login_log.note(
        session, Step.SESSION_ENDED, Outcome.PASSED, visitor, moment, person_id=current.person_id
    )
    return visit.go("/profile", "session_ended")


@router.post("/sessions/{session_id}/end")
async def end_one(session_id: UUID, visit: Inside, visitor: From, session: Work) -> Response:
    """End one session."""
    current, moment = visit.signed_in, now()
    current.demand_fresh(moment)
    await sessions.end_session(session, current.person_id, session_id, "ended", moment)
    await login_log.note(
        session, Step.SESSION_ENDED, Outcome.PASSED, visitor, moment, person_id=current.person_id
    )
    return visit.go("/profile", "session_ended")


@router.get("/confirm")
async def confirm_page(
    visit: Inside,
    session: Work,
    wish: Annotated[str, Query(alias="next")] = "/",
    method: str = "",
) -> Response:
    """Ask for a code before a dangerous act."""
    return await methods.page(visit, session, methods.CONFIRM, safe_next(wish), method)


@router.post("/confirm")
async def confirm(
    visit: Inside,
    visitor: From,
    session: Work,
    code: methods.Answer = "",
    method: Text = "",
    wish: Wish = "/",
) -> Response:
    """Check the code and return to the page, where the person repeats the act."""
    try:
        opened = await _checked(visit, visitor, code, methods.method_of(method))
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        return await methods.page(visit, session, methods.CONFIRM, safe_next(wish), method, refusal)
    response = visit.go(safe_next(wish), "confirmed")
    set_cookies(response, visit.container.settings, opened)
    return response


@router.post("/confirm/begin")
async def begin_code(
    visit: Inside, visitor: From, session: Work, method: Text = "", wish: Wish = "/"
) -> Response:
    """Begin a method that needs it: a code by SMS is sent."""
    return await methods.begin(visit, visitor, session, methods.CONFIRM, safe_next(wish), method)


@router.get("/password")
async def password_page(visit: Inside) -> Response:
    """The form to change one's password."""
    return _password_form(visit)


@router.post("/password")
async def change_password(
    visit: Inside, visitor: From, old_password: Text = "", new_password: Text = ""
) -> Response:
    """Change the password. All other sessions and all access tokens end."""
    opened = await changed_password(visit, visitor, old_password, new_password)
    if isinstance(opened, Refusal):
        return _password_form(visit, opened)
    response = visit.go("/profile", "password")
    set_cookies(response, visit.container.settings, opened)
    return response


def _password_form(visit: Visit, refusal: Refusal | None = None) -> Response:
    return visit.page(
        "accounts/password.html",
        status=refusal.status if refusal else 200,
        why=gettext(
            "После смены на других устройствах нужно будет войти заново, а ключи доступа к API"
            " сделать новые."
        ),
        action="/profile/password",
        fields=password_fields(refusal),
        next="/profile",
        errors=errors_of(refusal) if refusal else [],
    )


@router.get("/tokens")
async def list_tokens(visit: Inside, session: Work) -> Response:
    """The person's access tokens for programs."""
    return visit.page("accounts/tokens.html", **await _tokens(visit, session))


@router.post("/tokens")
async def make_token(
    visit: Inside,
    visitor: From,
    name: Text = "",
    days: Text = "",
    code: Text = "",
    scope: Annotated[list[str] | None, Form(max_length=50)] = None,
) -> Response:
    """Make a token. Its text is shown on this response only."""
    chosen = [Permission(right) for right in scope or () if right in set(Permission)]
    faults = _token_faults(name, days, chosen)
    opened: OpenedSession | None = None
    made: access_tokens.Made | None = None
    database = visit.container.database
    try:
        if not faults:
            fresh = visit.signed_in
            if await _has_app(visit):
                opened = await _checked(visit, visitor, code)
                fresh = replace(fresh, second_factor_at=now(), session_id=opened.session_id)
            async with database.work() as session:
                made = await access_tokens.make(
                    session, fresh, name.strip(), chosen, int(days), visitor, now()
                )
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        faults = {f.path: in_words(f.message) for f in refusal.fields}
        faults = faults or {"code": in_words(refusal.message)}
    if opened is not None:
        visit = replace(visit, frame=replace(visit.frame, csrf=opened.form_token))
    async with database.work() as session:
        shown = await _tokens(visit, session)
    if made is not None:
        response = visit.page("accounts/tokens.html", **{**shown, "fresh": made.text})
    else:
        response = visit.page(
            "accounts/tokens.html",
            status=422,
            **{
                **shown,
                "fields": _token_fields(name, days, faults),
                "chosen": [right.value for right in chosen],
                "scope_error": faults.get("scope", ""),
                "code": shown["code"] and _token_code(faults.get("code", "")),
                "errors": [ErrorItem(words, f"#field-{at}") for at, words in faults.items()],
            },
        )
    if opened is not None:
        set_cookies(response, visit.container.settings, opened)
    return response


@router.post("/tokens/{token_id}/revoke")
async def end_token(token_id: UUID, visit: Inside, visitor: From, session: Work) -> Response:
    """End a token at once."""
    await access_tokens.end(session, visit.signed_in, token_id, visitor, now())
    return visit.go("/profile/tokens", "token_ended")


def _token_faults(name: str, days: str, chosen: list[Permission]) -> dict[str, str]:
    faults = {}
    if not 1 <= len(name.strip()) <= 100:
        faults["name"] = gettext("Напишите, для чего ключ: до 100 знаков")
    if identifiers.whole(days, 1, 90) is None:
        faults["days"] = gettext("Напишите число дней от 1 до 90")
    if not chosen:
        faults["scope"] = gettext("Отметьте хотя бы одно право")
    return faults


def _token_fields(name: str, days: str, faults: dict[str, str]) -> tuple[FieldView, FieldView]:
    return (
        FieldView(
            "name",
            gettext("Название"),
            value=name,
            hint=gettext("Для чего ключ, например «Выгрузка для отчёта»"),
            error=faults.get("name", ""),
        ),
        FieldView(
            "days",
            gettext("Сколько дней действует"),
            "number",
            days,
            hint=gettext("От 1 до 90"),
            error=faults.get("days", ""),
        ),
    )


async def _tokens(visit: Visit, session: DatabaseSession) -> dict[str, Any]:
    found = await access_tokens.tokens_of(session, visit.actor.person_id, now())
    held = {
        right
        for grant in visit.actor.grants
        for right in permissions_of(grant.right)
        if visit.actor.may(right)
    }
    return {
        "tokens": [
            TokenLine(
                str(token.id),
                token.name,
                ", ".join(gettext(RIGHT_NAMES[Permission(right)]) for right in token.scope),
                token.created_at,
                token.ends_at,
                token.last_used_at,
                f"/profile/tokens/{token.id}/revoke",
            )
            for token in found
        ],
        "fields": _token_fields("", "30", {}),
        "scopes": [Option(right.value, gettext(RIGHT_NAMES[right])) for right in sorted(held)],
        "chosen": [],
        "scope_error": "",
        "code": _token_code() if await _has_app(visit) else None,
        "fresh": "",
    }


def _token_code(error: str = "") -> FieldView:
    return code_field(error, gettext("Код из приложения"))


async def _has_app(visit: Visit) -> bool:
    """Whether a code of the app can be asked for on the page; without one, a check comes before."""
    async with visit.container.database.work() as session:
        offered = await register.offers(session, visit.signed_in.person_id)
    return any(offer.method is Method.APP for offer in offered)


async def _checked(
    visit: Visit, visitor: Visitor, code: str, method: Method = Method.APP
) -> OpenedSession:
    return await entering.enter_code(
        visit.container.database, visit.signed_in, code, visitor, now(), method=method
    )
