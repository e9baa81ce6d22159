"""How a locked account is opened: the owner's link, and the list of those who agree (I4)."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from api.container import Work
from api.http.entrance import CleanRoute
from cabinet.frame.visits import Inside, Outside, Visit
from cabinet.meetings.lines import by_day, meeting_view
from rules.account_locks import FACTOR_WORDS, LOCK_WORDS, LockState
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import Method
from services.account_locks import seen
from services.account_locks.rows import PATH
from words.translation import gettext, in_words, present

router = APIRouter(route_class=CleanRoute, include_in_schema=False)


@router.get(PATH + "/{key}")
async def choose_page(visit: Outside, key: str, session: Work) -> Response:
    """How far it is, the meeting, and the times that can be chosen. It names nobody."""
    moment = now()
    try:
        found = await seen.choice(session, key, moment)
    except Refusal as refusal:
        return _over(visit, refusal)
    visit = replace(visit, presentation=replace(visit.presentation, zone=found.zone))
    present(visit.presentation)
    template = visit.container.settings.meeting_room
    one = found.meeting
    return visit.page(
        "account_locks/unlock.html",
        url=f"{PATH}/{key}",
        waits=found.state is LockState.APPROVAL,
        meeting=meeting_view(one, template, one.operator, moment) if one else None,
        days=by_day(found.offered),
    )


@router.post(PATH + "/{key}/book")
async def book(visit: Outside, key: str, slot_id: Annotated[UUID, Form()]) -> Response:
    """Book a time."""
    await visit.container.account_locks.book(key, slot_id)
    return visit.go(f"{PATH}/{key}", "meeting_booked")


@router.post(PATH + "/{key}/cancel")
async def cancel(visit: Outside, key: str, meeting_id: Annotated[UUID, Form()]) -> Response:
    """Cancel the meeting, to choose another time."""
    await visit.container.account_locks.cancel(key, meeting_id)
    return visit.go(f"{PATH}/{key}", "meeting_cancelled")


def _over(visit: Visit, refusal: Refusal) -> Response:
    return visit.page(
        "accounts/lock_over.html", status=refusal.status, message=in_words(refusal.message)
    )


@router.get("/locks")
async def locks_page(
    visit: Inside, session: Work, state: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """Accounts locked by suspicion, and what each waits for."""
    found = await seen.locks(session, visit.actor, still_open=state != "all")
    me = visit.actor.person_id
    return visit.page(
        "account_locks/locks.html",
        everything=state == "all",
        lines=[
            (
                one,
                gettext(LOCK_WORDS[one.state]),
                one.state is LockState.MEETING,
                one.state is LockState.APPROVAL and me not in (one.person_id, one.operator_id),
                [gettext(FACTOR_WORDS[Method(name.partition(":")[0])]) for name in one.factors],
            )
            for one in found
        ],
    )


@router.post("/locks/meetings/{meeting_id}/code")
async def show_code(meeting_id: UUID, visit: Inside) -> Response:
    """Show a code for the owner once. Asks for a code when the last is older than five minutes."""
    visit.signed_in.demand_fresh(now())
    code = await visit.container.account_locks.give_code(visit.actor, meeting_id)
    return visit.page("account_locks/code.html", code=code, back_url=f"/meetings/{meeting_id}")


@router.post("/locks/{lock_id}/approve")
async def approve(lock_id: UUID, visit: Inside) -> Response:
    """Agree. Asks for a code when the last is older than five minutes."""
    visit.signed_in.demand_fresh(now())
    await visit.container.account_locks.approve(visit.actor, lock_id)
    return visit.go("/locks", "unlocked")


@router.post("/locks/{lock_id}/send-back")
async def send_back(
    lock_id: UUID, visit: Inside, reason: Annotated[str, Form(max_length=5000)] = ""
) -> Response:
    """Ask for another meeting."""
    await visit.container.account_locks.send_back(visit.actor, lock_id, reason)
    return visit.go("/locks", "sent_back")


@router.post("/locks/{lock_id}/resend")
async def resend(lock_id: UUID, visit: Inside) -> Response:
    """Send the owner a new link."""
    await visit.container.account_locks.resend(visit.actor, lock_id)
    return visit.go("/locks", "resent")
