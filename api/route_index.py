"""Which routers may answer an address, found by its first words in place of trying all of them.

The framework asks one router after another whether a route of theirs fits. There are a hundred, and
a request would spend up to half a millisecond of processor time on it.
"""

from collections.abc import Mapping

from fastapi.routing import APIRouter, iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

EVERYWHERE = "{"
"""What a route stands under whose first word is a parameter."""


def index_routes(router: APIRouter) -> None:
    """Let the router find its routes by an index."""
    router.middleware_stack = RouteIndex(router)


class RouteIndex:
    """The ASGI application of a router: passes requests on to the part that may answer them."""

    def __init__(self, router: APIRouter) -> None:
        self._router = router
        self._parts: Mapping[str, APIRouter] = {}
        self._routes = 0

    def part(self, path: str) -> APIRouter:
        """The router with every route that may fit this path, in the order of the whole."""
        if self._routes != len(self._router.routes):
            self._routes, self._parts = len(self._router.routes), _parts(self._router.routes)
        return self._parts.get(_place(path), self._parts[EVERYWHERE])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the whole router would."""
        if scope["type"] != "http":
            await self._router.app(scope, receive, send)
            return
        scope["router"] = self._router
        await self.part(scope["path"])(scope, receive, send)


def _parts(routes: list[BaseRoute]) -> Mapping[str, APIRouter]:
    found = [(one, _places_of(one)) for one in routes]
    return {
        place: APIRouter(
            routes=[one for one, its in found if its & {place, EVERYWHERE}], redirect_slashes=False
        )
        for place in {EVERYWHERE}.union(*(its for _, its in found))
    }


def _places_of(route: BaseRoute) -> set[str]:
    return {_place(one.path or EVERYWHERE) for one in iter_route_contexts([route])}


def _place(path: str) -> str:
    """The first word of a path with what stands before it; below `/api` the third one."""
    place = "/".join(path.split("/", 4)[: 4 if path.startswith("/api/") else 2])
    return EVERYWHERE if EVERYWHERE in place else place
