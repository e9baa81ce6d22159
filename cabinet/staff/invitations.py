"""Inviting people to make an account, and the page that the link in their mail opens."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Path, Query, Response

from api.container import Work
from api.http.auth import From, set_cookies
from api.http.entrance import CleanRoute
from cabinet.accounts.sign_in import errors_of, new_password_field
from cabinet.frame.visits import Inside, Outside, Visit
from cabinet.staff.people import given_filters, query_of, state_view
from cabinet.staff.views import Invitee, InviteList
from rules.clock import now
from rules.ids import new_id
from rules.refusals import Refusal
from rules.staff.people import MOST_AT_ONCE, PersonState
from services.staff import directory, invitations
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

Chosen = Annotated[list[UUID] | None, Query(max_length=MOST_AT_ONCE)]
Secret = Annotated[str, Path(max_length=100)]


@router.get("/people/invite")
async def invite_page(visit: Inside, session: Work, person: Chosen = None) -> Response:
    """Whom to invite: the people named, or those whom the filters in the address find."""
    visit.signed_in.demand_fresh(now())
    return await _invite_page(visit, session, person or [])


async def _invite_page(
    visit: Visit, session: Work, people: list[UUID], refusal: Refusal | None = None
) -> Response:
    units = dict(await directory.units_of(session, visit.actor))
    query = query_of({} if people else given_filters(visit.request.query_params, units))
    lines = await directory.to_invite(session, visit.actor, query, people, now())
    shown = InviteList(
        [
            Invitee(
                str(line.id), line.name, f"{line.position} · {line.unit}", state_view(line.state)
            )
            for line in lines
        ],
        str(new_id()),
        len(lines) == MOST_AT_ONCE,
    )
    return visit.page(
        "staff/invite.html",
        status=refusal.status if refusal else 200,
        invite=shown,
        errors=errors_of(refusal) if refusal else [],
    )


@router.post("/people/invite")
async def invite(
    visit: Inside,
    act_id: Annotated[UUID, Form()],
    person: Annotated[list[UUID] | None, Form(max_length=MOST_AT_ONCE)] = None,
) -> Response:
    """Invite the people who are ticked: each gets a mail of their own."""
    visit.signed_in.demand_fresh(now())
    people = person or []
    try:
        await visit.container.staff.invite(visit.actor, act_id, people)
    except Refusal as refusal:
        if refusal.code != "nobody_to_invite":
            raise
        async with visit.container.database.work() as session:
            return await _invite_page(visit, session, people, refusal)
    if len(people) == 1:
        return visit.go(f"/people/{people[0]}", "invited")
    return visit.go(f"/people?{urlencode({'state': PersonState.INVITED.value})}", "invited")


@router.post("/people/{person_id}/invitation/revoke")
async def revoke(person_id: UUID, visit: Inside, act_id: Annotated[UUID, Form()]) -> Response:
    """End the invitation of a person: its link opens nothing any more."""
    await visit.container.staff.revoke_invitation(visit.actor, act_id, person_id)
    return visit.go(f"/people/{person_id}", "invitation_revoked")


@router.get("/invitation")
async def no_secret(visit: Outside) -> Response:
    """The link without its end: not copied whole, or from the notice in the cabinet."""
    if visit.current is not None:
        return visit.go("/")
    return visit.page("staff/invitation.html", invited=None, over="", field=None, secret="")


@router.get("/invitation/{secret}")
async def invitation_page(secret: Secret, visit: Outside, session: Work) -> Response:
    """The link of an invitation: a first password is chosen here. Opening it uses nothing up."""
    return await _invitation_page(visit, session, secret)


async def _invitation_page(
    visit: Visit, session: Work, secret: str, refusal: Refusal | None = None
) -> Response:
    try:
        invited = await invitations.look(session, secret, now())
    except Refusal as over:
        said = in_words(over.message)
        return visit.page(
            "staff/invitation.html", status=409, invited=None, over=said, field=None, secret=""
        )
    wrong = {fault.path: in_words(fault.message) for fault in refusal.fields} if refusal else {}
    return visit.page(
        "staff/invitation.html",
        status=refusal.status if refusal else 200,
        invited=invited,
        over="",
        secret=secret,
        field=new_password_field(wrong.get("new_password", "")),
        errors=errors_of(refusal) if refusal else [],
    )


@router.post("/invitation/{secret}")
async def accept(
    secret: Secret,
    visit: Outside,
    visitor: From,
    new_password: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    """Make the account with this password, and go on to the second factor."""
    container = visit.container
    try:
        opened = await invitations.accept(
            container.database, secret, new_password, visitor, now(), container.settings.institution
        )
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        async with container.database.work() as session:
            return await _invitation_page(visit, session, secret, refusal)
    response = visit.go("/sign-in/setup?next=/")
    set_cookies(response, container.settings, opened)
    return response
