"""Adding, naming and removing passkeys (I14)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.auth import From
from api.http.entrance import CleanRoute
from cabinet.accounts.methods import Answer
from cabinet.accounts.second_factor import HERE, back_to_list
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.views import FieldView
from cabinet.frame.visits import Inside, Visit
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import Method, passkey_name
from services.accounts.second_factor import enrolling, entering, passkeys, register
from words.translation import gettext, in_words

router = APIRouter(
    route_class=CleanRoute, include_in_schema=False, prefix="/profile/second-factor/passkeys"
)

Text = Annotated[str, Form(max_length=400)]


@router.get("")
async def add_page(visit: Inside) -> Response:
    """Add a passkey. Asks for a factor first."""
    enrolling.demand_right(visit.signed_in, now())
    return _add_page(visit)


@router.post("/begin")
async def begin(visit: Inside, visitor: From, name: Text = "") -> Response:
    """A challenge for the browser. A bad name is refused before a passkey is made."""
    container = visit.container
    passkey_name(name)
    options = await passkeys.begin_setup(
        container.database, visit.signed_in, visitor, now(), container.site
    )
    return Response(options, media_type="application/json")


@router.post("")
async def add(visit: Inside, visitor: From, name: Text = "", code: Answer = "") -> Response:
    """Keep the passkey that the browser has made."""
    try:
        done = await passkeys.confirm_setup(
            visit.container.database,
            visit.signed_in,
            name,
            code,
            visitor,
            now(),
            entering.LIMITS,
        )
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        return _add_page(visit, name, refusal)
    return back_to_list(visit, done.opened, "factor_added")


@router.post("/{passkey_id}/name")
async def rename(passkey_id: UUID, visit: Inside, session: Work, name: Text = "") -> Response:
    """Give a passkey another name."""
    await passkeys.rename(session, visit.actor.person_id, passkey_id, name)
    return visit.go(HERE, "saved")


@router.post("/{passkey_id}/remove")
async def remove(passkey_id: UUID, visit: Inside, visitor: From) -> Response:
    """Remove a passkey, though not the last factor. Asks for a factor first."""
    opened = await register.remove(
        visit.container.database, visit.signed_in, Method.PASSKEY, visitor, now(), passkey_id
    )
    return back_to_list(visit, opened, "factor_removed")


def _add_page(visit: Visit, name: str = "", refusal: Refusal | None = None) -> Response:
    faults = {fault.path: in_words(fault.message) for fault in refusal.fields} if refusal else {}
    field = FieldView(
        "name",
        gettext("Название, например «Ключ на ноутбуке»"),
        value=name or visit.signed_in.device,
        error=faults.get("name", ""),
        autocomplete="off",
        max_length=60,
    )
    return visit.page(
        "accounts/passkey.html",
        status=refusal.status if refusal else 200,
        key_name=field,
        errors=errors_of(refusal) if refusal else [],
    )
