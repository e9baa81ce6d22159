"""Who sends a request, known by session cookie or access token, and to whom each route is open.

Every route declares its openness by one of the rules below, so that a test can list them all:
`OPEN_TO_ALL`, `Public`, `SigningIn`, `SignedIn`, `CurrentSession`, `CurrentActor`, or
`Annotated[Actor, require(permission)]`. What a person may do with one case or document is decided
in services.
"""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant

from api.container import Container, ContainerDep, container_of
from api.http.token_routes import TOKEN_ROUTES
from clients.telemetry.logs import route_of
from rules.access import Actor, Permission
from rules.accounts import (
    Stage,
    client_address,
    device_of,
    from_own_page,
    not_signed_in,
    session_ended,
    step_needed,
)
from rules.clock import now
from rules.refusals import Refusal
from rules.risks import RiskKind
from services.accounts.recognising import (
    Cookies,
    DeviceTokenReused,
    recognise,
    recognise_token,
)
from services.accounts.risks import device_reuse
from services.accounts.sessions import Current, OpenedSession, Visitor, form_token
from settings import Settings

BACKGROUND = "X-Medcab-Background"
FORM_HEADER = "X-CSRF-Token"
FORM_FIELD = "csrf_token"
DEVICE_LIFE = timedelta(days=400)

_HALF = re.compile("[\ud800-\udfff]")
_NOT_TEXT = "В запросе есть знаки, которых не бывает в тексте. Уберите их и повторите."

_WHATEVER_IS_USED = frozenset(
    {
        "GET /profile/lock",
        "POST /profile/lock",
        "POST /sign-out",
        "POST /api/v1/account/lock",
        "DELETE /api/v1/session",
    }
)
"""Open also to somebody whose requests are paused: ways to end it."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OUTSIDE = re.compile(
    r"/sign-in|/sign-in/forgotten|/sign-in/reset/[^/]+(/begin)?|/preferences|/invitation/[^/]+"
    r"|/registration(/[^/]+)?|/not-me/[^/]+|/unlock/[^/]+(/book|/cancel)?"
)
"""Forms of pages shown before signing in.

Another tab may have signed in since, so here a token bound to the device counts too.
"""
_WITHOUT_FORM_TOKEN = frozenset(
    {
        "/api/v1/sign-in",
        "/api/v1/invitation",
        "/api/v1/registration",
        "/api/v1/registration/confirm",
    }
)
"""They need no cookie, and take JSON only, which other sites cannot make a browser send."""
_STREAMED_FORMS = re.compile(
    r"/documents/files(/.*)?|/requests/[^/]+/answer|/administration/staff|/patients/import"
)
"""Forms with files, read as a stream.

Their routes check the token with `demand_form_token` once the fields before the first file are
read.
"""
_OF_TEMPORAL = ("/temporal/", "/codec/")
"""Called by the Temporal UI, which cannot send our form token; only its origin is checked."""
_BY_ITSELF = ("/temporal/api/", "/codec/")
"""Polled by the Temporal UI with nobody at the browser: it does not count as activity."""


class CookieNames(NamedTuple):
    """The names of our cookies: the session's, the device's, and the account's on that device."""

    session: str
    device: str
    account: str


def cookie_names(settings: Settings) -> CookieNames:
    """The names of our cookies, with `__Host-` wherever cookies are secure."""
    prefix = "__Host-" if settings.cookie_secure else ""
    return CookieNames(f"{prefix}medcab", f"{prefix}medcab-device", f"{prefix}medcab-account")


def set_device_cookie(response: Response, settings: Settings, device_token: str) -> None:
    """Name the browser: the name shows which devices are new, and sessions are bound to it."""
    _set_lasting(response, settings, cookie_names(settings).device, device_token)


def _set_lasting(response: Response, settings: Settings, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(DEVICE_LIFE.total_seconds()),
        path="/",
        secure=settings.cookie_secure,
        httponly=True,
        samesite="lax",
    )


