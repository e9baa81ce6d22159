"""The OpenAPI description: problems as they are sent, and who may call what."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from api.http.auth import Openness, declared
from api.http.problems import MEDIA_TYPE, ProblemField, ProblemOut
from api.http.token_routes import TOKEN_ROUTES

_REF = "#/components/schemas/{model}"
_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemOut")}}}
_BY_SESSION: dict[str, list[str]] = {"session": [], "form_token": []}
_BY_SESSION_READING: dict[str, list[str]] = {"session": []}
_BY_TOKEN: dict[str, list[str]] = {"token": []}


def routes(app: FastAPI) -> Iterator[tuple[str, str, set[Openness]]]:
    """Every route of ours: method, path, and the rules that say to whom it is open."""
    for route in iter_route_contexts(app.routes):
        dependant: Dependant | None = getattr(route, "dependant", None)
        for method in sorted(route.methods or ()):
            if dependant is not None and route.path is not None:
                yield method, route.path, declared(dependant)


def describe(app: FastAPI, session_cookie: str) -> None:
    """Give the app this description; `session_cookie` is the name of the session's cookie."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app, session_cookie)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(app: FastAPI, session_cookie: str) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
    )
    components = schema.setdefault("components", {})
    components["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": session_cookie},
        "form_token": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "mcb_…"},
    }
    models = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        models.pop(name, None)
    for model in (ProblemOut, ProblemField):
        models[model.__name__] = model.model_json_schema(ref_template=_REF)
        models[model.__name__].pop("$defs", None)
    openness = {(method.lower(), path): to for method, path, to in routes(app)}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            scope = TOKEN_ROUTES.get(f"{method.upper()} {path}")
            operation["security"] = _security(
                method, openness.get((method, path), set()), by_token=scope is not None
            )
            if scope is not None:
                operation["x-token-scope"] = sorted(scope)
            responses = operation["responses"]
            if "422" in responses:
                responses["422"] = {"description": "Something in the request has to be corrected"}
            responses.setdefault("default", {"description": "A problem"})
            for status, response in responses.items():
                if status == "default" or (status >= "4" and "content" not in response):
                    response["content"] = _PROBLEM
    return schema


def _security(
    method: str, openness: set[Openness], *, by_token: bool
) -> list[dict[str, list[str]]]:
    kinds = {each.to for each in openness}
    if kinds <= {"public"}:
        return []
    by_session = _BY_SESSION_READING if method in ("get", "head") else _BY_SESSION
    return [by_session, _BY_TOKEN] if by_token else [by_session]


def whole_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model without references, to stand anywhere in the description."""
    schema = model.model_json_schema()
    named = schema.pop("$defs", {})

    def filled(part: Any) -> Any:
        if isinstance(part, list):
            return [filled(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return filled(named[part["$ref"].rpartition("/")[2]])
        return {name: filled(one) for name, one in part.items()}

    whole: dict[str, Any] = filled(schema)
    return whole
