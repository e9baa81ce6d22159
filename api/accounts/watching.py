"""What is used of the application, as far as the answers show it: files, and ids of others.

Pages of a file that are shown as pictures are taken away as well as the file is.
"""

from http import HTTPStatus
from uuid import UUID

from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.container import container_of
from api.http.auth import visitor_of
from rules.clock import now
from rules.risks import RiskKind

PAGE_OF_FILE = {"version_id", "page"}
"""What the address of a page as a picture names."""


class Watched:
    """ASGI middleware: count files that leave, and answers that an id is not there for the person.

    Only the start of a response is looked at; who asked was found out by the route.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and look at how it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                await _count(Request(scope), message)
            await send(message)

        await self._app(scope, receive, counting)


async def _count(request: Request, start: Message) -> None:
    current = getattr(request.state, "current", None)
    if current is None:
        return
    watch, visitor = container_of(request).watch, visitor_of(request)
    if start["status"] == 404 and any(map(_is_id, request.path_params.values())):
        await watch.missed(current, request.url.path, visitor, now())
    elif any(_saves(name, value) for name, value in start["headers"]):
        await watch.used(RiskKind.DOWNLOADS, current, visitor, now())
    elif start["status"] == HTTPStatus.OK and request.path_params.keys() >= PAGE_OF_FILE:
        await watch.opened(current, str(request.path_params["version_id"]), visitor, now())


def _saves(name: bytes, value: bytes) -> bool:
    """Whether a header makes a browser save the answer as a file."""
    return name.lower() == b"content-disposition" and value.startswith(b"attachment")


def _is_id(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True


def watch_use(app: FastAPI) -> None:
    """Make the app count."""
    app.add_middleware(Watched)
