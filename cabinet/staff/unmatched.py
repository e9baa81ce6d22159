"""«Расхождения с кадровым учётом»: what the personnel register said and could not be done (I8)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of
from cabinet.frame.visits import Inside, Visit
from cabinet.staff.people import PEOPLE
from rules.access import Permission
from rules.ids import new_id
from rules.refusals import Refusal
from rules.staff.people import REASON
from rules.staff.personnel import TROUBLE_NAMES
from services.staff import unmatched
from services.staff.unmatched import RecordSeen
from words.translation import gettext as _
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix=f"{PEOPLE}/register")


@dataclass(frozen=True)
class RecordRow:
    """A record that waits."""

    id: str
    name: str
    about: str
    person_url: str
    """The page of whom it is about; empty where that is not known, or not open to the visitor."""
    trouble: str
    remedy: str
    since: datetime
    error: str = ""


@router.get("")
async def show(visit: Inside, session: Work) -> Response:
    """What waits, the longest first."""
    return await _page(visit, session)


@router.post("/{record_id}/retry")
async def retry(record_id: UUID, visit: Inside, act_id: Annotated[UUID, Form()]) -> Response:
    """Try again."""
    done = await visit.container.unmatched.retry(visit.actor, act_id, record_id)
    return visit.go(f"{PEOPLE}/register", "record_done" if done else "record_waits")


@router.post("/{record_id}/close")
async def close(
    record_id: UUID,
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    reason: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """Take it off the list, with a reason."""
    try:
        await visit.container.unmatched.close(visit.actor, act_id, record_id, reason)
    except Refusal as refusal:
        if refusal.status != 422 or not refusal.fields:
            raise
        async with visit.container.database.work() as session:
            return await _page(visit, session, record_id, refusal)
    return visit.go(f"{PEOPLE}/register", "record_closed")


async def _page(
    visit: Visit, session: Work, wrong: UUID | None = None, refusal: Refusal | None = None
) -> Response:
    sees = visit.actor.may(Permission.VIEW_PEOPLE)
    error = in_words(refusal.fields[0].message) if refusal else ""
    found = await unmatched.waiting(session, visit.actor)
    return visit.page(
        "staff/unmatched.html",
        status=refusal.status if refusal else 200,
        rows=[_row(one, sees=sees, error=error if one.id == wrong else "") for one in found],
        act_id=str(new_id()),
        longest=REASON[1],
        first_only=len(found) == unmatched.MOST,
        sees_people=sees,
        errors=errors_of(refusal) if refusal else [],
    )


def _row(one: RecordSeen, *, sees: bool, error: str) -> RecordRow:
    trouble, remedy = TROUBLE_NAMES[one.trouble]
    return RecordRow(
        str(one.id),
        one.name,
        f"{one.number} · {one.position} · {one.unit}",
        f"{PEOPLE}/{one.person_id}" if sees and one.person_id else "",
        _(trouble),
        _(remedy),
        one.since,
        error,
    )
