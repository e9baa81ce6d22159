"""A forgotten password: asking for a link, and the page that the link opens (I14)."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.auth import From
from api.http.entrance import CleanRoute
from cabinet.accounts import methods
from cabinet.accounts.sign_in import errors_of, new_password_field
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Outside, Visit
from clients.database import DatabaseSession
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import Method
from services.accounts import password_reset
from services.accounts.password_reset import PATH, ValidLink
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

Text = Annotated[str, Form(max_length=400)]


@router.get("/sign-in/forgotten")
async def ask_page(visit: Outside) -> Response:
    """Whose password is to be set anew."""
    return _ask_page(visit)


@router.post("/sign-in/forgotten")
async def ask(visit: Outside, visitor: From, email: Text = "") -> Response:
    """Send a link to the address, if somebody signs in with it; the page is always the same."""
    try:
        if not email.strip():
            raise Refusal("incomplete", "Укажите адрес электронной почты.", 422)
        await password_reset.ask(visit.container.database, email, visitor, now())
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        return _ask_page(visit, email, in_words(refusal.message), refusal.status)
    return visit.page("accounts/reset_sent.html")


def _ask_page(visit: Visit, email: str = "", error: str = "", status: int = 200) -> Response:
    field = FieldView(
        "email",
        gettext("Электронная почта"),
        "email",
        email,
        error=error,
        autocomplete="username",
        autofocus=not error,
    )
    errors = [ErrorItem(error, "#field-email")] if error else []
    return visit.page("accounts/forgotten.html", status=status, field=field, errors=errors)


@router.get(PATH + "/{key}")
async def reset_page(visit: Outside, key: str, session: Work, method: str = "") -> Response:
    """The form that asks for a second factor and the new password."""
    try:
        link = await password_reset.valid_link(session, key, now())
        asked = await _asking(visit, session, link, key, method)
    except Refusal as refusal:
        return _dead_end(visit, refusal)
    return visit.page("accounts/reset.html", **asked)


@router.post(PATH + "/{key}")
async def reset(
    visit: Outside,
    visitor: From,
    key: str,
    session: Work,
    code: methods.Answer = "",
    method: Text = "",
    new_password: Text = "",
) -> Response:
    """Set the new password, and lead to signing in with it."""
    try:
        await password_reset.complete(
            visit.container.database,
            key,
            methods.method_of(method),
            code,
            new_password,
            visitor,
            now(),
            institution=visit.container.settings.institution,
        )
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            return _dead_end(visit, refusal)
        link = await password_reset.valid_link(session, key, now())
        asked = await _asking(visit, session, link, key, method, refusal)
        return visit.page("accounts/reset.html", status=refusal.status, **asked)
    return visit.go("/sign-in", "password_reset")


@router.post(PATH + "/{key}/begin")
async def begin(
    visit: Outside, visitor: From, key: str, session: Work, method: Text = ""
) -> Response:
    """Begin a method that needs it: a code by SMS is sent."""
    used = methods.method_of(method)
    try:
        container = visit.container
        for_browser = await password_reset.begin(
            container.database, key, used, visitor, now(), container.site
        )
    except Refusal as refusal:
        if refusal.status != 429:
            return _dead_end(visit, refusal)
        link = await password_reset.valid_link(session, key, now())
        asked = await _asking(visit, session, link, key, method, refusal)
        return visit.page("accounts/reset.html", status=429, **asked)
    return methods.begun(visit, f"{PATH}/{key}", used, "", for_browser)


async def _asking(
    visit: Visit,
    session: DatabaseSession,
    link: ValidLink,
    key: str,
    method: str,
    refusal: Refusal | None = None,
) -> dict[str, Any]:
    path = f"{PATH}/{key}"
    asked = await methods.asking(visit, session, path, "", method, of=link.person_id)
    faults = {fault.path: in_words(fault.message) for fault in refusal.fields} if refusal else {}
    return asked | {
        "field": methods.answer_field(Method(asked["chosen"].method), faults.get("code", "")),
        "password": new_password_field(faults.get("new_password", "")),
        "errors": errors_of(refusal) if refusal is not None else [],
    }


def _dead_end(visit: Visit, refusal: Refusal) -> Response:
    """The page of a link that is over, or of somebody who has no second factor."""
    return visit.page(
        "accounts/reset_over.html", status=refusal.status, message=in_words(refusal.message)
    )
