"""Compression of pages, where the compressed length cannot reveal a secret.

docs/decisions/compression.md says which pages these are, and why.
"""

import gzip

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SMALLEST = 1024
"""Bytes from which compressing a page is worth it."""
LEVEL = 5
_OWN = frozenset({"same-origin", "none"})
"""`Sec-Fetch-Site` of a request that no other site made: one of our pages did, or the person."""


def _may_be_packed(request: Headers) -> bool:
    if "gzip" not in request.get("accept-encoding", ""):
        return False
    return "cookie" not in request or request.get("sec-fetch-site") in _OWN


class Compressed:
    """ASGI middleware: compress a page that is sent in one piece, where that is safe."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and hold back the head of a page until its body has come."""
        if scope["type"] != "http" or not _may_be_packed(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        held: Message | None = None

        async def pack(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _is_page(message):
                held = message
                return
            if held is not None:
                head, held = held, None
                body = message.get("body", b"")
                if len(body) >= SMALLEST and not message.get("more_body"):
                    message = {**message, "body": gzip.compress(body, LEVEL, mtime=0)}
                    headers = MutableHeaders(scope=head)
                    headers["Content-Encoding"] = "gzip"
                    headers["Content-Length"] = str(len(message["body"]))
                    headers.add_vary_header("Accept-Encoding")
                await send(head)
            await send(message)

        await self._app(scope, receive, pack)


def _is_page(head: Message) -> bool:
    headers = Headers(raw=head["headers"])
    page = headers.get("content-type", "").startswith("text/html")
    return page and "content-encoding" not in headers
