"""A place for callbacks: a real HTTP server that remembers what came and answers as told."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.shared.waiting import PATIENCE


@dataclass
class Call:
    """One callback as it came."""

    headers: dict[str, str]
    body: bytes


@dataclass
class Listener:
    """`answers` are given in turn, the last again and again."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [204])
    calls: list[Call] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        """Remember the call."""
        self.calls.append(Call(dict(request.headers), await request.body()))
        return Response(status_code=self.answers[min(len(self.calls), len(self.answers)) - 1])

    async def until(self, happened: Callable[[], bool], within: float = PATIENCE) -> None:
        """Wait for something to have come."""
        deadline = time.monotonic() + within
        while not happened():
            assert time.monotonic() < deadline, "nobody called in time"
            await asyncio.sleep(0.02)


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """A listener on a port of its own."""
    listener = Listener()
    app = Starlette(routes=[Route("/callbacks", listener.take, methods=["POST"])])
    door = socket.create_server(("127.0.0.1", 0))
    listener.url = f"http://127.0.0.1:{door.getsockname()[1]}/callbacks"
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[door]))
    try:
        yield listener
    finally:
        server.should_exit = True
        await task
