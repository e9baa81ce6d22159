"""Registering by oneself: asking for the link, and the page that it opens (I1)."""

from typing import Annotated

from fastapi import APIRouter, Form, Path, Response

from api.container import Work
from api.http.auth import From, set_cookies
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of, new_password_field
from cabinet.frame.views import FieldView, Option
from cabinet.frame.visits import Inside, Outside, Visit
from cabinet.notices.delivery_reasons import said
from clients.database import DatabaseSession
from rules.clock import now
from rules.refusals import Refusal
from rules.staff.registration import NAME_LONGEST, Applicant
from services.staff import registrations
from services.staff.registrations import PATH
from words.translation import current, gettext, in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

Text = Annotated[str, Form(max_length=400)]
Secret = Annotated[str, Path(max_length=100)]


def registration_fields(
    units: list[Option], typed: dict[str, str], wrong: dict[str, str]
) -> list[FieldView]:
    """Name, address, the unit where there is a choice, and the terms."""
    fields = [
        FieldView(
            "name",
            gettext("Фамилия, имя и отчество"),
            value=typed.get("name", ""),
            error=wrong.get("name", ""),
            autocomplete="name",
            max_length=NAME_LONGEST,
        ),
        FieldView(
            "email",
            gettext("Электронная почта"),
            "email",
            typed.get("email", ""),
            error=wrong.get("email", ""),
            autocomplete="email",
        ),
    ]
    if len(units) > 1:
        fields.append(
            FieldView(
                "unit",
                gettext("Подразделение"),
                "choice",
                typed.get("unit", ""),
                error=wrong.get("unit", ""),
                options=units,
            )
        )
    fields.append(
        FieldView(
            "terms",
            gettext("Согласен на обработку этих данных, чтобы мне создали учётную запись"),
            "checkbox",
            typed.get("terms", ""),
            error=wrong.get("terms", ""),
        )
    )
    return fields


@router.get(PATH)
async def ask_page(visit: Outside, session: Work) -> Response:
    """Who wants an account."""
    registrations.demand_open(visit.container.settings)
    return await _ask_page(visit, session, {})


async def _ask_page(
    visit: Visit, session: DatabaseSession, typed: dict[str, str], refusal: Refusal | None = None
) -> Response:
    units = await registrations.open_units(session, visit.container.settings)
    options = [Option(unit.code, unit.name) for unit in units]
    wrong = {fault.path: in_words(fault.message) for fault in refusal.fields} if refusal else {}
    return visit.page(
        "staff/registration.html",
        status=refusal.status if refusal else 200,
        fields=registration_fields(options, typed, wrong),
        errors=errors_of(refusal) if refusal else [],
    )


@router.post(PATH)
async def ask(
    visit: Outside,
    visitor: From,
    session: Work,
    name: Text = "",
    email: Text = "",
    unit: Text = "",
    terms: Text = "",
) -> Response:
    """Send a mail to the address; the page is always the same."""
    container = visit.container
    registrations.demand_open(container.settings)
    try:
        applicant = Applicant.read(name, email, unit, terms=terms == "true")
        await registrations.ask(
            container.database, container.settings, applicant, visitor, current().language, now()
        )
    except Refusal as refusal:
        if refusal.status not in (422, 429):
            raise
        typed = {"name": name, "email": email, "unit": unit, "terms": terms}
        return await _ask_page(visit, session, typed, refusal)
    return visit.page("staff/registration_sent.html")


@router.get(PATH + "/{secret}")
async def link_page(secret: Secret, visit: Outside, session: Work) -> Response:
    """The link of the mail: a password is chosen here. Opening it uses nothing up."""
    registrations.demand_open(visit.container.settings)
    return await _link_page(visit, session, secret)


async def _link_page(
    visit: Visit, session: DatabaseSession, secret: str, refusal: Refusal | None = None
) -> Response:
    template = "staff/registration_link.html"
    try:
        if refusal is not None and refusal.status == 409:
            raise refusal
        who = await registrations.look(session, secret, now())
    except Refusal as over:
        said = in_words(over.message)
        return visit.page(template, status=409, who=None, over=said, field=None, secret="")
    wrong = {fault.path: in_words(fault.message) for fault in refusal.fields} if refusal else {}
    return visit.page(
        template,
        status=refusal.status if refusal else 200,
        who=who,
        over="",
        secret=secret,
        field=new_password_field(wrong.get("new_password", "")),
        errors=errors_of(refusal) if refusal else [],
    )


@router.post(PATH + "/{secret}")
async def accept(
    secret: Secret, visit: Outside, visitor: From, session: Work, new_password: Text = ""
) -> Response:
    """Make the account with this password, and go on to the second factor."""
    container = visit.container
    registrations.demand_open(container.settings)
    try:
        opened = await registrations.accept(
            container.database, secret, new_password, visitor, now(), container.settings.institution
        )
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return await _link_page(visit, session, secret, refusal)
    response = visit.go("/sign-in/setup?next=/")
    set_cookies(response, container.settings, opened)
    return response


@router.get("/registrations")
async def undelivered(visit: Inside, session: Work) -> Response:
    """For operators: who registers and gets no mail."""
    found = await registrations.undelivered(session, visit.actor)
    lines = [(one, said(one.reason)) for one in found]
    return visit.page("staff/undelivered.html", lines=lines)
