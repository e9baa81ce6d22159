"""Signing in through an external provider, and linking it with the own account (I11)."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.container import Work
from api.http.auth import From, set_cookies
from api.http.entrance import CleanRoute
from cabinet.frame.visits import Inside, Outside, Visit, safe_next
from clients.identity_provider import IdentityProvider
from rules.clock import now
from rules.refusals import Refusal
from rules.sign_in.identity_provider import no_provider
from services.accounts import provider_sign_in
from services.accounts.provider_sign_in import PATH, ProviderAnswer
from words.translation import in_words

router = APIRouter(route_class=CleanRoute, include_in_schema=False)

Text = Annotated[str, Query(max_length=4000)]
HERE = "/profile/provider"


def _provider(visit: Visit) -> IdentityProvider:
    """The provider. Raises Refusal 404 where there is none."""
    if visit.container.provider is None:
        raise no_provider()
    return visit.container.provider


@router.get("/sign-in/provider")
async def go(
    visit: Outside, visitor: From, wish: Annotated[str, Query(alias="next")] = "/"
) -> Response:
    """To the provider's page, and back again within ten minutes.

    Whoever is signed in goes on without it: no link of another site ends a session.
    """
    if visit.current is not None:
        return visit.go(safe_next(wish))
    container = visit.container
    try:
        address = await provider_sign_in.begin(
            container.database,
            _provider(visit),
            container.settings.public_url,
            visitor,
            now(),
            wish=safe_next(wish),
        )
    except Refusal as refusal:
        return _refused(visit, refusal)
    return visit.go(address)


@router.get(PATH)
async def come_back(
    visit: Outside, visitor: From, state: Text = "", code: Text = "", iss: Text = ""
) -> Response:
    """The provider sent the browser back: to the second factor, or to the profile."""
    container = visit.container
    try:
        done = await provider_sign_in.complete(
            container.database,
            _provider(visit),
            container.settings.public_url,
            ProviderAnswer(state, code, iss),
            visitor,
            visit.current,
            now(),
        )
    except Refusal as refusal:
        return _refused(visit, refusal)
    if done.opened is None:
        return visit.go(HERE, "provider_linked")
    response = visit.go(f"/sign-in/code?next={safe_next(done.next)}")
    set_cookies(response, container.settings, done.opened)
    return response


def _refused(visit: Visit, refusal: Refusal) -> Response:
    if refusal.status == 404:
        raise refusal
    return visit.page(
        "accounts/provider_over.html", status=refusal.status, message=in_words(refusal.message)
    )


@router.get(HERE)
async def show(visit: Inside, session: Work) -> Response:
    """Whether the account is linked."""
    provider = _provider(visit)
    link = await provider_sign_in.link_of(session, visit.actor.person_id)
    return visit.page(
        "accounts/provider.html",
        name=provider.name,
        since=link.linked_at if link is not None else None,
        address="",
    )


@router.post(HERE + "/link")
async def link(visit: Inside, visitor: From) -> Response:
    """Begin linking; it asks for a factor entered for it. The page leads to the provider."""
    provider, container = _provider(visit), visit.container
    address = await provider_sign_in.begin(
        container.database,
        provider,
        container.settings.public_url,
        visitor,
        now(),
        link_for=visit.signed_in,
    )
    return visit.page("accounts/provider.html", name=provider.name, since=None, address=address)


@router.post(HERE + "/remove")
async def remove(visit: Inside, visitor: From, session: Work) -> Response:
    """Remove the link; it asks for a factor entered for it."""
    _provider(visit)
    await provider_sign_in.unlink(session, visit.signed_in, visitor, now())
    return visit.go(HERE, "provider_removed")
