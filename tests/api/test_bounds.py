"""Nothing that a client sends is without bounds: numbers, lists, bodies."""

import re
from collections.abc import Iterator
from operator import getitem
from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import TypeAdapter

from api.http.body_limits import FORM, SMALL, BodyLimits, body_limits
from server import create_app
from tests.api.world import table_settings

LOWER = ("minimum", "exclusiveMinimum")
UPPER = ("maximum", "exclusiveMaximum")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The application, which no server stands behind."""
    nowhere = {"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/none"}
    return create_app(table_settings(nowhere, str(tmp_path_factory.mktemp("home"))))


def taken_in(app: FastAPI) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where and as what everything is taken in, by the API and by pages."""
    for route in iter_route_contexts(app.routes):
        pending = [getattr(route, "dependant", None)]
        while pending:
            dependant = pending.pop()
            if dependant is None:
                continue
            pending += dependant.dependencies
            for kind in ("path", "query", "header", "cookie", "body"):
                for one in getattr(dependant, f"{kind}_params"):
                    known = one.field_info
                    read: Any = getitem(Annotated, (known.annotation, "taken in", *known.metadata))
                    schema = TypeAdapter[Any](read).json_schema(mode="validation")
                    yield f"{sorted(route.methods or ())} {route.path} {kind} {one.name}", schema


def inside(schema: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema and all schemas in it."""
    if isinstance(schema, list):
        for one in schema:
            yield from inside(one, where)
    elif isinstance(schema, dict):
        yield where, schema
        for key, one in schema.items():
            if key not in ("examples", "default", "enum", "const"):
                yield from inside(one, f"{where}.{key}")


def unbounded(schema: dict[str, Any]) -> bool:
    """Whether a client may make it as large as it likes."""
    match schema.get("type"):
        case "integer":
            lowest = min((schema[key] for key in LOWER if key in schema), default=None)
            highest = max((schema[key] for key in UPPER if key in schema), default=None)
            return lowest is None or highest is None or highest > 2**53 or lowest < -(2**53)
        case "array":
            return "maxItems" not in schema and "prefixItems" not in schema
        case "string" if schema.get("format") in ("date", "date-time"):
            return "formatMaximum" not in schema
        case "object":
            free = schema.get("additionalProperties")
            return isinstance(free, dict) and "maxProperties" not in schema
    return False


@pytest.mark.asvs("1.4.2")
def test_every_number_and_list_has_bounds(app: FastAPI) -> None:
    """No number is larger than its column, no list so long that reading it takes a second, and no
    day so far that a sum with it overflows.
    """
    seen = list(taken_in(app))
    assert len(seen) > 300
    wrong = [
        f"{place}: {one}"
        for where, schema in seen
        for place, one in inside(schema, where)
        if unbounded(one)
    ]
    assert not wrong, "\n".join(wrong)


LARGE = {
    "/administration/staff",
    "/administration/staff/apply",
    "/administration/types/{key}",
    "/administration/types/{key}/file",
    "/administration/{room_name}/{key}",
    "/api/v1/administration/staff/apply",
    "/api/v1/administration/staff/dry-run",
    "/api/v1/administration/type/{key}/dry-run",
    "/api/v1/administration/{subject}/{key}",
    "/api/v1/callbacks/gov-service",
    "/api/v1/callbacks/mail",
    "/api/v1/documents",
    "/api/v1/documents/{document_id}/versions",
    "/api/v1/requests/{case_id}/answer",
    "/codec/decode",
    "/desk/cases/{case_id}/decision",
    "/desk/cases/{case_id}/take",
    "/desk/several",
    "/documents/files",
    "/documents/files/cases/{case_id}/{kind}",
    "/documents/files/credentials",
    "/documents/files/credentials/{draft_id}",
    "/documents/files/messages/{case_id}",
    "/documents/files/{document_id}",
    "/patients/import",
    "/patients/import/apply",
    "/requests/{case_id}/answer",
    "/temporal/{path:path}",
}
"""Routes that take more than a form: files, sheets, descriptions of types, decisions, envelopes."""


def test_bodies_are_small_but_where_the_table_says_otherwise(app: FastAPI) -> None:
    """Every line of the table is a route, and a route without a line has the small limit."""
    table = body_limits(10_000_000)
    paths = {str(route.path) for route in iter_route_contexts(app.routes)}
    assert set(table) <= paths
    limits = BodyLimits(table)
    assert {path for path in paths if limits.of(path) > FORM} == LARGE
    templates = re.compile(
        r"/(?:accreditations|applications|requests|verifications)/{case_id}/draft/|(?:/api/v1)?/administration/"
    )
    unnamed = {path for path in paths - set(table) if limits.of(path) > SMALL}
    assert all(templates.match(path) for path in unnamed), "a line covers more than it names"
    assert limits.of("/api/v1/sign-in") == limits.of("/no/such/page") == SMALL
