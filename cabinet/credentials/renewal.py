"""«Продлить»: the application that renews a credential is begun from its page (Q7)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.credentials.lines import titled, url_of
from cabinet.frame.views import ErrorItem, FieldView, Option
from cabinet.frame.visits import Inside, Visit
from clients.database import DatabaseSession
from rules.cases.kinds import process_of
from rules.cases.process import CaseKind
from rules.clock import now
from rules.refusals import Refusal, not_found
from services.catalogue import lookup as catalogue
from services.credentials import seen
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/credentials")

MOST = 30
"""How many programmes are offered; the catalogue has them all."""


def draft_url(kind: str, case_id: UUID) -> str:
    """The page of a draft of this kind."""
    return f"/{process_of(CaseKind(kind)).slug}/{case_id}/draft"


@router.get("/{credential_id}/renew")
async def choose(credential_id: UUID, visit: Inside, session: Work) -> Response:
    """What to renew it by: a programme, where the kind of case needs one."""
    return await _page(visit, session, credential_id)


@router.post("/{credential_id}/renew")
async def renew(
    credential_id: UUID, visit: Inside, programme_id: Annotated[UUID | None, Form()] = None
) -> Response:
    """Begin the case, or go on with the one begun."""
    try:
        case = await visit.container.renewals.begin(visit.actor, credential_id, programme_id)
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        async with visit.container.database.work() as session:
            return await _page(visit, session, credential_id, refusal)
    return visit.go(draft_url(case.kind, case.id))


async def _page(
    visit: Visit, session: DatabaseSession, credential_id: UUID, refusal: Refusal | None = None
) -> Response:
    owner, one, _versions = await seen.one(session, visit.actor, credential_id, now())
    if not owner.own:
        raise not_found()
    words = in_words(refusal.message) if refusal else ""
    field = None
    if visit.container.renewals.by_programme(one.category.renewed_by):
        fitting = await catalogue.programmes(session, text=one.current.about)
        found = fitting or await catalogue.programmes(session)
        field = FieldView(
            "programme_id",
            _("По какой программе"),
            "choice",
            options=[Option(str(each.id), each.title) for each in found[:MOST]],
            error=words,
        )
    errors = [ErrorItem(words, "#field-programme_id" if field else "")] if words else []
    return visit.page(
        "credentials/renew.html",
        status=refusal.status if refusal else 200,
        title=titled(one),
        here=url_of(one.id),
        field=field,
        offered=bool(one.category.renewed_by) and one.stands,
        errors=errors,
    )
