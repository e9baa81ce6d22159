"""Ending one right of a person at once: a page of its own that says what it does and asks why."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.visits import Inside, Visit
from cabinet.staff.acts import reason_field
from cabinet.staff.views import StaffActPage
from rules.access import Permission
from rules.clock import now
from rules.ids import new_id
from rules.refusals import Refusal
from services.staff import provenance
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(
    route_class=CleanRoute,
    include_in_schema=False,
    prefix="/people/{person_id}/grants/{grant_id}/end",
)


@router.get("")
async def end_page(person_id: UUID, grant_id: UUID, visit: Inside, session: Work) -> Response:
    """What ending does, and the reason for it."""
    visit.signed_in.demand_fresh(now())
    return await _page(visit, session, person_id, grant_id)


@router.post("")
async def end(
    person_id: UUID,
    grant_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    reason: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """End it, and go back to the person."""
    visit.signed_in.demand_fresh(now())
    try:
        await visit.container.revocations.end(visit.actor, act_id, person_id, grant_id, reason)
    except Refusal as refusal:
        if refusal.status != 422 or not refusal.fields:
            raise
        async with visit.container.database.work() as session:
            return await _page(visit, session, person_id, grant_id, str(act_id), reason, refusal)
    return visit.go(_back(visit, person_id), "grant_ended")


def _back(visit: Visit, person_id: UUID) -> str:
    """The page of the person for those who see it, else the desk: heads of units do not."""
    return f"/people/{person_id}" if visit.actor.may(Permission.VIEW_PEOPLE) else "/desk"


async def _page(
    visit: Visit,
    session: Work,
    person_id: UUID,
    grant_id: UUID,
    act_id: str = "",
    reason: str = "",
    refusal: Refusal | None = None,
) -> Response:
    name = await provenance.to_end(session, visit.actor, person_id, grant_id, now())
    wrong = {one.path: in_words(one.message) for one in refusal.fields} if refusal else {}
    return visit.page(
        "staff/act.html",
        status=refusal.status if refusal else 200,
        act=StaffActPage(
            title=_("Забрать сразу"),
            does=_(
                "Роль или право закончится сейчас же, в открытых сеансах тоже. Запись останется: "
                "кто попросил, подтвердил и одобрил. Человек получит уведомление."
            ),
            name=name,
            back=_back(visit, person_id),
            url=f"/people/{person_id}/grants/{grant_id}/end",
            fields=[replace(reason_field(), value=reason, error=wrong.get("reason", ""))],
            hidden={"act_id": act_id or str(new_id())},
            dangerous=True,
        ),
        errors=errors_of(refusal) if refusal else [],
    )
