"""«Видеовстречи»: a person's own meetings: booked, moved, cancelled, kept in a calendar."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.downloads import file_headers
from api.http.entrance import CleanRoute
from cabinet.frame.visits import Inside
from cabinet.meetings.lines import by_day, meeting_view
from cabinet.meetings.views import MeetingsPage
from rules.clock import now
from rules.meetings import PURPOSE_WORDS, Purpose
from services.meetings import seen as meetings
from services.meetings import times
from services.meetings.calendar_file import calendar_file
from words.translation import gettext

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/meetings")

HERE = "/meetings"


@router.get("")
async def show(
    visit: Inside,
    session: Work,
    purpose: Purpose = Purpose.VERIFICATION,
    move: Annotated[bool, Query()] = False,
) -> Response:
    """The person's meetings for a purpose, and the times that can be chosen."""
    moment, template = now(), visit.container.settings.meeting_room
    person_id = visit.signed_in.person_id
    found = [
        meeting_view(one, template, one.operator, moment)
        for one in await meetings.of_person(session, person_id, purpose)
    ]
    present = next((one for one in found if one.booked), None)
    choosing = present is None or (move and present.changeable)
    offered = await times.offered(session, person_id, moment) if choosing else []
    return visit.page(
        "meetings/mine.html",
        meetings=MeetingsPage(
            purpose=purpose.value,
            title=gettext(PURPOSE_WORDS[purpose]),
            present=present,
            before=[one for one in found if not one.booked],
            choosing=choosing,
            days=by_day(offered),
        ),
    )


@router.post("")
async def book(
    visit: Inside, purpose: Annotated[Purpose, Form()], slot_id: Annotated[UUID, Form()]
) -> Response:
    """Book a time."""
    await visit.container.meetings.book(visit.signed_in.person_id, purpose, slot_id)
    return visit.go(f"{HERE}?purpose={purpose.value}", "meeting_booked")


@router.post("/{meeting_id}/move")
async def move_to(meeting_id: UUID, visit: Inside, slot_id: Annotated[UUID, Form()]) -> Response:
    """Move a meeting to another time."""
    await visit.container.meetings.move(visit.signed_in.person_id, meeting_id, slot_id)
    return visit.go(await _back(visit, meeting_id), "meeting_moved")


@router.post("/{meeting_id}/cancel")
async def cancel(meeting_id: UUID, visit: Inside) -> Response:
    """Cancel a meeting."""
    await visit.container.meetings.cancel(visit.signed_in.person_id, meeting_id)
    return visit.go(await _back(visit, meeting_id), "meeting_cancelled")


@router.get("/{meeting_id}/calendar")
async def calendar(meeting_id: UUID, visit: Inside, session: Work) -> Response:
    """The meeting for a calendar of the person's own."""
    one = await meetings.own(session, visit.signed_in.person_id, meeting_id)
    url = f"{visit.container.settings.public_url}{HERE}?purpose={one.purpose.value}"
    file = calendar_file(one, gettext("Видеовстреча"), url, now())
    headers = file_headers("meeting.ics", len(file))
    return Response(file, media_type="text/calendar; charset=utf-8", headers=headers)


async def _back(visit: Inside, meeting_id: UUID) -> str:
    async with visit.container.database.reading() as session:
        one = await meetings.own(session, visit.signed_in.person_id, meeting_id)
    return f"{HERE}?purpose={one.purpose.value}"
