"""The application as tests serve it: in a thread of its own, at a port, or in process."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from uuid import uuid4

import uvicorn
from fastapi import FastAPI

from server import create_app
from settings import Settings
from tests.shared.servers import Servers
from tests.shared.waiting import PATIENCE

T = TypeVar("T")
LOOPBACK = "127.0.0.1"


class Served:
    """The application at `url`; `run` does something in the loop that its connections live in."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._loop = asyncio.new_event_loop()
        config = uvicorn.Config(app, host=LOOPBACK, port=0, log_config=None, ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve())

    def start(self) -> None:
        """Return when the server takes requests."""
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the application did not start")
            time.sleep(0.02)

    @property
    def url(self) -> str:
        """Where it is."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://{LOOPBACK}:{port}"

    def run(self, work: Coroutine[Any, Any, T], within: float = 120.0) -> T:
        """Wait for something done in the server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(within)

    def stop(self) -> None:
        """Let the server finish and close its connections."""
        self._server.should_exit = True
        self._thread.join(30)
        self._loop.close()


def with_new_database(settings: Settings, urls: dict[str, str]) -> Settings:
    """The settings of this run, but for a database and a task queue of its own."""
    own = {"database_url": urls["DATABASE_URL"], "database_owner_url": urls["DATABASE_OWNER_URL"]}
    return Settings.model_validate(
        {
            **settings.model_dump(),
            **own,
            # Workers of other tests know nothing of these cases.
            "task_queue": f"served-{uuid4().hex}",
            "cookie_secure": False,
            "public_url": "http://127.0.0.1:8000",
        }
    )


@contextmanager
def served(settings: Settings, servers: Servers) -> Iterator[Served]:
    """The application over an empty database, behind a real server."""
    name = f"medcab_served_{uuid4().hex}"
    standing = Served(create_app(with_new_database(settings, servers.new_database(name))))
    standing.start()
    try:
        yield standing
    finally:
        standing.stop()
        servers.drop_database(name)


@asynccontextmanager
async def in_process(settings: Settings, servers: Servers) -> AsyncIterator[FastAPI]:
    """The application over an empty database, in the test's own loop."""
    name = f"medcab_served_{uuid4().hex}"
    app = create_app(with_new_database(settings, servers.new_database(name)))
    async with app.router.lifespan_context(app):
        yield app
    servers.drop_database(name)


@asynccontextmanager
async def at_port(app: FastAPI, port: int) -> AsyncIterator[str]:
    """The application behind a port of loopback, for as long as the block lasts."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none")
    )
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(PATIENCE):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
            await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