def set_cookies(response: Response, settings: Settings, opened: OpenedSession) -> None:
    """Set the cookies of a session just opened; the session cookie goes when the browser is closed.

    SameSite is `lax`, so that the link in a mail leads straight to the case.
    """
    response.set_cookie(
        cookie_names(settings).session,
        opened.token,
        path="/",
        secure=settings.cookie_secure,
        httponly=True,
        samesite="lax",
    )
    set_device_cookie(response, settings, opened.device_token)
    if opened.account_token:
        _set_lasting(response, settings, cookie_names(settings).account, opened.account_token)


def _keep_renewed(request: Request, settings: Settings, account_token: str) -> None:
    """Let the answer, whatever it is, give the browser the token that its device has from now on.

    `api.http.headers` does it: the answer may be that of an error.
    """
    carrier = Response()
    _set_lasting(carrier, settings, cookie_names(settings).account, account_token)
    request.state.set_cookie = carrier.headers["set-cookie"]


def drop_session_cookie(response: Response, settings: Settings) -> None:
    """Make the browser forget the session; the device stays known."""
    response.delete_cookie(
        cookie_names(settings).session,
        path="/",
        secure=settings.cookie_secure,
        httponly=True,
        samesite="lax",
    )


def visitor_of(request: Request) -> Visitor:
    """Where the request comes from. A browser without a device cookie gets a new name."""
    settings = container_of(request).settings
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    if visitor is None:
        peer = request.client.host if request.client else ""
        known = request.cookies.get(cookie_names(settings).device, "")
        visitor = Visitor(
            address=client_address(
                peer, request.headers.get("x-forwarded-for"), settings.trusted_proxies
            ),
            device=device_of(request.headers.get("user-agent")),
            device_token=known if len(known) >= 22 else secrets.token_urlsafe(16),
            account_token=request.cookies.get(cookie_names(settings).account, ""),
        )
        request.state.visitor = visitor
    return visitor


def has_session(request: Request) -> bool:
    """Whether the browser sent a session cookie, valid or not."""
    return cookie_names(container_of(request).settings).session in request.cookies


def form_token_of(request: Request) -> str:
    """The form token (`csrf_token`) for the page that answers this request.

    It is bound to the session if there is one, else to the device, whose cookie the answer must
    then set. An expired session's cookie is not used for it: signing in replaces that cookie.
    """
    current: Current | None = getattr(request.state, "current", None)
    if current is not None and current.session_id is not None:
        return current.form_token
    return form_token(visitor_of(request).device_token)


def _bearer(request: Request) -> str | None:
    header = request.headers.get("authorization")
    if header is None:
        return None
    kind, _, token = header.partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def guard(request: Request) -> None:
    """Before every route, refuse what another site made a browser send (CSRF), and invalid text.

    A request with an `Authorization` header is exempt from the checks against CSRF: browsers never
    add that header by themselves, and its cookies are then ignored.
    """
    _demand_text(request)
    if request.method in _SAFE or _bearer(request) is not None:
        return
    settings = container_of(request).settings
    parts = urlsplit(settings.public_url)
    headers = request.headers
    if not from_own_page(
        headers.get("sec-fetch-site"), headers.get("origin"), f"{parts.scheme}://{parts.netloc}"
    ):
        raise Refusal("cross_site", "Запрос отправлен с посторонней страницы.", 403)
    path = request.url.path
    if path in _WITHOUT_FORM_TOKEN or path.startswith(_OF_TEMPORAL):
        return
    if path.startswith("/api/") and not has_session(request):
        return
    if _STREAMED_FORMS.fullmatch(path) and _kind_of(request) == "multipart/form-data":
        return
    sent = await _sent_form_token(request)
    if not _fits(request, sent):
        raise await _stale(request)


