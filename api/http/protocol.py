"""The server's HTTP protocol, with limits on how long and how slow the head of a request may be."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_WITHIN = 15.0
"""Seconds from the start of a connection, or of a further request on it, to the end of the head."""
HEAD_OCTETS = 32 * 1024
"""Bytes of the request line and all headers together."""
_TOO_LONG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class GuardedProtocol(HttpToolsProtocol):
    """Closes a connection that sends the head of a request slowly or without end.

    uvicorn by itself waits for ever and keeps all of it. Bodies are watched by `BodyLimit`.
    """

    head_within = HEAD_WITHIN

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        self._octets = 0
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the head of the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse on, and count the bytes of an unfinished head: the parser sets no limit."""
        begun = self._in_head
        super().data_received(data)
        if begun and self._in_head:
            self._octets += len(data)
            if self._octets > HEAD_OCTETS and not self.transport.is_closing():
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """Start waiting for the head of a further request; for the first, `connection_made` did."""
        super().on_message_begin()
        if not self._in_head:
            self._in_head, self._octets = True, 0
            self._wait()

    def on_headers_complete(self) -> None:
        """The head has come whole. Raises ValueError if it is too long."""
        self._stop_waiting()
        length = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if length > HEAD_OCTETS:
            self._octets = length
            raise ValueError("the head of a request is too long")
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what was wrong, 431 for a head that is too long, and hang up."""
        if self._octets <= HEAD_OCTETS:
            super().send_400_response(msg)
            return
        self.transport.write(_TOO_LONG)
        self.transport.close()

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.head_within, self._hang_up)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _hang_up(self) -> None:
        self.transport.close()
