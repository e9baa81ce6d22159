"""«Журнал моих действий и обращений к моим данным», and the search of information security (I9)."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.downloads import file_headers
from api.http.entrance import CleanRoute
from cabinet.frame.visits import Inside, Visit
from cabinet.journal.lines import (
    AuditAddress,
    asked_of,
    chain_view,
    fields,
    listed,
    refused,
    verified_view,
)
from clients.database import DatabaseSession
from rules.access import Permission
from rules.clock import now
from rules.refusals import Refusal, forbidden
from services.exports import audit
from services.journal import integrity, searching
from services.journal.audit_log import AuditPage
from services.journal.searching import AuditAsked, LogSide
from words.translation import gettext as _

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

OWN, SEARCH = "/profile/log", "/journal/search"
_OWN = ("tag", "from", "until")
_SEARCHED = ("person", "about", "number", "address", *_OWN)
NOTHING = AuditPage((), None)


@router.get(OWN)
async def own_log(visit: Inside, session: Work, side: LogSide = LogSide.MINE) -> Response:
    """What the person did, or who looked at their data, and whether those entries hold."""
    asked = asked_of(visit, visit.request.url.query, _OWN)
    found = NOTHING
    if not asked.errors:
        begins, ends = asked.period.begins, asked.period.ends
        try:
            found = await searching.own(
                session, visit.actor, side, asked.given.get("tag", ""), begins, ends, asked.after
            )
        except Refusal as refusal:
            refused(asked, refusal)
    state = await integrity.chain_state(session, visit.actor.person_id)
    sides = [
        (f"{OWN}?side={one.value}", words, one is side)
        for one, words in (
            (LogSide.MINE, _("Что делали вы")),
            (LogSide.OTHERS, _("Кто обращался к вашим данным")),
        )
    ]
    shown = fields(asked, ())
    base, others = {"side": side.value}, side is LogSide.OTHERS
    log = listed(OWN, asked, found, shown, by=others, cases="/cases", base=base)
    return visit.page(
        "journal/own.html", log=log, sides=sides, side=side.value, chain=chain_view(state)
    )


@router.get(SEARCH)
async def search(visit: Inside, session: Work) -> Response:
    """The search: by person, event, time, case and address. It is journaled itself."""
    if not visit.actor.may(Permission.READ_JOURNAL):
        raise forbidden()
    asked = asked_of(visit, visit.request.url.query, _SEARCHED)
    return await _searched(visit, session, asked)


async def _searched(
    visit: Visit, session: DatabaseSession, asked: AuditAddress, status: int = 200
) -> Response:
    found = NOTHING
    if not asked.errors:
        try:
            found = await searching.search(session, visit.actor, _typed(asked), asked.after)
        except Refusal as refusal:
            refused(asked, refusal)
    named = (
        ("person", _("Кто: почта")),
        ("about", _("О ком: почта")),
        ("number", _("Номер дела")),
        ("address", _("Сетевой адрес")),
    )
    shown = fields(asked, named)
    cases = "/audit/cases" if visit.actor.may(Permission.AUDIT_CASES) else ""
    log = listed(SEARCH, asked, found, shown, by=True, cases=cases)
    chain = verified_view(await integrity.last_verified(session))
    return visit.page("journal/search.html", status=status, log=log, chain=chain)


def _typed(asked: AuditAddress) -> AuditAsked:
    given = asked.given
    return AuditAsked(
        person=given.get("person", ""),
        about=given.get("about", ""),
        tag=given.get("tag", ""),
        number=given.get("number", ""),
        address=given.get("address", ""),
        since=asked.period.begins,
        until=asked.period.ends,
    )


@router.post(f"{SEARCH}/file")
async def export(
    visit: Inside, session: Work, query: Annotated[str, Form(max_length=1000)] = ""
) -> Response:
    """What was found, as a file with a signed head. Where it cannot be made, the list says why."""
    if not visit.actor.may(Permission.READ_JOURNAL):
        raise forbidden()
    asked = asked_of(visit, query.partition("?")[2], _SEARCHED)
    container = visit.container
    try:
        body = await audit.export(
            container.database,
            visit.actor,
            container.settings.institution,
            container.seal,
            _typed(asked),
        )
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        if not refusal.fields:
            asked.errors["from"] = _(refusal.message)
        return await _searched(visit, session, asked, 422)
    day = now().astimezone(visit.presentation.tzinfo).date()
    name = f"Журнал-{day.isoformat()}.zip"
    return Response(body, media_type="application/zip", headers=file_headers(name))
