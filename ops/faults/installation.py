"""The installation of a run: its own servers in its own folder, and the means to break them."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from ops.local.home import Home
from ops.local.servers import Server
from ops.local.servers.forking import ForkServer
from ops.local.servers.medcab import Api, Door, Worker
from ops.local.servers.postgres import data_folder_aside
from ops.local.system import GIVEN_BY, System
from ops.upkeep.migrate import migrate
from services.crash_points import CrashPoint
from settings import Settings

SWEEP_GRACE = 5.0
STEADY_AFTER = 2.0

MakeWorker = Callable[[str], Server]
MakeApi = Callable[[str, Door], Server]


class FaultsInstallation:
    """All servers of one run. `given` names servers that are somebody else's and stay whole."""

    def __init__(
        self,
        folder: Path,
        *,
        workers: int,
        apis: int,
        given: Mapping[str, str] | None = None,
        make_worker: MakeWorker = Worker,
        make_api: MakeApi = Api,
        forks: ForkServer | None = None,
    ) -> None:
        self.folder = folder
        self.tokens = folder / "crash-points"
        self.tokens.mkdir(parents=True)
        self._ready: set[str] = set()
        self._log = (folder / "system.log").open("w")
        ours = {
            key: value
            for key, value in os.environ.items()
            if key not in GIVEN_BY.values() and not key.startswith(("MEDCAB_", "DATABASE_", "S3_"))
        }
        self.system = System(
            Home(folder),
            given={
                **ours,
                "MEDCAB_DEMO": "true",
                "MEDCAB_WATCH_USE": "0",
                "MEDCAB_SWEEP_GRACE": str(SWEEP_GRACE),
                "MEDCAB_CRASH_POINTS": str(self.tokens),
                **(given or {}),
            },
            usual=False,
            say=self._note,
            forks=forks,
        )
        self.system.steady_after = STEADY_AFTER
        self.workers = [f"worker-{n}" for n in range(1, workers + 1)]
        self.apis = [f"api-{n}" for n in range(1, apis + 1)]
        self._make_worker, self._make_api = make_worker, make_api

    @property
    def settings(self) -> Settings:
        """How all processes of the run are set."""
        return self.system.settings

    @property
    def sink(self) -> str:
        """The address at which the mail sink lists the messages it took."""
        return self.system.environment["MEDCAB_MAIL_PAGE_URL"]

    def start(self) -> None:
        """Start everything and migrate; takes some twenty seconds."""
        self.system.obtain()
        self.system.start_outer()
        migrate(self.settings)
        own: list[Server] = [self._make_worker(name) for name in self.workers]
        own += [self._make_api(name, self.system.door) for name in self.apis]
        self.system.start(own)

    def stop(self, *, keep: bool) -> None:
        """Stop everything; `keep` the folder with all logs and data for whoever wants to look."""
        self.system.stop()
        self._log.close()
        if not keep:
            shutil.rmtree(data_folder_aside(self.system.home), ignore_errors=True)
            shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self, name: str) -> None:
        """End a server with all its children at once, as a power cut would."""
        for pid in self._family(name):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def freeze(self, name: str) -> list[int]:
        """Stop a server with all its children where they are; give their ids to `thaw`."""
        frozen = list(self._family(name))
        for pid in frozen:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        return frozen

    def thaw(self, pids: list[int]) -> None:
        """Let frozen processes go on: zombies that still hold old tasks."""
        for pid in reversed(pids):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    async def turn(self, simulator: str, to: str = "faults", **fault: object) -> None:
        """Set a switch of a simulator, again and again until it answers."""
        await self._tell(simulator, "PUT", to, fault)

    async def end_subscription(self, name: str) -> None:
        """Have a browser of the push service withdraw its permission."""
        await self._tell("push", "DELETE", f"subscriptions/{name}")

    async def _tell(self, simulator: str, method: str, path: str, body: object = None) -> None:
        address = self.system.address_of(simulator)
        async with httpx.AsyncClient(trust_env=False, timeout=2) as http:
            for _ in range(30):
                with suppress(httpx.HTTPError):
                    reply = await http.request(method, f"{address}/{path}", json=body)
                    reply.raise_for_status()
                    return
                await asyncio.sleep(0.5)

    def hits(self, point: CrashPoint) -> int:
        """How often processes have died at this point."""
        return sum(1 for _ in self.tokens.glob(f"{point}.hit.*"))

    def arm(self, point: CrashPoint) -> None:
        """Let the next process that reaches this point die there."""
        (self.tokens / point).touch()

    def disarm(self) -> None:
        """Let no process die at a point any more."""
        for point in CrashPoint:
            (self.tokens / point).unlink(missing_ok=True)

    def ready(self, names: Iterable[str]) -> bool:
        """Whether all of these work: neither dead nor still starting."""
        return self._ready.issuperset(names)

    def _family(self, name: str) -> Iterator[int]:
        pid = self.system.processes[name].pid
        if pid is not None:
            yield pid
            yield from _descendants(pid)

    def _note(self, name: str, text: str) -> None:
        """Log what the system says of its servers, and note which of them work."""
        if text.startswith("ready"):
            self._ready.add(name)
        else:
            self._ready.discard(name)
        self._log.write(f"{time.strftime('%H:%M:%S')} {name}: {text}\n")
        self._log.flush()


def _descendants(pid: int) -> Iterator[int]:
    """The children of a process and theirs, as Linux tells them; none elsewhere."""
    if sys.platform != "linux":
        return
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, file.read_text().split()):
                yield child
                yield from _descendants(child)
