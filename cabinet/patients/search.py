"""«Пациенты»: finding one whom one can name, and those looked at last. Never a list of all."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.views import FieldView
from cabinet.frame.visits import Inside, Visit
from cabinet.patients.lines import PatientLine, born, numbers
from rules.access import Permission
from rules.clock import now
from rules.refusals import Refusal
from services.patients import searching
from services.patients.searching import Found, FoundPatients
from words.translation import gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/patients")

Text = Annotated[str, Form(max_length=400)]


@router.get("")
async def search_page(visit: Inside, session: Work) -> Response:
    """The search, and the patients looked at last."""
    return await _page(visit, session)


@router.post("/search")
async def search(visit: Inside, text: Text = "", born: Text = "") -> Response:
    """Search. By POST: what is typed stands in no address."""
    container = visit.container
    searching.demand_search(visit.actor)
    refusal: Refusal | None = None
    found: FoundPatients | None = None
    async with container.database.work() as session:
        try:
            found = await searching.search(session, visit.actor, text, born, now())
        except Refusal as refused:
            if refused.status != 422:
                raise
            refusal = refused
    async with container.database.work() as session:
        return await _page(visit, session, text, born, found, refusal)


async def _page(
    visit: Visit,
    session: Work,
    text: str = "",
    born_on: str = "",
    found: FoundPatients | None = None,
    refusal: Refusal | None = None,
) -> Response:
    last = await searching.recent(session, visit.actor, now())
    wrong = {one.path: in_words(one.message) for one in refusal.fields} if refusal else {}
    return visit.page(
        "patients/search.html",
        status=refusal.status if refusal else 200,
        errors=errors_of(refusal) if refusal else [],
        fields=[
            FieldView(
                "text",
                gettext("Имя, СНИЛС или полис"),
                value=text,
                error=wrong.get("text", ""),
                hint=gettext("Имя целиком; часть имени — вместе с датой рождения"),
                required=False,
                autocomplete="off",
                max_length=200,
            ),
            FieldView(
                "born",
                gettext("Дата рождения"),
                "date",
                born_on,
                error=wrong.get("born", ""),
                required=False,
                autocomplete="off",
            ),
        ],
        found=_lines(visit, found.found) if found else None,
        more=found is not None and found.more,
        recent=_lines(visit, last),
        registers=visit.actor.may(Permission.REGISTER_PATIENTS),
    )


def _lines(visit: Visit, found: Sequence[Found]) -> Sequence[PatientLine]:
    """Where each leads: those who treat open the record, those who register the identity."""
    treats = visit.actor.may(Permission.TREAT)
    part = "" if treats else "/identity"
    registers = visit.actor.may(Permission.REGISTER_PATIENTS)
    return [
        PatientLine(
            f"/patients/{one.main}{part}" if treats or registers else "",
            one.identity.name,
            born(one.identity),
            numbers(one.identity),
            gettext("объединена с основной картой") if one.id != one.main else "",
        )
        for one in found
    ]
