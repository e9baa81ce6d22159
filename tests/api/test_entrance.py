"""Where text comes in: no route, and no way into one, passes what people paste on as it came."""

import ast
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Form, Query, Request
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel

from api.http.bodies import Form as StreamedForm
from api.http.entrance import CleanRoute
from ops.local.home import CHECKOUT
from server import create_app
from tests.api.world import table_settings

PASTED, SEEN = "\ufeffМои\u0306 е\u0308жик\u00ad\r\n\u202eтут\u202c", "Мой ёжик\nтут"
RAW_READERS = {
    "api/http/bodies.py": "cleans the fields of a form itself; files are octets",
    "api/operation/temporal_pages.py": "passes on what the Temporal UI says",
    "api/operation/codec.py": "takes payloads of Temporal, which are ciphertext",
    "api/callbacks/heard.py": "checks signatures over the octets; messages clean their texts, or "
    "are codes",
    "cabinet/archive/filters.py": "cleans what it takes out of an address",
    "cabinet/journal/lines.py": "cleans what it takes out of an address",
    "cabinet/reviews/filters.py": "cleans what it takes out of an address",
    "cabinet/frame/shown.py": "reads what a page of ours says that it showed, out of a clean form",
    "cabinet/frame/visits.py": "reads an address of ours that leads on",
}
"""Modules that read a body or an address past the request's own methods, and why they may."""
RAW = {"body", "stream", "parse_qsl", "parse_qs"}


@pytest.mark.asvs("1.1.1")
def test_every_route_cleans_what_comes_in() -> None:
    """A router that is made without the class is found here."""
    app = create_app(table_settings({}, "."))
    routes = [context.original_route for context in iter_route_contexts(app.routes)]
    ours = [route for route in routes if isinstance(route, APIRoute)]
    assert len(ours) > 200
    assert not [route.path for route in ours if not isinstance(route, CleanRoute)]


def test_nothing_reads_a_body_or_an_address_past_the_entrance() -> None:
    """Whoever has to is named above with the reason."""
    found = set()
    for room in ("api", "cabinet"):
        for path in (CHECKOUT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                called = getattr(node, "func", None)
                name = getattr(called, "attr", getattr(called, "id", ""))
                if isinstance(node, ast.Call) and name in RAW:
                    found.add(str(path.relative_to(CHECKOUT)))
    assert found == set(RAW_READERS)


class Body(BaseModel):
    """Texts at several depths, and one that is judged as typed."""

    text: str
    many: list[dict[str, str]]
    password: str


router = APIRouter(route_class=CleanRoute)


@router.post("/json")
async def take_json(body: Body) -> Body:
    """What came in as JSON."""
    return body


@router.post("/form")
async def take_form(
    request: Request, text: Annotated[str, Form(max_length=20)], password: Annotated[str, Form()]
) -> list[Any]:
    """What came in as a form, declared and read by hand."""
    return [text, password, (await request.form())["text"]]


@router.get("/query")
async def take_query(request: Request, text: Annotated[str, Query()]) -> list[str]:
    """What came in with the address, declared and read by hand."""
    return [text, request.query_params["text"]]


@router.post("/files")
async def take_files(request: Request) -> dict[str, str]:
    """The fields beside a file."""
    form = StreamedForm(request)
    await form.rest()
    return form.fields


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Four entrances, and nothing behind them."""
    app = FastAPI()
    app.include_router(router)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as made:
        yield made


async def test_text_is_clean_by_every_way_in(client: httpx.AsyncClient) -> None:
    """JSON, forms, addresses and the fields beside files; a password stays as it was typed."""
    sent = {"text": PASTED, "many": [{"a": PASTED}], "password": PASTED}
    answer = await client.post("/json", json=sent)
    assert answer.json() == {"text": SEEN, "many": [{"a": SEEN}], "password": PASTED}
    answer = await client.post("/form", data={"text": PASTED, "password": PASTED})
    assert answer.json() == [SEEN, PASTED, SEEN]
    answer = await client.get("/query", params={"text": PASTED})
    assert answer.json() == [SEEN, SEEN]
    answer = await client.post("/files", data={"text": PASTED}, files={"file": b"x"})
    assert answer.json() == {"text": SEEN}
