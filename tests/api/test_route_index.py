"""Routes are found by the first words of an address, and as the whole router would find them."""

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Match

from api.route_index import RouteIndex, index_routes
from server import create_app
from tests.api.world import table_settings

MOST = 9
"""Routers that share their first words, such as those below `/patients`."""


def test_each_route_stands_in_its_part(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every route is found in the part of its own address, and no part holds many routers."""
    nowhere = {"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/none"}
    app = create_app(table_settings(nowhere, str(tmp_path_factory.mktemp("home"))))
    index = app.router.middleware_stack
    assert isinstance(index, RouteIndex)
    routes = list(iter_route_contexts(app.routes))
    assert len(routes) > 300
    for one in routes:
        path, method = str(one.path), min(one.methods or {"GET"})
        part = index.part(path).routes
        assert len(part) <= MOST
        scope = {"type": "http", "method": method, "path": path, "headers": [], "root_path": ""}
        found = [each.matches(dict(scope))[0] for each in part]
        assert Match.FULL in found, path


async def test_parts_answer_as_the_whole() -> None:
    """Words that are parameters, other methods, unknown addresses, and routes added later."""
    app, inner = FastAPI(openapi_url=None), APIRouter()
    inner.add_api_route("/things/{one}", lambda one: one)
    app.include_router(inner, prefix="/api/v1")
    app.add_api_route("/things", lambda: "all")
    app.add_api_route("/{any}/end", lambda any: any)  # noqa: A006
    index_routes(app.router)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        for path, status, told in (
            ("/api/v1/things/7", 200, "7"),
            ("/things", 200, "all"),
            ("/things/end", 200, "things"),
            ("/{any}/end", 200, "{any}"),
            ("/others/end", 200, "others"),
            ("/api/v1/others/7", 404, {"detail": "Not Found"}),
            ("/things/", 404, {"detail": "Not Found"}),
            ("/", 404, {"detail": "Not Found"}),
        ):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (status, told), path
        refused = await client.delete("/things")
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET")
        app.add_api_route("/later", lambda: "later")
        assert (await client.get("/later")).json() == "later"
