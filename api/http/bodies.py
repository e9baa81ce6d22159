"""Request bodies: how long they may be, how slowly they may come, and files that stream in them.

`BodyLimit` wraps the whole application, so that no route or parser reads more than its limit. Files
are read as they arrive, from a plain body or from a form; the framework does not spool them.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.container import Container
from api.http.body_limits import BodyLimits
from api.http.problems import Problem, draw
from rules.access import Actor
from rules.staff.table import MOST_OCTETS
from rules.texts.cleaning import clean
from rules.texts.identifiers import whole
from services.files.intake import Incoming
from services.files.uploads import counted

SILENCE = 30.0
"""Seconds that may pass without a byte."""
GRACE = 60.0
"""Seconds that any body may take, however slow."""
PACE = 8 * 1024
"""Bytes that must have come for each further second; a phone on a bad connection manages this."""
_FIELDS_LIMIT = 64 * 1024
_PARTS_LIMIT = 100
_ENDLESS = 10**9


@dataclass(frozen=True)
class Pace:
    """How slowly a body may come in.

    A client that only drips would hold a connection others need.
    """

    silence: float = SILENCE
    grace: float = GRACE
    octets: float = PACE

    def left(self, began: float, read: int, now: float) -> float:
        """Seconds within which the next piece must arrive, by a monotonic clock."""
        return min(self.silence, began + self.grace + read / self.octets - now)


class BodyLimit:
    """ASGI middleware: refuse (413) bodies that are too long, announced or counted while reading.

    A body that stalls or comes too slowly ends with 408.
    """

    def __init__(self, app: ASGIApp, *, limits: BodyLimits, pace: Pace = Pace()) -> None:
        self._app = app
        self._limits = limits
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Limit the body of an HTTP request; other connections have none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._limits.of(scope["path"])
        if _announced(scope) > most:
            too_long = Problem(413, "request_entity_too_large", "Слишком большой запрос.")
            await draw(Request(scope), too_long)(scope, receive, send)
            return
        await self._app(scope, self._counting(receive, most), send)

    def _counting(self, receive: Receive, most: int) -> Receive:
        read, complete, began = 0, False, time.monotonic()

        async def counted() -> Message:
            nonlocal read, complete
            if complete:
                return await receive()
            try:
                left = self._pace.left(began, read, time.monotonic())
                if left <= 0:
                    raise TimeoutError
                async with asyncio.timeout(left):
                    message = await receive()
            except TimeoutError as error:
                complete = True
                raise HTTPException(408) from error
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                complete = not message.get("more_body", False)
                if read > most:
                    raise HTTPException(413)
            return message

        return counted


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return _length(value.decode("latin-1")) or 0
    return 0


def _length(value: str) -> int | None:
    """The length that a header states, None for no number; ten digits or more count as endless."""
    return _ENDLESS if len(value) > 9 and value.isdigit() else whole(value)


def incoming_of(request: Request, file_name: str | None) -> Incoming:
    """The file that is the whole body of the request."""
    return Incoming(
        request.stream(),
        file_name,
        request.headers.get("content-type"),
        _length(request.headers.get("content-length", "")),
    )


def is_form(request: Request) -> bool:
    """Whether the body is a form with files in it."""
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


@dataclass
class Form:
    """A multipart form, read in order: `fields` fills up while `files` is iterated.

    Fields that a file needs must stand before it, as they do in the forms of the pages.
    """

    request: Request
    fields: dict[str, str] = field(default_factory=dict)

    async def files(self) -> AsyncIterator[Incoming]:
        """The files in order; each must be read before the next is asked for.

        An empty file input is skipped. Raises HTTPException 400 for no valid form, 413 for too many
        parts or too long fields.
        """
        async with aclosing(_events(self.request)) as events:
            parts = octets = 0
            async for event in events:
                if not isinstance(event, _Part):
                    continue
                parts += 1
                if parts > _PARTS_LIMIT:
                    raise HTTPException(413)
                if event.file_name is None:
                    value = b"".join([piece async for piece in _pieces(events)])
                    octets += len(value)
                    if octets > _FIELDS_LIMIT:
                        raise HTTPException(413)
                    self.fields[event.name] = clean(value.decode(errors="replace"))
                    continue
                pieces = _pieces(events)
                if event.file_name:
                    yield Incoming(pieces, event.file_name, event.content_type)
                async for _ in pieces:
                    pass

    async def rest(self) -> None:
        """Read the form to its end and drop its files."""
        async for _ in self.files():
            pass


@dataclass
class _Part:
    """The head of a part."""

    name: str = ""
    file_name: str | None = None
    content_type: str | None = None


class _End:
    """The end of a part."""


_Event = _Part | _End | bytes


async def _pieces(events: AsyncIterator[_Event]) -> AsyncIterator[bytes]:
    async for event in events:
        if isinstance(event, bytes):
            yield event
        else:
            return


async def _events(request: Request) -> AsyncGenerator[_Event, None]:
    """The parts of a form, as they arrive."""
    found: list[_Event] = []
    _, options = parse_options_header(request.headers.get("content-type"))
    if not (boundary := options.get(b"boundary")):
        raise HTTPException(400)
    try:
        parser = MultipartParser(boundary, _callbacks(found))
        async for chunk in request.stream():
            parser.write(chunk)
            for event in found:
                yield event
            found.clear()
        parser.finalize()
    except MultipartParseError as error:
        raise HTTPException(400) from error
    for event in found:
        yield event


def _callbacks(found: list[_Event]) -> Any:
    """Turn the calls of the parser into a list of events."""
    name, value, headers = bytearray(), bytearray(), {}

    def header_end() -> None:
        headers[bytes(name).lower()] = value.decode("latin-1")
        name.clear()
        value.clear()

    def headers_finished() -> None:
        _, options = parse_options_header(headers.get(b"content-disposition"))
        file_name = options.get(b"filename")
        found.append(
            _Part(
                options.get(b"name", b"").decode(errors="replace"),
                None if file_name is None else file_name.decode(errors="replace"),
                headers.get(b"content-type"),
            )
        )
        headers.clear()

    return {
        "on_header_field": lambda data, start, end: name.extend(data[start:end]),
        "on_header_value": lambda data, start, end: value.extend(data[start:end]),
        "on_header_end": header_end,
        "on_headers_finished": headers_finished,
        "on_part_data": lambda data, start, end: found.append(bytes(data[start:end])),
        "on_part_end": lambda: found.append(_End()),
    }


async def octets_of(container: Container, actor: Actor, incoming: Incoming) -> bytes:
    """The whole file. Raises 413 once it exceeds the limit of a table, and Refusal 429 by quota."""
    body = bytearray()
    async with counted(container.database, actor, incoming, MOST_OCTETS) as file:
        async for piece in file.chunks:
            body += piece
            if len(body) > MOST_OCTETS:
                raise HTTPException(413)
    return bytes(body)
