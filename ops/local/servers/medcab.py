"""Our own processes: workers and API processes."""

import asyncio
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
from temporalio.service import RPCError

from ops.local.certificates import AUTHORITY, CERTIFICATE, KEY
from ops.local.home import CHECKOUT
from ops.local.servers import Launch
from ops.local.servers.asking import answers, ask
from ops.local.servers.ports import LOOPBACK, choose_port, return_port
from ops.local.servers.pulse import TakenSteps, pollers

HEALTH_PATH = "/health/ready"

NOT_FOR_OURS = frozenset(
    {
        "PYTHONDONTWRITEBYTECODE",
        "DATABASE_OWNER_URL",
        "S3_OWNER_ACCESS_KEY",
        "S3_OWNER_SECRET_KEY",
    }
)
"""Variables that our processes never see: whoever breaks into one owns neither tables nor store."""


class Own:
    """A `medcab` command that runs until it is told to stop."""

    ready_within = 120.0
    command: str
    job: str = ""
    """Its job in Prometheus; empty where it has no metrics."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.metrics = ""

    def metered(self) -> dict[str, str]:
        """The variable with its own address for metrics, since the API's socket is shared."""
        if self.job and not self.metrics:
            self.metrics = f"{LOOPBACK}:{choose_port()}"
        return {"MEDCAB_METRICS_ADDRESS": self.metrics}

    @property
    def address(self) -> str:
        """Nobody connects to it, unless a subclass says otherwise."""
        return ""

    def obtain(self, say: Callable[[str], None]) -> None:
        """Nothing to obtain: it is part of Medcab."""

    def prepare(self) -> None:
        """Nothing to choose."""

    def launch(self, environment: Mapping[str, str]) -> Launch:
        """The command, with all variables of the system but those of the owners.

        Compiled files are kept: the sandbox imports the module of a workflow anew for every run.
        """
        kept = {k: v for k, v in environment.items() if k not in NOT_FOR_OURS}
        return Launch(
            [sys.executable, "-m", "ops.cli", self.command, *self.options()],
            self.metered() | kept | {"PYTHONUNBUFFERED": "1"},
            directory=CHECKOUT,
            stop_within=30.0,
            inherited=self.inherited(),
        )

    def options(self) -> list[str]:
        """The arguments of the command."""
        return []

    def inherited(self) -> tuple[int, ...]:
        """Open files that the process inherits."""
        return ()

    def settle(self) -> None:
        """Nothing to arrange."""

    def variables(self) -> dict[str, str]:
        """None: no other program looks for it."""
        return {}


class Worker(Own):
    """A process that runs workflows and activities."""

    command = "worker"
    job = "medcab-worker"

    def __init__(self, name: str = "worker") -> None:
        super().__init__(name)
        self._queue = ("", "", "")
        self._steps = TakenSteps()

    def launch(self, environment: Mapping[str, str]) -> Launch:
        """The command. Its task queue is remembered, to look for the worker there."""
        self._steps = TakenSteps()
        self._queue = (
            environment["TEMPORAL_ADDRESS"],
            environment.get("TEMPORAL_NAMESPACE", "default"),
            environment.get("MEDCAB_TASK_QUEUE", "medcab"),
        )
        return super().launch(environment)

    def ready(self, pid: int) -> bool:
        """Whether Temporal sees this very process ask for workflow tasks, as `pid@host`."""
        try:
            return asyncio.run(asyncio.wait_for(self._asks(pid), timeout=5))
        except (RuntimeError, RPCError, TimeoutError):
            return False

    def works(self, pid: int) -> bool:
        """Whether it asked for work lately, and completes what it takes."""
        try:
            return asyncio.run(asyncio.wait_for(self._asks_and_ends(pid), timeout=10))
        except (RuntimeError, RPCError, TimeoutError):
            return True  # Temporal does not answer, which is no fault of the worker.

    async def _asks(self, pid: int) -> bool:
        asking = await pollers(*self._queue)
        return any(identity.startswith(f"{pid}@") for identity in asking)

    async def _asks_and_ends(self, pid: int) -> bool:
        return await self._asks(pid) and await self._steps.all_end(*self._queue[:2], pid)


class Archiver(Own):
    """The process that archives PostgreSQL's log for `restore`; idle before the first backup."""

    command = "archive"

    def __init__(self) -> None:
        super().__init__("archiver")

    def ready(self, pid: int) -> bool:
        """Always: nobody waits for it."""
        del pid
        return True

    def works(self, pid: int) -> bool:
        """Always: the age of the archive is watched instead.

        An archiver that has much to catch up is left alone.
        """
        del pid
        return True


class Api(Own):
    """A process that serves the pages and the API, on a socket shared by all of them.

    The socket belongs to whoever starts the processes: one of them may die or be replaced, and no
    request is refused meanwhile.
    """

    command = "api"
    job = "medcab-api"

    def __init__(self, name: str, door: "Door") -> None:
        super().__init__(name)
        self.door = door

    @property
    def address(self) -> str:
        """The address of the cabinet."""
        return self.door.address

    def options(self) -> list[str]:
        """The socket."""
        return ["--socket", str(self.door.socket.fileno())]

    def inherited(self) -> tuple[int, ...]:
        """The socket, passed on open."""
        return (self.door.socket.fileno(),)

    def ready(self, pid: int) -> bool:
        """Whether the health page answers."""
        del pid
        return answers(f"{self.address}{HEALTH_PATH}", self.door.authority)

    def works(self, pid: int) -> bool:
        """Whether it serves its metrics: the shared socket says nothing of one process.

        It is asked for the one that asks no other server.
        """
        del pid
        try:
            told = ask(f"http://{self.metrics}/metrics?name[]=medcab_loop_seconds", within=15)
        except httpx.ConnectError:
            return True  # Another program had the port first: the cabinet works without metrics.
        except httpx.HTTPError:
            return False
        return told.status_code == 200


class Door:
    """The listening socket of the cabinet, at the first of the preferred ports that is free.

    With a folder of certificates it is opened by https.
    """

    def __init__(self, *preferred: int | None, tls: Path | None = None) -> None:
        self.tls = tls
        self.port = choose_port(*preferred)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((LOOPBACK, self.port))
        self.socket.listen(1024)

    @property
    def address(self) -> str:
        """The address of the cabinet."""
        return f"{'https' if self.tls else 'http'}://{LOOPBACK}:{self.port}"

    @property
    def authority(self) -> Path | None:
        """The certificate of the authority behind an address by https."""
        return self.tls and self.tls / AUTHORITY

    def variables(self) -> dict[str, str]:
        """The address that people open. Plain http is good enough on loopback only."""
        if self.tls is None:
            return {"MEDCAB_PUBLIC_URL": self.address, "MEDCAB_COOKIE_SECURE": "false"}
        return {
            "MEDCAB_PUBLIC_URL": self.address,
            "MEDCAB_TLS_CERTIFICATE": str(self.tls / CERTIFICATE),
            "MEDCAB_TLS_KEY": str(self.tls / KEY),
            "MEDCAB_TLS_AUTHORITY": str(self.authority),
        }

    def close(self) -> None:
        """Stop listening."""
        self.socket.close()
        return_port(self.port)


async def polls(target: str, namespace: str, queue: str) -> bool:
    """Whether a worker of this machine (or container) asks for workflow tasks."""
    ending = f"@{socket.gethostname()}"
    return any(each.endswith(ending) for each in await pollers(target, namespace, queue))
