"""The person's methods of the second factor: which there are, setting up and renewing (I14)."""

from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Response
from markupsafe import Markup

from api.container import Work
from api.http.auth import From, set_cookies
from api.http.entrance import CleanRoute
from cabinet.accounts.methods import answer_field, left_in_words
from cabinet.accounts.views import PasskeyView, SecondFactorSetupView
from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Inside, Visit, safe_next
from clients.database import DatabaseSession
from crypto.passkeys import RelyingParty
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import FEW_CODES, Method, last_digits, no_phone
from services.accounts.second_factor import (
    app,
    enrolling,
    entering,
    passkeys,
    recovery_codes,
    register,
    sms,
)
from services.accounts.second_factor.confirmed_phone import confirmed_phone
from services.accounts.sessions import OpenedSession, Visitor
from words.translation import gettext, in_words

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
        sms=found[Method.SMS].hint if Method.SMS in found else "",
        number=await number_to_set_up(visit, session),
        passkeys=[
            PasskeyView(str(one.id), one.name, one.created_at, one.last_used_at)
            for one in await passkeys.passkeys_of(session, visit.actor.person_id)
        ],
        passkeys_work=RelyingParty.at(visit.container.settings.public_url) is not None,
        may_remove=len(found) - (Method.RECOVERY in found) > 1,
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
        by_sms="",
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
            by_sms="",
            errors=[ErrorItem(message, "#field-code")],
        )
    return codes_page(visit, done.opened, done.recovery_codes, safe_next(wish))


@router.post("/recovery-codes")
async def renew_codes(visit: Inside, visitor: From) -> Response:
    """Make a new set of recovery codes. Asks for a factor first."""
    made = await recovery_codes.renew(visit.container.database, visit.signed_in, visitor, now())
    return codes_page(visit, made.opened, made.codes, HERE)


@router.get("/sms")
async def sms_page(visit: Inside, session: Work) -> Response:
    """Have codes sent by SMS. Asks for a factor first."""
    enrolling.demand_right(visit.signed_in, now())
    return await sms_setup_page(visit, session, f"{HERE}/sms", HERE)


@router.post("/sms/begin")
async def send_sms(visit: Inside, visitor: From, session: Work) -> Response:
    """Send a code to the person's confirmed number."""
    return await begin_sms(visit, visitor, session, f"{HERE}/sms", HERE)


@router.post("/sms")
async def confirm_sms(visit: Inside, visitor: From, session: Work, code: Text = "") -> Response:
    """Make the number the person's by the code that was sent to it."""
    done = await confirmed_sms(visit, visitor, session, code, f"{HERE}/sms", HERE)
    if isinstance(done, Response):
        return done
    return back_to_list(visit, done.opened, "factor_added")


@router.post("/{method}/remove")
async def remove(method: Method, visit: Inside, visitor: From) -> Response:
    """Remove a method, though not the last one. Asks for a factor first."""
    database = visit.container.database
    opened = await register.remove(database, visit.signed_in, method, visitor, now())
    return back_to_list(visit, opened, "factor_removed")


def back_to_list(visit: Visit, opened: OpenedSession, done: str) -> Response:
    """To the list of methods, with the cookies of the session that went on."""
    response = visit.go(HERE, done)
    set_cookies(response, visit.container.settings, opened)
    return response


async def number_to_set_up(visit: Visit, session: DatabaseSession) -> str:
    """The end of the person's confirmed number; empty if there is none."""
    phone = await confirmed_phone(session, visit.signed_in.person_id)
    return last_digits(phone) if phone else ""


async def sms_setup_page(
    visit: Visit, session: DatabaseSession, path: str, wish: str, refusal: Refusal | None = None
) -> Response:
    """The page that has a code sent to the person's number and asks for it."""
    number = await number_to_set_up(visit, session)
    if not number:
        raise no_phone()
    error = in_words(refusal.message) if refusal is not None else ""
    return visit.page(
        "accounts/sms_setup.html",
        status=refusal.status if refusal is not None else 200,
        number=number,
        field=answer_field(Method.SMS, error),
        action=path,
        next=wish,
        errors=[ErrorItem(error, "#field-code")] if error else [],
    )


async def begin_sms(
    visit: Visit, visitor: Visitor, session: DatabaseSession, path: str, wish: str
) -> Response:
    """Send the code, and lead back to the page at `path`, which asks for it."""
    try:
        await sms.begin_setup(visit.container.database, visit.signed_in, visitor, now())
    except Refusal as refusal:
        if refusal.status != 429:
            raise
        return await sms_setup_page(visit, session, path, wish, refusal)
    return visit.go(f"{path}?next={quote(wish)}", "code_sent")


async def confirmed_sms(
    visit: Visit, visitor: Visitor, session: DatabaseSession, code: str, path: str, wish: str
) -> enrolling.Enrolled | Response:
    """The session after the code was right, or else the page again."""
    database = visit.container.database
    try:
        return await sms.confirm_setup(
            database, visit.signed_in, code, visitor, now(), entering.LIMITS
        )
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        return await sms_setup_page(visit, session, path, wish, refusal)


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
