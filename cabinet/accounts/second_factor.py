"""The person's methods of the second factor: which there are, setting up and renewing (I14)."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Response
from markupsafe import Markup

from api.container import Work
from api.http.auth import From, set_cookies
from api.http.entrance import CleanRoute
from cabinet.accounts.methods import left_in_words
from cabinet.accounts.views import SecondFactorSetupView
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Inside, Visit, safe_next
from clients.database import DatabaseSession
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import FEW_CODES, Method
from services.accounts.second_factor import app, entering, recovery_codes, register
from services.accounts.sessions import OpenedSession
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/profile/second-factor")

Text = Annotated[str, Form(max_length=400)]
Wish = Annotated[str, Form(alias="next", max_length=8000)]
HERE = "/profile/second-factor"


def after_recovery(wish: str) -> str:
    """Where somebody is led who signed in by a recovery code: to set the app up anew."""
    return f"{HERE}/app?next={quote(wish)}"


@router.get("")
async def show(visit: Inside, session: Work) -> Response:
    """The methods that the person has, and what can be done with each."""
    found = {one.method: one for one in await register.offers(session, visit.actor.person_id)}
    codes = found.get(Method.RECOVERY)
    left = codes.left or 0 if codes is not None else 0
    return visit.page(
        "accounts/second_factor.html",
        app=Method.APP in found,
        codes_left=left_in_words(left) if left else "",
        few=left <= FEW_CODES,
    )


@router.get("/app")
async def app_page(
    visit: Inside, session: Work, wish: Annotated[str, Query(alias="next")] = HERE
) -> Response:
    """Set an app up, in place of the one before. Asks for a factor first."""
    return visit.page(
        "accounts/setup.html",
        field=setup_field(),
        setup=await setup_view(visit, session),
        action=f"{HERE}/app",
        next=safe_next(wish),
        inside=True,
    )


@router.post("/app")
async def confirm_app(
    visit: Inside, visitor: From, session: Work, code: Text = "", wish: Wish = HERE
) -> Response:
    """Make the app the person's by its first code; all other sessions and access tokens end."""
    try:
        done = await app.confirm_setup(
            visit.container.database, visit.signed_in, code, visitor, now(), entering.LIMITS
        )
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        message = gettext(refusal.message)
        return visit.page(
            "accounts/setup.html",
            status=refusal.status,
            field=setup_field(message),
            setup=await setup_view(visit, session),
            action=f"{HERE}/app",
            next=safe_next(wish),
            inside=True,
            errors=[ErrorItem(message, "#field-code")],
        )
    return codes_page(visit, done.opened, done.recovery_codes, safe_next(wish))


@router.post("/recovery-codes")
async def renew_codes(visit: Inside, visitor: From) -> Response:
    """Make a new set of recovery codes. Asks for a factor first."""
    made = await recovery_codes.renew(visit.container.database, visit.signed_in, visitor, now())
    return codes_page(visit, made.opened, made.codes, HERE)


def codes_page(
    visit: Visit, opened: OpenedSession, codes: tuple[str, ...], way_on: str
) -> Response:
    """The page that shows a new set of recovery codes. It is this answer only."""
    visit = replace(visit, frame=replace(visit.frame, csrf=opened.form_token))
    response = visit.page("accounts/recovery_codes.html", codes=codes, way_on=way_on)
    set_cookies(response, visit.container.settings, opened)
    return response


def setup_field(error: str = "") -> FieldView:
    """The field for the first code of a new app."""
    return FieldView(
        "code",
        gettext("Введите шесть цифр, которые показывает приложение"),
        "code",
        error=error,
        autocomplete="one-time-code",
    )


async def setup_view(visit: Visit, session: DatabaseSession) -> SecondFactorSetupView:
    """The seed that an app needs, as QR code and in letters."""
    institution = visit.container.settings.institution
    shown = await app.show_setup(session, visit.signed_in, now(), institution)
    secret = " ".join(shown.secret[i : i + 4] for i in range(0, len(shown.secret), 4))
    return SecondFactorSetupView(Markup(shown.qr_svg), secret, visit.signed_in.actor.name)  # noqa: S704
