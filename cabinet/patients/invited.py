"""What an invited patient sees: who looked into the record, when and why. Nothing else."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Form, Path, Response

from api.container import Work
from api.http.auth import From
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.views import FieldView
from cabinet.frame.visits import Outside, Visit
from cabinet.patients.lines import emergency_tag
from rules.clock import now
from rules.patients.grounds import GROUNDS
from rules.refusals import Refusal
from services.patients import invitations, seen
from services.patients.seen import LookSeen
from services.patients.ways import WAY_WORDS
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/patient")

COOKIE = "medcab-patient"
Secret = Annotated[str, Path(max_length=100)]
Token = Annotated[str, Cookie(alias=COOKIE, max_length=100)]


@router.get("/enter/{secret}")
async def enter_page(secret: Secret, visit: Outside) -> Response:
    """The link: it asks for a code, and looks the same for a link that opens nothing."""
    return _page(visit, secret)


@router.post("/enter/{secret}/code")
async def send_code(secret: Secret, visit: Outside, visitor: From) -> Response:
    """Send a code to the number that the institution knows."""
    await invitations.send_code(visit.container.database, secret, visitor.address)
    return _page(visit, secret, sent=True)


@router.post("/enter/{secret}")
async def enter(
    secret: Secret,
    visit: Outside,
    visitor: From,
    code: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Enter by the code. From here on the address has no secret."""
    try:
        token, until = await invitations.enter(
            visit.container.database, secret, code, visitor.address
        )
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _page(visit, secret, sent=True, refusal=refusal)
    response = visit.go("/patient")
    response.set_cookie(
        COOKIE,
        token,
        max_age=int((until - now()).total_seconds()),
        path="/patient",
        secure=visit.container.settings.public_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("")
async def looks_page(visit: Outside, session: Work, token: Token = "") -> Response:
    """Who looked, when and why."""
    try:
        patient = await invitations.entered(session, token, now())
    except Refusal:
        return visit.page("patients/over.html")
    found = await seen.who_looked(session, patient.patient_id)
    return visit.page(
        "patients/looks.html",
        name=patient.name,
        open_until=patient.until,
        lines=[
            (
                one,
                _why(one),
                _source(one),
                emergency_tag(one.state) if one.state else None,
            )
            for one in found
        ],
    )


@router.post("/leave")
async def leave(visit: Outside, token: Token = "") -> Response:
    """End the session."""
    await invitations.leave(visit.container.database, token)
    response = visit.go("/patient")
    response.delete_cookie(COOKIE, path="/patient")
    return response


def _why(one: LookSeen) -> str:
    """Why the record was open, in words."""
    if (ground := GROUNDS.get(one.ground or "")) is not None:
        return gettext(ground.words)
    return gettext(WAY_WORDS.get(one.way, one.way))


def _source(one: LookSeen) -> str:
    """The norm of the ground, if there was one."""
    ground = GROUNDS.get(one.ground or "")
    return ground.source if ground else ""


def _page(
    visit: Visit, secret: str, *, sent: bool = False, refusal: Refusal | None = None
) -> Response:
    wrong = in_words(refusal.message) if refusal else ""
    return visit.page(
        "patients/enter.html",
        status=refusal.status if refusal else 200,
        secret=secret,
        sent=sent,
        errors=errors_of(refusal) if refusal else [],
        code=FieldView(
            "code",
            gettext("Код из SMS"),
            "code",
            error=wrong,
            autocomplete="one-time-code",
            autofocus=sent,
        ),
    )
