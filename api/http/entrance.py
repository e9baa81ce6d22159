"""Every form, JSON body and query is cleaned before a route reads it.

Each router makes its routes of `CleanRoute`, so a new route cannot forget it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, QueryParams

from rules.texts.cleaning import clean

AS_TYPED = frozenset({"password", "old_password", "new_password"})
"""Fields that stay exactly as they were typed."""


class CleanRoute(APIRoute):
    """A route that reads texts without invisible characters, and with composed letters (NFC)."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """The handler of the route, given a request that cleans its texts."""
        handle = super().get_route_handler()

        async def entered(request: Request) -> Response:
            return await handle(_CleanRequest(request.scope, request.receive))

        return entered


class _CleanRequest(Request):
    """Cleans what it parses; the bytes of the body stay as they were sent."""

    async def json(self) -> Any:
        return cleaned(await super().json())

    async def form(self, **limits: Any) -> FormData:  # type: ignore[override]
        sent = await super().form(**limits)
        return FormData([(name, _field(name, value)) for name, value in sent.multi_items()])

    @property
    def query_params(self) -> QueryParams:
        if not hasattr(self, "_clean_query"):
            sent = super().query_params.multi_items()
            self._clean_query = QueryParams([(name, clean(value)) for name, value in sent])
        return self._clean_query


def cleaned(value: Any) -> Any:
    """Parsed JSON with every text in it cleaned. Names of fields are not touched."""
    match value:
        case str():
            return clean(value)
        case list():
            return [cleaned(each) for each in value]
        case dict():
            return {name: _field(name, each) for name, each in value.items()}
        case _:
            return value


def _field(name: str, value: Any) -> Any:
    return value if name in AS_TYPED else cleaned(value)
