"""The rights of a person at a moment (I7, I13)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.accounts.right_words import right_words
from cabinet.frame.periods import midnight
from cabinet.frame.views import FieldView
from cabinet.frame.visits import Inside
from cabinet.staff.people import PEOPLE
from rules.access import Permission
from rules.clock import now
from rules.texts.identifiers import IdentifierError
from services.staff import rights
from services.staff.rights import GrantThen
from words import formats
from words.translation import gettext as _
from words.translation import in_words, marked

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix=PEOPLE)

_STOOD: Mapping[GrantThen, tuple[str, str, str]] = {
    GrantThen.HELD: (marked("действовала"), "good", "circle-check"),
    GrantThen.OVER: (marked("уже закончилась"), "idle", "archive"),
    GrantThen.AHEAD: (marked("ещё не начиналась"), "waiting", "clock"),
}


@dataclass(frozen=True)
class RightRow:
    """A grant with where it stood."""

    role: str
    unit: str
    since: datetime
    until: datetime | None
    words: str
    tone: str
    icon: str


@router.get("/{person_id}/rights")
async def show(
    person_id: UUID,
    visit: Inside,
    session: Work,
    day: Annotated[str, Query(max_length=40)] = "",
    clock: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Which roles the person held at the moment in the address, or holds now."""
    moment, errors = now(), {}
    zone = visit.presentation.tzinfo
    if day.strip():
        try:
            begins = midnight(day, zone)
            wall = time.fromisoformat(clock.strip() or "23:59")
            moment = begins + timedelta(hours=wall.hour, minutes=wall.minute)
        except IdentifierError as error:
            errors["day"] = in_words(error.message)
        except ValueError:
            errors["clock"] = _("Напишите время как 14:05.")
    found = await rights.rights_at(session, visit.actor, person_id, moment, now())
    fields = [
        FieldView("day", _("День"), "date", day, error=errors.get("day", ""), required=False),
        FieldView(
            "clock", _("Время"), "text", clock, error=errors.get("clock", ""), required=False
        ),
    ]
    may_see = visit.actor.may(Permission.VIEW_PEOPLE)
    return visit.page(
        "staff/rights.html",
        status=422 if errors else 200,
        name=found.name,
        at=formats.moment(found.at),
        fields=fields,
        back_url=f"{PEOPLE}/{person_id}" if may_see else "",
        rows=[
            RightRow(
                right_words(grant.role),
                grant.unit,
                grant.valid_from,
                grant.valid_until,
                _(_STOOD[stood][0]),
                *_STOOD[stood][1:],
            )
            for grant, stood in found.grants
        ],
    )