def _demand_text(request: Request) -> None:
    """Raise Refusal where the address, a JSON body or a form holds what PostgreSQL or UTF-8 cannot.

    That is NUL, and half of a surrogate pair. Only a body that was parsed before is checked.
    """
    if "\x00" in request.url.path or b"%00" in request.scope["query_string"]:
        raise Refusal("not_text", _NOT_TEXT, 400)
    form = getattr(request, "_form", None)
    waiting = [getattr(request, "_json", None), *(form.multi_items() if form is not None else ())]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if "\x00" in value or (not value.isascii() and _HALF.search(value)):
                raise Refusal("not_text", _NOT_TEXT, 422)
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple):
            waiting += value


def demand_form_token(request: Request, sent: str | None) -> None:
    """Raise Refusal 403 unless `sent` is a form token of this session."""
    if not _fits(request, sent):
        raise stale_form()


def _fits(request: Request, sent: str | None) -> bool:
    cookie = request.cookies.get(cookie_names(container_of(request).settings).session)
    bound_to = [cookie] if cookie else []
    if not cookie or _OUTSIDE.fullmatch(request.url.path):
        bound_to.append(visitor_of(request).device_token)
    return any(compare_digest((sent or "").encode(), form_token(it).encode()) for it in bound_to)


async def _stale(request: Request) -> Refusal:
    """The refusal of a form of another session: 401 where nobody is signed in now, else 403."""
    current = await identify(request, container_of(request))
    return session_ended() if current is None else stale_form()


def stale_form() -> Refusal:
    """The refusal of a form whose page belongs to another session than the present one."""
    return Refusal("form_token", "Страница устарела. Откройте её заново и повторите.", 403)


def _kind_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _sent_form_token(request: Request) -> str:
    """The form token from the header or the form. A form with files is not read for it."""
    sent: Any = request.headers.get(FORM_HEADER)
    kind = _kind_of(request)
    read_already = getattr(request, "_form", None) is not None
    if sent is None and (kind == "application/x-www-form-urlencoded" or read_already):
        sent = (await request.form()).get(FORM_FIELD)
        _demand_text(request)
    return sent if isinstance(sent, str) else ""


async def identify(request: Request, container: ContainerDep) -> Current | None:
    """The session or access token of the request, or None if it has no valid one.

    One query on a connection of its own, so no connection is held for the rest of the request.
    """
    bearer = _bearer(request)
    current: Current | None = None
    request.state.refusal = not_signed_in()
    moment = now()
    try:
        if bearer is not None:
            current = await recognise_token(container.database, bearer, moment, container.activity)
        else:
            names, cookies = cookie_names(container.settings), request.cookies
            cookie = cookies.get(names.session)
            if cookie:
                current = await recognise(
                    container.database,
                    Cookies(cookie, cookies.get(names.device), cookies.get(names.account)),
                    moment,
                    timedelta(seconds=container.settings.session_idle),
                    container.activity,
                    counts=BACKGROUND not in request.headers
                    and not request.url.path.startswith(_BY_ITSELF),
                    reads=request.method in _SAFE,
                )
                if current.account_token:
                    _keep_renewed(request, container.settings, current.account_token)
        asked = f"{request.method} {request.url.path}"
        if current is not None and asked not in _WHATEVER_IS_USED:
            container.watch.demand(current, moment)
            await container.watch.used(RiskKind.RATE, current, visitor_of(request), moment)
    except DeviceTokenReused as reused:
        await device_reuse.answer(container.database, reused, visitor_of(request), moment)
        request.state.refusal = reused
    except Refusal as refusal:
        current = None
        request.state.refusal = refusal
    request.state.current = current
    return current


Identified = Annotated[Current | None, Depends(identify)]


@dataclass(frozen=True)
class Openness:
    """To whom a route is open, as `declared` reads it."""

    to: str
    permission: Permission | None = None


class _Open:
    """Open to everybody; does not find out who asks."""

    openness = Openness("public")

    async def __call__(self) -> None:
        return None


class _Public:
    """Open to everybody; gives the session of whoever is signed in."""

    openness = Openness("public")

    async def __call__(self, current: Identified) -> Current | None:
        return current if current is not None and current.stage == Stage.OPEN else None


class _SigningIn:
    """Open to whoever has at least entered the password, but not to access tokens."""

    openness = Openness("signing_in")

    async def __call__(self, request: Request, current: Identified) -> Current:
        if current is None:
            raise request.state.refusal
        if current.session_id is None:
            raise session_needed()
        return current


class _SignedIn:
    """Open to whoever has signed in, and to access tokens whose scope opens the route."""

    openness = Openness("signed_in")

    async def __call__(self, request: Request, current: Identified) -> Current:
        if current is None:
            raise request.state.refusal
        if current.stage != Stage.OPEN:
            raise step_needed(current.stage)
        if current.actor.scope is not None:
            _demand_scope(request, current.actor.scope)
        return current


def _demand_scope(request: Request, scope: frozenset[Permission]) -> None:
    """Raise Refusal 403 unless a token of this scope opens the route of the request."""
    opened_by = TOKEN_ROUTES.get(f"{request.method} {route_of(request.scope)}")
    if opened_by is None:
        raise session_needed()
    if scope.isdisjoint(opened_by):
        words = "У этого ключа доступа нет нужного права. Сделайте ключ с одним из таких прав."
        raise Refusal("forbidden", words, 403, needs_one_of=sorted(opened_by))


_signed_in = _SignedIn()


class _OwnSession:
    """Open to a person at a browser, but not to access tokens."""

    openness = Openness("session")

    async def __call__(self, current: Annotated[Current, Depends(_signed_in)]) -> Current:
        if current.session_id is None:
            raise session_needed()
        return current


class _Actor:
    """Open to whoever is signed in; gives the person with their rights."""

    openness = Openness("signed_in")

    async def __call__(self, current: Annotated[Current, Depends(_signed_in)]) -> Actor:
        return current.actor


class _Require:
    """Open to whoever holds the permission in some unit; gives the person with their rights."""

    def __init__(self, permission: Permission) -> None:
        self.openness = Openness("permission", permission)
        self._permission = permission

    async def __call__(self, current: Annotated[Current, Depends(_signed_in)]) -> Actor:
        current.actor.demand(self._permission)
        return current.actor


_open = _Open()
_public = _Public()
_signing_in = _SigningIn()
_own_session = _OwnSession()
_actor = _Actor()

Public = Annotated[Current | None, Depends(_public)]
SigningIn = Annotated[Current, Depends(_signing_in)]
SignedIn = Annotated[Current, Depends(_signed_in)]
CurrentSession = Annotated[Current, Depends(_own_session)]
CurrentActor = Annotated[Actor, Depends(_actor)]
From = Annotated[Visitor, Depends(visitor_of)]
OPEN_TO_ALL = Depends(_open)
"""For `dependencies=[…]` of a route that is open to everybody and does not find out who asks."""


def require(permission: Permission) -> Any:
    """The dependency of a route that needs a permission: `Annotated[Actor, require(…)]`."""
    return Depends(_Require(permission))


def session_needed() -> Refusal:
    """The refusal of an access token where a person at a browser is required."""
    return Refusal(
        "session_needed", "Для этого войдите в кабинет: ключ доступа здесь не действует.", 403
    )


def declared(dependant: Dependant) -> set[Openness]:
    """The rules that a route declares itself, without the dependencies of those rules."""
    found: set[Openness] = set()
    for used in dependant.dependencies:
        call: Callable[..., Any] | None = used.call
        openness = getattr(call, "openness", None)
        if isinstance(openness, Openness):
            found.add(openness)
        else:
            found |= declared(used)
    return found


def ends_session(container: Container, response: Response) -> None:
    """Make `response` a sign-out: it deletes the session cookie and all that the browser stored."""
    drop_session_cookie(response, container.settings)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
